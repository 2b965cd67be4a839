/** A call of the log as an operation of the scenario. What has no operation of its own is kept as an opaque `call`. */

import { signalName, signalNumber } from "../../../engine/index.ts";
import { bounded, field, MAX_TIME, signalNames, signalSet, splitArgs, timeSpan, wholeNumber } from "./args.ts";
import { AT_ONCE_NS, WAY_BACK_NS, waitNs } from "./costs.ts";
import { EFAULT, EINVAL, ENOMEM, EPERM, EPIPE } from "./errno.ts";
import { type CallEvent, CREATES } from "./log.ts";
import type { Context, Finished, Mapped, Special } from "./mapped.ts";
import { timerItem } from "./posix-timers.ts";
import { type Item, setAction } from "./registrations.ts";
import { makingSignalfd, readingSignalfd, sigtimedwait, sigtimedwaitItem } from "./signal-operations.ts";
import { cutOnSocket, settingTimeout, waitingOnSocket } from "./sockets.ts";
import type { Fate } from "./tally.ts";
import { answered, callName, interrupted, limitOf, MARGIN_NS } from "./waiting.ts";
import type { Wait } from "./waits.ts";

export type Reader = (finished: Finished, context: Context, args: readonly string[]) => Special | null;

const SPECIAL: Readonly<Record<string, Reader>> = {
  rt_sigaction({ call, value }, { facts, setters }, [name, act, old]) {
    const action = facts.actions.get(call);
    if (!action && value === 0 && act === "NULL" && !UNCATCHABLE.has(name ?? "") && signalNumber(name ?? "") > 0)
      return { item: { sigaction: { signal: name, handler: "none", ...asksOld(old), expect: value } } };
    if (!action || value !== 0) return null;
    const item = setAction(action, value);
    setters.push({ action, item });
    return { item };
  },
  rt_sigprocmask({ call, value }, { facts }, [how, set, old, size]) {
    const bytes = wholeNumber(size);
    // The kernel has not read the set, and strace does not tell it.
    const known = HOW[how ?? ""];
    if (value === EINVAL && known && bytes !== null && bytes >= 0 && bytes < 8)
      return { item: { sigprocmask: { how: known, signals: [], size: bytes, expect: value } }, fate: "approximated" };
    const readOnly = facts.readOnly.has(call);
    if (value !== 0 && !readOnly) return null;
    const signals = set === "NULL" ? [] : signalSet(set);
    const word = set === "NULL" ? "block" : HOW[how ?? ""];
    const asks = readOnly ? { old: "read-only" } : asksOld(old);
    return signals && word ? { item: { sigprocmask: { how: word, signals: signalNames(signals), ...asks, expect: value } } } : null;
  },
  rt_sigsuspend: ({ value }, _, [mask]) =>
    value === EFAULT && mask === "NULL" ? { item: { sigsuspend: { nomask: true, expect: value } } } : null,
  rt_sigpending: ({ value }) => (value === 0 ? { item: { sigpending: { expect: 0 } } } : null),
  sigaltstack({ value }, _, [stack = "", before]) {
    // Where a call fails, strace tells the address alone.
    const asks = { ...(before !== undefined && before !== "NULL" ? { old: true } : {}), expect: value };
    if (stack === "NULL") return value === 0 ? { item: { sigaltstack: { nostack: true, ...asks } } } : null;
    const size = wholeNumber(field(stack, "ss_size"));
    if (size === null || (value !== 0 && value !== EPERM && value !== ENOMEM)) return null;
    // Linux does not look at the size of a stack that is disabled.
    if (field(stack, "ss_flags").includes("SS_DISABLE")) return { item: { sigaltstack: { disable: true, ...asks } } };
    const onstack = field(stack, "ss_flags").includes("SS_ONSTACK") ? { onstack: true } : {};
    return { item: { sigaltstack: { bytes: Math.max(0, Math.min(size, 1e9)), ...onstack, ...asks } } };
  },
  setpgid: grouping,
  setsid: grouping,
  kill: sending,
  tkill: sending,
  tgkill: sending,
  rt_sigqueueinfo: sending,
  rt_tgsigqueueinfo: sending,
  alarm({ value }, _, [text]) {
    const seconds = wholeNumber(text);
    // Beyond what a scenario can say.
    if (Math.max(seconds ?? 0, value ?? 0) * 1e9 > MAX_TIME) return null;
    return seconds === null || seconds < 0 || value === null ? null : { item: { alarm: { after: bounded(seconds * 1e9), expect: value } } };
  },
  setitimer({ value }, _, [which, timer = "", old]) {
    const first = timeSpan(field(timer, "it_value"));
    const interval = timeSpan(field(timer, "it_interval"));
    const timerOf = ITIMERS[which ?? ""];
    if (timerOf === undefined || value !== 0 || first === null || interval === null) return null;
    return { item: { setitimer: { ...timerOf, value: first, interval, ...asksOld(old), expect: 0 } } };
  },
  getitimer({ value }, _, [which]) {
    const timerOf = ITIMERS[which ?? ""];
    return timerOf === undefined || value !== 0 ? null : { item: { getitimer: { ...timerOf, expect: 0 } } };
  },
  timer_create: timer,
  timer_settime: timer,
  timer_delete: timer,
  nanosleep: slept,
  clock_nanosleep: slept,
  wait4: waiting,
  waitid: waiting,
  rt_sigtimedwait: sigtimedwait,
  signalfd: makingSignalfd,
  signalfd4: makingSignalfd,
  read: readingSignalfd,
  setsockopt: settingTimeout,
  execve: ({ call, value, takes }, context) =>
    value === 0 ? { item: { exec: { takes, ...(startsProgram(call, context) ? { loader: true } : {}), expect: 0 } } } : null,
  exit: (_, __, [status]) => ({ item: { exit: { status: (wholeNumber(status) ?? 0) & 0xff } } }),
  exit_group: (_, __, [status]) => ({ item: { "exit-group": { status: (wholeNumber(status) ?? 0) & 0xff } } }),
  sched_yield: ({ value }) => (value === 0 ? { item: { yield: { expect: 0 } } } : null),
  getpid: ({ value }, { task }) => (value === null ? null : { item: { getpid: { expect: task.process.leader.emulatedPid } } }),
  gettimeofday: clock,
  clock_gettime: clock,
};

/** A library OS refuses to tell of these two. Who asks about all signals, as Python does, makes nothing of it: the log's answer is kept. */
const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP"]);

const ITIMERS: Readonly<Record<string, Item>> = {
  ITIMER_REAL: {},
  ITIMER_VIRTUAL: { which: "virtual" },
  ITIMER_PROF: { which: "prof" },
};

const HOW: Readonly<Record<string, string>> = { SIG_BLOCK: "block", SIG_UNBLOCK: "unblock", SIG_SETMASK: "set" };

function clock({ value }: Finished): { item: Item } | null {
  return value === 0 ? { item: { gettime: { expect: 0 } } } : null;
}

/** The first call of a log is strace's own: it becomes the program. */
const startsProgram = (call: CallEvent, { task, tree }: Context): boolean =>
  task === tree.main && call === task.life.events.find(({ kind }) => kind === "call");

/** What it had set before is an output of the call, too. */
const asksOld = (old: string | undefined): Item => (old !== undefined && /^[{[~]/.test(old) ? { old: true } : {});

function slept({ call: { name, args }, value, takes }: Finished): { item: Item; ns: number } | null {
  return value === 0
    ? { item: { [sleepName(name)]: { for: takes, ...asksRest(name, splitArgs(args)), expect: 0 } }, ns: takes + WAY_BACK_NS }
    : null;
}

const sleepName = (name: string): string => (name === "nanosleep" ? "nanosleep" : "clock-nanosleep");

/** An interrupted sleep tells what is left only who asks. */
const asksRest = (name: string, args: readonly string[]): Item => {
  const rest = args[name === "nanosleep" ? 1 : 3];
  return rest === undefined || rest === "NULL" ? {} : { rem: true };
};

function sending({ call }: Finished, { facts }: Context): { item: Item } | null {
  const kill = facts.kills.get(call);
  if (!kill) return null;
  const signal = kill.signal === 0 ? 0 : signalName(kill.signal);
  const takers = Object.keys(kill.takers).length > 0 ? { takers: kill.takers } : {};
  const value = kill.value === null ? {} : { value: kill.value };
  const told = kill.expect === null ? {} : { expect: kill.expect };
  return { item: { [kill.operation]: { ...kill.target, signal, ...value, ...takers, ...told } } };
}

/** setpgid and setsid: answered with a number where the scenario has one. */
function grouping({ call, value }: Finished, { facts, task }: Context): { item: Item } | null {
  const change = facts.groups.get(call);
  if (!change) return null;
  const { operation } = change;
  if (operation === "setsid") return { item: { setsid: { expect: task.process.leader.emulatedPid } } };
  return { item: { setpgid: { process: change.process, ...(change.group === null ? {} : { group: change.group }), expect: value } } };
}

function timer(finished: Finished, { facts }: Context): Special | null {
  return timerItem(finished, facts.timers.get(finished.call));
}

function waiting({ call, value }: Finished, { facts }: Context): Special | null {
  const wait = facts.waits.get(call);
  if (!wait || value === null) return null;
  // The emulated parent is told at once, not after strace has written a line.
  const over = Math.min(call.end, wait.until ?? call.start) - call.start + WAY_BACK_NS;
  return { item: waitItem(wait, wait.expect), ns: Math.max(over, AT_ONCE_NS) };
}

const waitItem = ({ operation, child, nohang, changed, keep, found }: Wait, expect: number | null): Item => ({
  [operation]: {
    ...(child === undefined ? {} : { child }),
    ...(child === undefined && found !== null && operation === "wait4" ? { finds: found.name } : {}),
    ...(nohang ? { nohang } : {}),
    ...changed,
    ...(keep ? { keep } : {}),
    ...(expect === null ? {} : { expect }),
  },
});

function creating({ call, value }: Finished, { tree }: Context): Special | null {
  const child = tree.madeBy.get(call);
  if (!child) return null;
  const isThread = child !== child.process.leader;
  const expect = value === null ? {} : { expect: child.emulatedPid };
  const operation = isThread ? "clone" : borrowing(call);
  const item = { [operation]: { program: child.name, ...expect } };
  return operation === "vfork" || operation === "posix-spawn" ? { item, ns: Math.max(call.end - call.start, AT_ONCE_NS) } : { item };
}

/** A child with the caller's memory: the caller sleeps until it has called execve or has ended. */
const borrowing = ({ name, args }: CallEvent): "vfork" | "posix-spawn" | "fork" =>
  name === "vfork" ? "vfork" : args.includes("CLONE_VFORK") ? "posix-spawn" : "fork";

/** A call that came back. */
export function operationOf(finished: Finished, context: Context): Mapped {
  const { call, value, takes } = finished;
  const args = splitArgs(call.args);
  const special: Special | null | undefined = CREATES.has(call.name)
    ? creating(finished, context)
    : Object.hasOwn(SPECIAL, call.name)
      ? SPECIAL[call.name]?.(finished, context, args)
      : null;
  const natural = special ?? waitingOnSocket(finished, context);
  if (natural) return { item: natural.item, ns: natural.ns ?? AT_ONCE_NS, fate: natural.fate ?? "emulated" };
  const silent = value === EPIPE && !context.facts.broken.has(call);
  const waited = value === null || silent ? null : answered({ name: call.name, args, takes, value, outer: context.facts.masks.get(call) });
  if (waited) return { item: waited, ns: "write" in waited ? takes + AT_ONCE_NS : waitNs(takes), fate: "emulated" };
  const result = value === null ? {} : { result: value, expect: value };
  // Of its commands one waits: for a lock of somebody else's.
  const atOnce = call.name === "fcntl" && /^F_/.test(args[1] ?? "") && !/^F_(?:OFD_)?SETLKW/.test(args[1] ?? "");
  return {
    item: { call: { name: callName(call.name), takes, ...result, ...(atOnce ? { interruptible: false } : {}) } },
    ns: waitNs(takes),
    fate: "opaque",
  };
}

export interface Cut {
  readonly call: CallEvent;
  /** -4, or null when the log does not say what became of it. */
  readonly expect: number | null;
  readonly againstRestart: boolean;
  /** Signals that ended it. */
  readonly signals: readonly number[];
  /** ns that it waited. */
  readonly waited: number;
  /** ns of these that stand before the operation: its signals from outside come as soon as it waits. */
  readonly passed: number;
  /** The thread was ended in it. */
  readonly dies: boolean;
  /** When a sleep until a moment would have ended: ns from its beginning, null when the log does not tell. */
  readonly rest: number | null;
}

/** An interrupted sleep until an unknown moment is taken to last twice as long as it did, and this. */
const LONGER_NS = 1e9;

/** A call that a signal ended, or the end of its thread. */
export function operationCut(cut: Cut, context: Context): { item: Item; fate: Fate } {
  const { facts } = context;
  const { call, expect, againstRestart } = cut;
  const { name } = call;
  const args = splitArgs(call.args);
  const told = expect === null ? {} : { expect };
  if (name === "pause") return { item: { pause: told }, fate: "emulated" };
  if (name === "rt_sigsuspend") return { item: { sigsuspend: { mask: signalNames(signalSet(args[0]) ?? []), ...told } }, fate: "emulated" };
  if (name === "nanosleep" || name === "clock_nanosleep")
    return { item: { [sleepName(name)]: { for: sleepTime(name, args, cut), ...asksRest(name, args), ...told } }, fate: "emulated" };
  if (name === "rt_sigtimedwait") return { item: sigtimedwaitItem(args, cut.waited, told, cut.passed), fate: "emulated" };
  const onSocket = cutOnSocket(call, context, told);
  if (onSocket) return { item: onSocket, fate: "emulated" };
  const wait = facts.waits.get(call);
  if (wait && !againstRestart) return { item: waitItem(wait, expect), fate: name === "wait4" ? "emulated" : "approximated" };
  const { item, exact } = interrupted({ ...cut, name, args, outer: facts.masks.get(call) });
  return { item, fate: exact ? "emulated" : "call" in item ? "opaque" : "approximated" };
}

/** It would have been over by itself. */
export function hasLimit({ name, args }: CallEvent): boolean {
  const parts = splitArgs(args);
  if (name === "rt_sigtimedwait") return timeSpan(parts[2]) !== null;
  return name.startsWith("epoll_") && limitOf(name, parts) !== null;
}

function sleepTime(name: string, args: readonly string[], { waited, passed, rest }: Cut): number {
  const absolute = name === "clock_nanosleep" && args[1] !== "0";
  const asked = absolute ? rest : timeSpan(args[name === "nanosleep" ? 0 : 2]);
  return bounded(Math.max(waited + MARGIN_NS, asked ?? 2 * waited + LONGER_NS) - passed);
}
