/** Numbers that a system gives out as it likes: process and thread ids, descriptors. They are matched, not compared. */

import type { Observed } from "./observation.ts";
import type { ThreadMatch } from "./threads.ts";

/** Calls that make a new process or thread and answer with its id. */
const CREATES = new Set(["fork", "vfork", "clone", "clone3", "posix_spawn"]);
/** Calls that answer with the id of one that is there. */
const NAMES = new Set(["wait4", "waitpid", "waitid", "getpid", "gettid", "getppid", "set_tid_address"]);
/** Calls that answer with a new descriptor: any is as good as another. */
const DESCRIPTORS = new Set(
  "open openat openat2 creat socket accept accept4 dup epoll_create epoll_create1 eventfd eventfd2 signalfd signalfd4 timerfd_create memfd_create inotify_init inotify_init1 pidfd_open".split(
    " ",
  ),
);

export interface Ids {
  /** Whether a call of this name answered the same. */
  readonly sameResult: (call: string, a: number, b: number) => boolean;
  /** Whether two ids of processes or threads are the same one's; 0 is nobody's. */
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
