/** Logs of programs of the Linux Test Project, run on a stack: what they could see otherwise than on Linux. */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Difference, ofWeight } from "../../analyzer/index.ts";
import type { StackName } from "../../engine/index.ts";
import { caseOf, casesIn, judge } from "./cases-table.ts";

export const LTP = new URL("../fixtures/ltp/", import.meta.url).pathname;

/** Names of the programs that there are logs of. */
export const LTP_LOGS: readonly string[] = casesIn(LTP).map((file) => file.replace(".strace.gz", ""));

/** Pid and text of a line. */
const LINE = /^(\d+) +\S+ (.*)$/;
const MADE = /^(?:<\.\.\. )?(?:clone3?|v?fork)\b.*= (\d+)(?: <[\d.]+>)?$/;

/**
 * A log without what LTP of today asks before each program: it reads the kernel's configuration through popen("zcat ..."), which the LTP of 2019
 * did not. What the first process does from there to its wait for the shell is left out, and all that the shell and its children do.
 */
export function withoutConfiguration(log: string): string {
  const lines = log.split("\n");
  const told = lines.map((line) => LINE.exec(line));
  const spawned = told.findIndex((line) => line?.[2]?.startsWith("clone3({flags=CLONE_VM|CLONE_VFORK,"));
  const parent = told[spawned]?.[1];
  if (parent === undefined) return log;
  const own = (i: number): boolean => told[i]?.[1] === parent;
  const from = lines.findLastIndex((line, i) => i < spawned && own(i) && line.includes("rt_sigprocmask(SIG_BLOCK, ~[]"));
  const shells = new Set<string>();
  const shell = told.slice(spawned).find((line) => line?.[1] === parent && MADE.test(line[2] ?? ""));
  shells.add(MADE.exec(shell?.[2] ?? "")?.[1] ?? "");
  const to = lines.findIndex((line, i) => i > spawned && own(i) && line.includes(`wait4(${[...shells][0]},`));
  for (const line of told) {
    const made = MADE.exec(line?.[2] ?? "")?.[1];
    if (made !== undefined && shells.has(line?.[1] ?? "")) shells.add(made);
  }
  return lines.filter((_, i) => !shells.has(told[i]?.[1] ?? "") && !(own(i) && i >= from && i <= to)).join("\n");
}

/** What an outcome asks of a run. */
interface Asked {
  readonly stack: StackName;
  /** Differences that the program looks at, or that it would tell of. */
  readonly matters: (difference: Difference) => boolean;
  /** Transitions after which the run is cut. */
  readonly rows?: number;
  readonly temp: (name: string) => string;
}

/** Of the log of a program, or of another file: "agrees", or the first two differences that matter. */
export async function ltpOutcome(log: string, { stack, matters, rows, temp }: Asked, file = `${LTP}${log}.strace.gz`): Promise<string> {
  const verdict = await judge(await caseOf(path.dirname(file), path.basename(file), temp), stack, [], rows);
  const differing = ofWeight(verdict, "differs").filter(matters);
  if (differing.length === 0) return "agrees";
  const told = differing
    .slice(0, 2)
    .map(({ what, one, other }) => `${what.slice(0, 60)}: ${one.text.slice(0, 40)}, on Linux ${other.text.slice(0, 40)}`);
  return `${told.join("; ")}${differing.length > 2 ? `; and ${differing.length - 2} more` : ""}`;
}

/** Entries of a golden: each begins at the left edge, what belongs to it is indented. */
export const entriesOf = (golden: URL): string[] =>
  existsSync(golden)
    ? readFileSync(golden, "utf8")
        .trimEnd()
        .split(/\n(?=\S)/)
    : [];
