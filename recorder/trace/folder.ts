/** The folder a recording goes to: made here, or cleared of an older trace, which comes back when nothing is recorded. */

import fs from "node:fs";
import path from "node:path";
import { openTransitions } from "../arrow/read.ts";
import { errorCode, errorText, TraceError } from "../format/errors.ts";
import { ARROW_NAME, DB_NAME, NOTES_NAME } from "../format/metadata.ts";
import { type FolderLock, isBeingRecorded, LOCK_NAME, lockFolder } from "./folder-lock.ts";

const TRACE_FILES = [ARROW_NAME, DB_NAME, `${DB_NAME}-journal`, `${DB_NAME}-wal`, `${DB_NAME}-shm`, NOTES_NAME];
/** Where the older trace waits. */
const ASIDE = ".eintr-replaced";

export interface TraceFolder {
  /** There is a new trace: the older one is removed. More than once does no harm. */
  keep(): void;
  /** Nothing was recorded: the folder is as it was before. True when an older trace is there again. */
  giveBack(): boolean;
  /** Nothing more is written to it; others may record into it. */
  release(): void;
}

/** Throws TraceError when the folder is taken, unless `force`, when another records into it, or when it cannot be made. */
export function prepareFolder(dir: string, force: boolean): TraceFolder {
  const cannotBeMade = (error: unknown): unknown => {
    const why = errorCode(error) || errorText(error);
    // Not of the folder: a native part that does not load, a bug.
    if (!/^(E(?!RR_)|SQLITE_)/.test(why)) return error;
    return new TraceError(dir, "", `the folder cannot be made (${why})`, "Choose another place", { cause: error });
  };
  let made: string[] = [];
  let lock: FolderLock | null = null;
  try {
    made = makeFolder(dir);
    lock = lockFolder(dir);
  } catch (error) {
    removeEmpty(made);
    throw cannotBeMade(error);
  }
  if (lock === null) throw new TraceError(dir, "", "another eintr is recording into it", "Wait until it is done, or choose another name");
  const { release } = lock;
  try {
    return { ...clearFolder(dir, made, force), release };
  } catch (error) {
    release();
    removeEmpty(made);
    throw error instanceof TraceError ? error : cannotBeMade(error);
  }
}

function clearFolder(dir: string, made: readonly string[], force: boolean): Omit<TraceFolder, "release"> {
  const aside = path.join(dir, ASIDE);
  const files = fs.readdirSync(dir).filter((file) => file !== LOCK_NAME);
  if (files.length > 0 && !force) {
    const isTrace = files.includes(ARROW_NAME);
    const problem = isTrace ? "a trace is there already" : "the folder is not empty";
    throw new TraceError(dir, "", problem, "Choose another name, or replace it with --force");
  }
  refuseStrangers(dir, aside);
  // Of a recording that was killed before its first batch hardly anything is left; the trace it was to replace waits.
  let waits = isWaiting(aside) && !hasRows(path.join(dir, ARROW_NAME));
  if (waits) removeTrace(dir);
  else {
    removeAside(aside);
    if (files.some((file) => TRACE_FILES.includes(file))) {
      fs.mkdirSync(aside, { recursive: true });
      waits = true;
      try {
        moveTrace(dir, aside);
      } catch (error) {
        moveTrace(aside, dir);
        removeEmpty([aside]);
        throw error;
      }
    }
  }
  return {
    keep() {
      if (waits) removeAside(aside);
      waits = false;
    },
    giveBack() {
      removeTrace(dir);
      const older = waits;
      if (waits) moveTrace(aside, dir);
      if (waits) removeEmpty([aside]);
      waits = false;
      // The lock's file goes with the lock, and an empty folder with it.
      if (made.length > 0) fs.rmSync(path.join(dir, LOCK_NAME), { force: true });
      removeEmpty(made);
      return older;
    },
  };
}

/** What lies where the trace's files are to be, and cannot be moved away or removed as they can. */
function refuseStrangers(dir: string, aside: string): void {
  for (const file of TRACE_FILES) {
    if (fs.lstatSync(path.join(dir, file), { throwIfNoEntry: false })?.isDirectory())
      throw new TraceError(dir, "", `${file} in it is a folder`, "Remove that yourself, or choose another name");
  }
  const stat = fs.lstatSync(aside, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory())
    throw new TraceError(dir, "", `${ASIDE} in it is no folder of eintr's`, "Remove that yourself, or choose another name");
}

/**
 * A recording was killed after it had moved the older trace aside and before it had written anything: the older one is put back. Says
 * so, or null when there was nothing to do. Throws TraceError when that cannot be done here.
 */
export function putBack(dir: string): string | null {
  const aside = path.join(dir, ASIDE);
  if (!isWaiting(aside) || hasRows(path.join(dir, ARROW_NAME)) || isBeingRecorded(dir)) return null;
  try {
    removeTrace(dir);
    moveTrace(aside, dir);
    removeEmpty([aside]);
    return "a recording that was to replace this trace was killed before it had written anything: the trace is put back";
  } catch (error) {
    const problem = `a recording that was to replace this trace was killed, and the trace cannot be put back (${errorText(error)})`;
    throw new TraceError(dir, "", problem, `It lies in ${aside}`, { cause: error });
  }
}

/** Never through a link: it may lead to another trace. */
const isWaiting = (aside: string): boolean => isFolder(aside) && fs.existsSync(path.join(aside, ARROW_NAME));

/** No link, and nothing that cannot be looked at. */
function isFolder(dir: string): boolean {
  try {
    return fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

function hasRows(file: string): boolean {
  try {
    const reader = openTransitions(file);
    reader.close();
    return reader.rows > 0;
  } catch (error) {
    if (error instanceof TraceError) return false;
    throw error;
  }
}

function removeAside(aside: string): void {
  if (!isFolder(aside)) return;
  removeTrace(aside);
  removeEmpty([aside]);
}

/** Everything but the trace's own files stays. */
function removeTrace(dir: string): void {
  for (const file of TRACE_FILES) fs.rmSync(path.join(dir, file), { force: true });
}

function moveTrace(from: string, to: string): void {
  for (const file of TRACE_FILES) {
    if (fs.lstatSync(path.join(from, file), { throwIfNoEntry: false })) fs.renameSync(path.join(from, file), path.join(to, file));
  }
}

/** The folders that had to be made, outermost first. Node's own recursive mkdir goes round for ever in /proc. */
function makeFolder(dir: string): string[] {
  if (fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return [];
  const parent = path.dirname(path.resolve(dir));
  const made = parent === path.resolve(dir) ? [] : makeFolder(parent);
  try {
    fs.mkdirSync(dir);
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
  return [...made, dir];
}

/** Innermost first. What is not empty has something of the user's in it. */
function removeEmpty(dirs: readonly string[]): void {
  try {
    for (const dir of [...dirs].reverse()) fs.rmdirSync(dir);
  } catch {
    // See above.
  }
}
