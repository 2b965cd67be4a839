/** `eintr query` says so when a query looks at every row of a long trace, and shows how far it is. */

import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { DB_NAME, record } from "../../recorder/index.ts";
import type { Io } from "../../tui/io.ts";
import { printQuery } from "../../tui/present/results.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** So many steps of work. */
const steps = (count: string): string =>
  `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT count(*) FROM n)`;

/** A database that says it has so many transitions. */
async function database(transitions: number): Promise<string> {
  const dir = fresh("scan.trace");
  await record(syntheticSource({ rows: 500 }), dir, testInfo());
  const db = new Sqlite(`${dir}/${DB_NAME}`);
  db.prepare("UPDATE run SET transitions = ?").run(transitions);
  db.close();
  return `${dir}/${DB_NAME}`;
}

async function ask(db: string, sql: string): Promise<{ out: string; talk: string }> {
  const seen = { out: "", talk: "" };
  const io = {
    out: async (text: string) => void (seen.out += text),
    talk: (text: string) => void (seen.talk += text),
    signal: new AbortController().signal,
    exitCode: 0,
  } as unknown as Io;
  await printQuery(io, db, sql, { format: "csv" });
  return seen;
}

test("a warning of what looks at all of a long trace", async () => {
  const db = await database(20_000_000);
  const { out, talk } = await ask(db, `SELECT sum(${steps("20000 + t.value * 0")}) AS steps FROM transition t`);
  expect(out).toBe(`steps\n${500 * 20_000}\n`);
  expect(talk).toContain("this looks at all 20,000,000 transitions");
});

test("none where an index serves, where it is soon over, and for a short trace", async () => {
  const long = await database(20_000_000);
  const slow = `sum(${steps("20000 + t.value * 0")})`;
  const quiet = [
    await ask(long, `SELECT ${slow} FROM transitions t WHERE kind LIKE '%' AND seq < 500`),
    await ask(long, "SELECT sum(value) FROM transition"),
    await ask(await database(500), `SELECT ${slow} FROM transition t`),
  ];
  expect(quiet.map(({ talk }) => talk)).toEqual(["", "", ""]);
});
