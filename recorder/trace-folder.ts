/** The folder a recording goes to: made here, or cleared of an older trace, which comes back when nothing is recorded. */

import fs from "node:fs";
import path from "node:path";
import { errorCode, errorText, TraceError } from "./errors.ts";
import { ARROW_NAME, DB_NAME } from "./trace-format.ts";

const TRACE_FILES = [ARROW_NAME, DB_NAME, `${DB_NAME}-journal`, `${DB_NAME}-wal`, `${DB_NAME}-shm`];
/** Where the older trace waits. */
const ASIDE = ".eintr-replaced";

export interface TraceFolder {
  /** There is a new trace: the older one is removed. More than once does no harm. */
  keep(): void;
  /** Nothing was recorded: the folder is as it was before. */
  giveBack(): void;
}

/** Throws TraceError when the folder is taken, unless `force`, or cannot be made. */
export function prepareFolder(dir: string, force: boolean): TraceFolder {
  const aside = path.join(dir, ASIDE);
  let made = false;
  let waits = false;
  const giveBack = (): void => {
    removeTrace(dir);
    if (waits) moveTrace(aside, dir);
    if (made) removeEmpty(dir);
  };
  try {
    made = fs.mkdirSync(dir, { recursive: true }) !== undefined;
    const files = fs.readdirSync(dir);
    if (files.length > 0 && !force) {
      const isTrace = files.includes(ARROW_NAME);
      const problem = isTrace ? "a trace is there already" : "the folder is not empty";
      throw new TraceError(dir, "", problem, "Choose another name, or replace it with --force");
    }
    // A recording that was killed before its first batch has left the trace there, and hardly anything in its place.
    waits = fs.existsSync(path.join(aside, ARROW_NAME));
    if (waits) removeTrace(dir);
    else if (files.some((file) => TRACE_FILES.includes(file))) {
      fs.mkdirSync(aside, { recursive: true });
      waits = true;
      moveTrace(dir, aside);
    }
  } catch (error) {
    if (error instanceof TraceError) throw error;
    if (waits) moveTrace(aside, dir);
    throw new TraceError(dir, "", `the folder cannot be made (${errorCode(error) || errorText(error)})`, "Choose another place", {
      cause: error,
    });
  }
  return {
    keep() {
      if (waits) removeTrace(aside);
      if (waits) removeEmpty(aside);
      waits = false;
    },
    giveBack,
  };
}

/** Everything but the trace's own files stays. */
function removeTrace(dir: string): void {
  for (const file of TRACE_FILES) fs.rmSync(path.join(dir, file), { force: true });
}

function moveTrace(from: string, to: string): void {
  for (const file of TRACE_FILES) {
    if (fs.existsSync(path.join(from, file))) fs.renameSync(path.join(from, file), path.join(to, file));
  }
  if (path.basename(from) === ASIDE) removeEmpty(from);
}

function removeEmpty(dir: string): void {
  try {
    fs.rmdirSync(dir);
  } catch {
    // Something of the user's is in it.
  }
}
