/** The importer's one error: a log that cannot become a scenario. */

import { ImportError } from "../importer.ts";

const HOW_TO_RECORD = "record with: strace -f -ttt -T -o FILE PROGRAM";

/** Names the file and line, what was found against what was expected, and what to do. `message` is complete. */
export class StraceError extends ImportError {
  override readonly name = "StraceError";
  constructor(where: string, problem: string, hint: string = HOW_TO_RECORD) {
    super(`${where}: ${problem}; ${hint}`);
  }
}
