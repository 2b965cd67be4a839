/** Rows as objects into tables, through SQLite: which value goes where is known from the table's definition. */

import type { Database as Connection } from "better-sqlite3";
import { insertSql } from "../schema/sql.ts";
import { columnNames, type Row, type TableName } from "../schema/tables.ts";

/** Inserts a row at each call. */
export function inserter<T extends TableName>(db: Connection, name: T, verb?: Parameters<typeof insertSql>[1]): (row: Row<T>) => void {
  const statement = db.prepare(insertSql(name, verb));
  const columns = columnNames(name);
  return (row) => void statement.run(...columns.map((column) => row[column]));
}
