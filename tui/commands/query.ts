/** `eintr query`: SQL over a trace; without SQL an interactive prompt. */

import { addAbortSignal, type Readable } from "node:stream";
import { Command, Option } from "commander";
import { QueryError } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { FORMATS, type Format, printQuery } from "../present/results.ts";
import { dotCommandAlone, prompt } from "../prompt.ts";
import { recipeOr } from "../recipes.ts";

interface Options {
  format: Format;
  csvSafe?: boolean;
  limit?: number;
  timeout?: number;
}

export function queryCommand(io: Io): Command {
  return new Command("query")
    .description("ask a trace with SQL (SQLite, read-only); without SQL, an interactive prompt")
    .argument("<trace>", "trace folder")
    .argument("[sql]", "one statement, or the name of a recipe; - reads it from stdin")
    .addOption(new Option("--format <name>", "form of the result").choices(FORMATS).default("table"))
    .option("--csv-safe", "in csv, put ' before texts that a spreadsheet would take for a formula")
    .option("--limit <n>", "at most so many rows", wholeNumber("--limit", 1))
    .option("--timeout <seconds>", "give up after so many seconds", wholeNumber("--timeout", 1))
    .addHelpText(
      "after",
      `
Tables and columns: eintr schema. The views transitions, syscalls and signals
have names instead of numbers. In json and csv a second column of the same name,
as in SELECT a.seq, b.seq, is called seq:2, the next seq:3. In json, bytes are
base64 texts, integers beyond 2^53 decimal texts.

Csv is for programs: texts are as they are in the trace, which may come from a
stranger. In a spreadsheet a text that begins with = + - or @ is a formula and
is computed; with --csv-safe it is none.

Examples:
  eintr query a.trace "SELECT * FROM signals"
  eintr query a.trace "SELECT seq, label FROM transitions WHERE cssa > 0"
  eintr query a.trace "SELECT call, native, result FROM syscalls
                       WHERE native <> result" --format csv > rows.csv
  eintr query a.trace .recipes          (questions that come up again and again)
  eintr query a.trace time-by-call      (one of them)
  eintr query a.trace        (a prompt: Tab completes names, .help tells more,
                              Ctrl-C stops a query, Ctrl-D leaves)`,
    )
    .action(async (dir: string, sql: string | undefined, options: Options) => {
      const trace = await openForCommand(io, dir);
      try {
        const timeoutMs = options.timeout === undefined ? undefined : options.timeout * 1000;
        const asked = { format: options.format, csvSafe: options.csvSafe, limit: options.limit, timeoutMs };
        if (sql === undefined && process.stdin.isTTY === true) return await prompt(io, trace, asked);
        const text = sql === undefined || sql === "-" ? await textOf(process.stdin, io.signal) : sql;
        if (text.trimStart().startsWith(".")) return await dotCommandAlone(io, trace, asked, text);
        await printQuery(io, trace.db, recipeOr(text), { ...asked, signal: io.signal });
      } finally {
        trace.close();
      }
    });
}

const MAX_SQL = 1_000_000;

/** All that comes from stdin, until it ends. Throws QueryError when Ctrl-C comes first. */
async function textOf(input: Readable, signal: AbortSignal): Promise<string> {
  let text = "";
  input.setEncoding("utf8");
  try {
    for await (const part of addAbortSignal(signal, input)) {
      text += part as string;
      if (text.length > MAX_SQL) throw new InputError(`stdin: more than ${MAX_SQL} characters; expected one SQL statement`);
    }
  } catch (error) {
    if (signal.aborted) throw new QueryError("stdin: stopped before its end", true);
    throw error;
  }
  return text;
}
