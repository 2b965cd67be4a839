import { execFileSync } from "node:child_process";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { SIGNAL_COUNT, signalName, signalNumber } from "../../engine/index.ts";
import { DERIVED } from "../../recorder/derive/tables.ts";
import { connect, type Database, DB_NAME, describeSchema, type Row, record, schemaSql } from "../../recorder/index.ts";
import { OUTCOME, OUTCOMES } from "../../recorder/schema/outcomes.ts";
import { columnNames, emptyRow, positions, TABLES } from "../../recorder/schema/tables.ts";
import { VIEWS } from "../../recorder/schema/views.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const { tables, views } = describeSchema();
let db: string;

beforeAll(async () => {
  const dir = fresh("schema.trace");
  await record(syntheticSource({ rows: 5000 }), dir, testInfo());
  db = `${dir}/${DB_NAME}`;
});

describe("the kysely types", () => {
  test("follow from the tables and views: number, text, bytes, NULL where it may be", () => {
    const call: Row<"syscall"> = {
      seq: 1,
      exit_seq: null,
      thread: 0,
      site: 0,
      nr: 0,
      time: 0,
      duration: null,
      result: 4,
      interrupted: 0,
    };
    const state: Database["keyframe"]["state"] = Uint8Array.of(1);
    const shown: Pick<Database["transitions"], "detail" | "flow"> = { detail: null, flow: "read" };
    // @ts-expect-error: a key is never NULL.
    const wrong: Row<"syscall">["seq"] = null;
    // @ts-expect-error: a text is no number.
    const wrongToo: Row<"thread">["name"] = 1;
    expect(Object.keys(call)).toEqual(columnNames("syscall"));
    expect([state.length, shown.detail, wrong, wrongToo]).toEqual([1, null, null, 1]);
  });

  test("are those of the database that is made: names in order, types, NULL and keys", () => {
    const connection = new Sqlite(db, { readonly: true });
    for (const { name, columns } of tables) {
      const found = connection.pragma(`table_info("${name}")`) as { name: string; type: string; notnull: number; pk: number }[];
      const sole = columns.filter((column) => column.key).length === 1;
      // The one key of integers is the row's number: SQLite has no NULL for it, and says nothing.
      const notNull = (c: (typeof columns)[number]) => (c.nullable || (sole && c.key && c.type === "INTEGER") ? 0 : 1);
      const expected = columns.map((c) => [c.name, c.type, notNull(c), c.key]);
      expect(
        found.map((c) => [c.name, c.type, c.notnull, c.pk > 0]),
        name,
      ).toEqual(expected);
    }
    for (const { name, columns } of views)
      expect(
        connection
          .prepare(`SELECT * FROM ${name}`)
          .columns()
          .map((c) => c.name),
        name,
      ).toEqual(columns);
    connection.close();
  });

  test("do not promise what a view does not keep: NULL comes only where it may", () => {
    const connection = new Sqlite(db, { readonly: true });
    for (const [name, { columns }] of Object.entries(VIEWS))
      for (const [column, { nullable }] of Object.entries(columns))
        if (!nullable) expect(connection.prepare(`SELECT count(*) FROM ${name} WHERE "${column}" IS NULL`).pluck().get(), column).toBe(0);
    connection.close();
  });

  test("serve a query", async () => {
    const kysely = await connect(db);
    const rows = await kysely.selectFrom("transitions").select(["seq", "kind"]).where("seq", "<", 3).orderBy("seq").execute();
    expect(rows.map((r) => r.seq)).toEqual([0, 1, 2]);
    await expect(kysely.deleteFrom("run").execute()).rejects.toThrow("readonly");
    await kysely.destroy();
  });
});

describe("the SQL", () => {
  test("has the meaning of every table and column in it", () => {
    const sql = schemaSql();
    for (const { name, meaning, columns } of tables) {
      expect(sql).toContain(`CREATE TABLE "${name}" ( -- ${meaning}\n`);
      for (const column of columns) expect(sql).toContain(`-- ${column.meaning}\n`);
    }
    const stored = new Sqlite(db, { readonly: true });
    const kept = stored.prepare("SELECT sql FROM sqlite_schema WHERE name = 'signal'").pluck().get();
    expect(kept).toContain("-- number of the signal in this trace");
    stored.close();
  });

  test("is strict, with foreign keys that hold", () => {
    const connection = new Sqlite(db, { readonly: true });
    const found = connection
      .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'")
      .all();
    expect(found).toHaveLength(tables.length);
    for (const table of found) expect(table).toMatchObject({ strict: 1 });
    expect(connection.pragma("foreign_key_check")).toEqual([]);
    for (const { name, columns } of tables) {
      const found = connection.pragma(`foreign_key_list("${name}")`) as { from: string; table: string; to: string }[];
      const expected = columns.filter((c) => c.references !== null).map((c) => `${c.name} ${c.references}`);
      expect(found.map((f) => `${f.from} ${f.table}(${f.to})`).sort(), name).toEqual(expected.sort());
    }
    connection.close();
  });

  test("a sealed database is read by the sqlite3 of the system, when there is one", () => {
    let out: string;
    try {
      out = execFileSync("sqlite3", [db, "PRAGMA integrity_check; SELECT count(*) FROM transitions"]).toString();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    expect(out).toBe("ok\n5000\n");
  });
});

describe("names of numbers are written once", () => {
  test("signals are called as everywhere else, and can be asked for by that name", () => {
    const connection = new Sqlite(db, { readonly: true });
    const names = connection.prepare("SELECT number, name FROM signal_name ORDER BY number").raw().all() as [number, string][];
    connection.close();
    expect(names).toEqual(Array.from({ length: SIGNAL_COUNT }, (_, i) => [i + 1, signalName(i + 1)]));
    for (const [number, name] of names) expect(signalNumber(name), name).toBe(number);
  });

  test("outcomes: the value, the view and the meaning of the column agree", () => {
    const connection = new Sqlite(db, { readonly: true });
    const inView = connection.prepare("SELECT DISTINCT g.outcome, v.outcome FROM signal g JOIN signals v USING (id)").raw().all();
    connection.close();
    expect(inView.length).toBeGreaterThan(3);
    const { meaning } = TABLES.signal.columns.outcome;
    for (const [value, name] of inView as [number, keyof typeof OUTCOME][]) expect(OUTCOME[name]).toBe(value);
    for (const [value, { name }] of OUTCOMES.entries()) {
      expect(OUTCOME[name]).toBe(value);
      expect(meaning.split(", ")[value]).toMatch(new RegExp(`^${value} ${name}`));
    }
  });
});

test("a derived row has a place for each column; nothing known is NULL where that may be", () => {
  for (const name of DERIVED) {
    const columns = Object.values(TABLES[name].columns);
    expect(TABLES[name].paged).toBe(true);
    expect(emptyRow(name).map(Number.isNaN), name).toEqual(columns.map((c) => c.nullable));
  }
  expect(positions("evidence")).toEqual({ finding: 0, position: 1, seq: 2, caption: 3, turn: 4 });
});

test("the description can be told as JSON", () => {
  expect(JSON.parse(JSON.stringify(describeSchema()))).toEqual(describeSchema());
});
