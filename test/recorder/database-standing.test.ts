/** A trace.db of a stranger: nothing of it runs and nothing of it is believed unless its schema is ours; a locked one is waited for. */

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { DB_NAME, openTrace, record, type Trace, TraceError } from "../../recorder/index.ts";
import { TABLE_NAMES } from "../../recorder/schema/tables.ts";
import { VIEWS } from "../../recorder/schema/views.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let whole: string;
let calls: unknown;

const FINDING = { rule: "r", severity: "low", title: "t", thread: 0, firstSeq: 1, lastSeq: 2, costNs: 3, fingerprint: "f", evidence: [] };
const facts = (trace: Trace): unknown[] =>
  ["syscall", "signal", "transition", "quality"].map((table) => trace.ask(`SELECT * FROM ${table}`).length);

beforeAll(async () => {
  whole = fresh("whole.trace");
  await record(syntheticSource({ rows: 600 }), whole, testInfo());
  const trace = await openTrace(whole);
  calls = facts(trace);
  trace.close();
});

function copy(): string {
  const dir = fresh("copy.trace");
  fs.cpSync(whole, dir, { recursive: true });
  return dir;
}

/** Changes its database as somebody could who made it. */
function changed(...sql: string[]): string {
  const dir = copy();
  const db = new Sqlite(`${dir}/${DB_NAME}`);
  db.unsafeMode(true);
  db.pragma("foreign_keys = OFF");
  for (const statement of sql) db.exec(statement);
  db.close();
  return dir;
}

/** Opens it; it must be built anew and be as it was, and quickly. */
async function expectRebuilt(dir: string): Promise<string> {
  let why = "";
  const began = performance.now();
  const trace = await openTrace(dir, { onRebuild: (reason) => (why = reason) });
  expect(performance.now() - began).toBeLessThan(10_000);
  if (trace === null) throw new Error("not opened");
  expect(why).not.toBe("");
  expect(facts(trace)).toEqual(calls);
  trace.replaceFindings([FINDING]);
  expect(trace.ask("SELECT rule FROM finding")).toEqual([["r"]]);
  expect(facts(trace)).toEqual(calls);
  trace.close();
  return why;
}

const ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS rule FROM n";

describe("a schema that is not ours", () => {
  test.each(TABLE_NAMES)("a view in the place of table %s", async (name) => {
    await expectRebuilt(changed(`DROP TABLE "${name}"`, `CREATE VIEW "${name}" AS ${ENDLESS}`));
  });

  test.each(Object.keys(VIEWS))("another view %s", async (name) => {
    await expectRebuilt(changed(`DROP VIEW "${name}"`, `CREATE VIEW "${name}" AS ${ENDLESS}`));
  });

  test.each([
    [
      "a trigger that fills the disk",
      "CREATE TRIGGER t AFTER INSERT ON finding BEGIN INSERT INTO text SELECT 1000 + abs(random()), 'x'; END",
    ],
    ["a trigger that removes rows", "CREATE TRIGGER t BEFORE DELETE ON finding BEGIN DELETE FROM syscall; END"],
    ["a further table", "CREATE TABLE more (a)"],
    ["a further view", `CREATE VIEW more AS ${ENDLESS}`],
    ["an index with an expression", "CREATE INDEX i ON syscall (abs(seq))"],
    ["statistics", "ANALYZE"],
    ["a further column", "ALTER TABLE finding ADD COLUMN more INTEGER"],
    ["a computed column", "ALTER TABLE finding ADD COLUMN more INTEGER AS (id + 1)"],
    ["another form", "PRAGMA user_version = 1"],
    ["other rows", "UPDATE run SET transitions = 1"],
    ["no rows", "DELETE FROM run"],
    ["a table of another name", "ALTER TABLE finding RENAME TO found"],
  ])("%s", async (_, sql) => {
    await expectRebuilt(changed(sql));
  });

  test("a schema that is none", async () => {
    const broken = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('view', 'x', 'x', 0, 'CREATE VIEW (')";
    expect(await expectRebuilt(changed("PRAGMA writable_schema = ON", broken))).toContain("malformed database schema");
  });

  test("a write-ahead log, or a journal that would be rolled back", async () => {
    for (const ending of ["-wal", "-shm", "-journal"]) {
      const dir = copy();
      fs.writeFileSync(`${dir}/${DB_NAME}${ending}`, "x".repeat(4096));
      await expectRebuilt(dir);
      expect(fs.existsSync(`${dir}/${DB_NAME}${ending}`)).toBe(false);
    }
  });

  test("findings are not written into tables that were exchanged since", async () => {
    const dir = copy();
    const trace = await openTrace(dir);
    const db = new Sqlite(`${dir}/${DB_NAME}`);
    db.exec("CREATE TRIGGER t BEFORE DELETE ON finding BEGIN DELETE FROM syscall; END");
    db.close();
    expect(() => trace.replaceFindings([FINDING])).toThrow(TraceError);
    expect(facts(trace)).toEqual(calls);
    trace.close();
  });
});

describe("what is no file", () => {
  test("a pipe in its place", async () => {
    const dir = copy();
    fs.rmSync(`${dir}/${DB_NAME}`);
    execFileSync("mkfifo", [`${dir}/${DB_NAME}`]);
    expect(await expectRebuilt(dir)).toContain("no regular file");
  });

  test("a link to a device", async () => {
    const dir = copy();
    fs.rmSync(`${dir}/${DB_NAME}`);
    fs.symlinkSync("/dev/zero", `${dir}/${DB_NAME}`);
    expect(await expectRebuilt(dir)).toContain("no regular file");
  });

  test("a file that is no database", async () => {
    const dir = copy();
    fs.writeFileSync(`${dir}/${DB_NAME}`, Buffer.alloc(100_000, 7));
    await expectRebuilt(dir);
  });
});

describe("a locked database", () => {
  const lockedFor = (dir: string): Sqlite.Database => {
    const other = new Sqlite(`${dir}/${DB_NAME}`);
    other.exec("BEGIN EXCLUSIVE");
    return other;
  };

  test("is waited for, and its findings stay", async () => {
    const dir = copy();
    const before = await openTrace(dir);
    before.replaceFindings([FINDING]);
    before.close();
    const other = lockedFor(dir);
    setTimeout(() => other.close(), 300);
    const trace = await openTrace(dir, { onRebuild: (why) => expect.fail(why) });
    expect(trace?.ask("SELECT count(*) FROM finding")).toEqual([[1]]);
    trace?.close();
  });

  test("is not waited for after Ctrl-C", async () => {
    const dir = copy();
    const other = lockedFor(dir);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    expect(await openTrace(dir, { signal: stop.signal })).toBeNull();
    other.close();
  });

  test("that stays locked is refused, not made anew", async () => {
    const dir = copy();
    const other = lockedFor(dir);
    vi.spyOn(performance, "now").mockImplementationOnce(() => -1e6);
    await expect(openTrace(dir, { onRebuild: (why) => expect.fail(why) })).rejects.toThrow(/is locked by another program\. Wait/);
    other.close();
  });
});

describe("a place that takes no database", () => {
  const refuse = (dir: string, code: string): void => {
    const real = fs.renameSync;
    vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
      if (String(to).startsWith(dir)) throw Object.assign(new Error(`${code}: it does not go`), { code });
      real(from, to);
    });
  };

  test.each(["EROFS", "EACCES", "ENOSPC", "EFBIG"])("%s: it is made in the temporary folder, and removed with the trace", async (code) => {
    const dir = copy();
    fs.rmSync(`${dir}/${DB_NAME}`);
    refuse(dir, code);
    let told = "";
    const trace = await openTrace(dir, { onElsewhere: (why) => (told = why) });
    vi.restoreAllMocks();
    if (trace === null) throw new Error("not opened");
    expect(told).toContain(code);
    expect(trace.db.startsWith(dir)).toBe(false);
    expect(facts(trace)).toEqual(calls);
    trace.replaceFindings([FINDING]);
    trace.close();
    expect(fs.existsSync(trace.db)).toBe(false);
    expect(fs.readdirSync(dir)).toEqual(["transitions.arrow"]);
  });
});
