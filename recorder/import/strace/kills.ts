/** Whom kill, tkill and tgkill reached, when the scenario can say so. */

import { signalNumber } from "../../../engine/index.ts";
import { splitArgs, wholeNumber } from "./args.ts";
import { SIG_STOPS } from "./arrivals.ts";
import type { ProcessState } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import { Mailbox, type Sending } from "./sent.ts";
import type { Process, Task, Tree } from "./tree.ts";

export interface Kill {
  readonly operation: "kill" | "tgkill";
  /** As the operation names its target. */
  readonly target: string;
  readonly signal: number;
  readonly sending: Sending;
  /** Threads that took it, and when: ns of the log. */
  readonly takers: Record<string, number>;
}

/** Process groups as far as the log tells; 0 is the group everything began in. */
export interface Groups {
  change(call: CallEvent, state: ProcessState): void;
  members(group: number): ProcessState[];
  all(): ProcessState[];
}

/** `living`: processes that have threads now. */
export function newGroups(living: ReadonlySet<ProcessState>): Groups {
  const all = (): ProcessState[] => [...living];
  return {
    all,
    members: (group) => all().filter((state) => state.group === group),
    change(call, state) {
      if (call.value === null || call.value < 0) return;
      const own = state.process.leader.life.pid;
      const [pid, group] = call.name === "setsid" ? [0, 0] : splitArgs(call.args).map((arg) => wholeNumber(arg));
      const target = pid === 0 || pid === own ? state : all().find((other) => other.process.leader.life.pid === pid);
      if (target && group !== null && group !== undefined) target.group = group === 0 ? target.process.leader.life.pid : group;
    },
  };
}

interface Known {
  readonly tree: Tree;
  readonly groups: Groups;
  readonly stateOf: (process: Process) => ProcessState;
}

/**
 * Null when the target is not in the log or is several processes of many: the call stays opaque then, and what it sent comes
 * from outside where it arrived.
 */
export function killTarget(call: CallEvent, task: Task, known: Known): Kill | null {
  if (call.value !== 0 || !Object.hasOwn(READERS, call.name)) return null;
  const args = splitArgs(call.args);
  const { thread, id, signalName } = READERS[call.name as keyof typeof READERS](args);
  const signal = signalNumber(signalName);
  if (id === null || signal < 1 || SIG_STOPS.has(signal)) return null;
  const found = thread ? targetThread(id, task, call, known) : targetProcess(id, task, known);
  if (found === null) return null;
  const sending = { call, sender: task.process.leader.life.pid, effect: call.start };
  for (const state of found.states) {
    if (state.actions.get(signal)?.what !== "ignore") mailboxOf(state, found.thread).put(signal, sending);
    const end = state.process.leader.life.events.at(-1);
    const byDefault = (state.actions.get(signal)?.what ?? "default") === "default";
    state.doomed ||= byDefault && end?.kind === "end" && end.how === "killed" && end.value === signal;
  }
  return { operation: thread ? "tgkill" : "kill", target: found.name, signal, sending, takers: {} };
}

function mailboxOf(state: ProcessState, thread: Task | null): Mailbox {
  if (thread === null) return state.sent;
  const mailbox = state.sentTo.get(thread) ?? new Mailbox();
  state.sentTo.set(thread, mailbox);
  return mailbox;
}

const READERS = {
  kill: ([pid, signal]: string[]) => ({ thread: false, id: wholeNumber(pid), signalName: signal ?? "" }),
  tkill: ([tid, signal]: string[]) => ({ thread: true, id: wholeNumber(tid), signalName: signal ?? "" }),
  tgkill: ([, tid, signal]: string[]) => ({ thread: true, id: wholeNumber(tid), signalName: signal ?? "" }),
} as const;

interface Found {
  readonly name: string;
  readonly states: readonly ProcessState[];
  /** null for a signal to processes. */
  readonly thread: Task | null;
}

/** Only threads of the sender's own process: what the emulated tgkill can reach. */
function targetThread(id: number, task: Task, by: CallEvent, { stateOf }: Known): Found | null {
  const state = stateOf(task.process);
  const target = [...state.alive].find((other) => other.life.pid === id);
  // The kernel knows a first thread that has left until its process ends.
  return target && !hasLeft(target, by) ? { name: target === task ? "self" : target.name, states: [state], thread: target } : null;
}

const hasLeft = ({ life }: Task, by: CallEvent): boolean => {
  const last = life.events.findLast((event) => event.kind === "call");
  return last?.name === "exit" && last.start < by.start;
};

function targetProcess(id: number, task: Task, { groups, stateOf }: Known): Found | null {
  const own = stateOf(task.process);
  if (id > 0) {
    const target = groups.all().find((state) => [...state.alive].some((other) => other.life.pid === id));
    return target && !target.doomed ? { name: target === own ? "self" : target.process.name, states: [target], thread: null } : null;
  }
  if (id === -1) return null;
  const members = groups.members(id === 0 ? own.group : -id);
  if (members.length > 0 && members.length === groups.all().length) return { name: "group", states: members, thread: null };
  const [only] = members;
  return only && members.length === 1 ? { name: only === own ? "self" : only.process.name, states: [only], thread: null } : null;
}
