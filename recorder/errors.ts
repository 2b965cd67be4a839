/** The one error of this folder that a user can cause: a trace that cannot be read, written or trusted. */

/**
 * Names the file, the place in it, what was found against what was expected, and what to do.
 * `message` is complete: callers print it as it is.
 */
export class TraceError extends Error {
  override readonly name = "TraceError";
  constructor(
    readonly path: string,
    /** Place in the file, e.g. `batch 3, row 17` or `byte 4096`; empty when the file as a whole is meant. */
    readonly place: string,
    problem: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(`${path}${place === "" ? "" : ` (${place})`}: ${problem}. ${hint}`, options);
  }
}

/** Code of a node:fs error (`ENOSPC`, ...), or the empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
