/** Places where no database can be made: the error says what could not be done and what to do, the recording stays. */

import fs from "node:fs";
import path from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ARROW_NAME, DB_NAME, openTrace, record, seal, TraceError } from "../../recorder/index.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let bytes: Buffer;

beforeAll(async () => {
  const dir = fresh("whole.trace");
  await record(syntheticSource({ rows: 100 }), dir, testInfo());
  bytes = fs.readFileSync(`${dir}/${ARROW_NAME}`);
});
afterEach(() => void vi.restoreAllMocks());

/** A trace without a database. */
function killed(dir = fresh("killed.trace")): string {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(`${dir}/${ARROW_NAME}`, bytes);
  return dir;
}

async function failureOf(dir: string): Promise<Error> {
  try {
    await seal(dir);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("a database was made");
}

const PLACE = /^the database cannot be made here \(.*\)\. Make its folder writable, or copy the trace to a place that can be written/;
const ROOM = /^no space is left for the database \(.*\)\. Free some space and open the trace again/;
const CONTENT = /^no database can be made of what is in transitions\.arrow \(.*\)\. Record it again/;

/** The error for `dir`, checked: its name, its file, nothing left behind, the recording untouched. */
async function expectFailure(dir: string, code: string, words: RegExp): Promise<void> {
  const failure = await failureOf(dir);
  expect(failure).toBeInstanceOf(TraceError);
  const start = `${path.join(dir, DB_NAME)}: `;
  expect(failure.message.slice(0, start.length)).toBe(start);
  expect(failure.message.slice(start.length)).toMatch(words);
  expect(failure.message).toContain(`(${code}`);
  vi.restoreAllMocks();
  expect(fs.readdirSync(dir)).toEqual([ARROW_NAME]);
  expect(fs.readFileSync(`${dir}/${ARROW_NAME}`).equals(bytes)).toBe(true);
  (await openTrace(dir)).close();
}

describe("SQLite", () => {
  test.each([
    ["SQLITE_READONLY", PLACE],
    ["SQLITE_READONLY_DIRECTORY", PLACE],
    ["SQLITE_IOERR_WRITE", PLACE],
    ["SQLITE_IOERR_FSYNC", PLACE],
    ["SQLITE_CANTOPEN", PLACE],
    ["SQLITE_BUSY", PLACE],
    ["SQLITE_NOMEM", PLACE],
    ["SQLITE_FULL", ROOM],
    ["SQLITE_CONSTRAINT_DATATYPE", CONTENT],
    ["SQLITE_CORRUPT", CONTENT],
    ["SQLITE_ERROR", CONTENT],
  ])("%s", async (code, words) => {
    const dir = killed();
    vi.spyOn(Sqlite.prototype, "exec").mockImplementation(() => {
      throw new Sqlite.SqliteError("it does not go", code);
    });
    await expectFailure(dir, code, words);
  });

  test("cannot make a file there at all", async () => {
    // SQLite takes paths of up to 512 bytes, the file system longer ones.
    const dir = killed(path.join(fresh("deep"), "d".repeat(240), "d".repeat(240), "x.trace"));
    expect((await failureOf(dir)).message).toMatch(
      /trace\.db: the database cannot be made here \(SQLITE_CANTOPEN: unable to open database file\)/,
    );
    expect(fs.readdirSync(dir)).toEqual([ARROW_NAME]);
  });
});

describe("the file system", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`${code}: it does not go`), { code });
  };

  test.each([
    ["EROFS", PLACE],
    ["EACCES", PLACE],
    ["EIO", PLACE],
    ["ENOSPC", ROOM],
    ["EDQUOT", ROOM],
  ])("%s when the pages are written", async (code, words) => {
    const dir = killed();
    vi.spyOn(fs, "writeSync").mockImplementation(failing(code));
    await expectFailure(dir, code, words);
  });

  test("EROFS when it gets its name", async () => {
    const dir = killed();
    vi.spyOn(fs, "renameSync").mockImplementation(failing("EROFS"));
    await expectFailure(dir, "EROFS", PLACE);
  });

  test("EROFS when what a killed process left is removed", async () => {
    const dir = killed();
    fs.writeFileSync(`${dir}/${DB_NAME}.999999999.tmp`, "");
    const real = fs.rmSync;
    vi.spyOn(fs, "rmSync").mockImplementation((file, options) =>
      String(file).includes("999999999") ? failing("EROFS")() : real(file, options),
    );
    expect((await failureOf(dir)).message).toMatch(/trace\.db: the database cannot be made here \(EROFS: it does not go\)/);
  });

  test("folders that have the names of the files", async () => {
    const dir = killed();
    fs.mkdirSync(`${dir}/${DB_NAME}`);
    expect(await failureOf(dir)).toMatchObject({ name: "TraceError", message: expect.stringMatching(/cannot be made here \(E\w+: .*\)/) });
    fs.mkdirSync(`${dir}/${DB_NAME}.999999999.tmp`);
    expect(await failureOf(dir)).toMatchObject({
      name: "TraceError",
      message: expect.stringMatching(/cannot be made here \(ERR_FS_EISDIR: .*\)/),
    });
  });
});

test("an error of our own keeps its stack", async () => {
  const dir = killed();
  vi.spyOn(fs, "renameSync").mockImplementation(() => {
    throw new RangeError("ours");
  });
  expect(await failureOf(dir)).toMatchObject({ name: "RangeError", message: "ours" });
  vi.spyOn(fs, "renameSync").mockImplementation(() => {
    throw Object.assign(new TypeError("ours"), { code: "ERR_INVALID_ARG_TYPE" });
  });
  expect(await failureOf(dir)).toMatchObject({ name: "TypeError", message: "ours" });
});
