/** A stretch of a thread's life that becomes a list of operations: its program, or one run of a handler. */

import { bounded } from "./args.ts";
import { EINTR } from "./errno.ts";
import type { CallEvent } from "./log.ts";
import type { Planned, RunOf } from "./plans.ts";
import type { HandlerRun, Item, Registration } from "./registrations.ts";
import type { Woven } from "./shortened.ts";

export interface Level {
  readonly items: Woven;
  /** ns of the log up to which `items` account for the time, handlers taken out. */
  clock: number;
  /** Calls among `items`. */
  calls: number;
  /** The last of them. */
  lastCall: Item | null;
  /** A call that a signal ended and whose fate is not known yet. */
  suspended: Suspended | null;
  /** Signals from outside that came between calls. */
  waiting: Planned[];
  /** null for the program itself. */
  readonly run: Running | null;
  /** It has called sigprocmask with SIG_BLOCK. */
  blocks: boolean;
  /** Handlers that ran since the last computation. */
  ran: HandlerRun[];
  /** Computations after handlers: see `evenOut`. */
  readonly afterHandlers: AfterHandlers[];
}

/** Own instructions: for how long, and until when on the log's own kernel. */
export interface Computation extends Item {
  readonly compute: { for: number; until?: number };
}

export const isComputation = (item: Item | undefined): item is Computation => item !== undefined && typeof item.compute === "object";

/** A computation and the runs before it, which the scenario's handlers stand for with times of their own. */
export interface AfterHandlers {
  readonly item: Computation;
  readonly runs: readonly HandlerRun[];
}

export interface Running {
  readonly registration: Registration;
  readonly record: HandlerRun;
  /** Which run of a handler of this signal on the thread, from 1. */
  readonly nth: number;
  readonly start: number;
}

/** null for the program itself. */
export const runOf = ({ run }: Level): RunOf | null => run && { signal: run.registration.signal, nth: run.nth };

export interface Suspended {
  readonly first: CallEvent;
  last: CallEvent;
  /** ns that the attempts lasted. */
  waited: number;
  /** When the last attempt was over, ns of the log. */
  brokenAt: number;
  lines: number;
  /** Signals from outside that came in it. */
  readonly planned: Planned[];
  /** All signals that came in it. */
  readonly signals: number[];
  /** A signal of the scenario's own came in it, which needs no place: when it was sent, ns. Null without. */
  ownAt: number | null;
  handled: boolean;
  /** The last handler has SA_RESTART. */
  saRestart: boolean;
  /** What it answered itself (EINTR), or what rt_sigreturn gave back. */
  outcome: "open" | "eintr" | "restart";
  /** A handler has come back to it. */
  returned: boolean;
  /** Place that siglongjmp left it for. */
  jumped: string;
}

/** `items` is what the level is woven into. */
export const newLevel = (clock: number, run: Running | null, afterHandlers: AfterHandlers[], items: Woven = []): Level => ({
  items,
  clock,
  calls: 0,
  lastCall: null,
  suspended: null,
  waiting: [],
  run,
  blocks: false,
  ran: [],
  afterHandlers,
});

export const newSuspended = (call: CallEvent): Suspended => ({
  first: call,
  last: call,
  waited: call.end - call.start,
  brokenAt: call.end,
  lines: call.lines,
  planned: [],
  signals: [],
  ownAt: null,
  handled: false,
  saRestart: false,
  outcome: call.value === EINTR ? "eintr" : "open",
  returned: false,
  jumped: "",
});

/**
 * The time up to `to` that nothing accounts for is computation. `until` is when it ended in the log: the same, unless `to` leaves out
 * what the operations after it take in.
 */
export function advance(level: Level, to: number, until = to): void {
  const gap = to - level.clock;
  if (gap <= 0) return;
  const item: Computation = { compute: { for: bounded(gap), until: bounded(until) } };
  level.items.push(item);
  // A list that grew one by one has room for more: a copy has not, and a log may have a signal every ten lines.
  if (level.ran.length > 0) level.afterHandlers.push({ item, runs: [...level.ran] });
  level.ran = [];
  level.clock = to;
}
