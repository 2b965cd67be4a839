/** `eintr query`: SQL over a trace; without SQL an interactive prompt. */

import { Command, Option } from "commander";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { FORMATS, type Format, printQuery } from "../present/results.ts";
import { prompt } from "../prompt.ts";

interface Options {
  format: Format;
  limit?: number;
  timeout?: number;
}

export function queryCommand(io: Io): Command {
  return new Command("query")
    .description("ask a trace with SQL (SQLite, read-only); without SQL, an interactive prompt")
    .argument("<trace>", "trace folder")
    .argument("[sql]", "one statement; - reads it from stdin")
    .addOption(new Option("--format <name>", "form of the result").choices(FORMATS).default("table"))
    .option("--limit <n>", "at most so many rows", wholeNumber("--limit", 1))
    .option("--timeout <seconds>", "give up after so many seconds", wholeNumber("--timeout", 1))
    .addHelpText(
      "after",
      `
Tables and columns: eintr schema. The views transitions, syscalls and signals have names instead of numbers.

Examples:
  eintr query a.trace "SELECT * FROM signals"
  eintr query a.trace "SELECT seq, flow, label FROM transitions WHERE cssa > 0" --format csv > rows.csv
  eintr query a.trace "SELECT thread, call, native, result FROM syscalls WHERE native <> result" --format json
  eintr query a.trace                      # prompt: Tab completes names, .help, Ctrl-C stops a query, Ctrl-D leaves`,
    )
    .action(async (dir: string, sql: string | undefined, options: Options) => {
      const trace = openForCommand(io, dir);
      try {
        if (sql === undefined && process.stdin.isTTY === true) return await prompt(io, trace, options.format);
        const text = sql === undefined || sql === "-" ? await stdinText() : sql;
        const timeoutMs = options.timeout === undefined ? undefined : options.timeout * 1000;
        await printQuery(io, trace.db, text, { format: options.format, limit: options.limit, timeoutMs, signal: io.signal });
      } finally {
        trace.close();
      }
    });
}

const MAX_SQL = 1_000_000;

async function stdinText(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const part of process.stdin) {
    text += part as string;
    if (text.length > MAX_SQL) throw new InputError(`stdin: more than ${MAX_SQL} characters; expected one SQL statement`);
  }
  return text;
}
