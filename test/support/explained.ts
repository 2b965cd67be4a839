/** How many differences from Linux a finding explains, and which are not: the table `golden/explained.txt`. */

import { createHash } from "node:crypto";
import { createAnalysis, RULES } from "../../analyzer/catalogue.ts";
import { type Because, createObserver, explained, type Finding, type Observed, verdictOf } from "../../analyzer/index.ts";
import { type Block, boot, COLUMN_NAMES, type RunOptions, type Scenario } from "../../engine/index.ts";

export interface Seen {
  readonly observed: Observed;
  readonly findings: readonly Finding[];
}

/** One run, analyzed and observed. It is cut after so many transitions. */
export function see(options: RunOptions, rows: number): Seen {
  const run = boot(options);
  const analysis = createAnalysis(run);
  const observer = createObserver(run, { name: options.stack, program: options.scenario.name });
  const sink = {
    put(block: Block): void {
      analysis.put(block);
      observer.put(block);
    },
  };
  const goesOn = run.run(rows, sink);
  run.flush(sink);
  const { findings } = analysis.finish();
  return { findings, observed: observer.finish(goesOn ? "row-limit" : (run.ending ?? "finished"), run.machine) };
}

const numbers = new Map<string, number>();

function numberOf(text: string): number {
  const known = numbers.get(text) ?? numbers.size;
  numbers.set(text, known);
  return known;
}

/** The same for runs whose rows are the same, whatever numbers their places and texts have: another flow may have more steps. */
export function whatItDoes(options: RunOptions, rows: number): string {
  const run = boot(options);
  const hash = createHash("sha256");
  const sites: number[] = [];
  const texts: number[] = [];
  const sink = {
    put(block: Block): void {
      for (const name of COLUMN_NAMES) if (name !== "site" && name !== "detail") hash.update(block[name].subarray(0, block.n));
      const place = (site: number): number => (sites[site] ??= numberOf(`${run.sites[site]?.flow}: ${run.sites[site]?.label}`));
      const text = (detail: number): number => (texts[detail] ??= numberOf(run.texts[detail] ?? ""));
      hash.update(Uint32Array.from(block.site.subarray(0, block.n), place));
      hash.update(Uint32Array.from(block.detail.subarray(0, block.n), text));
    },
  };
  const goesOn = run.run(rows, sink);
  run.flush(sink);
  return `${goesOn} ${hash.digest("hex")}`;
}

/** The scenario without library OS; its own limit of transitions is meant for a stack that needs more of them. */
export const seeNative = (scenario: Scenario, rows: number): Seen =>
  see({ stack: "native-linux", scenario: { ...scenario, limit: { ...scenario.limit, transitions: Number.MAX_SAFE_INTEGER } } }, rows);

const GENERAL: ReadonlySet<string> = new Set(RULES.filter(({ generations }) => generations.includes("any")).map(({ id }) => id));

/** Their harm lies in memory: they explain no difference, as in `eintr analyze`. */
const LATENT: ReadonlySet<string> = new Set(RULES.filter(({ isLatent }) => isLatent === true).map(({ id }) => id));

/** Each difference with the rule that explains it; what is told several times in the same words counts once. */
export async function differencesOf(one: Seen, native: Seen): Promise<Because[]> {
  const verdict = await verdictOf(one.observed, native.observed, []);
  const findings = one.findings
    .filter(({ rule }) => !LATENT.has(rule))
    .map((finding) => ({ ...finding, general: GENERAL.has(finding.rule) }));
  const all = explained(verdict?.differences ?? [], findings, (thread) => one.observed.threads[thread]?.name ?? "");
  return [...new Map(all.map((because) => [told(because), because] as const)).values()];
}

const told = ({ difference: { kind, thread, what, one, other } }: Because): string =>
  `${kind} ${thread} ${what}: ${one.text}, on Linux ${other.text}`;

interface Case {
  readonly scenario: string;
  readonly stack: string;
  readonly fix: string;
  readonly because: readonly Because[];
}

export interface Share {
  readonly stack: string;
  readonly all: number;
  /** By a finding of its own, and as what follows from an earlier difference. */
  readonly direct: number;
  readonly follow: number;
}

export function sharesOf(cases: readonly Case[]): Share[] {
  const stacks = [...new Set(cases.map(({ stack }) => stack))];
  return stacks.map((stack) => {
    const all = cases.filter((one) => one.stack === stack).flatMap(({ because }) => because);
    const known = all.filter(({ rule }) => rule !== null);
    const follow = known.filter(({ follows }) => follows).length;
    return { stack, all: all.length, direct: known.length - follow, follow };
  });
}

export const explainedShare = ({ all, direct, follow }: Share): number => (all === 0 ? 1 : (direct + follow) / all);

const HEAD = ["stack", "differences", "by a finding", "following", "unexplained", "share"];

/** The counts by stack, then the differences without an explanation; one that a fix leaves as it is stands there once. */
export function explainedTable(cases: readonly Case[]): string {
  const rows = sharesOf(cases).map((share) => {
    const { stack, all, direct, follow } = share;
    return [stack, all, direct, follow, all - direct - follow, `${(100 * explainedShare(share)).toFixed(1)} %`].map(String);
  });
  const lines = [HEAD, ...rows];
  const width = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const table = lines.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(width[i] ?? 0) : cell.padStart(width[i] ?? 0))).join("  "),
  );
  return `${[...table, "", "Unexplained:", ...unexplained(cases)].join("\n")}\n`;
}

function unexplained(cases: readonly Case[]): string[] {
  const plain = new Set<string>();
  return cases.flatMap(({ scenario, stack, fix, because }) =>
    because.flatMap((one) => {
      const line = `${scenario}, ${stack}: ${told(one)}`;
      if (one.rule !== null || plain.has(line)) return [];
      plain.add(line);
      return [fix === "-" ? line : `${scenario}, ${stack} with ${fix}: ${told(one)}`];
    }),
  );
}
