/** The interactive prompt of `eintr query`: history, completion of table, column and kind names, Ctrl-C stops a query. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import { hint } from "../engine/index.ts";
import { describeSchema, QueryError, type QueryOptions, type TableEntry, type Trace, type ViewEntry } from "../recorder/index.ts";
import { InputError, type Io } from "./io.ts";
import { excerptOfSql } from "./present/excerpt.ts";
import { FORMATS, printQuery, type ResultForm } from "./present/results.ts";
import { RECIPES, recipeOr } from "./recipes.ts";
import { complete } from "./sql-names.ts";

const HISTORY_LINES = 1000;
const HELP = `Write one SQL statement and end it with ;  (SQLite, read-only)
  .tables            tables and views
  .schema [TABLE]    columns and what they mean; of a view, its SELECT
  .recipes           questions that come up again and again; NAME; asks one
  .format ${FORMATS.join("|")}
  .help  .quit       Ctrl-D leaves too; Ctrl-C stops a query or clears the line; Tab completes names
`;

/** What the prompt reads keys from and draws on: `process`, or streams of a test. */
export interface PromptStreams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** What holds for every query that is asked here; the format until .format changes it. */
export interface PromptOptions extends Pick<QueryOptions, "limit" | "timeoutMs">, ResultForm {}

/** Until Ctrl-D or .quit; a signal from outside ends it too, and the terminal is given back. */
export async function prompt(io: Io, trace: Trace, options: PromptOptions, streams: PromptStreams = process): Promise<void> {
  const file = historyFile();
  // With the results in a file or a pipe, the prompt is talk.
  const output = streams.stdout.isTTY === true ? streams.stdout : streams.stderr;
  const lines = createInterface({
    input: streams.stdin,
    output,
    terminal: true,
    historySize: HISTORY_LINES,
    history: readHistory(file),
    completer: complete,
    removeHistoryDuplicates: true,
  });
  const session: Session = { io, trace, options, statement: "", running: null, closed: false };
  const leave = (): void => {
    session.running?.abort();
    lines.close();
  };
  lines.on("SIGINT", () => {
    if (session.running !== null) return session.running.abort();
    session.statement = "";
    dropLine(lines, output);
    ask(lines, session);
  });
  lines.on("history", (history) => saveHistory(file, history));
  lines.once("close", () => void (session.closed = true));
  io.signal.addEventListener("abort", leave, { once: true });
  io.talk(`${trace.dir}: ${trace.transitions.rows} transitions. .help helps.\n`);
  try {
    ask(lines, session);
    for await (const line of lines) {
      if (io.signal.aborted || !(await take(session, line))) break;
      ask(lines, session);
    }
    // Ctrl-D leaves the cursor behind the prompt.
    if (session.closed) output.write("\n");
  } finally {
    io.signal.removeEventListener("abort", leave);
    lines.close();
  }
  if (io.signal.aborted) io.exitCode = 130;
}

interface Session {
  readonly io: Io;
  readonly trace: Trace;
  options: PromptOptions;
  /** The lines of a statement that has not ended yet. */
  statement: string;
  running: AbortController | null;
  /** No more lines come; those that came are still taken. */
  closed: boolean;
}

function ask(lines: Interface, session: Session): void {
  if (session.closed) return;
  lines.setPrompt(session.statement === "" ? "eintr> " : "   ... ");
  lines.prompt();
}

/** As psql does: what was typed stays to be seen and is forgotten. `prompt()` alone would keep it in the new line. */
function dropLine(lines: Interface, output: NodeJS.WritableStream): void {
  lines.write(null, { ctrl: true, name: "e" });
  output.write("^C\r\n");
  Object.assign(lines, { line: "", cursor: 0, prevRows: 0 });
}

/** False when the user leaves. */
async function take(session: Session, line: string): Promise<boolean> {
  if (session.statement === "" && line.trim().startsWith(".")) return dotCommand(session, line.trim());
  session.statement = `${session.statement}${session.statement === "" ? "" : "\n"}${line}`;
  if (session.statement.trim() === "") session.statement = "";
  if (!/;\s*$/.test(session.statement)) return true;
  const sql = session.statement;
  session.statement = "";
  await askNow(session, sql);
  return true;
}

async function askNow(session: Session, sql: string): Promise<void> {
  const { io } = session;
  session.running = new AbortController();
  try {
    const rows = await printQuery(io, session.trace.db, recipeOr(sql), { ...session.options, signal: session.running.signal });
    io.talk(`(${rows} ${rows === 1 ? "row" : "rows"})\n`);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const place = excerptOfSql(sql, error.message);
    io.talk(`${error.message}\n${place === null ? "" : `${place}\n`}`);
  } finally {
    session.running = null;
  }
}

/** One command of the prompt, such as .recipes, on a command line. Throws InputError where it is none that tells something. */
export async function dotCommandAlone(io: Io, trace: Trace, options: PromptOptions, line: string): Promise<void> {
  const [command = ""] = line.trim().split(/\s+/);
  if (!TELLING.includes(command))
    throw new InputError(`no command ${command}${hint(command, TELLING)} (a recipe is asked by its name alone)`);
  await dotCommand({ io, trace, options, statement: "", running: null, closed: false }, line.trim());
}

const TELLING = [".tables", ".schema", ".recipes", ".recipe", ".help"];

async function dotCommand(session: Session, line: string): Promise<boolean> {
  const { io } = session;
  const [command = "", argument = ""] = line.split(/\s+/);
  const { tables, views } = describeSchema();
  if (command === ".quit" || command === ".exit") return false;
  if (command === ".tables") await io.out([...tables, ...views].map((t) => `${t.name.padEnd(16)} ${t.meaning}\n`).join(""));
  else if (command === ".schema") {
    const shown = [...tables, ...views].filter((t) => argument === "" || t.name === argument);
    await io.out(shown.map(schemaText).join(""));
    if (shown.length === 0) io.talk(`no table or view ${JSON.stringify(argument)}: .tables lists them\n`);
  } else if (command === ".format") {
    const format = FORMATS.find((name) => name === argument);
    if (format === undefined) io.talk(`.format: expected one of ${FORMATS.join(", ")}\n`);
    else session.options = { ...session.options, format };
  } else if (command === ".recipes") await io.out(RECIPES.map(({ name, text, sql }) => `${name.padEnd(16)} ${text}\n${sql}\n\n`).join(""));
  else if (command === ".recipe") {
    const recipe = RECIPES.find(({ name }) => name === argument);
    if (recipe === undefined)
      io.talk(
        `.recipe: no recipe ${JSON.stringify(argument)}${hint(
          argument,
          RECIPES.map(({ name }) => name),
        )}\n`,
      );
    else await askNow(session, recipe.sql);
  } else io.talk(HELP);
  return true;
}

function schemaText(entry: TableEntry | ViewEntry): string {
  if ("select" in entry) return `${entry.name} (view)\n  ${entry.meaning}\n${entry.select}\n`;
  return `${entry.name}\n${entry.columns.map((c) => `  ${c.name.padEnd(16)} ${c.meaning}\n`).join("")}`;
}

/** An empty XDG_STATE_HOME counts as unset: the folder where one works is not meant. */
export function historyFile(): string {
  const state = process.env.XDG_STATE_HOME || path.join(os.homedir(), ".local", "state");
  return path.join(state, "eintr", "history");
}

function readHistory(file: string): string[] {
  try {
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).slice(0, HISTORY_LINES) : [];
  } catch {
    return [];
  }
}

/** A history that cannot be kept is no reason to stop. */
function saveHistory(file: string, history: readonly string[]): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${history.slice(0, HISTORY_LINES).join("\n")}\n`, { mode: 0o600 });
  } catch {}
}
