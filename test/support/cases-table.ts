/** A folder of cases as a table: what became of each on every stack, and the first thing that went otherwise than on Linux. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { firstOf, observeRun, ofWeight, type Verdict, verdictOf } from "../../analyzer/index.ts";
import { askOracle } from "../../analyzer/verdict/oracle.ts";
import { boot, type FixName, STACK_NAMES, type StackName } from "../../engine/index.ts";
import type { RunInfo } from "../../recorder/index.ts";
import { openCase, type ScenarioCase } from "../../tui/case.ts";
import { safe } from "../../tui/present/safe.ts";

/** A run that makes more than so many transitions is cut, and its outcome says so. */
const ROWS = 60_000;

export const casesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => /\.(?:yaml|strace|log|txt|db|gz)$/.test(file))
    .sort();

/** The case of a fixture. Throws what `openCase` throws, and for what is no scenario. */
export async function caseOf(folder: string, file: string, temp: (name: string) => string): Promise<ScenarioCase> {
  const what = await openCase({ signal: new AbortController().signal }, readable(path.join(folder, file), temp));
  if (what.is !== "scenario") throw new Error("it is no scenario");
  return what;
}

/** One line for each stack with its outcome and, below it, the first difference from Linux; or why the file is refused. */
export async function caseText(folder: string, file: string, temp: (name: string) => string): Promise<string> {
  try {
    const what = await caseOf(folder, file, temp);
    const lines: string[] = [];
    for (const stack of STACK_NAMES) lines.push(...(await stackLines(what, stack)));
    return told(file, lines);
  } catch (error) {
    const [message = ""] = (error as Error).message.split("\n");
    return told(file, [`refused: ${message.replace(/^\S*\//, "")}`]);
  }
}

const told = (file: string, lines: readonly string[]): string => `${[file, ...lines.map((line) => `  ${safe(line)}`)].join("\n")}\n`;

/** Fixtures are compressed where they are long. */
function readable(file: string, temp: (name: string) => string): string {
  if (!file.endsWith(".gz")) return file;
  const plain = temp(path.basename(file, ".gz"));
  writeFileSync(plain, gunzipSync(readFileSync(file)));
  return plain;
}

async function stackLines(what: ScenarioCase, stack: StackName): Promise<string[]> {
  const verdict = await judge(what, stack);
  const [run] = verdict.outcomes;
  return [`${stack.padEnd(14)}  ${run?.text ?? ""}`, ...(verdict.other === null ? [] : [`${" ".repeat(16)}${firstText(verdict)}`])];
}

/** As `eintr record` does it, without a trace on the disk. */
export async function judge(
  { scenario, text, name }: ScenarioCase,
  stack: StackName,
  fixes: readonly FixName[] = [],
  rows = ROWS,
): Promise<Verdict> {
  const run = boot({ stack, scenario, fixes });
  const one = await observeRun(run, { name: stack, program: text }, { rows, untilNs: Number.POSITIVE_INFINITY }, {});
  if (one === null) throw new Error("nobody aborts it");
  const info: RunInfo = {
    eintr: "test",
    stack,
    fixes: [...fixes],
    options: [],
    scenario: name,
    scenarioText: text,
    seed: scenario.seed,
    scheduler: "scripted",
    origin: "emulated",
  };
  const oracle = await askOracle(info, one.ends.run === "finished" ? Number.POSITIVE_INFINITY : one.time);
  const verdict = await verdictOf(one, oracle?.observed ?? null, oracle?.notices ?? []);
  if (verdict === null) throw new Error("nobody aborts it");
  return verdict;
}

/** Without places: a step more in a flow changes no line here. */
function firstText(verdict: Verdict): string {
  const first = firstOf(verdict);
  if (first === undefined) return "as on Linux";
  const more = ofWeight(verdict, "differs").length - 1;
  return `${first.thread}  ${first.what}: ${first.one.text}, on Linux ${first.other.text}${more > 0 ? `; and ${more} more` : ""}`;
}
