/** A run on native-linux beside what a log says the kernel did: the first thing that differs, or nothing. */

import { type Scenario, signalNumber } from "../../engine/index.ts";
import type { CallSeen, HandlerSeen, ThreadSeen } from "./kernel-log.ts";
import { type RunThread, seenInRun } from "./kernel-run.ts";

/** Ids of the log, each with those of the run that it stands for: a kernel gives an id again. */
type Ids = Map<number, readonly number[]>;

export interface Compared {
  /** Results, handlers and ends looked at. */
  readonly looked: number;
  /** All differences, of the thread that differs first in the log at the front; empty when the run agrees. */
  readonly differences: readonly string[];
}

/** `siginfo`: what handlers read is compared, too. */
export function compareWithKernel(kernel: readonly ThreadSeen[], scenario: Scenario, { siginfo = false } = {}): Compared {
  const { threads, ends } = seenInRun(scenario);
  const ids: Ids = new Map();
  const byKey = new Map(kernel.map((thread) => [thread.key, thread]));
  const differences: string[] = [];
  const met = new Set<string>();
  const paired = new Set<string>();
  let looked = 0;

  /** Ids of all threads, before anything that may hold one is looked at. */
  const pair = (log: ThreadSeen, run: RunThread): void => {
    ids.set(log.id, [...(ids.get(log.id) ?? []), run.tid]);
    paired.add(log.key);
    log.happened.forEach((mine, i) => {
      const theirs = run.happened[i];
      const child = mine.kind === "call" && mine.child !== null ? byKey.get(mine.child) : undefined;
      const made = theirs?.kind === "call" ? threads.find((one) => one.tid === Number(theirs.value)) : undefined;
      if (child && made && made !== run && !paired.has(child.key)) pair(child, made);
    });
  };
  const visit = (log: ThreadSeen, run: RunThread): void => {
    met.add(log.key);
    const at = (line: number): string => `line ${line}, thread ${log.id} (${run.name})`;
    for (let i = 0; i < Math.max(log.happened.length, run.happened.length); i += 1) {
      const mine = log.happened[i];
      const theirs = run.happened[i];
      looked += 1;
      if (mine?.kind === "call" && mine.child !== null && theirs?.kind === "call") {
        const child = byKey.get(mine.child);
        const made = threads.find((one) => one.tid === Number(theirs.value));
        if (child && made) {
          visit(child, made);
          continue;
        }
      }
      const text = siginfo ? toldApart(mine, theirs, ids) : "";
      if (text !== "") {
        differences.push(`${at(mine?.line ?? 0)}: ${text}`);
        continue;
      }
      if (same(mine, theirs, ids)) continue;
      differences.push(`${at(mine?.line ?? log.happened.at(-1)?.line ?? 0)}: Linux ${told(mine)}, eintr ${told(theirs)}`);
      break;
    }
    looked += 1;
    const end = log.leads ? (ends.get(run.pid) ?? "alive") : run.ended ? log.end : "alive";
    if (log.end !== "" && log.end !== end) differences.push(`thread ${log.id} (${run.name}): Linux ${log.end}, eintr ${end}`);
  };

  const [first] = kernel;
  const [main] = threads;
  if (first && main) pair(first, main);
  if (first && main) visit(first, main);
  for (const { key, id } of kernel) if (!met.has(key)) differences.push(`thread ${id} is not in the run`);
  return { looked, differences };
}

/** Calls of the log under the name of the emulated call that stands for them. */
const FAMILIES: readonly (readonly string[])[] = [
  ["read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"],
  ["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"],
  ["accept", "accept4"],
  // A socket's own time-out ends a read as poll's does: with EINTR whatever the handler's flags.
  ["poll", "ppoll", "select", "pselect6", "recvfrom", "recvmsg", "read", "accept"],
  ["epoll_wait", "epoll_pwait", "epoll_pwait2"],
  ["select", "pselect6"],
  ["signalfd", "signalfd4"],
  ["semop", "semtimedop"],
  ["sigaction", "rt_sigaction"],
  ["sigprocmask", "rt_sigprocmask"],
  ["sigpending", "rt_sigpending"],
  ["sigsuspend", "rt_sigsuspend", "ppoll", "pselect6", "epoll_pwait"],
  ["sigtimedwait", "rt_sigtimedwait"],
  ["nanosleep", "clock_nanosleep"],
  ["tgkill", "tkill"],
  ["wait4", "waitid"],
  ["clone", "clone3"],
  ["fork", "vfork", "clone", "clone3"],
  ["execve", "execveat"],
  ["gettimeofday", "clock_gettime"],
  ["futex_wait", "futex"],
  ["futex_wake", "futex"],
  ["sigqueueinfo", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"],
];

const stands = (emulated: string, name: string): boolean =>
  emulated === name || FAMILIES.some(([first, ...others]) => first === emulated && others.includes(name));

function same(log: CallSeen | HandlerSeen | undefined, run: CallSeen | HandlerSeen | undefined, ids: Ids): boolean {
  if (log?.kind === "handler")
    return run?.kind === "handler" && signalNumber(log.signal) === signalNumber(run.signal) && log.depth === run.depth;
  if (log?.kind !== "call" || run?.kind !== "call" || !stands(run.name, log.name)) return false;
  return log.value === run.value || log.value === "?" || (ids.get(Number(log.value)) ?? []).includes(Number(run.value));
}

/** How the siginfo of a handler differs; empty when it does not. Who is not in the log is nobody in the run. */
function toldApart(log: CallSeen | HandlerSeen | undefined, run: CallSeen | HandlerSeen | undefined, ids: Ids): string {
  if (log?.kind !== "handler" || run?.kind !== "handler" || log.told === null || !same(log, run, ids)) return "";
  const linux = { ...log.told, pid: pidOf(log.told.pid, run.told?.pid, ids), value: log.told.value > MOST_VALUE ? 0 : log.told.value };
  const eintr = { ...(run.told ?? { code: 0, pid: 0, value: 0 }) };
  if (linux.value === 0) eintr.value = 0;
  const text = ({ code, pid, value }: typeof linux): string => `si_code ${code}, si_pid ${pid}, value ${value}`;
  return text(linux) === text(eintr) ? "" : `${log.signal} on Linux with ${text(linux)}, on eintr with ${text(eintr)}`;
}

/** The run's id for one of the log's, of several that it stands for the one that was found. */
function pidOf(log: number, run: number | undefined, ids: Ids): number {
  const known = ids.get(log) ?? [];
  return known.find((id) => id === run) ?? known[0] ?? 0;
}

/** Addresses above are none that a scenario can name. */
const MOST_VALUE = 1e9;

function told(happened: CallSeen | HandlerSeen | undefined): string {
  if (happened === undefined) return "nothing more";
  if (happened.kind === "handler") return `${happened.signal} handler${happened.depth > 0 ? ` inside ${happened.depth}` : ""}`;
  return `${happened.name} ${happened.value === "none" ? "never returns" : happened.value}`;
}
