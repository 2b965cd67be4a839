/** Analysis: many rules over the same blocks, as a share of a bare loop over their columns; and what each rule costs. */

import { createAnalysis, RULES } from "../../../analyzer/catalogue.ts";
import type { Rule } from "../../../analyzer/index.ts";
import type { Block, Run, StackName } from "../../../engine/index.ts";
import { SAMPLE_RULES } from "../../support/sample-rules.ts";
import { least, type Setting, timed } from "../bars.ts";
import { server } from "../server.ts";

const STACKS: readonly StackName[] = ["native-linux", "graphene-linux", "graphene-sgx"];
const BLOCK_ROWS = 16_384;
const ROUNDS = 5;
/** Rules of a full catalogue. */
const MANY = 60;
/** Instances of one rule when its cost is measured: one alone is lost in the noise. */
const ALIKE = 20;
const SPEED_BAR = 8;
const SHARE_BAR = 0.05;

/** All rules, in turn, until there are so many; each instance with an id of its own. */
const many = (rules: readonly Rule[], count: number): Rule[] =>
  Array.from({ length: count }, (_, i) => {
    const rule = rules[i % rules.length] as Rule;
    return { ...rule, id: `${rule.id} ${i}` };
  });

/** Listens to nothing: what remains is the model. */
const IDLE: Rule = { ...(RULES[0] as Rule), id: "idle", start: () => ({}) };

export function rules({ bars, rows }: Setting): void {
  const all = [...RULES, ...SAMPLE_RULES];
  for (const stack of STACKS) {
    const { run, blocks } = keptBlocks(stack, Math.ceil(rows(2_000_000) / BLOCK_ROWS));
    const count = blocks.length * BLOCK_ROWS;
    const ways: readonly (() => void)[] = [
      () => void bareLoop(blocks),
      () => analyze(run, blocks, many(all, MANY)),
      () => analyze(run, blocks, [IDLE]),
      ...all.map((rule) => () => analyze(run, blocks, many([rule], ALIKE))),
    ];
    const [bare = Number.NaN, sixty = Number.NaN, model = Number.NaN, ...each] = leastOf(ways);
    const speed = count / sixty / 1000;
    bars.report(`${MANY} rules, server on ${stack}`, `${speed.toFixed(1)} M/s`, `>= ${SPEED_BAR} M/s`, speed >= SPEED_BAR);
    bars.report(`${MANY} rules / bare loop over the columns`, (bare / sixty).toFixed(3), `>= ${SHARE_BAR}`, bare / sixty >= SHARE_BAR);
    const perRow = (ms: number): string => `${((1e6 * ms) / count).toFixed(2)} ns`;
    bars.tell("a row for the model of threads", perRow(model));
    for (const [i, { id }] of all.entries()) bars.tell(`a row for ${id}`, perRow(((each[i] ?? Number.NaN) - model) / ALIKE));
  }
}

/** Milliseconds of each, in turn; the first round finds code that was never run. */
function leastOf(ways: readonly (() => void)[]): number[] {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => ways.map(timed)).slice(1);
  return ways.map((_, i) => least(rounds.map((round) => round[i] ?? Number.NaN)));
}

function analyze(run: Run, blocks: readonly Block[], chosen: readonly Rule[]): void {
  const analysis = createAnalysis(run, chosen);
  for (const block of blocks) analysis.put(block);
  analysis.finish();
}

/** Blocks as a run makes them. */
function keptBlocks(stack: StackName, count: number): { run: Run; blocks: Block[] } {
  const run = server(stack);
  const blocks: Block[] = [];
  run.run(count * BLOCK_ROWS, { put: (block) => void blocks.push(structuredClone({ ...block })) });
  return { run, blocks };
}

/** The columns that rules read, of every row. The sum is there so that nothing is left out. */
function bareLoop(blocks: readonly Block[]): number {
  let sum = 0;
  for (const { n, time, thread, site, kind, signal, value, extra, depth } of blocks)
    for (let row = 0; row < n; row += 1)
      sum +=
        (time[row] as number) +
        (thread[row] as number) +
        (site[row] as number) +
        (kind[row] as number) +
        (signal[row] as number) +
        (value[row] as number) +
        (extra[row] as number) +
        (depth[row] as number);
  return sum;
}
