/** The door of the strace importer: `strace -f -ttt -T` logs of real programs become scenarios. */

export { StraceError } from "./errors.ts";
export { looksLikeStrace } from "./recognize.ts";
export { type Imported, straceToScenario } from "./scenario.ts";
