/** What a command may touch of the terminal: data goes to stdout, talk to stderr; data is told whether colour is wanted. */

import type { ColorDepth } from "./present/palette.ts";
import { safeLines } from "./present/safe.ts";
import { safeStyled } from "./present/style.ts";

export interface Io {
  /**
   * Data. Resolves when the text is taken (backpressure), so that memory stays bounded. Throws Interrupted after Ctrl-C: what is
   * left of a long output nobody waits for.
   */
  readonly out: (text: string) => Promise<void>;
  /** Talk: hints, errors, what to do next. Lines of plain text: it is cleaned of all that would drive the terminal, colour too. */
  readonly talk: (text: string) => void;
  /** Colours for data on stdout; 0 none. */
  readonly color: ColorDepth;
  /** Columns of the terminal on stdout; null when it is none. */
  readonly columns: number | null;
  /**
   * Aborted by the first Ctrl-C or SIGTERM. Until a command first asks for it they end the program at once, as they do any other:
   * ask for it where there is something to keep or to clean up, and let the event loop in from there on.
   */
  readonly signal: AbortSignal;
  /** 0 fine, 1 findings or differences, 2 usage or input error, 70 a bug of ours, 130 interrupted. */
  exitCode: number;
}

/**
 * The door of design section 10: commands quote strangers, and no command has to remember it. Data for a file or a
 * pipe is left alone, so that CSV loses nothing; each form of data for a terminal makes its own texts safe besides.
 */
export const guarded = (io: Io): Io => ({
  color: io.color,
  columns: io.columns,
  out: io.columns === null ? io.out : (text) => io.out(safeStyled(text)),
  talk: (text) => io.talk(safeLines(text)),
  get signal() {
    return io.signal;
  },
  get exitCode() {
    return io.exitCode;
  },
  set exitCode(code) {
    io.exitCode = code;
  },
});

/** Wrong use or wrong input: its message is all the user sees, exit code 2. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Ctrl-C ended the output of data: nothing to tell, exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
