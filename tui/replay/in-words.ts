/** The replay for a terminal that cannot draw a screen (TERM=dumb): the verdict, the findings, and the commands that show more. */

import { existsSync } from "node:fs";
import path from "node:path";
import { storedSummary } from "../../analyzer/index.ts";
import { ARROW_NAME, type Trace } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { pasted } from "../present/pasted.ts";
import { safe } from "../present/safe.ts";
import { summaryLines } from "../present/verdict.ts";

export async function tellInWords(io: Io, name: string): Promise<void> {
  if (!existsSync(path.join(name, ARROW_NAME)))
    throw new InputError(`this terminal (TERM=dumb) cannot draw a screen; record the case first: ${pasted("record", name)}`);
  const trace = await openForCommand(io, name);
  try {
    await io.out(`${words(trace).join("\n")}\n`);
  } finally {
    trace.close();
  }
}

function words(trace: Trace): string[] {
  const { info, transitions, dir } = trace;
  const verdict = storedSummary(trace);
  const findings = trace.ask("SELECT id, severity, substr(title, 1, 500), first_seq, last_seq FROM finding ORDER BY id LIMIT 50");
  return [
    safe(`${info.scenario} on ${info.stack}: ${transitions.rows} transitions`),
    ...(verdict === null ? [] : summaryLines(verdict)),
    ...findings.map(([id, severity, title, first, last]) => safe(`finding ${id}, ${severity}, seq ${first} to ${last}: ${title}`)),
    "this terminal (TERM=dumb) cannot draw a screen; in words:",
    safe(findings.length > 0 ? `  ${pasted("show", dir, "--finding", 1, "--ascii")}` : `  ${pasted("analyze", dir)}`),
    `  ${pasted("show", dir, "--from", 0, "--ascii")}`,
    `  ${pasted("query", dir)}`,
  ];
}
