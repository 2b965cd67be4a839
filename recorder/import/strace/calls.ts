/** Calls of a thread into operations of the level it is in: whole ones, ones that a signal ended, ones made again, ones without an end. */

import { tellAbout } from "./about.ts";
import { bounded, splitArgs } from "./args.ts";
import type { Arrival } from "./arrivals.ts";
import { EINTR } from "./errno.ts";
import type { Facts } from "./facts.ts";
import { onLackedFile } from "./lacked-files.ts";
import { advance, isComputation, type Level, newSuspended, runOf, type Suspended } from "./level.ts";
import { type CallEvent, CREATES, type LogEvent } from "./log.ts";
import type { Context } from "./mapped.ts";
import { hasLimit, operationCut, operationOf } from "./operations.ts";
import type { Pins } from "./plans.ts";
import type { HandlerRun, Item } from "./registrations.ts";
import type { Fate, Tally } from "./tally.ts";
import type { Task } from "./tree.ts";
import { MARGIN_NS } from "./waiting.ts";

/** A thread on its way through the log. */
export interface Weaver {
  readonly context: Context;
  readonly pins: Pins;
  readonly tally: Tally;
  readonly levels: Level[];
  /** The innermost of `levels`. */
  level: Level;
  readonly events: readonly LogEvent[];
  /** Index of the event at hand. */
  at: number;
}

/** Events looked ahead at. */
const AHEAD = 100;

export const isExit = ({ name }: CallEvent): boolean => name === "exit" || name === "exit_group";

/** The thread ended in this call: the log stops in it, or the kernel never answered. */
export const hasNoEnd = (call: CallEvent, next: LogEvent | undefined): boolean =>
  !isExit(call) && (!call.ended || (call.value === null && call.restart === "" && (next === undefined || next.kind === "end")));

export function countLines({ level, tally }: Weaver, fate: Fate, lines: number, name?: string): void {
  const call = fate === "emulated" ? undefined : name;
  if (level.run === null) tally.add(fate, lines, call);
  else countInRun(level.run.record, fate, lines, call);
}

/** Most runs have one sort of lines, and a log may have a run every ten lines: a list that grew has room for many more. */
function countInRun(run: HandlerRun, fate: Fate, lines: number, call: string | undefined): void {
  const known = run.fates.find((told) => told.fate === fate && told.call === call);
  if (known) known.lines += lines;
  else run.fates = [...run.fates, { fate, lines, call }];
}

/** Where it stands in the log. */
function lined(item: Item, call: CallEvent, { facts }: Context): Item {
  const args = Object.values(item)[0];
  if (args !== null && typeof args === "object") (args as Item).line = call.line;
  onLackedFile(item, facts.lackedFiles.get(call));
  tellAbout(item, call);
  return item;
}

function push({ level, pins }: Weaver, item: Item): void {
  level.items.push(item);
  level.calls += 1;
  level.lastCall = item;
  if (level.waiting.length === 0) return;
  pins.before(level.waiting, level.calls, runOf(level));
  level.waiting = [];
}

export function takeCall(w: Weaver, given: CallEvent): void {
  const s = w.level.suspended;
  const again = s !== null && s.outcome !== "eintr" && (given.name === s.first.name || given.name === "restart_syscall");
  if (s !== null && !again) cutShort(w, s);
  const call = again ? given : resumed(given);
  if (isPutOff(call)) return countLines(w, "emulated", call.lines);
  if (call.restart !== "" || call.value === EINTR) suspend(w, call, again ? s : null);
  else if (isExit(call) || (call.value === null && w.context.facts.kills.has(call))) whole(w, call);
  else if (hasNoEnd(call, w.events[w.at + 1])) unended(w, call, again ? s : null);
  else if (again) restarted(w, s, call);
  else whole(w, call);
}

/** fork and clone do nothing while a signal is pending: its handler runs first, and the call is made again (copy_process, ERESTARTNOINTR). */
const isPutOff = ({ name, restart }: CallEvent): boolean => restart !== "" && CREATES.has(name);

/** strace came while the thread waited: which call it found it says, or not. No program calls restart_syscall, and no library OS has it. */
function resumed(call: CallEvent): CallEvent {
  if (call.name !== "restart_syscall") return call;
  const name = /resuming interrupted (?!call\b|system\b)(\w+)/.exec(call.args)?.[1] ?? "interrupted";
  return { ...call, name, args: name === "futex" ? "0, FUTEX_WAIT, 0, NULL" : "" };
}

function whole(w: Weaver, call: CallEvent): void {
  const { level, context } = w;
  const next = w.events[w.at + 1];
  const lasted = call.end - call.start;
  const takes = next?.kind === "signal" ? untilSent(call, context.facts.arrivals.get(next), context.facts) : lasted;
  advance(level, beginningOf(call, next, w));
  const { item, ns, fate } = operationOf({ call, value: call.value, takes }, context);
  push(w, lined(item, call, context));
  takesFromOutside(w, call);
  level.clock += ns;
  countLines(w, fate, call.lines, call.name);
}

/**
 * A signal of the scenario's own follows at once, and did not interrupt the call: let there be no doubt which was first. It may have been
 * sent while a busy machine was late to wake the thread; much earlier it could only be if nothing let it in.
 */
function untilSent(call: CallEvent, arrival: Arrival | undefined, { masks }: Facts): number {
  const { start, end } = call;
  if (arrival?.cause !== "own") return end - start;
  const { sentAt } = arrival;
  const isLate = WAITS.has(call.name) && !masks.has(call) && sentAt > start && sentAt < end && end - sentAt <= LATE_NS;
  return Math.max(0, (isLate ? sentAt : end) - start - MARGIN_NS);
}

const WAITS: ReadonlySet<string> = new Set([
  ...["nanosleep", "clock_nanosleep", "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait"],
  ...["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "accept", "accept4"],
]);
/** How late a thread may be that a signal woke, ns. */
const LATE_NS = 20e6;

/** A signal that the call took comes while it waits, when nothing in the log sent it. */
function takesFromOutside({ context, level, pins, tally }: Weaver, call: CallEvent): void {
  const taken = context.facts.taken.get(call)?.filter(({ outside }) => outside);
  if (taken === undefined) return;
  const chosen = context.task !== context.task.process.leader;
  const own = taken.filter(({ homemade }) => homemade !== "no").length;
  if (own > 0) tally.note("own-doing", own);
  pins.within(
    taken.map(({ signal, homemade }) => ({ signal, directed: false, chosen, start: call.end, nth: 0, homemade })),
    level.calls,
    runOf(level),
  );
}

/** The moment of the log at which the emulated call is to be made. */
function beginningOf(call: CallEvent, next: LogEvent | undefined, { context: { facts, task } }: Weaver): number {
  // A process ends with its last thread.
  if (call.name === "exit" && task.process.tasks.some((other) => other !== task && endsAfter(other, call))) return call.start;
  // The kernel takes its time to end a thread: its parent learns of it only then, but may ask before strace writes a line.
  if (isExit(call) && next?.kind === "end")
    return facts.goneAt.get(task.process) ?? Math.max(call.start, Math.min(next.start, facts.goneBy.get(task.process) ?? next.start));
  const kill = facts.kills.get(call);
  if (kill) return kill.sending.effect;
  // A timer counts from where the kernel has set it: just before strace sees the call's end.
  return SETS_TIMER.has(call.name) ? call.end : call.start;
}

const SETS_TIMER: ReadonlySet<string> = new Set(["alarm", "setitimer", "timer_settime"]);

const endsAfter = ({ life }: Task, call: CallEvent): boolean => (life.events.at(-1)?.start ?? 0) > call.end && life.events.length > 0;

/** A signal ended it; what follows will tell whether it is made again. `before` is the attempt before this one. */
function suspend({ level }: Weaver, call: CallEvent, before: Suspended | null): void {
  if (before === null) {
    advance(level, call.start);
    level.suspended = newSuspended(call);
    return;
  }
  if (call.name !== "restart_syscall") before.last = call;
  before.waited += call.end - call.start;
  before.brokenAt = call.end;
  before.lines += call.lines;
  before.outcome = call.value === EINTR ? "eintr" : "open";
  before.returned = false;
}

/**
 * A call made again after a signal is one operation. Its signals from outside come as soon as it waits, so the time it had waited
 * by then comes before, and the rest is left. One of the scenario's own comes at its time and finds it waiting.
 */
function restarted(w: Weaver, s: Suspended, call: CallEvent): void {
  const { level, context } = w;
  level.suspended = null;
  const base = call.name === "restart_syscall" ? s.first : call;
  const pinned = s.handled && s.ownAt === null;
  if (pinned) advance(level, level.clock + s.waited, s.brokenAt);
  // It ends when it would have without the signal: the handlers' time is in it.
  const since = pinned ? s.brokenAt : s.first.start;
  const { item, fate } = operationOf({ call: base, value: call.value, takes: bounded(Math.max(1, call.end - since)) }, context);
  // A signal could end it, or it would not have been made again.
  if (item.call) (item.call as Item).interruptible = true;
  push(w, lined(item, s.first, w.context));
  level.clock = Math.max(level.clock, call.end);
  w.pins.within(s.planned, level.calls, runOf(level));
  countLines(w, fate, s.lines + call.lines, base.name);
}

/** It was not made again: the program got EINTR, or left it behind; `atEnd`: the thread ended in it. */
export function cutShort(w: Weaver, s: Suspended, atEnd = false): void {
  const { level, context } = w;
  level.suspended = null;
  const woken = wokenByStrace(w, s, atEnd);
  if (woken) w.tally.note("woken-by-strace");
  const expect = s.outcome === "eintr" && !woken ? EINTR : null;
  if (expect === null && !woken && !atEnd && s.jumped === "") w.tally.note("not-restarted");
  // Without a handler nothing in the scenario would end it: strace itself lets ignored signals through to a call.
  if (!s.handled && !atEnd && !woken) return answeredByItself(w, s, expect);
  const passed = s.planned.length > 0 ? s.waited : 0;
  if (passed > 0) advance(level, level.clock + passed, s.brokenAt);
  else {
    if (s.ownAt !== null) beginEarlier(level, MARGIN_NS - s.waited);
    level.clock += waitedUntilSent(s);
  }
  const againstRestart = expect !== null && s.saRestart;
  const cut = { call: s.last, expect, againstRestart, signals: s.signals, waited: s.waited, passed, dies: false, rest: restOf(w, s.last) };
  const { item, fate } = operationCut(cut, context);
  lined(item, s.first, context);
  push(w, s.jumped === "" ? item : { sigsetjmp: { place: s.jumped, do: [item] } });
  w.pins.within(s.planned, level.calls, runOf(level));
  countLines(w, fate, s.lines, s.last.name);
}

/** SIGCONT and the stops end some calls with EINTR without strace, too (signal(7)). */
const STOPS: ReadonlySet<number> = new Set([18, 19, 20, 21, 22]);

/**
 * A signal that is ignored reaches a call only under strace. One that would be over some time goes on as it would have without; what the
 * program calls again at once, it takes care of by itself.
 */
function wokenByStrace({ events, at }: Weaver, s: Suspended, atEnd: boolean): boolean {
  if (s.handled || atEnd || s.outcome !== "eintr" || s.signals.length === 0 || s.signals.some((signal) => STOPS.has(signal))) return false;
  const next = events.slice(at, at + AHEAD).find((event) => event.kind === "call");
  return next?.kind === "call" && next.name !== s.last.name && hasLimit(s.last);
}

/** In the emulation the wait is over as soon as the signal is sent. */
const waitedUntilSent = ({ ownAt, first, waited }: Suspended): number =>
  ownAt === null ? waited : Math.min(waited, Math.max(0, ownAt - first.start));

/** A signal that is to find the thread waiting may be sent a little early: let the wait begin before, where there is time. */
function beginEarlier({ items }: Level, ns: number): void {
  const before = items.at(-1);
  if (ns <= 0 || !isComputation(before)) return;
  before.compute.for = Math.max(0, before.compute.for - ns);
  if (before.compute.until !== undefined) before.compute.until = Math.max(0, before.compute.until - ns);
}

function answeredByItself(w: Weaver, s: Suspended, value: number | null): void {
  const { item, ns, fate } = operationOf({ call: s.last, value, takes: bounded(Math.max(1, s.waited)) }, w.context);
  push(w, lined(item, s.first, w.context));
  w.level.clock += ns;
  w.pins.within(s.planned, w.level.calls, runOf(w.level));
  countLines(w, fate, s.lines, s.last.name);
}

/** The log has no end of this call: it lasts until something else ends the thread. */
function unended(w: Weaver, call: CallEvent, before: Suspended | null): void {
  const { level, context } = w;
  level.suspended = null;
  advance(level, call.start);
  const base = before !== null && call.name === "restart_syscall" ? before.first : call;
  const waited = call.end - call.start;
  const dies = w.events[w.at + 1]?.kind === "end";
  const { item, fate } = operationCut(
    { call: base, expect: null, againstRestart: false, signals: [], waited, passed: 0, dies, rest: null },
    context,
  );
  push(w, lined(item, before?.first ?? call, context));
  level.clock = call.end;
  w.pins.within(before?.planned ?? [], level.calls, runOf(level));
  countLines(w, fate, call.lines + (before?.lines ?? 0), base.name);
}

/** A sleep until a moment: a later one until the same moment tells when that was. ns from the beginning of `call`. */
function restOf({ events, at }: Weaver, call: CallEvent): number | null {
  if (call.name !== "clock_nanosleep") return null;
  const until = splitArgs(call.args)[2];
  const later = events
    .slice(at, at + AHEAD)
    .find((event) => event.kind === "call" && event.value === 0 && event.name === call.name && splitArgs(event.args)[2] === until);
  return later?.kind === "call" ? later.end - call.start : null;
}
