/** A run on native-linux beside what a log says the kernel did: the first thing that differs, or nothing. */

import {
  boot,
  KIND,
  resultText,
  type Scenario,
  type Site,
  signalName,
  signalNumber,
  type Transition,
  transitionAt,
} from "../../engine/index.ts";
import type { CallSeen, HandlerSeen, ThreadSeen } from "./kernel-log.ts";

export interface Compared {
  /** Results, handlers and ends looked at. */
  readonly looked: number;
  /** All differences, of the thread that differs first in the log at the front; empty when the run agrees. */
  readonly differences: readonly string[];
}

interface RunThread {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly happened: (CallSeen | HandlerSeen)[];
  ended: boolean;
}

/** Rows that a run may have; those of the largest log have a tenth. */
const MOST_ROWS = 3_000_000;

export function compareWithKernel(kernel: readonly ThreadSeen[], scenario: Scenario): Compared {
  const { threads, ends } = runOf(scenario);
  const ids = new Map<number, number>();
  const byKey = new Map(kernel.map((thread) => [thread.key, thread]));
  const differences: string[] = [];
  const met = new Set<string>();
  let looked = 0;

  const visit = (log: ThreadSeen, run: RunThread): void => {
    met.add(log.key);
    ids.set(log.id, run.tid);
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
  if (first && main) visit(first, main);
  for (const { key, id } of kernel) if (!met.has(key)) differences.push(`thread ${id} is not in the run`);
  return { looked, differences };
}

/** Calls of the log under the name of the emulated call that stands for them. */
const FAMILIES: readonly (readonly string[])[] = [
  ["read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"],
  ["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"],
  ["accept", "accept4"],
  ["poll", "ppoll", "select", "pselect6"],
  ["epoll_wait", "epoll_pwait", "epoll_pwait2"],
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

function same(log: CallSeen | HandlerSeen | undefined, run: CallSeen | HandlerSeen | undefined, ids: ReadonlyMap<number, number>): boolean {
  if (log?.kind === "handler")
    return run?.kind === "handler" && signalNumber(log.signal) === signalNumber(run.signal) && log.depth === run.depth;
  if (log?.kind !== "call" || run?.kind !== "call" || !stands(run.name, log.name)) return false;
  return log.value === run.value || log.value === "?" || String(ids.get(Number(log.value))) === run.value;
}

function told(happened: CallSeen | HandlerSeen | undefined): string {
  if (happened === undefined) return "nothing more";
  if (happened.kind === "handler") return `${happened.signal} handler${happened.depth > 0 ? ` inside ${happened.depth}` : ""}`;
  return `${happened.name} ${happened.value === "none" ? "never returns" : happened.value}`;
}

/** What an application saw of a run, from its rows alone. */
function runOf(scenario: Scenario): { threads: RunThread[]; ends: Map<number, string> } {
  const run = boot({ stack: "native-linux", scenario });
  const rows: Transition[] = [];
  const sink = {
    put(block: Parameters<typeof transitionAt>[0]): void {
      for (let i = 0; i < block.n; i += 1)
        if (MATTERS.has(block.kind[i] ?? -1) || isEntry(run.sites[block.site[i] ?? -1])) rows.push(transitionAt(block, i));
    },
  };
  run.run(MOST_ROWS, sink);
  run.flush(sink);
  const returned = new Set(rows.filter((row) => row.kind === KIND["app.handler.return"]).map((row) => row.extra));
  const threads = run.threads.map(({ name, pid, tid }): RunThread => ({ name, pid, tid, happened: [], ended: false }));
  const ends = new Map<number, string>();
  const levels = threads.map((): Level[] => [{ signal: 0, asked: "", call: null }]);
  for (const row of rows) {
    const thread = threads[row.thread];
    const site = run.sites[row.site];
    if (thread && site) follow(row, site, thread, levels[row.thread] ?? [], returned, ends);
  }
  return { threads, ends };
}

const MATTERS: ReadonlySet<number> = new Set([
  KIND["app.call"],
  KIND["app.return"],
  KIND["host.signal.deliver"],
  KIND["app.handler.return"],
  KIND["app.fault"],
  KIND["host.syscall.enter"],
  KIND["host.signal.default"],
  KIND["thread.exit"],
  KIND["process.exit"],
]);

/** The program (signal 0) or a handler that comes back, and the call it is in. */
interface Level {
  readonly signal: number;
  /** Name of a call that the kernel has not seen yet. */
  asked: string;
  call: CallSeen | null;
}

/** The kernel is entered by a system call: what comes before has its place before the call. */
const isEntry = (site: Site | undefined): boolean => site?.step === 0 && site.flow.startsWith("host ");

const NO_CALLS = new Set(["exit", "exit-group", "exit_group"]);

function follow(
  row: Transition,
  site: Site,
  thread: RunThread,
  levels: Level[],
  returned: ReadonlySet<number>,
  ends: Map<number, string>,
): void {
  const top = levels.at(-1);
  if (!top) return;
  const outside = levels.length === 1;
  const call = (name: string): CallSeen => ({ kind: "call", name, value: "none", child: null, line: row.seq });
  if (isEntry(site) && top.asked !== "") {
    top.call = call(top.asked);
    if (outside) thread.happened.push(top.call);
    top.asked = "";
  }
  switch (row.kind) {
    case KIND["app.call"]: {
      const name = site.label.split("(")[0] ?? "";
      top.call = null;
      top.asked = NO_CALLS.has(name) ? "" : name.replaceAll("-", "_");
      return;
    }
    case KIND["app.return"]: {
      // siglongjmp restores the mask with a call of its own.
      const open = top.call ?? call(site.flow.replace("libc ", ""));
      if (outside && top.call === null) thread.happened.push(open);
      open.value = resultText(row.value);
      top.call = null;
      return;
    }
    case KIND["host.signal.deliver"]:
      // Where strace tells of it. Of two delivered at one place the second one's handler runs first.
      thread.happened.push({ kind: "handler", signal: signalName(row.signal), depth: levels.length - 1, line: row.seq });
      if (returned.has(row.extra)) levels.push({ signal: row.extra, asked: "", call: null });
      else top.call = null;
      return;
    case KIND["app.handler.return"]:
      while (levels.length > 1 && levels.pop()?.signal !== row.extra);
      return;
    case KIND["host.syscall.enter"]:
      if (site.flow === "host exit" && !ends.get(thread.pid)?.startsWith("killed")) ends.set(thread.pid, `exited ${row.value}`);
      return;
    case KIND["app.fault"]:
      return;
    case KIND["host.signal.default"]:
      if (row.value === 1) ends.set(thread.pid, `killed ${signalName(row.signal)}`);
      return;
    case KIND["process.exit"]:
      ends.set(thread.pid, row.value < 0 ? `killed ${signalName(-row.value)}` : `exited ${row.value}`);
      return;
    default:
      thread.ended = true;
  }
}
