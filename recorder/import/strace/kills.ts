/** Whom kill, tkill, tgkill and rt_sigqueueinfo reached, when the scenario can say so. */

import { signalNumber } from "../../../engine/index.ts";
import { field, splitArgs, wholeNumber } from "./args.ts";
import { SIG_STOPS } from "./arrivals.ts";
import { ESRCH } from "./errno.ts";
import type { ProcessState } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import { mailboxOf, type Sending } from "./sent.ts";
import type { Process, Task, Tree } from "./tree.ts";

export interface Kill {
  readonly operation: "kill" | "tgkill" | "sigqueue";
  /** As the operation names it. */
  readonly target: Target;
  /** si_value of a sigqueue. */
  readonly value: number | null;
  /** null: the caller dies of it. */
  readonly expect: number | null;
  readonly signal: number;
  readonly sending: Sending;
  /** Threads that took it, and when: ns of the log. */
  readonly takers: Record<string, number>;
}

type Target = Readonly<{ process: string } | { group: string } | { thread: string }>;

/** Process groups as far as the log tells; 0 is the group everything began in, which the first process leads in the emulation. */
export interface Groups {
  /** setpgid and setsid: what they changed, when the scenario can say it. */
  change(call: CallEvent, state: ProcessState): GroupChange | null;
  members(group: number): ProcessState[];
  all(): ProcessState[];
}

/** setsid, or setpgid for a process; `group` is the process that leads the group, null when it is the process itself. */
export type GroupChange =
  | { readonly operation: "setsid" }
  | { readonly operation: "setpgid"; readonly process: string; readonly group: string | null };

const pidOf = ({ process }: ProcessState): number => process.leader.life.pid;

/** `living`: processes that have threads now. */
export function newGroups(living: ReadonlySet<ProcessState>, main: Task): Groups {
  const all = (): ProcessState[] => [...living];
  const leader = (group: number): ProcessState | undefined => all().find((state) => pidOf(state) === group && state.group === group);
  return {
    all,
    members(group) {
      // Whoever is sent something by the first process's number knows that it leads the group everything began in.
      const first = group === main.life.pid && leader(group) === undefined;
      return all().filter((state) => state.group === (first ? 0 : group));
    },
    change(call, state) {
      if (call.value === null || call.value < 0) return null;
      const [pid, group] = call.name === "setsid" ? [0, 0] : splitArgs(call.args).map((arg) => wholeNumber(arg));
      const target = pid === 0 || pid === pidOf(state) ? state : all().find((other) => pidOf(other) === pid);
      if (!target || group === null || group === undefined) return null;
      const number = group === 0 ? pidOf(target) : group;
      const leads = leader(number) ?? (number === main.life.pid ? all().find((other) => other.process === main.process) : undefined);
      target.group = number;
      // In the emulation the first process begins a session: it stays where it is.
      if (target.process === main.process) return null;
      if (call.name === "setsid") return { operation: "setsid" };
      const process = target === state ? "self" : target.process.name;
      if (number === pidOf(target)) return { operation: "setpgid", process, group: null };
      return leads ? { operation: "setpgid", process, group: leads === state ? "self" : leads.process.name } : null;
    },
  };
}

interface Known {
  readonly tree: Tree;
  readonly groups: Groups;
  readonly stateOf: (process: Process) => ProcessState;
  /** Processes whose stops are emulated. */
  readonly stoppable: ReadonlySet<Process>;
}

const isDefault = ({ actions }: ProcessState, signal: number): boolean => (actions.get(signal)?.what ?? "default") === "default";

function diesOf({ process }: ProcessState, signal: number): boolean {
  const end = process.leader.life.events.at(-1);
  return end?.kind === "end" && end.how === "killed" && end.value === signal;
}

/**
 * Null when the target is not in the log, or stops for an unknown time: the call stays opaque then, and what it sent comes from outside
 * where it arrived.
 */
export function killTarget(call: CallEvent, task: Task, known: Known): Kill | null {
  if (!Object.hasOwn(READERS, call.name) || (call.value !== 0 && call.value !== ESRCH && call.value !== null)) return null;
  const { thread, group, id, signalName, info } = READERS[call.name as keyof typeof READERS](splitArgs(call.args));
  const value = info === undefined ? null : valueIn(info);
  if (value === undefined) return null;
  const signal = signalName === "0" ? 0 : signalNumber(signalName);
  if (id === null || (signal < 1 && signalName !== "0")) return null;
  const found =
    call.value === ESRCH
      ? nobody(id, thread, known.stateOf(task.process))
      : thread
        ? targetThread(id, group, task, call, known)
        : targetProcess(id, task, known);
  if (call.value === null && !found?.states.every((state) => state.process === task.process && diesOf(state, signal))) return null;
  // A queue has no groups.
  if (found !== null && value !== null && "group" in found.target) return null;
  const stops = (state: ProcessState): boolean => isDefault(state, signal) && !known.stoppable.has(state.process);
  if (found === null || (SIG_STOPS.has(signal) && found.states.some(stops))) return null;
  const sending = { call, sender: task.process.leader.life.pid, effect: call.start };
  for (const state of signal > 0 ? found.states : []) {
    if (state.actions.get(signal)?.what !== "ignore") mailboxOf(state, found.thread).put(signal, sending);
    state.doomed ||= isDefault(state, signal) && diesOf(state, signal);
  }
  const operation = value !== null ? "sigqueue" : thread ? "tgkill" : "kill";
  return { operation, target: found.target, value, expect: call.value, signal, sending, takers: {} };
}

/** What a call says. */
interface Asked {
  readonly thread: boolean;
  /** The process in which the thread is; null: the caller's own. */
  readonly group: number | null;
  readonly id: number | null;
  readonly signalName: string;
  /** The siginfo that it hands over. */
  readonly info?: string;
}

const toProcess = (pid: string | undefined, signal = ""): Asked => ({
  thread: false,
  group: null,
  id: wholeNumber(pid),
  signalName: signal,
});
const toThread = (group: string | undefined, tid: string | undefined, signal = ""): Asked => ({
  thread: true,
  group: wholeNumber(group),
  id: wholeNumber(tid),
  signalName: signal,
});

const READERS: Readonly<Record<"kill" | "tkill" | "tgkill" | "rt_sigqueueinfo" | "rt_tgsigqueueinfo", (args: string[]) => Asked>> = {
  kill: ([pid, signal]) => toProcess(pid, signal),
  tkill: ([tid, signal]) => toThread(undefined, tid, signal),
  tgkill: ([group, tid, signal]) => toThread(group, tid, signal),
  rt_sigqueueinfo: ([pid, signal, info = ""]) => ({ ...toProcess(pid, signal), info }),
  rt_tgsigqueueinfo: ([group, tid, signal, info = ""]) => ({ ...toThread(group, tid, signal), info }),
};

/** The largest si_value that a scenario names; a pointer is none. */
const MAX_VALUE = 1e9;

/** si_value of a siginfo as sigqueue(3) makes it; undefined for any other. strace leaves a zero out. */
function valueIn(info: string): number | undefined {
  if (field(info, "si_code") !== "SI_QUEUE") return undefined;
  const value = wholeNumber(field(info, "si_int")) ?? 0;
  return value >= 0 && value <= MAX_VALUE ? value : 0;
}

interface Found {
  readonly target: Target;
  /** Those that get it. */
  readonly states: readonly ProcessState[];
  /** null for a signal to processes. */
  readonly thread: Task | null;
}

/** A name that no program of the scenario has. */
const NOBODY = "nobody";

/** Who was not there: of the own process's threads one that has ended. */
function nobody(id: number, thread: boolean, { process, alive }: ProcessState): Found {
  const ended = process.tasks.find((task) => task.life.pid === id && !alive.has(task))?.name ?? NOBODY;
  return { target: thread ? { thread: ended } : id < 0 ? { group: NOBODY } : { process: NOBODY }, states: [], thread: null };
}

/** A tkill that reached another process is null: of the library OSes only Graphene looks there (shim_do_tkill; not libos_syscall_tkill). */
function targetThread(id: number, group: number | null, task: Task, by: CallEvent, { groups, stateOf }: Known): Found | null {
  const own = stateOf(task.process);
  const state = group === null || group === pidOf(own) ? own : groups.all().find((other) => pidOf(other) === group);
  const target = [...(state?.alive ?? [])].find((other) => other.life.pid === id);
  if (!state || !target || state.doomed) return null;
  // The kernel knows a first thread that has left until its process ends.
  return { target: { thread: target === task ? "self" : target.name }, states: hasLeft(target, by) ? [] : [state], thread: target };
}

const hasLeft = ({ life }: Task, by: CallEvent): boolean => {
  const last = life.events.findLast((event) => event.kind === "call");
  return last?.name === "exit" && last.start < by.start;
};

function targetProcess(id: number, task: Task, { groups, stateOf }: Known): Found | null {
  const own = stateOf(task.process);
  const nameOf = (state: ProcessState): string => (state === own ? "self" : state.process.name);
  if (id > 0) {
    const target = groups.all().find((state) => [...state.alive].some((other) => other.life.pid === id));
    if (!target) return zombie(id, own);
    return target.doomed ? null : { target: { process: nameOf(target) }, states: [target], thread: null };
  }
  if (id === -1) return null;
  const members = groups.members(id === 0 ? own.group : -id);
  const leader = id === 0 ? own : members.find((state) => pidOf(state) === -id);
  if (members.length === 0 || !leader) return null;
  return { target: id === 0 ? { process: "group" } : { group: nameOf(leader) }, states: members, thread: null };
}

/** A child that has ended and was not waited for. */
function zombie(id: number, { unreaped }: ProcessState): Found | null {
  const ended = [...unreaped].find(({ leader }) => leader.life.pid === id);
  return ended ? { target: { process: ended.name }, states: [], thread: null } : null;
}
