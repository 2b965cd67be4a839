/** How fast the engine steps, as a share of the plainest simulator of the same shape. */

import type { Sink } from "../../../engine/block.ts";
import type { StackName } from "../../../engine/index.ts";
import { least, millions, type Setting, timed } from "../bars.ts";
import { measureAlone } from "../child.ts";
import { createHeapSimulator } from "../heap-simulator.ts";
import { server } from "../server.ts";

const STACKS: readonly StackName[] = ["native-linux", "graphene-linux", "graphene-sgx"];
/** Short ones, so that the least of each is of a moment without other work on the machine. */
const ROUNDS = 40;
/** Rounds that find code which is new. */
const WARM_UP = 6;
const COLD_ROUNDS = 3;
const NOWHERE: Sink = { put() {} };

const WARM_BAR = 0.4;
const COLD_BAR = 0.25;

export function engine({ bars, rows }: Setting): void {
  for (const stack of STACKS) {
    const share = measureAlone("engine-share", String(rows(250_000)), stack);
    bars.report(`engine / heap simulator, warm, server on ${stack}`, share.toFixed(2), `>= ${WARM_BAR}`, share >= WARM_BAR);
  }
  const cold = rows(1_000_000);
  const ceiling: number[] = [];
  const stepped: number[] = [];
  for (let round = 0; round < COLD_ROUNDS; round += 1) {
    ceiling.push(measureAlone("simulator", String(cold)));
    stepped.push(measureAlone("engine", String(cold)));
  }
  const share = least(ceiling) / least(stepped);
  const what = `engine / heap simulator, first ${millions(cold)} rows, graphene-sgx`;
  bars.report(what, share.toFixed(2), `>= ${COLD_BAR}`, share >= COLD_BAR);
}

/** In a process of its own for each stack: a second simulator in one process is a third slower than the first. */
export function engineShareAlone(rows: number, stack: string): number {
  const simulator = createHeapSimulator();
  const run = server(stack as StackName);
  const ceiling: number[] = [];
  const engineMs: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const bare = timed(() => simulator.run(rows, NOWHERE));
    const stepped = timed(() => run.run(rows, NOWHERE));
    if (round < WARM_UP) continue;
    ceiling.push(bare);
    engineMs.push(stepped);
  }
  return least(ceiling) / least(engineMs);
}

/** In a process of their own: milliseconds for the first rows ever made. */
export const simulatorAlone = (rows: number): number => timed(() => createHeapSimulator().run(rows, NOWHERE));

export function engineAlone(rows: number): number {
  const run = server("graphene-sgx");
  return timed(() => run.run(rows, NOWHERE));
}
