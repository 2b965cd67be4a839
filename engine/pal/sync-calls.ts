/**
 * PAL calls on mutexes and events: a word, a count of waiters, and a futex for those that sleep (Pal/src/host/Linux/db_mutex.c and
 * db_events.c, Linux-SGX the same files). A word that is free or signaled is level 1 of its object, else 0: what a futex compares.
 */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { type CallLocals, callArgs } from "../host/calls.ts";
import { type HostObject, TIMED_OUT } from "../state.ts";
import { NEVER } from "../time.ts";
import { KIND, type KindId } from "../transition.ts";
import { bottom, done, enter, failed, leave, leaveQuickly, type PalLocals, type PalName } from "./call-parts.ts";
import { PAL_ERROR, unixToPal } from "./events.ts";
import { dkEvent, dkMutex } from "./flows.ts";

export interface MutexLocals extends PalLocals {
  /** The LibOS's name of the lock. */
  name: string;
  object: number;
}

export interface EventLocals extends PalLocals {
  object: number;
  /** ns. */
  timeout: number;
  /** The time's end is no time-out: it is when the outside world, which is not emulated, sets the event. */
  outside: boolean;
}

export const mutexArgs = (name: string, object: number): MutexLocals => ({ name, object, magic: false, raised: 0, ret: 0 });
export const eventArgs = (object: number, timeout = NEVER, outside = false): EventLocals => ({
  object,
  timeout,
  outside,
  magic: false,
  raised: 0,
  ret: 0,
});

const wordOf = (c: Cpu, v: { object: number }): HostObject => c.m.objects[v.object] as HostObject;

function say(c: Cpu, kind: KindId<"lock" | "unlock" | "lock.busy">, v: MutexLocals): void {
  c.row(kind, v.object, c.process(c.t).pal.locks[v.name] ?? -1);
  c.detail = c.text(v.name);
}

/** cmpxchg(locked, 0, 1): one instruction. When another thread has it, the row says which. */
function take(c: Cpu, v: MutexLocals): boolean {
  const { locks } = c.process(c.t).pal;
  if (locks[v.name] !== undefined) {
    say(c, KIND["lock.busy"], v);
    return false;
  }
  locks[v.name] = c.t.id;
  say(c, KIND.lock, v);
  wordOf(c, v).level = 0;
  v.ret = 1;
  return true;
}

const count = (by: 1 | -1) => (c: Cpu, v: { object: number }) => {
  const word = wordOf(c, v);
  word.waiters = Math.max(0, word.waiters + by);
  c.value = word.waiters;
};

const onWord = (object: number, timeout: number): CallLocals => callArgs({ object, timeout });

/**
 * lock(). Free: no host call. Taken: FUTEX_WAIT until the cmpxchg wins; any failure ends it, and the caller tries again. Under SGX the
 * ocall's PAL error is converted once more as if it were an errno: whatever it was, DENIED comes out, also of a word that was free again
 * by the time of the futex (Linux-SGX/db_mutex.c:87-98).
 */
const mutexWait = (pal: PalName): Flow =>
  flow(dkMutex.DkObjectsWaitAny, "pal", "2.13", (s) => [
    pal === "sgx" ? enter(s) : null,
    s.test("cmpxchg: take it", (c, v) => !take(c, v), "contended", "lock"),
    s.at("leave"),
    leaveQuickly(pal, s),
    done(s),
    s.at("contended"),
    s.act("nwaiters + 1", count(1)),
    s.at("again"),
    s.test("cmpxchg again: take it", (c, v) => !take(c, v), "sleep", "lock"),
    s.act("nwaiters - 1", count(-1)),
    s.jump("leave", "it is taken"),
    s.at("sleep"),
    bottom(pal, s, "futex-wait-0", (_, v) => onWord(v.object, NEVER)),
    s.test("woken?", (c) => c.t.rax === 0 || (pal === "linux" && c.t.rax === E.AGAIN), "again"),
    s.act("nwaiters - 1, the wait has failed", (c, v) => {
      v.raised = pal === "sgx" ? PAL_ERROR.DENIED : -unixToPal(c.t.rax);
      count(-1)(c, v);
    }),
    failed(s),
    s.jump("leave", "it is not taken"),
  ]);

/** unlock(). The word is free before anybody is woken, and whoever comes first takes it. */
const mutexRelease = (pal: PalName): Flow =>
  flow(dkMutex.DkMutexRelease, "pal", "2.13", (s) => [
    pal === "sgx" ? enter(s) : null,
    s.act(
      "locked := 0",
      (c, v) => {
        say(c, KIND.unlock, v);
        delete c.process(c.t).pal.locks[v.name];
        wordOf(c, v).level = 1;
      },
      "unlock",
    ),
    s.test("nwaiters == 0?", (c, v) => wordOf(c, v).waiters === 0, "leave"),
    bottom(pal, s, "futex-wake", (_, v) => callArgs({ object: v.object, bytes: 1 })),
    s.at("leave"),
    leaveQuickly(pal, s),
    done(s),
  ]);

/**
 * A wait for a notification event. Linux gives a time-out up (TRYAGAIN). Under SGX the ocall says TRYAGAIN for a time-out as for a word that
 * has changed, and the loop goes on for both: it never times out, it only wakes now and then (Linux-SGX/db_events.c:94-107). A time-out
 * of 0 is none at all there (db_events.c:96).
 */
const eventWait = (pal: PalName): Flow =>
  flow(dkEvent.DkObjectsWaitAny, "pal", "2.20", (s) => [
    enter(s),
    s.test("signaled?", (c, v) => wordOf(c, v).level > 0, "got it"),
    s.act("nwaiters + 1", count(1)),
    s.at("again"),
    bottom(pal, s, "futex-wait-0", (_, v) => onWord(v.object, pal === "sgx" && v.timeout === 0 ? NEVER : v.timeout)),
    s.test("failed, and not because the word has changed?", (c, v) => waitFailed(pal, c.t.rax) && !isSetOutside(c, v), "failed"),
    s.test("not signaled: wait again", (c, v) => wordOf(c, v).level === 0 && !isSetOutside(c, v), "again"),
    s.act("nwaiters - 1", count(-1)),
    s.at("got it"),
    s.act("polled := the event", (_, v) => {
      v.ret = 1;
    }),
    s.at("leave"),
    leave(pal, s),
    done(s),
    s.at("failed"),
    s.act("nwaiters - 1, no event", (c, v) => {
      v.raised = pal === "sgx" ? -c.t.rax : -unixToPal(c.t.rax);
      count(-1)(c, v);
    }),
    failed(s),
    s.jump("leave"),
  ]);

const isSetOutside = (c: Cpu, v: EventLocals): boolean => v.outside && c.t.cause === TIMED_OUT;

const waitFailed = (pal: PalName, rax: number): boolean =>
  pal === "linux" ? rax < 0 && rax !== E.AGAIN : rax < 0 && rax !== -PAL_ERROR.TRYAGAIN;

/**
 * Only the change from 0 to 1 wakes, and only when somebody has said that it waits. Under SGX a signal in the ocall leaves a word that is
 * set and a waiter that sleeps (3.4 sgx-wakeup-ocall-abandoned); a wait that is abandoned leaves its count behind.
 */
const eventSet = (pal: PalName): Flow =>
  flow(dkEvent.DkEventSet, "pal", "2.20", (s) => [
    enter(s),
    s.test("cmpxchg(signaled, 0, 1): was it 1?", wasSet, "leave"),
    s.test("nwaiters == 0?", (c, v) => wordOf(c, v).waiters === 0, "leave"),
    bottom(pal, s, "futex-wake", (c, v) => callArgs({ object: v.object, bytes: wordOf(c, v).waiters })),
    s.at("leave"),
    leave(pal, s),
    done(s),
  ]);

function wasSet(c: Cpu, v: EventLocals): boolean {
  const word = c.m.objects[v.object];
  v.ret = 1;
  if (!word || word.level > 0) return true;
  word.level = 1;
  return false;
}

const eventClear = (pal: PalName): Flow =>
  flow(dkEvent.DkEventClear, "pal", "2.20", (s) => [
    pal === "sgx" ? enter(s) : null,
    s.act("signaled := 0", (c, v) => {
      wordOf(c, v).level = 0;
      v.ret = 1;
    }),
    leaveQuickly(pal, s),
    done(s),
  ]);

export const syncCalls = (pal: PalName): Flow[] => [mutexWait(pal), mutexRelease(pal), eventWait(pal), eventSet(pal), eventClear(pal)];
