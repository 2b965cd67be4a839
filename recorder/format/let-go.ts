/** Memory that is garbage is given back now, where much more is asked for next. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A smaller heap is not worth the look, bytes. */
const WORTH_IT = 32 * 1024 * 1024;
/** A recording of so many rows, or of a program of so many characters, leaves much of it behind. */
const LONG_ROWS = 500_000;
const LONG_TEXT = 1_000_000;

let collect: (() => void) | undefined;

/**
 * V8 looks for garbage when the heap has grown by a half. After a long recording that half, and then the program of the run, would stand
 * beside the database's completion and the verdict, and be the most memory that `eintr record` takes of a log of many processes.
 */
export function letGo({ rows, text = 0 }: { readonly rows: number; readonly text?: number }): void {
  // Of a short recording little is garbage, whatever else the process holds: a look would take longer than the recording.
  if ((rows < LONG_ROWS && text < LONG_TEXT) || process.memoryUsage().heapUsed < WORTH_IT) return;
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
