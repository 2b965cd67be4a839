/** `trace.db` for kysely: queries with types, for programs that use this package. */

import type { Kysely } from "kysely";
import type { Row, TableName } from "./tables.ts";
import type { ViewName, ViewRow } from "./views.ts";

export type Database = { [T in TableName]: Row<T> } & { [V in ViewName]: ViewRow<V> };

/** kysely over a sealed trace, read-only. Loaded on demand: most commands do without. Call `destroy()` when done. */
export async function connect(dbPath: string): Promise<Kysely<Database>> {
  const [{ Kysely, SqliteDialect }, { default: Sqlite }] = await Promise.all([import("kysely"), import("better-sqlite3")]);
  const database = new Sqlite(dbPath, { readonly: true, fileMustExist: true });
  return new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
}
