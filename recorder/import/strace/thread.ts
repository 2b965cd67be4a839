/**
 * One thread of the log as a program. What it did between a signal and its rt_sigreturn goes to the handler; time between calls
 * becomes computation; a call that a signal cut short waits until the signal comes; signals from outside are pinned to the place
 * where they arrived.
 */

import { costOf, signalName } from "../../../engine/index.ts";
import { signalNames } from "./args.ts";
import { type Arrival, isOddFault } from "./arrivals.ts";
import { countLines, cutShort, hasNoEnd, isExit, takeCall, type Weaver } from "./calls.ts";
import { PROCESS_START_NS, THREAD_START_NS } from "./costs.ts";
import { EINTR } from "./errno.ts";
import { advance, isComputation, type Level, newLevel, runOf } from "./level.ts";
import type { CallEvent, EndEvent, SignalEvent, StopEvent } from "./log.ts";
import type { Context } from "./mapped.ts";
import { createPins, plannedDeath, plannedSignal, type SignalPlan } from "./plans.ts";
import type { HandlerRun, Item, Registration } from "./registrations.ts";
import type { Woven } from "./shortened.ts";
import type { Tally } from "./tally.ts";
import type { Task } from "./tree.ts";

/** What the kernel takes to enter a handler and to come back from it, in the emulation. */
const DELIVERY_NS = costOf("host.signal.deliver") + costOf("host.sigreturn") + 2 * costOf("call");
/** Signals so soon after a call count as coming at its end, ns. */
const SOON_NS = 10e6;
/** How much longer than in the log a thread lives that something else ends, ns. */
const SLACK_NS = 1e9;

/** Weaves the thread's program `into` a list. `first`: calls that it begins with and the log does not show. */
export function weave(context: Context, first: readonly Item[], into: Woven, plans: SignalPlan[], tally: Tally, until: number): void {
  const { task } = context;
  const { events } = task.life;
  const startNs = task === task.process.leader ? PROCESS_START_NS : THREAD_START_NS;
  const top = newLevel((task.creation?.start ?? 0) + startNs, null, context.afterHandlers, into);
  for (const item of first) top.items.push(item);
  top.calls = first.length;
  const w: Weaver = { context, pins: createPins(task, plans, tally), tally, levels: [top], level: top, events, at: 0 };
  let ended = false;
  /** Stands for a call that is an operation now: the log has millions. The first one is asked for again. */
  const spent: StopEvent = { kind: "stop", life: task.life, line: 0, lines: 1, start: 0 };
  const firstCall = events.findIndex(({ kind }) => kind === "call");
  let lastCall = firstCall;
  events.forEach((event, i) => {
    w.at = i;
    if (event.kind === "call") {
      step(w, event);
      if (lastCall > firstCall) events[lastCall] = spent;
      lastCall = i;
    } else if (event.kind === "signal") signal(w, event);
    else if (event.kind === "stop") countLines(w, w.context.facts.stoppable.has(w.context.task.process) ? "emulated" : "stop", 1);
    else {
      end(w, event, event.start);
      ended = true;
    }
  });
  if (!ended) {
    const last = events.findLast(({ kind }) => kind === "call");
    if (last?.kind !== "call" || !isExit(last)) tally.note("no-end");
    end(w, null, until);
  }
}

function step(w: Weaver, call: CallEvent): void {
  const { level } = w;
  if (call.name === "rt_sigreturn" && level.run?.record.returned) return comeBack(w, call);
  if (leavesByJump(level, call)) return jumpOut(w, call);
  if (call.name === "rt_sigprocmask" && call.args.startsWith("SIG_BLOCK")) level.blocks = true;
  takeCall(w, call);
}

function signal(w: Weaver, event: SignalEvent): void {
  const arrival = w.context.facts.arrivals.get(event);
  if (!arrival || arrival.cause === "stop") return countLines(w, arrival?.sending ? "emulated" : "stop", 1);
  if (arrival.cause === "lost") return countLines(w, "emulated", 1);
  // The call before has its answer: this signal came after it.
  if (w.level.suspended?.returned && w.level.suspended.outcome === "eintr") cutShort(w, w.level.suspended);
  const registration = arrival.action?.what === "handler" ? arrival.action : null;
  const nth = registration === null ? 0 : w.pins.nextRun(event.signal);
  if (arrival.cause === "fault") fault(w, event, arrival);
  if (arrival.cause === "outside") outside(w, event, arrival, nth);
  countLines(w, isOddFault(event) ? "fault-kind" : "emulated", 1);
  const s = w.level.suspended;
  if (s) {
    s.signals.push(event.signal);
    if (arrival.cause === "own") s.ownAt ??= arrival.sentAt;
    s.handled ||= registration !== null;
    if (registration) s.saRestart = registration.flags.includes("SA_RESTART");
  }
  if (registration) enterHandler(w, event, arrival, registration, nth);
}

function enterHandler(w: Weaver, event: SignalEvent, arrival: Arrival, registration: Registration, nth: number): void {
  const { returned } = arrival;
  const record: HandlerRun = {
    thread: w.context.task.name,
    start: event.start,
    items: [],
    fates: [],
    fault: arrival.cause === "fault" && arrival.fault.what !== "int3",
    returned,
    lasted: 0,
    endedAt: 0,
    modelled: 0,
    model: null,
  };
  registration.runs.push(record);
  w.level = newLevel(event.start, { registration, record, nth, start: event.start }, w.context.afterHandlers, record.items);
  w.levels.push(w.level);
}

function fault(w: Weaver, event: SignalEvent, { fault: what }: Arrival): void {
  if (w.level.suspended) cutShort(w, w.level.suspended);
  advance(w.level, event.start);
  w.level.items.push({ fault: what });
}

function outside(w: Weaver, event: SignalEvent, arrival: Arrival, nth: number): void {
  const planned = plannedSignal(event, arrival, nth);
  // One that is ignored changes nothing on any stack.
  if (planned.homemade !== "no" && arrival.action?.what !== "ignore") w.tally.note("own-doing");
  const { suspended, waiting } = w.level;
  if (suspended) suspended.planned.push(planned);
  else waiting.push(planned);
}

/** The innermost handler is over at `at`; the time it took is none of the level's below. */
function leaveLevel(w: Weaver, at: number): Level {
  const left = w.level;
  if (left.suspended) cutShort(w, left.suspended);
  // Signals after its last call.
  if (left.run) w.pins.within(left.waiting, left.calls, runOf(left));
  advance(left, at);
  w.levels.pop();
  w.level = w.levels.at(-1) ?? left;
  w.level.clock += at - (left.run?.start ?? at);
  return left;
}

/** rt_sigreturn: its result tells what became of the call below. */
function comeBack(w: Weaver, call: CallEvent): void {
  countLines(w, "emulated", call.lines);
  const mask = w.context.facts.contexts.get(call);
  if (mask) w.level.items.push({ "context-mask": { signals: signalNames(mask) } });
  const { run, clock } = leaveLevel(w, call.start);
  w.level.clock += call.end - call.start;
  if (run) {
    run.record.lasted = call.end - run.start;
    run.record.endedAt = call.start;
    run.record.modelled = clock - run.start + DELIVERY_NS;
    w.level.ran.push(run.record);
  }
  const s = w.level.suspended;
  if (!s) return;
  s.returned = true;
  s.outcome = call.value === EINTR || s.outcome === "eintr" ? "eintr" : "restart";
}

/** siglongjmp puts the mask back with a call of this form, and no rt_sigreturn ever ends the handler. */
const leavesByJump = ({ run, blocks }: Level, { name, args }: CallEvent): boolean =>
  run !== null && !run.record.returned && !blocks && name === "rt_sigprocmask" && /^SIG_SETMASK, ~?\[[^\]]*\], NULL/.test(args);

/** What was interrupted is gone: the scenario remembers the place before it and goes on after it. */
function jumpOut(w: Weaver, call: CallEvent): void {
  countLines(w, "emulated", call.lines);
  const { run } = leaveLevel(w, call.start);
  if (!run) return;
  const place = `left-${signalName(run.registration.signal)}`;
  run.record.items.push({ siglongjmp: place });
  const { level } = w;
  level.clock += call.end - call.start;
  if (level.suspended) {
    level.suspended.jumped = place;
    return cutShort(w, level.suspended);
  }
  // It came at an instruction, at the end of the call before, or while the thread was computing.
  const last = level.items.at(-1);
  const within = last !== undefined && !isComputation(last) && !("sigsetjmp" in last) ? [level.items.pop() ?? last] : [];
  const body = last !== undefined && "fault" in last ? within : [...within, { compute: SLACK_NS }];
  level.items.push({ sigsetjmp: { place, do: body } });
  w.pins.atTheirTime(level.waiting);
  level.waiting = [];
}

/** The thread's last line, or (null) the end of the log. */
function end(w: Weaver, event: EndEvent | null, at: number): void {
  const last = w.events.findLast((one) => one.kind === "call");
  const exits = last?.kind === "call" && isExit(last);
  const blocked = last?.kind === "call" && hasNoEnd(last, event ?? undefined);
  if (event && w.context.facts.deaths.has(event)) death(w, event, blocked);
  if (event) countLines(w, "emulated", event.lines);
  if (w.level.suspended) cutShort(w, w.level.suspended, true);
  settleRest(w);
  if (!exits) advance(w.level, at + (event?.how === "exited" ? 0 : SLACK_NS));
  // Handlers that never came back: what they interrupted waits, or computes, until they come.
  for (let run = w.level.run; run !== null; run = w.level.run) {
    w.levels.pop();
    w.level = w.levels.at(-1) ?? newLevel(0, null, []);
    if (w.level.suspended) cutShort(w, w.level.suspended, true);
    settleRest(w);
    advance(w.level, run.start + SLACK_NS);
  }
  const status = event?.how === "exited" && !exits ? statusOf(w.context.task, event) : 0;
  if (status !== 0) w.level.items.push({ "exit-group": { status } });
}

/** The end of a process whose log leaves out the call that ended it (-e trace=...). */
const statusOf = ({ process, life }: Task, { value }: EndEvent): number =>
  process.leader.life === life && process.tasks.every((task) => !task.life.events.some((event) => event.kind === "call" && isExit(event)))
    ? value
    : 0;

/** Signals after the last call come as it returns when that was just before, else at their time. */
function settleRest({ level, pins }: Weaver): void {
  const [first] = level.waiting;
  if (first && first.start - level.clock <= SOON_NS && returnsAtOnce(level.lastCall)) pins.within(level.waiting, level.calls, runOf(level));
  else pins.atTheirTime(level.waiting);
  level.waiting = [];
}

/** A plan for a call comes when it waits: one whose answer is known need not. */
function returnsAtOnce(item: Item | null): boolean {
  const args = Object.values(item ?? {})[0];
  if (args === null || typeof args !== "object") return false;
  const { takes } = args as Item;
  if (typeof takes === "number") (args as Item).takes = 0;
  return typeof takes === "number";
}

/** Killed without a signal line: SIGKILL has none. */
function death(w: Weaver, event: EndEvent, blocked: boolean): void {
  const planned = plannedDeath(event);
  const { suspended, calls } = w.level;
  if (suspended) suspended.planned.push(planned);
  else if (blocked) w.pins.within([planned], calls, runOf(w.level));
  else w.level.waiting.push(planned);
}
