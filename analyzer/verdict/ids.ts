/** Numbers that a system gives out as it likes: process and thread ids, descriptors. They are matched, not compared. */

import type { Observed } from "./observation.ts";
import type { ThreadMatch } from "./threads.ts";

/** Calls that make a process or thread and return its id. */
const CREATES = new Set(["fork", "vfork", "clone", "clone3", "posix_spawn"]);
/** Calls that return the id of an existing process or thread. */
const NAMES = new Set(["wait4", "waitpid", "waitid", "getpid", "gettid", "getppid", "set_tid_address"]);
/** Calls that return a new descriptor: its number does not matter. */
const DESCRIPTORS = new Set(
  "open openat openat2 creat socket accept accept4 dup epoll_create epoll_create1 eventfd eventfd2 signalfd signalfd4 timerfd_create memfd_create inotify_init inotify_init1 pidfd_open".split(
    " ",
  ),
);

export interface Ids {
  /** Whether two results of a call of this name are the same. */
  readonly sameResult: (call: string, a: number, b: number) => boolean;
  /** Whether two ids name the same process or thread; 0 names none. */
  readonly sameProcess: (a: number, b: number) => boolean;
}

/** Knows the threads that are matched; others are learned as they are met. */
export function createIds(a: Observed, b: Observed, { partner }: ThreadMatch): Ids {
  const there = new Map<number, number>();
  const here = new Map<number, number>();
  const bind = (one: number, other: number): void => {
    there.set(one, other);
    here.set(other, one);
  };
  partner.forEach((other, one) => {
    const [x, y] = [a.threads[one], b.threads[other]];
    if (x === undefined || y === undefined) return;
    bind(x.tid, y.tid);
    bind(x.pid, y.pid);
  });
  const sameProcess = (one: number, other: number): boolean => {
    if (one <= 0 || other <= 0) return one === other;
    if (!there.has(one) && !here.has(other)) bind(one, other);
    return there.get(one) === other;
  };
  const sameResult = (call: string, one: number, other: number): boolean => {
    if (one <= 0 || other <= 0) return one === other;
    if (DESCRIPTORS.has(call)) return true;
    if (CREATES.has(call)) {
      if (!there.has(one) && !here.has(other)) bind(one, other);
      return true;
    }
    return NAMES.has(call) ? sameProcess(one, other) : one === other;
  };
  return { sameResult, sameProcess };
}
