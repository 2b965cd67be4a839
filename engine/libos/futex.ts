/** futex (reference, 2.20; LibOS/shim/src/sys/shim_futex.c). */

import { E } from "../errno.ts";
import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { naming } from "../naming.ts";
import { clearTid } from "../threads.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { answer, dk, dkEvent, MAY_READ_ERRNO, minusPalErrno, setWait, threadSleep } from "./io.ts";
import { FUTEX_LIST_LOCK, MASTER_LOCK } from "./names.ts";
import { newHandle } from "./streams.ts";

const list = (): { name: string } => ({ name: FUTEX_LIST_LOCK });
/** hdl->lock of an address's futex. */
const lockOf = naming("hdl.lock of futex");
const own = (_: Cpu, v: { object: number }): { name: string } => ({ name: lockOf(v.object) });

/** create_lock_runtime: the first futex of the process makes the list's lock. */
const listLock = <V extends object>(s: Steps<V>): (Step | Mark)[] => [
  s.test("create_lock_runtime: futex_list_lock is there?", (c) => c.process(c.t).libos.futexLock, "list"),
  s.call("lock(__master_lock)", LIBOS.lock, () => ({ name: MASTER_LOCK })),
  dk(s, "create_lock(futex_list_lock): DkMutexCreate()", "DkMutexCreate", (c) => {
    c.process(c.t).libos.futexLock = true;
    return {};
  }),
  s.call("unlock(__master_lock)", LIBOS.unlock, () => ({ name: MASTER_LOCK })),
  s.at("list"),
  s.call("lock(futex_list_lock)", LIBOS.lock, list),
];

/** The address's handle is looked up under the list's lock, or made; it is never given back. */
const find = <V extends CallLocals>(s: Steps<V>): (Step | Mark)[] => [
  ...listLock(s),
  s.test("the address has a futex?", (c, v) => c.process(c.t).libos.futexes[v.object] !== undefined, "found"),
  ...newHandle(s),
  s.act("futex of this address", (c, v) => {
    c.process(c.t).libos.futexes[v.object] ??= [];
  }),
  s.at("found"),
  s.call("unlock(futex_list_lock)", LIBOS.unlock, list),
  s.call("lock(hdl.lock)", LIBOS.lock, own),
];

function waiters(c: Cpu, v: { object: number }): number[] {
  const { futexes } = c.process(c.t).libos;
  futexes[v.object] ??= [];
  return futexes[v.object] as number[];
}

/** What is pended before the sleep is taken at thread_setwait's DkEventClear or at the unlock; after it, a SIGCONT alone ends the sleep. */
const futexWait = flow(SHIM_DO.futex_wait, "libos", "2.20", (s) => [
  ...find(s),
  s.test("*uaddr != val?", (c, v) => v.changed || (v.tid === true && c.m.objects[v.object]?.level === 0), "differs"),
  setWait(s),
  s.act("add to the waiters", (c, v) => {
    waiters(c, v).push(c.t.id);
    c.value = v.object;
  }),
  s.call("unlock(hdl.lock)", LIBOS.unlock, own),
  threadSleep(
    s,
    (v) => (v.takes >= 0 ? Math.max(1, v.takes) : v.timeout),
    (v) => v.takes >= 0,
  ),
  s.act(
    "ret = woken ? 0 : -PAL_ERRNO (EAGAIN means timeout)",
    (c, v) => {
      const error = c.t.rax > 0 ? 0 : minusPalErrno(c);
      v.ret = c.t.rax > 0 ? v.result : error === E.AGAIN ? E.TIMEDOUT : error;
      c.value = v.ret;
    },
    MAY_READ_ERRNO,
  ),
  s.call("lock(hdl.lock)", LIBOS.lock, own),
  s.act("off the waiters, if still there", (c, v) => {
    const sleeping = waiters(c, v);
    if (sleeping.includes(c.t.id)) sleeping.splice(sleeping.indexOf(c.t.id), 1);
  }),
  s.jump("out", "break"),
  s.at("differs"),
  s.act("ret = -EAGAIN", (_, v) => {
    v.ret = E.AGAIN;
  }),
  s.at("out"),
  s.call("unlock(hdl.lock)", LIBOS.unlock, own),
  answer(s),
]);

interface Wakes {
  object: number;
  /** How many at most. */
  bytes: number;
  targets: readonly number[];
  ret: number;
}

const wakeUp = <V extends Wakes>(s: Steps<V>): (Step | Mark)[] => [
  s.at("next"),
  s.test("nobody left to wake?", (c, v) => v.ret >= v.bytes || waiters(c, v).length === 0, "done"),
  s.act("take a waiter off the list", (c, v) => {
    v.targets = waiters(c, v).splice(0, 1);
    v.ret += 1;
    c.value = v.ret;
  }),
  dkEvent(
    s,
    "thread_wakeup: DkEventSet(scheduler_event)",
    "DkEventSet",
    (c, v) => c.m.threads[v.targets[0] ?? -1]?.libos.schedulerEvent ?? -1,
  ),
  s.jump("next", "next"),
  s.at("done"),
];

const futexWake = flow(SHIM_DO.futex_wake, "libos", "2.20", (s) => [
  ...find(s),
  ...wakeUp(s),
  s.call("unlock(hdl.lock)", LIBOS.unlock, own),
  answer(s),
]);

/** A thread's end: whoever joins it sleeps on its tid. All are woken (shim_futex.c:395). */
const releaseTid = flow<Wakes>(LIBOS.release_clear_child_id, "libos", "2.20", (s) => [
  s.own({ object: -1, bytes: 0, targets: [], ret: 0 }),
  s.act("*clear_child_tid := 0", (c, v) => {
    Object.assign(v, { object: clearTid(c, c.t), bytes: Number.MAX_SAFE_INTEGER, ret: 0 });
  }),
  ...listLock(s),
  s.call("unlock(futex_list_lock)", LIBOS.unlock, list),
  s.test("the address has no futex?", (c, v) => c.process(c.t).libos.futexes[v.object] === undefined, "return"),
  s.call("lock(hdl.lock)", LIBOS.lock, own),
  ...wakeUp(s),
  s.call("unlock(hdl.lock)", LIBOS.unlock, own),
  s.at("return"),
  s.ret(),
]);

export const futexFlows: readonly Flow[] = [futexWait, futexWake, releaseTid];
