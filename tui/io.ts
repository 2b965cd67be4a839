/** What a command may touch of the terminal: data goes to stdout, talk to stderr; both told whether colour is wanted. */

export interface Io {
  /** Data. Resolves when the text is taken (backpressure), so that memory stays bounded. */
  readonly out: (text: string) => Promise<void>;
  /** Talk: progress, hints, what to do next. */
  readonly talk: (text: string) => void;
  /** Colour for data on stdout. */
  readonly color: boolean;
  /** Columns of the terminal on stdout; null when it is none. */
  readonly columns: number | null;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** 0 fine, 1 findings or differences, 2 usage or input error. */
  exitCode: number;
}

/** Wrong use or wrong input: its message is all the user sees, exit code 2. */
export class InputError extends Error {
  override readonly name = "InputError";
}
