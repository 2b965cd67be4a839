/** How fast the engine steps, as a share of the plainest simulator of the same shape. */

import type { Sink } from "../../../engine/block.ts";
import type { StackName } from "../../../engine/index.ts";
import { least, millions, type Setting, timed } from "../bars.ts";
import { measureAlone } from "../child.ts";
import { createHeapSimulator } from "../heap-simulator.ts";
import { server } from "../server.ts";

const STACKS: readonly StackName[] = ["native-linux", "graphene-linux", "graphene-sgx"];
const ROUNDS = 5;
const COLD_ROUNDS = 3;
const NOWHERE: Sink = { put() {} };

const WARM_BAR = 0.4;
const COLD_BAR = 0.25;

export function engine({ bars, rows }: Setting): void {
  const warm = rows(2_000_000);
  for (const stack of STACKS) {
    const simulator = createHeapSimulator();
    const run = server(stack);
    const ceiling: number[] = [];
    const engineMs: number[] = [];
    // The first round finds code that was never run.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const bare = timed(() => simulator.run(warm, NOWHERE));
      const stepped = timed(() => run.run(warm, NOWHERE));
      if (round === 0) continue;
      ceiling.push(bare);
      engineMs.push(stepped);
    }
    const share = least(ceiling) / least(engineMs);
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

/** In a process of their own: milliseconds for the first rows ever made. */
export const simulatorAlone = (rows: number): number => timed(() => createHeapSimulator().run(rows, NOWHERE));

export function engineAlone(rows: number): number {
  const run = server("graphene-sgx");
  return timed(() => run.run(rows, NOWHERE));
}
