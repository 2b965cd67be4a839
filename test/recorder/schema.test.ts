import { execFileSync } from "node:child_process";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { SIGNAL_COUNT, signalName, signalNumber } from "../../engine/index.ts";
import { SIGNAL_COLUMNS } from "../../recorder/derive/signals.ts";
import { DEFAULTS } from "../../recorder/derive/tables.ts";
import { connect, type Database, DB_NAME, describeSchema, record, schemaSql } from "../../recorder/index.ts";
import { OUTCOME, OUTCOMES } from "../../recorder/schema/outcomes.ts";
import { TABLES, tableEntry, VIEWS } from "../../recorder/schema/schema.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let db: string;

beforeAll(async () => {
  const dir = fresh("schema.trace");
  await record(syntheticSource({ rows: 5000 }), dir, testInfo());
  db = `${dir}/${DB_NAME}`;
});

type Affinity<T> = T extends string ? "text" : T extends number ? "int" : "blob";
type Form<T> = null extends T ? `${Affinity<NonNullable<T>>}?` : Affinity<T>;
/** The kysely types as a value: a column that is missing here, or has another type, does not compile. */
const TYPED: { [T in keyof Database]: { [C in keyof Database[T]]: Form<Database[T][C]> } } = {
  run: {
    id: "int",
    format: "int",
    eintr: "text",
    stack: "text",
    fixes: "text",
    scenario: "text",
    scenario_text: "text",
    seed: "int",
    scheduler: "text",
    origin: "text",
    transitions: "int",
    threads: "int",
    time: "int",
    reason: "text",
    complete: "int",
    lost_bytes: "int",
    arrow_bytes: "int",
    digest: "text",
  },
  thread: { id: "int", name: "text", pid: "int", tid: "int", internal: "int" },
  site: { id: "int", flow: "text", step: "int", label: "text", layer: "text", context: "text", source: "text" },
  text: { id: "int", text: "text" },
  kind: { id: "int", name: "text", text: "text", value: "text", extra: "text" },
  signal_name: { number: "int", name: "text" },
  transition: {
    seq: "int",
    time: "int",
    thread: "int",
    site: "int",
    kind: "int",
    signal: "int",
    value: "int",
    extra: "int",
    depth: "int",
    cssa: "int",
    preempt: "int",
    pending: "int",
    detail: "int",
  },
  keyframe: { seq: "int", state: "blob" },
  decision: { id: "int", seq: "int", door: "text", choice: "int" },
  syscall: {
    seq: "int",
    exit_seq: "int?",
    thread: "int",
    site: "int",
    nr: "int",
    time: "int",
    duration: "int?",
    result: "int?",
    interrupted: "int",
  },
  signal: {
    id: "int",
    signal: "int",
    thread: "int",
    generated: "int?",
    delivered: "int?",
    pended: "int?",
    upcall: "int?",
    decided: "int?",
    appended: "int?",
    fetched: "int?",
    handled: "int?",
    ended: "int?",
    outcome: "int",
    time_generated: "int?",
    time_handled: "int?",
    delay: "int?",
  },
  entry: { seq: "int", thread: "int", how: "int", left_seq: "int?", left_how: "int?", time: "int", duration: "int?" },
  upcall: { seq: "int", thread: "int", event: "int", return_seq: "int?", time: "int", duration: "int?" },
  handler: {
    seq: "int",
    thread: "int",
    signal: "int",
    signal_id: "int",
    left_seq: "int?",
    left_how: "int?",
    time: "int",
    duration: "int?",
    context: "int",
  },
  analysis: { rule: "text", findings: "int", cost_ns: "int", omitted: "int" },
  finding: {
    id: "int",
    rule: "text",
    severity: "text",
    title: "text",
    thread: "int?",
    first_seq: "int",
    last_seq: "int",
    cost_ns: "int",
    fingerprint: "text",
  },
  evidence: { finding: "int", position: "int", seq: "int", caption: "text" },
  outcome: {
    id: "int",
    subject: "text",
    name: "text",
    thread: "int?",
    how: "text",
    text: "text",
    seq: "int?",
    other: "text?",
    other_how: "text?",
    other_text: "text?",
    compared: "int",
    omitted: "int",
    beyond: "int",
    compared_seq: "int?",
  },
  difference: {
    id: "int",
    kind: "text",
    weight: "text",
    thread: "text",
    what: "text",
    seq: "int?",
    here: "text",
    result: "int?",
    other_seq: "int?",
    there: "text",
    other_result: "int?",
    line: "int?",
    cause: "int",
  },
  count_by_kind: { thread: "int", kind: "int", count: "int" },
  time_index: { seq0: "int", rows: "int", time0: "int", time1: "int" },
  quality: { name: "text", count: "int", severity: "text", advice: "text" },
  transitions: {
    seq: "int",
    time_ns: "int",
    thread: "text",
    kind: "text",
    signal: "text?",
    value: "int",
    extra: "int",
    flow: "text",
    label: "text",
    layer: "text",
    context: "text",
    depth: "int",
    cssa: "int",
    preempt: "int",
    pending: "int",
    detail: "text?",
  },
  syscalls: {
    seq: "int",
    exit_seq: "int?",
    thread: "text",
    call: "text",
    flow: "text",
    nr: "int",
    time_ns: "int",
    duration_ns: "int?",
    result: "int?",
    native: "int?",
    interrupted: "int",
  },
  signals: {
    id: "int",
    signal: "text?",
    thread: "text",
    outcome: "text",
    delay_ns: "int?",
    generated: "int?",
    delivered: "int?",
    pended: "int?",
    upcall: "int?",
    decided: "int?",
    appended: "int?",
    fetched: "int?",
    handled: "int?",
    ended: "int?",
  },
};

describe("the kysely types", () => {
  test("agree with the tables", () => {
    const words = { INTEGER: "int", TEXT: "text", BLOB: "blob" } as const;
    for (const { name, columns } of TABLES) {
      const expected = columns.map((c) => [c.name, words[c.type] + (c.nullable ? "?" : "")]);
      expect(Object.entries(TYPED[name as keyof Database]), name).toEqual(expected);
    }
    expect(Object.keys(TYPED)).toEqual([...TABLES, ...VIEWS].map((t) => t.name));
  });

  test("agree with the views, names in order", () => {
    const connection = new Sqlite(db, { readonly: true });
    for (const { name } of VIEWS) {
      const columns = connection.prepare(`SELECT * FROM ${name}`).columns();
      expect(Object.keys(TYPED[name as keyof Database]), name).toEqual(columns.map((c) => c.name));
    }
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
    for (const { name, meaning, columns } of TABLES) {
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
    const tables = connection
      .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'")
      .all();
    expect(tables).toHaveLength(TABLES.length);
    for (const table of tables) expect(table).toMatchObject({ strict: 1 });
    expect(connection.pragma("foreign_key_check")).toEqual([]);
    for (const { name, columns } of TABLES) {
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
    const meaning = tableEntry("signal").columns.find((column) => column.name === "outcome")?.meaning ?? "";
    for (const [value, name] of inView as [number, keyof typeof OUTCOME][]) expect(OUTCOME[name]).toBe(value);
    for (const [value, { name }] of OUTCOMES.entries()) {
      expect(OUTCOME[name]).toBe(value);
      expect(meaning.split(", ")[value]).toMatch(new RegExp(`^${value} ${name}`));
    }
  });
});

test("the derived rows are as wide as their tables, NULL where nullable", () => {
  for (const [name, defaults] of Object.entries(DEFAULTS)) {
    const { columns, paged } = tableEntry(name);
    expect(paged).toBe(true);
    expect(
      columns.map((c) => c.nullable),
      name,
    ).toEqual(defaults.map((v) => Number.isNaN(v)));
  }
  expect(tableEntry("signal").columns).toHaveLength(SIGNAL_COLUMNS);
});

test("the description can be told as JSON", () => {
  expect(JSON.parse(JSON.stringify(describeSchema()))).toEqual(describeSchema());
});
