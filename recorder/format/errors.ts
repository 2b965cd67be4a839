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
    readonly problem: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(`${path}${place === "" ? "" : ` (${place})`}: ${problem}. ${hint}`, options);
  }
}

/** Code of an error of node:fs (`ENOSPC`, ...) or of SQLite (`SQLITE_FULL`, ...), or the empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Codes of a full disk, a used-up quota, a file longer than the file system takes. */
export const isFullDisk = (code: string): boolean => ["ENOSPC", "EDQUOT", "EFBIG", "SQLITE_FULL"].includes(code);

/** An errno, or what node:fs itself refuses. Other codes of node (`ERR_INVALID_ARG_TYPE`, ...) are bugs of the caller. */
export const isFileError = (code: string): boolean => /^(E[A-Z0-9]+|ERR_FS_[A-Z_]+)$/.test(code);

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Hint of a write that failed: what was written before stays. */
export const HOLDS = "The trace holds everything up to here and can be opened";

/** The same error where nothing had been written before. */
export function nothingRecorded(error: unknown, older: boolean): unknown {
  if (!(error instanceof TraceError) || !error.hint.startsWith(HOLDS)) return error;
  const hint = `Nothing was recorded${older ? "; the older trace is there again" : ""}. Record to another place${isFullDisk(errorCode(error.cause)) ? ", or free some space" : ""}`;
  return new TraceError(error.path, "", error.problem, hint, { cause: error.cause });
}
