/**
 * What to make of the `trace.db` that stands beside the rows. It may come from a stranger with the trace: nothing in it is used, no
 * view looked through and nothing written to it, unless its schema is ours to the letter.
 */

import fs from "node:fs";
import Sqlite from "better-sqlite3";
import type { TransitionReader } from "../arrow/read.ts";
import { errorCode, errorText } from "../format/errors.ts";
import { schemaSql } from "../schema/sql.ts";
import { SCHEMA_VERSION } from "../schema/tables.ts";
import { DIGEST_DIFFERS } from "./seal.ts";

/** `use`: it belongs to these rows. `locked`: another program writes to it. `stale`: it is to be made anew, and why. */
export type Standing = { readonly is: "use" } | { readonly is: "locked" } | { readonly is: "stale"; readonly why: string };

/** A database is at most so many times longer than the rows it is made from, beside what any database may have. */
const MOST_TIMES = 16;
const ALWAYS_BYTES = 256 * 1024 * 1024;

type Rows = Pick<TransitionReader, "format" | "bytes" | "rows" | "end">;

const stale = (why: string): Standing => ({ is: "stale", why });

/** Another program's lock is not waited for. */
export function standingOf(db: string, transitions: Rows): Standing {
  const stat = fs.statSync(db, { throwIfNoEntry: false });
  if (stat === undefined) return stale("there is no database yet");
  if (!stat.isFile()) return stale("trace.db is no regular file");
  if (stat.size > ALWAYS_BYTES + MOST_TIMES * transitions.bytes)
    return stale("the database is longer than one of these transitions can be");
  // We never leave a write-ahead log; a stranger's would be taken for what is in the database.
  if (["-wal", "-shm"].some((ending) => fs.existsSync(`${db}${ending}`))) return stale("a write-ahead log lies beside the database");
  try {
    // A connection that only reads takes nothing over from a journal, and deletes none: it refuses.
    const connection = new Sqlite(db, { readonly: true, fileMustExist: true, timeout: 0 });
    try {
      return standingOfOpen(connection, transitions);
    } finally {
      connection.close();
    }
  } catch (error) {
    if (isLocked(error)) return { is: "locked" };
    return stale(`the database cannot be read (${errorText(error)})`);
  }
}

function standingOfOpen(connection: Sqlite.Database, transitions: Rows): Standing {
  connection.pragma("trusted_schema = OFF");
  if (connection.pragma("user_version", { simple: true }) !== SCHEMA_VERSION) return stale("the database has another form");
  if (!hasOurSchema(connection)) return stale("the database has tables, views or triggers that are not eintr's");
  const run = connection.prepare<[], { format: number; bytes: number; rows: number; digest: string; damaged: number }>(
    `SELECT format, arrow_bytes AS bytes, transitions AS rows, digest,
      (SELECT count(*) FROM quality WHERE name = '${DIGEST_DIFFERS}') AS damaged FROM run`,
  );
  const row = run.get();
  const same =
    row?.format === transitions.format &&
    row.bytes === transitions.bytes &&
    row.rows === transitions.rows &&
    // A damaged file keeps the digest it was recorded with.
    (transitions.end === null || row.damaged > 0 || row.digest === transitions.end.digest);
  return same ? { is: "use" } : stale("the database does not belong to these transitions");
}

/** Another program is at work in the database. */
export const isLocked = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(errorCode(error));

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string | null;
}

/** A text longer than the longest of ours is none of ours. */
const SCHEMA_QUERY = (most: number): string =>
  `SELECT type, name, tbl_name AS "table", substr(sql, 1, 100000) AS sql FROM sqlite_schema ORDER BY name, type LIMIT ${most}`;

let ours: readonly SchemaRow[] | null = null;

/** As SQLite itself keeps our schema, its own indexes included. */
function ourSchema(): readonly SchemaRow[] {
  if (ours !== null) return ours;
  const memory = new Sqlite(":memory:");
  memory.exec(schemaSql());
  ours = memory.prepare<[], SchemaRow>(SCHEMA_QUERY(1000)).all();
  memory.close();
  return ours;
}

/** The same tables, views and indexes, word for word, and nothing besides. */
export function hasOurSchema(connection: Sqlite.Database): boolean {
  const expected = ourSchema();
  const found = connection.prepare<[], SchemaRow>(SCHEMA_QUERY(expected.length + 1)).all();
  return JSON.stringify(found) === JSON.stringify(expected);
}
