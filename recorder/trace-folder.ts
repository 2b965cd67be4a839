/** The folder a recording goes to: made here, or cleared of an older trace, which comes back when nothing is recorded. */

import fs from "node:fs";
import path from "node:path";
import { errorCode, errorText, TraceError } from "./errors.ts";
import { ARROW_NAME, DB_NAME } from "./trace-format.ts";

const TRACE_FILES = [ARROW_NAME, DB_NAME, `${DB_NAME}-journal`, `${DB_NAME}-wal`, `${DB_NAME}-shm`];
/** Where the older trace waits. */
const ASIDE = ".replaced";

export interface TraceFolder {
  /** There is a new trace: the older one is removed. More than once does no harm. */
  keep(): void;
  /** Nothing was recorded: the folder is as it was before. */
  giveBack(): void;
}

/** Throws TraceError when the folder is taken, unless `force`, or cannot be made. */
export function prepareFolder(dir: string, force: boolean): TraceFolder {
  const aside = path.join(dir, ASIDE);
  const remove = (): void => fs.rmSync(aside, { recursive: true, force: true });
  let made = false;
  let waits = false;
  try {
    made = fs.mkdirSync(dir, { recursive: true }) !== undefined;
    const files = fs.readdirSync(dir);
    if (files.length > 0 && !force) {
      const isTrace = files.includes(ARROW_NAME);
      const problem = isTrace ? "a trace is there already" : "the folder is not empty";
      throw new TraceError(dir, "", problem, "Choose another name, or replace it with --force");
    }
    const replaced = TRACE_FILES.filter((file) => files.includes(file));
    if (replaced.length > 0) {
      // What a killed recording had set aside is older still.
      remove();
      fs.mkdirSync(aside);
      for (const file of replaced) fs.renameSync(path.join(dir, file), path.join(aside, file));
    }
    waits = force;
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(dir, "", `the folder cannot be made (${errorCode(error) || errorText(error)})`, "Choose another place", {
      cause: error,
    });
  }
  return {
    keep() {
      if (waits) remove();
      waits = false;
    },
    giveBack() {
      for (const file of TRACE_FILES) fs.rmSync(path.join(dir, file), { force: true });
      try {
        for (const file of fs.readdirSync(aside)) fs.renameSync(path.join(aside, file), path.join(dir, file));
        fs.rmdirSync(aside);
      } catch {
        // Nothing was replaced.
      }
      try {
        if (made) fs.rmdirSync(dir);
      } catch {
        // Something of the user's is in it.
      }
    },
  };
}
