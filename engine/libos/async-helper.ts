/** The async helper: the internal thread that waits for the entries of async_list and calls back (reference, 2.19). */

import type { Flow } from "../flow.ts";
import { numberOf } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { AsyncEvent, Process } from "../generations/graphene-2019/state.ts";
import { createArgs } from "../pal/calls.ts";
import { dkCreate } from "../pal/flows.ts";
import { NO_INFO } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import { NEVER } from "../time.ts";
import { KIND } from "../transition.ts";
import { LIBOS } from "./flows.ts";
import { dk, dkExit } from "./io.ts";
import { lockOf } from "./ipc.ts";
import { ASYNC_HELPER_LOCK, THREAD_LIST_LOCK } from "./names.ts";
import { UNDEFINED } from "./ring.ts";

const IDLE_SLEEP_NS = 1_000_000;
const MAX_IDLE_CYCLES = 100;

export const helperLock = (): { name: string } => ({ name: ASYNC_HELPER_LOCK });

/** next_event. An entry whose install time is 0 counts as one without a time: it never comes (3.4 sgx-time-query-zero). */
const next = (p: Process): AsyncEvent | undefined => p.libos.asyncList.find((event) => event.install !== 0);

const createHelper = flow(LIBOS.create_async_helper, "libos", "2.19", (s) => [
  s.call("get_new_internal_thread()", LIBOS.get_new_internal_thread),
  s.call(
    "thread_create(shim_async_helper)  <creates new thread in host>",
    dkCreate.DkThreadCreate,
    (c) => {
      c.value = c.t.libos.palErrno;
      return createArgs({ program: "async-helper", start: numberOf(c.program, LIBOS.shim_async_helper), internal: true });
    },
    "pal.call.enter",
  ),
  s.test("no handle?", (c) => c.t.rax === 0, "return"),
  s.act("async_helper_state := ALIVE", (c) => {
    c.process(c.t).libos.helperAlive = true;
  }),
  s.at("return"),
  s.ret(),
]);

interface Helper {
  idle: number;
  /** Microseconds, as read when the event pipe was last readable. */
  latest: number;
  timeout: number;
  /** The entry it holds a pointer to, -1 none, and what is read through it: still there when the entry is freed meanwhile. */
  event: number;
  callback: string;
  target: number;
  expire: number;
}

/** update_list: hold the next entry. One that has expired at the last look at the clock is taken off the list here, before its callback. */
function holdNext(c: Cpu, v: Helper): void {
  const p = c.process(c.t);
  const event = next(p);
  v.event = event?.id ?? -1;
  v.callback = event?.callback ?? "";
  v.target = event?.caller ?? 0;
  v.expire = event?.expire ?? 0;
  if (p.libos.asyncList.length > 0) v.idle = 0;
  if (event && event.expire <= v.latest) p.libos.asyncList.splice(p.libos.asyncList.indexOf(event), 1);
  c.value = v.event;
}

const hasExpired = (v: Helper): boolean => v.event >= 0 && v.expire <= v.latest;

const isListed = (c: Cpu, v: Helper): boolean => c.process(c.t).libos.asyncList.some((event) => event.id === v.event);

/** The callback is read from the entry. Whoever cancelled it since has freed it: it is called all the same (3.1 async-list-redundant-cancel). */
function callBack(c: Cpu, v: Helper): void {
  c.value = v.expire - v.latest;
  c.detail = c.text(v.callback);
  if (!isListed(c, v)) freed(c, `${v.callback}: its entry has been freed`);
}

function freed(c: Cpu, what: string): void {
  c.kind = KIND["undefined.read"];
  c.value = UNDEFINED.FREED;
  c.detail = c.text(what);
}

function remove(c: Cpu, v: Helper): void {
  const p = c.process(c.t);
  if (!isListed(c, v)) return freed(c, "the entry has been freed: it is taken out and freed again");
  p.libos.asyncList = p.libos.asyncList.filter((event) => event.id !== v.event);
}

function sleepTime(c: Cpu, v: Helper): void {
  // With a clock that said 0 (3.4 sgx-time-query-zero) the next entry is half a century away.
  v.timeout = v.event >= 0 ? Math.min(Math.max(0, v.expire - v.latest) * 1000, NEVER) : IDLE_SLEEP_NS;
  v.idle = v.event >= 0 ? 0 : v.idle + 1;
  c.value = v.timeout;
}

const isOver = (c: Cpu): boolean => !c.process(c.t).libos.helperAlive;

/**
 * The clock is read only when the event pipe was readable (shim_async.c:214). Whatever ends the wait without an object counts as the time-out
 * (D14, 3.2 alarm-fires-early); fixed: the clock is read again. Without an entry it turns every millisecond for ever: the count of idle
 * cycles is looked at only after the list was (shim_async.c:208, 273).
 */
const helper = (fixed: boolean): Flow =>
  flow<Helper>(LIBOS.shim_async_helper, "libos", "2.19, 3.1 async-list-redundant-cancel", (s) => [
    s.own({ idle: 0, latest: 0, timeout: 0, event: -1, callback: "", target: 0, expire: 0 }),
    s.act("async helper thread: allocate_tls", (c, v) => {
      c.t.libos.ready = true;
      v.idle = 0;
    }),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.call("unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    s.act("async helper thread started"),
    s.at("status"),
    dk(s, "latest_time = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
    s.act("latest_time", (c, v) => {
      v.latest = c.t.rax;
      c.value = v.latest;
    }),
    s.test("HELPER_NOTALIVE?", isOver, "end"),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.at("list"),
    s.act("update_list: the next entry, off the list if it has expired", holdNext),
    s.test("it has expired?", (_, v) => hasExpired(v), "expired"),
    s.call("unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    s.test("idle_cycles++ == MAX_IDLE_CYCLES?", (_, v) => (v.idle += 1) === MAX_IDLE_CYCLES + 1, "end"),
    s.at("loop"),
    s.test("async_helper_state != HELPER_ALIVE?", isOver, "end"),
    s.act("sleep_time := until the next entry, or idle", sleepTime),
    dk(s, "DkObjectsWaitAny({ async_helper_event }, timeout)", "DkObjectsWaitAny", (c, v) => ({
      objects: [c.process(c.t).libos.helperEvent],
      timeout: v.timeout,
    })),
    s.test("the event pipe is readable?", (c) => c.t.rax > 0, "drain"),
    s.test("no next event: continue", (_, v) => v.event < 0, "loop"),
    fixed ? s.jump("status", "is it time? look at the clock") : null,
    s.act("timeout fired: call event.callback", callBack, ["step", "undefined.read"]),
    s.test("setitimer: only its bookkeeping", (_, v) => v.callback !== "alarm", "remove"),
    s.call("signal_alarm(event.caller)", LIBOS.signal_alarm, (_, v) => ({ target: v.target })),
    s.at("remove"),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.act("async_list.pop()", remove, ["step", "undefined.read"]),
    s.call("free(event)", LIBOS.free),
    s.jump("list", "goto update_list"),
    s.at("expired"),
    s.call("unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    s.test("setitimer's: only bookkeeping?", (_, v) => v.callback !== "alarm", "called"),
    s.call("expired: signal_alarm(event.caller)", LIBOS.signal_alarm, (_, v) => ({ target: v.target })),
    s.at("called"),
    s.call("free(event)", LIBOS.free),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.jump("list", "next entry"),
    s.at("drain"),
    dk(s, "clear_event: DkStreamRead(async_helper_event)", "DkStreamRead", (c) => ({
      object: c.process(c.t).libos.helperEvent,
      bytes: 100,
    })),
    s.jump("status", "update_status"),
    s.at("end"),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.act("async_helper_state := HELPER_NOTALIVE", (c) => {
      c.process(c.t).libos.helperAlive = false;
    }),
    s.call("unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    s.act("async helper thread terminated"),
    dkExit(s, "DkThreadExit()", "DkThreadExit"),
  ]);

/** lookup_thread, then append_signal without a siginfo and without thread->lock. A thread that has ended is found, too: it is still on the list. */
const signalAlarm = flow(LIBOS.signal_alarm, "libos", "2.19", (s) => [
  s.call("lookup_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.call("lookup_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.call("append_signal(app-thread, SIGALRM, wakeup = true)", LIBOS.append_signal, (c, v) => ({
    target: v.target,
    signal: SIG.ALRM,
    id: c.newSignalId(),
    info: NO_INFO,
    context: "none",
  })),
  s.ret(),
]);

export const helperFlows = (fixed: boolean): Flow[] => [createHelper, helper(fixed), signalAlarm];
