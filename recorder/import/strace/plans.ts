/** Signals from outside, and the places of their thread at which they come. */

import { type ScenarioInput, STACK_NAMES, type StackName, signalName } from "../../../engine/index.ts";
import type { Arrival } from "./arrivals.ts";
import type { Homemade } from "./homemade.ts";
import type { EndEvent, SignalEvent } from "./log.ts";
import type { Tally } from "./tally.ts";
import type { Task } from "./tree.ts";

export type SignalPlan = NonNullable<ScenarioInput["signals"]>[number];
type When = SignalPlan["when"];

/** A signal whose place is not known yet. */
export interface Planned {
  readonly signal: number;
  /** Sent to the thread, not to its process. */
  readonly directed: boolean;
  /** Sent to the process; the log's kernel chose the thread, which no other stack need do. */
  readonly chosen: boolean;
  /** ns of the log. */
  readonly start: number;
  /** Which run of its handler on this thread it started, from 1; 0 for none. */
  readonly nth: number;
  /** Not "no": the program caused it in a way that is not emulated, or not in the log: it comes on native-linux alone. */
  readonly homemade: Homemade;
}

const NATIVE: StackName = "native-linux";
const OTHERS = STACK_NAMES.filter((name) => name !== NATIVE);

/** More than a scenario may hold. */
const MAX_PLANS = 1_000_000;

/** A run of a handler: which of those of a signal on the thread it is, from 1. */
export interface RunOf {
  readonly signal: number;
  readonly nth: number;
}

export interface Pins {
  /** Number of the next run of this signal's handler. */
  nextRun(signal: number): number;
  /** They come before the n-th call of the thread, or of a run of a handler. */
  before(list: readonly Planned[], call: number, run?: RunOf | null): void;
  /** They came one after the other while it was in its n-th call; 0 for none: as the run of the handler begins. */
  within(list: readonly Planned[], call: number, run?: RunOf | null): void;
  /** The thread makes no call afterwards: they come at their time. */
  atTheirTime(list: readonly Planned[]): void;
}

export function createPins(task: Task, plans: SignalPlan[], tally: Tally): Pins {
  const runs = new Map<number, number>();
  const thread = task.name;

  const put = ({ signal, directed, chosen, homemade }: Planned, when: When): void => {
    if (plans.length >= MAX_PLANS) return tally.note("too-many-signals");
    const plan = { signal: signalName(signal), when };
    const toProcess = { process: task.process.name };
    const onLinux = { stacks: [NATIVE], ...(homemade === "lacked" ? { lacked: true } : {}) };
    if (!chosen) return void plans.push({ ...plan, ...(directed ? { thread } : toProcess), ...(homemade === "no" ? {} : onLinux) });
    plans.push({ ...plan, thread, ...onLinux });
    if (homemade === "no") plans.push({ ...plan, ...toProcess, stacks: OTHERS });
  };
  const placeOf = (run: RunOf | null): Partial<When> => (run ? { handler: signalName(run.signal), nth: run.nth } : {});

  /** Two of a kind at one place would be one: the second comes while the first one's handler runs. */
  const before = (list: readonly Planned[], call: number, run: RunOf | null = null): void => {
    const handled = new Map<number, number>();
    for (const planned of list) {
      const nth = handled.get(planned.signal);
      if (nth !== undefined) put(planned, { thread, ...placeOf({ signal: planned.signal, nth }) });
      else put(planned, { thread, ...placeOf(run), call, phase: "before" });
      if (planned.nth > 0) handled.set(planned.signal, planned.nth);
    }
  };

  return {
    nextRun(signal) {
      const nth = (runs.get(signal) ?? 0) + 1;
      runs.set(signal, nth);
      return nth;
    },
    before,
    within(list, call, run = null) {
      const last = list.at(-1);
      // Each time the call waits one comes: after a handler it waits again, but what has none leaves it asleep.
      const comes = (planned: Planned): boolean => planned === last || (planned.nth > 0 && call > 0);
      before(
        list.filter((planned) => !comes(planned)),
        Math.max(1, call),
        run,
      );
      for (const planned of list.filter(comes)) {
        if (call > 0) put(planned, { thread, ...placeOf(run), call, phase: "blocked" });
        else if (run) put(planned, { thread, ...placeOf(run) });
        else put(planned, { at: planned.start });
      }
    },
    atTheirTime(list) {
      for (const planned of list) put(planned, { at: planned.start });
      if (list.length > 0) tally.note("outside-untimed", list.length);
    },
  };
}

export const plannedSignal = (
  { signal, start }: SignalEvent,
  { directed, chosen, homemade }: Pick<Arrival, "directed" | "chosen" | "homemade">,
  nth: number,
): Planned => ({ signal, directed, chosen, start, nth, homemade });

/** A signal that ended a process without a line of its own (SIGKILL). */
export const plannedDeath = ({ value, start }: EndEvent): Planned => ({
  signal: value,
  directed: false,
  chosen: false,
  start,
  nth: 0,
  homemade: "no",
});
