/** The schema of `trace.db` as SQL, and as a description for people and programs. */

import type { Column } from "./column.ts";
import { columnNames, SCHEMA_VERSION, TABLE_NAMES, TABLES, type TableName } from "./tables.ts";
import { selectOf, VIEWS } from "./views.ts";

export interface ColumnEntry extends Column {
  readonly name: string;
}

export interface TableEntry {
  readonly name: string;
  readonly meaning: string;
  readonly columns: readonly ColumnEntry[];
  readonly paged: boolean;
}

export interface ViewEntry {
  readonly name: string;
  readonly meaning: string;
  /** Names of its columns in order. */
  readonly columns: readonly string[];
  readonly select: string;
}

const named = (columns: Readonly<Record<string, Column>>): ColumnEntry[] =>
  Object.entries(columns).map(([name, column]) => ({ name, ...column }));

const tableEntries: readonly TableEntry[] = TABLE_NAMES.map((name) => ({ name, ...TABLES[name], columns: named(TABLES[name].columns) }));

const viewEntries: readonly ViewEntry[] = Object.entries(VIEWS).map(([name, view]) => ({
  name,
  meaning: view.meaning,
  columns: Object.keys(view.columns),
  select: selectOf(view),
}));

function columnSql(entry: ColumnEntry, soleKey: boolean): string {
  const words = [`"${entry.name}"`, entry.type];
  if (entry.key && soleKey) words.push("PRIMARY KEY");
  if (!entry.nullable && !(entry.key && soleKey && entry.type === "INTEGER")) words.push("NOT NULL");
  if (entry.references !== null) words.push(`REFERENCES ${entry.references}`);
  return words.join(" ");
}

/** CREATE TABLE with the meanings as comments inside, so that `.schema` of any client shows them. */
function createTableSql(entry: TableEntry): string {
  const keys = entry.columns.filter((c) => c.key);
  const sole = keys.length === 1;
  const lines = entry.columns.map((c, i) => {
    const last = i === entry.columns.length - 1 && sole;
    return `  ${columnSql(c, sole)}${last ? "" : ","} -- ${c.meaning}`;
  });
  if (!sole) lines.push(`  PRIMARY KEY (${keys.map((c) => `"${c.name}"`).join(", ")})`);
  const options = sole ? "STRICT" : "STRICT, WITHOUT ROWID";
  return `CREATE TABLE "${entry.name}" ( -- ${entry.meaning}\n${lines.join("\n")}\n) ${options}`;
}

/** Its entries are written as pages, like the table's rows. */
export const TRANSITION_INDEX = "transition_by_kind";

/** For the views. */
const INDEXES = [
  `CREATE INDEX "${TRANSITION_INDEX}" ON "transition"("kind")`,
  'CREATE UNIQUE INDEX "kind_by_name" ON "kind"("name")',
  'CREATE INDEX "outcome_by_thread" ON "outcome"("thread")',
  'CREATE INDEX "difference_by_seq" ON "difference"("seq")',
];

/** The whole schema as SQL statements. */
export const schemaSql = (): string =>
  `${[
    ...tableEntries.map(createTableSql),
    ...INDEXES,
    ...viewEntries.map((view) => `CREATE VIEW "${view.name}" AS -- ${view.meaning}\n${view.select}`),
  ].join(";\n")};\n`;

/** The statement that inserts one row into that table, its values in column order. */
export const insertSql = (name: TableName, verb: "INSERT" | "INSERT OR REPLACE" = "INSERT"): string =>
  `${verb} INTO "${name}" VALUES (${columnNames(name)
    .map(() => "?")
    .join(", ")})`;

/** For `eintr schema`. */
export const describeSchema = () => ({ version: SCHEMA_VERSION, tables: tableEntries, views: viewEntries });
