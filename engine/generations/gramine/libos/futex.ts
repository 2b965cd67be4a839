/** futex (gramine-today.md 8; libos_futex.c). */

import { E, isRestart, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { takeFirst } from "../../../state.ts";
import type { FutexWaitArgs } from "../../../syscalls.ts";
import { NEVER } from "../../../time.ts";
import { goOnWith } from "../context.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";

/** Threads that are queued on the word, in the order of their coming. */
function waiters(c: Cpu, object: number): number[] {
  const { futexes } = c.process(c.t).libos;
  futexes[object] ??= [];
  return futexes[object] as number[];
}

/** Off the word's queue. False: a waker has taken the thread off before. */
function dequeue(c: Cpu, object: number): boolean {
  const queue = waiters(c, object);
  const at = queue.indexOf(c.t.id);
  if (at < 0) return false;
  queue.splice(at, 1);
  return true;
}

const differs = (c: Cpu, v: FutexWaitArgs): boolean => v.changed || (v.tid && c.m.objects[v.object]?.level === 0);

/** The outside world wakes after `takes`: where that is given, the end of the wait is no time-out. */
const byWorld = (v: FutexWaitArgs, result: number): boolean => v.takes >= 0 && result === E.TIMEDOUT;

/** What of today's Gramine is otherwise. */
interface Fixes {
  /** A call that is made again goes on with what is left of its time-out. */
  readonly goesOn: boolean;
  /** A handler ends a wait with a time-out, whatever its flags. */
  readonly endsTimed: boolean;
  /** One that a waker has taken off has been woken, whatever the clock says. */
  readonly counts: boolean;
}

const restartCode = (v: FutexWaitArgs, { endsTimed }: Fixes): number =>
  endsTimed && v.timeout < NEVER ? LIBOS_RESTART.NOHAND : LIBOS_RESTART.SYS;

/**
 * One wait. Still queued and woken, or interrupted: the call is made again, with its whole time-out (B15, B16). Taken off by a waker while
 * the time was over: -ETIMEDOUT, although the waker has counted it (N5). The spinlocks of tree and futex are left out.
 */
const outcome =
  (fixes: Fixes) =>
  (c: Cpu, v: FutexWaitArgs): void => {
    const result = c.t.rax;
    const queued = dequeue(c, v.object);
    if (byWorld(v, result)) v.ret = v.result;
    else if (queued) v.ret = result === 0 || result === E.INTR ? restartCode(v, fixes) : result;
    else v.ret = result === E.INTR || fixes.counts ? 0 : result;
    if (fixes.goesOn && isRestart(v.ret)) goOnWith(c, c.t.pal.timeLeft);
    c.value = v.ret;
  };

const futexWait = (fixes: Fixes): Flow =>
  flow(SYSCALL_FLOWS.futex_wait, "libos", "8", (s) => [
    s.test("*uaddr != val?", differs, "differs"),
    s.call("thread_prepare_wait()", LIBOS.thread_prepare_wait),
    s.act("add_futex_waiter", (c, v) => {
      waiters(c, v.object).push(c.t.id);
      c.value = v.object;
    }),
    s.call("thread_wait(timeout, false)", LIBOS.thread_wait, (c, v) => ({
      timeout: v.takes >= 0 ? Math.max(1, v.ends >= 0 ? v.ends - c.now : v.takes) : v.timeout,
      ignorePending: false,
    })),
    s.act("still queued? remove_futex_waiter; the result", outcome(fixes)),
    s.jump("out", "return it"),
    s.at("differs"),
    s.act("-EAGAIN", (_, v) => {
      v.ret = E.AGAIN;
    }),
    s.at("out"),
    s.act("the result", (c, v) => {
      c.t.rax = v.ret;
    }),
    answer(s),
  ]);

/** Those that are woken. */
interface Wakes {
  object: number;
  /** How many at most. */
  bytes: number;
  targets: readonly number[];
  ret: number;
}

/** All are taken off under the lock first, and woken one by one afterwards. */
const wakeUp = <V extends Wakes>(s: Steps<V>): (Step | Mark)[] => [
  s.act("move_to_wake_queue", (c, v) => {
    v.targets = waiters(c, v.object).splice(0, v.bytes);
    v.ret = v.targets.length;
    c.value = v.ret;
  }),
  s.at("next"),
  s.test("wake_queue: nobody left?", (_, v) => v.targets.length === 0, "woken"),
  s.call("thread_wakeup(thread)", LIBOS.thread_wakeup, (_, v) => ({ target: takeFirst(v, "targets") })),
  s.jump("next", "next one"),
  s.at("woken"),
];

const futexWake = flow(SYSCALL_FLOWS.futex_wake, "libos", "8", (s) => [
  ...wakeUp(s),
  s.act("how many", (c, v) => {
    c.t.rax = v.ret;
  }),
  answer(s),
]);

/** A thread's end, for whoever joins it: 0 into its word, and all are woken (libos_futex.c release_clear_child_tid). */
const releaseTid = flow<Wakes>(LIBOS.release_clear_child_tid, "libos", "7.2", (s) => [
  s.own({ targets: [], ret: 0, bytes: Number.MAX_SAFE_INTEGER }),
  s.act("*clear_child_tid := 0", (c, v) => {
    c.value = v.object;
    const object = c.m.objects[v.object];
    if (object) object.level = 0;
  }),
  ...wakeUp(s),
  s.ret(),
]);

export const futexFlows = (fixes: Fixes): Flow[] => [futexWait(fixes), futexWake, releaseTid];
