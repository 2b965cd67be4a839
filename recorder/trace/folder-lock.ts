/**
 * One recorder a folder. The lock is one of the kernel on an empty file, taken through SQLite: it ends with the process that holds it,
 * however that ends, so a recording that was killed keeps nobody out.
 */

import fs from "node:fs";
import path from "node:path";
import Sqlite from "better-sqlite3";
import { errorCode } from "../format/errors.ts";

export const LOCK_NAME = ".eintr-lock";

/** Another may remove the file between our opening and our locking it. */
const TRIES = 10;

export interface FolderLock {
  release(): void;
}

/** Null when another holds it. Throws what node:fs throws where the file cannot be made; a link in its place is not followed. */
export function lockFolder(dir: string): FolderLock | null {
  const file = path.join(dir, LOCK_NAME);
  for (let i = 0; i < TRIES; i += 1) {
    const taken = tryLock(file);
    if (taken !== "gone") return taken;
  }
  return null;
}

function tryLock(file: string): FolderLock | null | "gone" {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  let db: Sqlite.Database | null = null;
  const close = (): void => {
    db?.close();
    fs.closeSync(fd);
  };
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() || stat.size > 0) throw Object.assign(new Error(`EEXIST: ${file} is not eintr's`), { code: "EEXIST" });
    db = new Sqlite(file, { timeout: 0 });
    // Nothing is ever written to it: no journal beside it, either.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    if (fs.statSync(file, { throwIfNoEntry: false })?.ino !== stat.ino) {
      close();
      return "gone";
    }
  } catch (error) {
    close();
    if (/^SQLITE_(BUSY|LOCKED)/.test(errorCode(error))) return null;
    // A file system without locks: two recorders there are not kept apart.
    if (/^SQLITE_IOERR/.test(errorCode(error))) return { release() {} };
    throw error;
  }
  return {
    // Removed while it is held: who opened it before and locks it now sees that it is gone.
    release() {
      fs.rmSync(file, { force: true });
      close();
    },
  };
}

/** Whether somebody records into the folder now. */
export function isBeingRecorded(dir: string): boolean {
  if (!fs.existsSync(path.join(dir, LOCK_NAME))) return false;
  try {
    const lock = lockFolder(dir);
    lock?.release();
    return lock === null;
  } catch {
    return false;
  }
}
