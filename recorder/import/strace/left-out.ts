/**
 * Logs from which calls or signals are missing: `strace -e trace=...` and `-e signal=...` leave no word of it. Some calls every program
 * makes, and where their consequences are in the log and they are not, others may be missing as well.
 */

import type { LogEvent } from "./log.ts";
import type { Process, Tree } from "./tree.ts";

export interface LeftOut {
  /** Processes that ended, or started a program, without calls that this takes. */
  readonly calls: number;
  /** Threads that came back from more handlers than they entered. */
  readonly signals: number;
}

/** What the start of a program calls: the kernel's, the loader's and libc's part; a static program calls some of them as well. */
const STARTS: ReadonlySet<string> = new Set([
  ...["brk", "mmap", "mmap2", "old_mmap", "arch_prctl", "set_thread_area", "set_tid_address", "set_robust_list", "open", "openat"],
  ...["access", "readlink", "readlinkat", "prlimit64", "ugetrlimit", "uname", "getrandom", "rseq", "mprotect", "sched_getaffinity"],
]);
/** A program may have ended before it came to one of them. */
const FIRST_CALLS = 8;

export function leftOut({ tasks }: Tree): LeftOut {
  const processes = new Map<Process, LogEvent[][]>();
  for (const { process, life } of tasks) processes.set(process, [...(processes.get(process) ?? []), life.events]);
  let calls = 0;
  for (const lives of processes.values()) if (endsWithoutCall(lives) || lives.some(startsAtOnce) || lives.some(outlivesSignals)) calls += 1;
  return { calls, signals: tasks.filter(({ life }) => comesBackTooOften(life.events)).length };
}

/** `+++ exited with 0 +++`, and no thread of the process called what ends it. */
function endsWithoutCall(lives: readonly (readonly LogEvent[])[]): boolean {
  if (!lives.every((events) => isExit(events.at(-1)))) return false;
  return !lives.some((events) => events.some((event) => event.kind === "call" && /^exit(?:_group)?$/.test(event.name)));
}

const isExit = (event: LogEvent | undefined): boolean => event?.kind === "end" && event.how === "exited";

/** execve, and then many calls without one of a start. */
function startsAtOnce(events: readonly LogEvent[]): boolean {
  let since = -1;
  for (const event of events) {
    if (event.kind !== "call") continue;
    if (event.name === "execve" && event.value === 0) since = 0;
    else if (since >= 0 && STARTS.has(event.name)) since = -1;
    else if (since >= 0) since += 1;
    if (since >= FIRST_CALLS) return true;
  }
  return false;
}

/** Calls that `-e trace=%process` leaves. */
const ABOUT_PROCESSES =
  /^(?:execve(?:at)?|clone3?|v?fork|wait4|waitid|exit(?:_group)?|t?g?kill|rt_(?:tg)?sigqueueinfo|pidfd_\w+|setpgid|setsid)$/;

/** execve, and signals that it outlives without a call that says how: nothing but calls about processes is there. */
function outlivesSignals(events: readonly LogEvent[]): boolean {
  const calls = events.filter((event) => event.kind === "call");
  if (!calls.some(({ name, value }) => name === "execve" && value === 0)) return false;
  const outlived = events.some(({ kind }, i) => kind === "signal" && events[i + 1]?.kind === "call");
  return outlived && calls.every(({ name }) => ABOUT_PROCESSES.test(name));
}

/** One handler may have been entered before the log began. */
function comesBackTooOften(events: readonly LogEvent[]): boolean {
  let entered = 1;
  for (const event of events) {
    if (event.kind === "signal") entered += 1;
    else if (event.kind === "call" && event.name === "rt_sigreturn") entered -= 1;
    if (entered < 0) return true;
  }
  return false;
}
