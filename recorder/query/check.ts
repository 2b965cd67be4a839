/**
 * Which SQL of a user may run at all. The database is opened read-only besides; this refuses what a read-only
 * connection would still do: ATTACH (it makes files), settings, transactions.
 */

import { hint, near } from "../../engine/index.ts";
import { columnNames, TABLE_NAMES } from "../schema/tables.ts";
import { VIEWS } from "../schema/views.ts";

/** The user's SQL is at fault, or was stopped. `message` is complete. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  constructor(
    message: string,
    /** True when it was stopped by abort, time or row limit of the caller, not wrong. */
    readonly interrupted = false,
    /** The statement that its line and column are of. */
    readonly sql: string | null = null,
  ) {
    super(message);
  }
}

/** Pragmas that only tell something. Those in the second list take no argument here: with one they would set it. */
const PRAGMAS_WITH_ARGUMENT = new Set([
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
  "foreign_key_check",
  "integrity_check",
  "quick_check",
]);
const PRAGMAS_BARE = new Set([
  "database_list",
  "collation_list",
  "function_list",
  "pragma_list",
  "module_list",
  "compile_options",
  "page_count",
  "page_size",
  "freelist_count",
  "encoding",
  "user_version",
  "schema_version",
  "application_id",
]);
const STATEMENTS = new Set(["SELECT", "WITH", "VALUES", "EXPLAIN"]);

/** The text after leading blanks, comments and stray semicolons. */
function withoutLeadingComments(sql: string): string {
  let rest = sql;
  for (;;) {
    const next = rest
      .replace(/^[\s;\uFEFF]+/, "")
      .replace(/^--[^\n]*(\n|$)/, "")
      .replace(/^\/\*[\s\S]*?(\*\/|$)/, "");
    if (next === rest) return rest;
    rest = next;
  }
}

/** Throws QueryError unless the statement is one that reads. */
export function checkReads(sql: string): void {
  const text = withoutLeadingComments(sql);
  const word = /^[A-Za-z_]+/.exec(text)?.[0].toUpperCase() ?? "";
  if (word === "") throw new QueryError("expected an SQL statement, for example: SELECT * FROM transitions LIMIT 10");
  if (STATEMENTS.has(word)) return;
  if (word !== "PRAGMA") {
    const meantWord = near(word, [...STATEMENTS]);
    throw new QueryError(
      `${word} is not allowed${meantWord === null ? "" : ` (did you mean ${meantWord}?)`}: a trace is only read. Use SELECT, WITH, VALUES, EXPLAIN or a PRAGMA that tells something`,
    );
  }
  const [, name = "", argument = ""] = /^PRAGMA\s+(?:\w+\s*\.\s*)?(\w+)\s*(\S?)/i.exec(text) ?? [];
  const known = name.toLowerCase();
  const allowed =
    (PRAGMAS_BARE.has(known) && (argument === "" || argument === ";")) || (PRAGMAS_WITH_ARGUMENT.has(known) && argument !== "=");
  if (!allowed) throw new QueryError(`PRAGMA ${name}${argument === "=" ? " =" : ""} is not allowed: a trace is only read`);
}

/** Columns of the tables and views, by their names. */
const COLUMNS: ReadonlyMap<string, readonly string[]> = new Map([
  ...TABLE_NAMES.map((table) => [table, columnNames(table)] as const),
  ...Object.entries(VIEWS).map(([view, { columns }]) => [view, Object.keys(columns)] as const),
]);

/** What may have been meant by a name that is none here; "" for other messages. */
function meant(sql: string, message: string): string {
  const [, what, name = ""] = /no such (column|table): (?:\w+\.)?(\w+)/.exec(message) ?? [];
  if (what === undefined) return "";
  if (what === "table") return nearest(name, [...COLUMNS.keys()]);
  const asked = new Set(sql.match(/\w+/g));
  const here = [...COLUMNS].flatMap(([table, columns]) => (asked.has(table) ? columns : []));
  const where = [...COLUMNS].filter(([, columns]) => columns.includes(name)).map(([table]) => table);
  return nearest(name, here) || (where.length > 0 ? `; ${where.slice(0, 4).join(", ")} ${where.length === 1 ? "has" : "have"} one` : "");
}

/** Without a name that is near there would be too many: eintr schema lists them. */
function nearest(name: string, known: readonly string[]): string {
  const text = hint(name, [...new Set(known)]);
  return text.startsWith("; did you mean") ? text : "";
}

/** Words that slip: SQLite takes them for names, and stumbles over the next word. */
const KEYWORDS = ["SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "LEFT", "DISTINCT", "UNION", "BETWEEN", "DESC"];

/** The keyword that the word before a syntax error may have been meant for; "" for other messages. */
function meantKeyword(sql: string, message: string): string {
  const word = /near "([^"]+)": syntax error/.exec(message)?.[1];
  if (word === undefined) return "";
  for (const wrong of [/([A-Za-z]+)\s*$/.exec(sql.slice(0, Math.max(0, sql.indexOf(word))))?.[1], word]) {
    if (wrong === undefined || KEYWORDS.includes(wrong.toUpperCase())) continue;
    const keyword = near(wrong, KEYWORDS);
    if (keyword !== null && wrong.length > 3) return `; did you mean ${keyword} by "${wrong}"?`;
  }
  return "";
}

/** SQLite's message, with the place in the SQL when it names a word that occurs once, and what may have been meant. */
export function placedMessage(sql: string, raw: string): string {
  if (raw.includes("more than one statement")) return "SQL: there is more than one statement; expected one";
  const message = `${raw}${meant(sql, raw)}${meantKeyword(sql, raw)}`;
  const word = /near "([^"]+)"/.exec(message)?.[1] ?? /no such (?:column|table|function): ([\w.]+)/.exec(message)?.[1];
  const at = raw === "incomplete input" ? sql.trimEnd().length : word === undefined ? -1 : sql.indexOf(word);
  if (at < 0 || (word !== undefined && sql.indexOf(word, at + 1) >= 0)) return `SQL: ${message}`;
  const lines = sql.slice(0, at).split("\n");
  return `SQL, line ${lines.length}, column ${(lines[lines.length - 1]?.length ?? 0) + 1}: ${message}`;
}
