/** What no row can hold: the recording ends there, and what it has stays readable. */

import { MOST, STATE_COLUMNS, type StateColumn } from "./block.ts";
import { ScenarioError } from "./errors.ts";
import type { Thread } from "./state.ts";

/** What a thread is of which a column of state holds no more. */
const TOO_MUCH: Readonly<Record<StateColumn, (n: number) => string>> = {
  depth: (n) => `${n} functions deep`,
  cssa: (n) => `in SSA frame ${n}`,
  preempt: (n) => `at preempt ${n}`,
  pending: (n) => `with ${n} pending signals`,
};

/** What no column holds, and no real stack or memory either. */
export function tooMuch(seq: number, t: Thread, state: Readonly<Record<StateColumn, number>>): never {
  const column = STATE_COLUMNS.find((name) => state[name] > MOST[name]) ?? "depth";
  throw new ScenarioError(
    `seq ${seq}: thread ${t.name} is ${TOO_MUCH[column](state[column])}; at most ${MOST[column]} are emulated. ` +
      "End the run before that, with limit in the scenario or --rows",
  );
}

/** Beyond what a float64 counts exactly: a reader would refuse the row, and with it the trace. */
export function tooLarge(seq: number, t: Thread, value: number, now: number): never {
  throw new ScenarioError(
    `seq ${seq}: thread ${t.name} comes to the value ${value} at ${now} ns; numbers and times up to 2^53 are emulated. ` +
      "End the run before that, with limit in the scenario or --time",
  );
}
