/** Logs of real programs that can be taken for a case, in the order in which they are tried. */

import { type Imported, looksLikeStrace, straceToScenario } from "./strace/index.ts";

export { StraceError } from "./strace/index.ts";

export interface Importer {
  /** What a user calls it. */
  readonly format: string;
  /** Decided by the beginning of the text. */
  recognizes(text: string): boolean;
  /** `name` names the log in errors. */
  toScenario(text: string, name: string): Imported;
}

export const IMPORTERS: readonly Importer[] = [
  { format: "log of strace -f -ttt -T", recognizes: looksLikeStrace, toScenario: straceToScenario },
];
