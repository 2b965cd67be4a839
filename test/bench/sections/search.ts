/** What a search pays for a state: to go to a child, to know it by its hash, to come back; and whole searches beside SPIN's. */

import type { Sink } from "../../../engine/block.ts";
import { boot, parseScenario, searchArrivals } from "../../../engine/index.ts";
import { forget } from "../../../engine/search/journal.ts";
import { backTo, moment, observeRun } from "../../../engine/search/observed-run.ts";
import { least, type Setting, timed, times } from "../bars.ts";
import { measureAlone } from "../child.ts";
import { lostInterruptedError, server } from "../server.ts";
import { spinRate } from "../spin.ts";

const NOWHERE: Sink = { put() {} };
const ROUNDS = 5;
const SIGNALS = [2, 15];
const CHILD_BAR = 0.8;
const SPIN_BAR = 1;
const CLONE_BAR = 1.1;
/** Steps after which a measurement forgets the way back, as a search of that depth would. */
const DEPTH = 1_000;

export function search(setting: Setting): void {
  const { bars, rows, folder } = setting;
  const share = measureAlone("search-child", String(rows(200_000)));
  bars.report("child state, hash and back / the engine's own step", times(share), `<= ${CHILD_BAR} x`, share <= CHILD_BAR);
  const slower = measureAlone("search-clones", String(rows(500_000)));
  bars.report("engine's step after 200 clones / before", times(slower), `<= ${CLONE_BAR} x`, slower <= CLONE_BAR);
  const rate = measureAlone("search-arrivals", String(rows(400_000)));
  const spin = spinRate(folder);
  const what = "search for SIGINT and SIGTERM in lost-interrupted-error / SPIN, transitions";
  if ("missing" in spin) bars.say(`${what}: not measured, because ${spin.missing}`);
  else bars.report(what, times(rate / spin.rate), `>= ${SPIN_BAR} x`, rate / spin.rate >= SPIN_BAR);
}

/** One transition, its hash, and the way back, beyond the transition itself; as a share of a step of a recording. */
export function searchChildAlone(steps: number): number {
  const own: number[] = [];
  const forward: number[] = [];
  const child: number[] = [];
  const plain = server("graphene-sgx");
  const observed = observeRun(server("graphene-sgx"));
  const step = (run: typeof plain): void => {
    run.run(1, NOWHERE);
    run.flush(NOWHERE);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    own.push(timed(() => plain.run(steps, NOWHERE)));
    forward.push(repeat(steps, () => step(observed)));
    child.push(
      repeat(steps, () => {
        const here = moment(observed);
        step(observed);
        backTo(observed, here);
        step(observed);
      }),
    );
  }
  return (least(child) - least(forward)) / least(own) - 1;
}

function repeat(steps: number, run: () => void): number {
  return timed(() => {
    for (let i = 0; i < steps; i += 1) {
      run();
      if (i % DEPTH === 0) forget();
    }
  });
}

export function searchClonesAlone(steps: number): number {
  const before = server("graphene-sgx");
  const measure = (run: typeof before): number => least(Array.from({ length: ROUNDS }, () => timed(() => run.run(steps, NOWHERE))));
  measure(before);
  const first = measure(before);
  for (let i = 0; i < 200; i += 1) before.clone();
  return measure(before.clone()) / first;
}

/** Transitions a second of the last of some searches: the first ones compile the code. */
export function searchArrivalsAlone(states: number): number {
  const { file, text } = lostInterruptedError();
  const scenario = parseScenario(text, file);
  const [first] = scenario.signals;
  const signals = SIGNALS.flatMap((signal) => (first === undefined ? [] : [{ ...first, signal }]));
  const rates = Array.from({ length: ROUNDS }, () => {
    const run = boot({ stack: "graphene-sgx", scenario: { ...scenario, signals } });
    let transitions = 0;
    const ms = timed(() => {
      transitions = searchArrivals({ run, states }).transitions;
    });
    return (1000 * transitions) / ms;
  });
  return Math.max(...rates);
}
