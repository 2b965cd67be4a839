/** Analysis: the whole catalogue over a recorded trace, its share of a bare loop over the columns, and what each rule costs. */

import path from "node:path";
import { createAnalysis, RULES } from "../../../analyzer/catalogue.ts";
import type { Rule } from "../../../analyzer/index.ts";
import type { Block, StackName } from "../../../engine/index.ts";
import { openTrace, record, type Trace } from "../../../recorder/index.ts";
import { least, millions, type Setting, timedOnCpu, times } from "../bars.ts";
import { measureWithin, runProgram } from "../child.ts";
import { server, serverInfo } from "../server.ts";

const STACKS: readonly StackName[] = ["native-linux", "graphene-linux", "graphene-sgx"];
const ROUNDS = 5;
/** Of the measurement of each rule: there are many. */
const FEW_ROUNDS = 2;
const FEW_BLOCKS = 10;
/** Instances of one rule when its cost is measured: one alone is lost in the noise. */
const ALIKE = 20;
const SPEED_BAR = 8;
const SHARE_BAR = 0.05;
/** Heap of the measurement of memory, and how much more than for a fifth of the rows. */
const HEAP_MEGABYTES = 48;
const MEMORY_BAR = 1.2;
/** Of `eintr analyze` of five times as many rows: its start is a part of both. */
const TIME_BAR = 6;

/** So many of one rule; each with an id of its own. */
const alike = (rule: Rule): Rule[] => Array.from({ length: ALIKE }, (_, i) => ({ ...rule, id: `${rule.id} ${i}` }));

/** Listens to nothing: what remains is the model. */
const IDLE: Rule = { ...(RULES[0] as Rule), id: "idle", start: () => ({}) };

export async function rules(setting: Setting): Promise<void> {
  const { bars, folder, rows } = setting;
  for (const stack of STACKS) {
    const dir = path.join(folder, `${stack}.trace`);
    await record(server(stack), dir, serverInfo(stack), { rows: rows(2_000_000) });
    const trace = await openTrace(dir);
    const blocks = Array.from(trace.rows(), (block) => structuredClone({ ...block }));
    const count = blocks.reduce((sum, { n }) => sum + n, 0);
    const [bare, catalogue, recorded] = leastOf(ROUNDS, [
      () => void bareLoop(blocks),
      () => analyze(trace, blocks, RULES),
      () => analyze(trace, trace.rows(), RULES),
    ]);
    const speed = count / recorded / 1000;
    bars.report(
      `all ${RULES.length} rules, Arrow trace of the server on ${stack}`,
      `${speed.toFixed(1)} M/s`,
      `>= ${SPEED_BAR} M/s`,
      speed >= SPEED_BAR,
    );
    const share = bare / catalogue;
    bars.report("the same from memory / bare loop over the columns", share.toFixed(3), `>= ${SHARE_BAR}`, share >= SHARE_BAR);
    const few = blocks.slice(0, FEW_BLOCKS);
    const fewRows = few.reduce((sum, { n }) => sum + n, 0);
    const ways = RULES.map((rule) => () => analyze(trace, few, alike(rule)));
    const [model, ...each] = leastOf(FEW_ROUNDS, [() => analyze(trace, few, [IDLE]), ...ways]);
    const perRow = (ms: number): string => `${((1e6 * ms) / fewRows).toFixed(2)} ns`;
    bars.tell("a row for the model of threads", perRow(model));
    const dearest = RULES.map(({ id }, i) => ({ id, ms: ((each[i] ?? Number.NaN) - model) / ALIKE })).sort((a, b) => b.ms - a.ms);
    for (const { id, ms } of dearest) bars.tell(`a row for ${id}`, perRow(ms));
    trace.close();
  }
  await length(setting);
}

/** What a trace of five times the length costs. */
async function length(setting: Setting): Promise<void> {
  const { bars, folder, rows } = setting;
  const [few, many] = [rows(2_000_000), rows(10_000_000)];
  const how = `${millions(many)} rows / ${millions(few)}`;
  const traces = { few: path.join(folder, "graphene-sgx.trace"), many: path.join(folder, "long.trace") };
  await record(server("graphene-sgx"), traces.many, serverInfo("graphene-sgx"), { rows: many });
  const peak = (count: number): number => measureWithin(HEAP_MEGABYTES, "rules-memory", String(count), traces.many) ?? Number.NaN;
  const memory = peak(many) / peak(few);
  bars.report(`memory of all rules, ${how}`, times(memory), `<= ${MEMORY_BAR} x`, memory <= MEMORY_BAR);
  const took = (trace: string): number => runProgram(setting, "analyze", trace, "--fail-on", "never").ms;
  const time = took(traces.many) / took(traces.few);
  bars.report(`time of eintr analyze, ${how}`, times(time), `<= ${TIME_BAR} x`, time <= TIME_BAR);
}

/** Most memory, in kB, that a process holds which takes the first rows of a trace through all rules. */
export async function rulesMemoryAlone(count: number, dir: string): Promise<number> {
  const trace = await openTrace(dir);
  const analysis = createAnalysis(trace);
  for (const block of trace.rows()) {
    if (block.seq0 >= count) break;
    analysis.put(block);
  }
  analysis.finish();
  trace.close();
  return process.resourceUsage().maxRSS;
}

/** Milliseconds of the processor of each, in turn; the first round finds code that was never run. */
function leastOf<const W extends readonly [() => void, ...(() => void)[]]>(count: number, ways: W): { readonly [K in keyof W]: number } {
  const rounds = Array.from({ length: count + 1 }, () => ways.map(timedOnCpu)).slice(1);
  return ways.map((_, i) => least(rounds.map((round) => round[i] ?? Number.NaN))) as unknown as { readonly [K in keyof W]: number };
}

function analyze(trace: Trace, blocks: Iterable<Block>, chosen: readonly Rule[]): void {
  const analysis = createAnalysis(trace, chosen);
  for (const block of blocks) analysis.put(block);
  analysis.finish();
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
