import fs from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { DB_NAME, QueryError, type QueryOptions, query, record } from "../../recorder/index.ts";
import { checkReads, placedMessage } from "../../recorder/query/check.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let db: string;

beforeAll(async () => {
  const dir = fresh("query.trace");
  await record(syntheticSource({ rows: 5000 }), dir, testInfo());
  db = `${dir}/${DB_NAME}`;
});

async function ask(sql: string, options: QueryOptions = {}) {
  const result = await query(db, sql, options);
  const rows = [];
  for await (const chunk of result.chunks()) rows.push(...chunk);
  return { columns: result.columns, rows, truncated: result.truncated };
}

describe("what runs", () => {
  test("names, numbers, large integers, blobs, NULL", async () => {
    const { columns, rows } = await ask("SELECT 9007199254740993 AS big, 7 AS i, 0.5 AS r, 'x' AS t, x'0102' AS b, NULL AS n");
    expect(columns).toEqual(["big", "i", "r", "t", "b", "n"]);
    expect(rows).toEqual([[9007199254740993n, 7, 0.5, "x", Buffer.of(1, 2), null]]);
  });

  test("parameters, limits and chunks", async () => {
    const sql = "SELECT seq FROM transition WHERE seq >= ?";
    expect(await ask(sql, { params: [4990] })).toMatchObject({ truncated: false, rows: Array.from({ length: 10 }, (_, i) => [4990 + i]) });
    expect(await ask(sql, { params: [0], limit: 3, chunkRows: 2 })).toMatchObject({ truncated: true, rows: [[0], [1], [2]] });
    expect(await ask(sql, { params: [4997], limit: 3 })).toMatchObject({ truncated: false });
    expect((await ask(sql, { params: [0], chunkRows: 7 })).rows.length).toBe(5000);
  });

  test.each([
    "PRAGMA table_info(run)",
    "pragma integrity_check;",
    "PRAGMA user_version",
    "EXPLAIN QUERY PLAN SELECT * FROM run",
    "-- a comment\n/* and another */ WITH a(x) AS (VALUES (1)) SELECT * FROM a",
    "SELECT kind, count(*) FROM transitions GROUP BY kind",
  ])("%s", async (sql) => {
    expect((await ask(sql)).rows.length).toBeGreaterThan(0);
  });
});

describe("what does not", () => {
  const bystander = () => fresh("bystander.db");
  test.each([
    ["ATTACH '@' AS other", /^ATTACH is not allowed/],
    ["/**/ATTACH '@' AS other", /^ATTACH is not allowed/],
    ["VACUUM INTO '@'", /^VACUUM is not allowed/],
    ["DROP TABLE run", /^DROP is not allowed/],
    ["INSERT INTO run DEFAULT VALUES RETURNING *", /^INSERT is not allowed/],
    ["BEGIN", /^BEGIN is not allowed/],
    ["PRAGMA journal_mode = WAL", /^PRAGMA journal_mode = is not allowed/],
    ["PRAGMA writable_schema(1)", /^PRAGMA writable_schema is not allowed/],
    ["PRAGMA user_version = 7", /^PRAGMA user_version = is not allowed/],
    ["PRAGMA main.user_version(7)", /^PRAGMA user_version is not allowed/],
    ["PRAGMA table_info = run", /^PRAGMA table_info = is not allowed/],
    ["WITH a AS (SELECT 1) DELETE FROM run", /only statements that read/],
    ["WITH a AS (SELECT 1) INSERT INTO quality SELECT 'a', 1, 'b', 'c' RETURNING *", /only statements that read/],
    ["SELECT load_extension('@')", /not authorized/],
    ["SELECT writefile('@', 'x')", /no such function: writefile/],
    ["SELECT 1; DROP TABLE run", /more than one statement/],
    ["SELECT 1 FROM nowhere", /line 1, column 15: no such table: nowhere/],
    ["SELECT 1 +", /incomplete input/],
    ["", /expected an SQL statement/],
    ["  -- nothing", /expected an SQL statement/],
  ])("%s", async (sql, message) => {
    const path = bystander();
    const before = fs.readFileSync(db);
    const failure = await ask(sql.replace("@", path)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(QueryError);
    expect((failure as Error).message).toMatch(message);
    expect(fs.existsSync(path)).toBe(false);
    expect(fs.readFileSync(db).equals(before)).toBe(true);
  });

  test("a database that is not there", async () => {
    await expect(query(fresh("absent.db"), "SELECT 1")).rejects.toThrow(/query process ended: SqliteError: unable to open database file/);
  });
});

describe("what takes too long", () => {
  const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT ";

  test("is stopped by abort, inside SQLite too", async () => {
    const abort = new AbortController();
    const result = await query(db, `${ENDLESS} count(*) FROM c`, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    // The query has no end of its own: if it were not stopped, the test would run into its time limit.
    const failure = await result
      .chunks()
      .next()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "QueryError", interrupted: true, message: "the query was stopped" });
  });

  test("is stopped by its time", async () => {
    await expect(ask(`${ENDLESS} count(*) FROM c`, { timeoutMs: 300 })).rejects.toThrow("the query took longer than 300 ms");
  });

  test("is not even started when aborted before", async () => {
    await expect(query(db, "SELECT 1", { signal: AbortSignal.abort() })).rejects.toThrow("the query was stopped");
  });

  test("shows its first rows before the others come", async () => {
    // A row costs SQLite 300,000 steps, far more than a 64th of the time after which a chunk is handed over.
    const steps = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300000) SELECT count(*) + t.seq FROM c";
    const result = await query(db, `SELECT (${steps}) FROM transition t ORDER BY seq`);
    for await (const chunk of result.chunks()) {
      expect(chunk[0]).toEqual([300_000]);
      expect(chunk.length).toBeLessThan(64);
      break;
    }
  });

  test("runs no further than it is read", async () => {
    const result = await query(db, `${ENDLESS} x FROM c`, { chunkRows: 10 });
    const seen = [];
    for await (const chunk of result.chunks()) {
      seen.push(chunk.length);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([10, 10, 10]);
  });
});

test("the place of a fault is told when it is certain", () => {
  expect(placedMessage("SELECT a\nFROM b WHRE c", 'near "WHRE": syntax error')).toBe(
    'SQL, line 2, column 8: near "WHRE": syntax error; did you mean WHERE by "WHRE"?',
  );
  expect(placedMessage("SELECT a, a", "no such column: a")).toBe("SQL: no such column: a");
});

test("a long row of comments is no burden", () => {
  expect(() => checkReads(`${"--\n/**/".repeat(20_000)} SELECT 1`)).not.toThrow();
});

describe("memory", () => {
  const LONG = "printf('%.*c', 1000000, 'x')";
  test.each([
    ["a list of long texts", `SELECT json_group_array(${LONG} || seq) FROM transition`],
    ["a text of texts", `SELECT group_concat(${LONG} || seq) FROM transition`],
    ["one long value", "SELECT length(randomblob(999999999))"],
    [
      "a text that grows",
      "WITH RECURSIVE n(i, t) AS (SELECT 1, 'x' UNION ALL SELECT i + 1, t || t FROM n WHERE i < 31) SELECT max(length(t)) FROM n",
    ],
    ["many objects", `SELECT json_group_object(seq, ${LONG} || seq) FROM transition`],
  ])("%s: it is bounded, and that is said in one message", async (_, sql) => {
    const error = await ask(sql).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QueryError);
    expect((error as Error).message).toMatch(
      /^(the query needs more than 512 MB of memory: ask for fewer rows|SQL: string or blob too big)/,
    );
    expect((error as Error).message.split("\n")).toHaveLength(1);
  });

  test("a large result is none of that", async () => {
    const { rows } = await ask("SELECT a.seq, b.seq FROM transition a, transition b LIMIT 300000");
    expect(rows).toHaveLength(300_000);
  });
});

describe("what a query looks at", () => {
  test.each([
    ["SELECT seq FROM transitions WHERE cssa > 0", true],
    ["SELECT thread, count(*) FROM transitions GROUP BY thread", true],
    ["SELECT max(value) FROM transition", true],
    ["/* first */ SELECT * FROM transition ORDER BY seq DESC", true],
    ["SELECT count(*) FROM syscall c JOIN transition t ON t.value = c.nr", true],
    ["SELECT * FROM transitions WHERE seq BETWEEN 10 AND 20", false],
    ["SELECT seq, flow FROM transitions WHERE kind = 'app.call'", false],
    ["SELECT kind, count(*) FROM transitions GROUP BY kind", false],
    ["SELECT count(*) FROM transitions", false],
    ["SELECT t.flow FROM signals g JOIN transitions t ON t.seq = g.handled", false],
    ["SELECT max(value) FROM transition WHERE seq < 20", false],
    ["SELECT * FROM syscalls", false],
    ["EXPLAIN SELECT * FROM transition", false],
    ["PRAGMA table_info(run)", false],
  ])("%s: all transitions %s", async (sql, all) => {
    const result = await query(db, sql);
    expect(result.scans).toBe(all ? 5000 : 0);
    result.close();
  });

  test("with values for its marks", async () => {
    const result = await query(db, "SELECT seq FROM transition WHERE value = ?", { params: [3] });
    expect(result.scans).toBe(5000);
    if (process.platform === "linux") expect(result.bytesRead()).toBeGreaterThan(0);
    result.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(result.bytesRead()).toBeNull();
  });
});
