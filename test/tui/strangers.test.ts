/** Traces, logs and scenarios come from strangers: nothing of theirs drives the terminal, on whatever road it comes (design, section 10). */

import { writeFileSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** A window title, a bell, a C1 escape, a direction override, a zero width space. */
const EVIL = "\u001b]0;title\u0007\u009b31m\u202e\u200b";
const DRIVES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/;
const sqlText = `char(${[...EVIL].map((c) => c.codePointAt(0)).join(", ")})`;
const EVIL_COLUMN = `SELECT ${sqlText} AS "seq${EVIL}"`;

async function trace(name = "initialisation"): Promise<string> {
  const dir = fresh("a.trace");
  const { code, talk } = await eintr(["record", name, "-o", dir]);
  expect(code, talk).toBe(0);
  return dir;
}

/** A scenario whose calls are named by a stranger. */
async function evilTrace(): Promise<string> {
  const file = fresh("evil.yaml");
  writeFileSync(file, 'name: evil\ntitle: t\nmain:\n  - read: { from: "p\\u009b\\u202e\\e[2J" }\n');
  return trace(file);
}

describe("names of columns", () => {
  test.each([
    ["in the head of a table", EVIL_COLUMN],
    ["of a table without rows", `${EVIL_COLUMN} WHERE 1 = 0`],
  ])("%s", async (_, sql) => {
    const { code, out } = await eintr(["query", await trace(), sql]);
    expect(code).toBe(0);
    expect(out).toContain("seq�");
    expect(out).not.toMatch(DRIVES);
  });
});

describe("CSV", () => {
  const csv = async (columns: number | null): Promise<string> =>
    (await eintr(["query", await trace(), EVIL_COLUMN, "--format", "csv"], { columns })).out;

  test("for a file or a pipe loses nothing", async () => {
    expect(await csv(null)).toBe(`seq${EVIL}\n${EVIL}\n`);
  });

  test("for a terminal has nothing in it that drives it", async () => {
    const out = await csv(80);
    expect(out).toContain("title");
    expect(out).not.toMatch(DRIVES);
  });
});

describe("JSON loses nothing and drives nothing, in a pipe as well", () => {
  test("query", async () => {
    const { out } = await eintr(["query", await trace(), EVIL_COLUMN, "--format", "json"]);
    expect(out).not.toMatch(DRIVES);
    expect(JSON.parse(out)).toEqual([{ [`seq${EVIL}`]: EVIL }]);
  });

  test("show", async () => {
    const { out } = await eintr(["show", await evilTrace(), "--format", "json"]);
    expect(out).not.toMatch(DRIVES);
    const labels = out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { label: string }).label);
    expect(labels.some((label) => label.includes("p\u009b\u202e\u001b[2J"))).toBe(true);
  });
});

test("the drawing, on a terminal in colour", async () => {
  const { out } = await eintr(["show", await evilTrace(), "--all"], { color: true, columns: 100 });
  expect(out).toContain("read(p");
  expect(out).toContain("\u001b[36m");
  expect(out.replace(/\u001b\[\d+m/g, "")).not.toMatch(DRIVES);
});

describe("talk", () => {
  test.each([
    ["an option", ["record", "nested", "--stack", EVIL]],
    ["a name", ["record", EVIL]],
    ["a command", [EVIL]],
    ["a folder", ["analyze", EVIL]],
  ])("that quotes %s", async (_, args) => {
    const { code, talk } = await eintr(args);
    expect(code).toBe(2);
    expect(talk).toContain("title");
    expect(talk).not.toMatch(DRIVES);
  });

  test("that has SQLite's complaint about a database in it", async () => {
    const dir = await trace();
    const db = new Sqlite(`${dir}/trace.db`);
    db.unsafeMode(true);
    db.pragma("writable_schema = ON");
    db.prepare("INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('view', ?, 'x', 0, 'CREATE VIEW (')").run(EVIL);
    db.close();
    const { talk } = await eintr(["query", dir, "SELECT 1"]);
    expect(talk).toContain("malformed database schema");
    expect(talk).not.toMatch(DRIVES);
  });

  test("that has SQLite's complaint about a statement in it", async () => {
    const { code, talk } = await eintr(["query", await trace(), `SELECT * FROM "nowhere${EVIL}"`]);
    expect(code).toBe(2);
    expect(talk).toContain("nowhere");
    expect(talk).not.toMatch(DRIVES);
  });
});
