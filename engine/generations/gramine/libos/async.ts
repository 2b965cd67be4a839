/**
 * The async worker: one internal thread for timers, IO events and the ends of threads (gramine-today.md 9, corrections 9.2; libos_async.c,
 * libos_alarm.c). It looks for times later than the clock that it read at the top of its loop: one that is over by then is not waited for (N4).
 */

import { E } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import { callArgs, exitArgs } from "../../../host/calls.ts";
import { OUT, tell } from "../../../host/outputs.ts";
import { sentBy } from "../../../siginfo.ts";
import { SIG } from "../../../signals.ts";
import { copyOf } from "../../../state.ts";
import type { GetitimerArgs, SetitimerArgs } from "../../../syscalls.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { AsyncEvent } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { getHandle, noHandle } from "./io.ts";
import { ASYNC_LOCK } from "./names.ts";
import { copyOut } from "./outputs.ts";

const asyncOf = (c: Cpu) => c.process(c.t).libos.async;

const now = <V extends { now: number }>(s: Steps<V>): (Step | Mark)[] => [
  s.call("PalSystemTimeQuery()", PAL.PalSystemTimeQuery, () => ({}), "pal.call.enter"),
  s.act("now_us", (c, v) => {
    v.now = c.t.rax;
    c.value = v.now;
  }),
];

/** A byte into the pipe on which the worker waits. */
const wakeWorker = <V extends object>(s: Steps<V>): Step =>
  s.call(
    "set_pollable_event(install_new_event): PalStreamWrite",
    PAL.PalStreamWrite,
    (c) => callArgs({ object: asyncOf(c).pipe, bytes: 1 }),
    "pal.call.enter",
  );

interface Install {
  callback: AsyncEvent["callback"];
  us: number;
  object: number;
  thread: number;
  word: number;
  now: number;
  latest: number;
}

const isTimer = (v: Install): boolean => v.callback !== "cleanup" && v.object < 0;

/** Any timer takes the place of all that have a time. Answers with the microseconds that were left of the latest. */
const install = flow<Install>(LIBOS.install_async_event, "libos", "9", (s) => [
  s.own({ now: 0, latest: 0 }),
  ...now(s),
  s.call("lock(async_worker_lock)", LIBOS.lock, () => ({ name: ASYNC_LOCK })),
  s.act("a timer: those with a time are taken off", (c, v) => {
    v.latest = v.now;
    if (!isTimer(v)) return;
    const { list } = asyncOf(c);
    for (let i = list.length - 1; i >= 0; i -= 1) {
      const { expire } = list[i] as AsyncEvent;
      if (expire === 0) continue;
      v.latest = Math.max(v.latest, expire);
      list.splice(i, 1);
    }
    c.value = v.latest - v.now;
  }),
  s.test("a time of 0: no new one", (_, v) => isTimer(v) && v.us === 0, "none"),
  s.act("a new entry at the end of async_list", (c, v) => {
    asyncOf(c).list.push({
      callback: v.callback,
      expire: v.us > 0 ? v.now + v.us : 0,
      object: v.object,
      thread: v.thread,
      word: v.word,
    });
    c.value = asyncOf(c).list.length;
  }),
  s.call("unlock(async_worker_lock)", LIBOS.unlock, () => ({ name: ASYNC_LOCK })),
  wakeWorker(s),
  s.jump("return"),
  s.at("none"),
  s.call("unlock(async_worker_lock)", LIBOS.unlock, () => ({ name: ASYNC_LOCK })),
  s.at("return"),
  s.ret("return what was left", (c, v) => {
    c.t.rax = v.latest - v.now;
    c.value = c.t.rax;
  }),
]);

/** A timer or the like, installed by the calling thread. */
export const installArgs = (callback: AsyncEvent["callback"], us: number, object = -1) => ({ callback, us, object, thread: -1, word: -1 });

interface Worker {
  now: number;
  next: number;
  objects: readonly number[];
  polled: number;
  triggered: readonly AsyncEvent[];
}

/** The next time that is later than now; what is over already is no reason to wake (N4). */
const gather =
  (over: boolean) =>
  (c: Cpu, v: Worker): void => {
    const { list } = asyncOf(c);
    v.objects = list.filter(({ object }) => object >= 0).map(({ object }) => object);
    v.next = 0;
    for (const { expire } of list) if ((expire > v.now || (over && expire > 0)) && (v.next === 0 || expire < v.next)) v.next = expire;
    c.value = v.next;
  };

/** Off the list what is over by the clock, ends of threads, and the object that was polled. Callbacks run outside the lock. */
function trigger(c: Cpu, v: Worker): void {
  const { list, pipe } = asyncOf(c);
  const ready = (id: number): boolean => v.polled > 0 && (c.m.objects[id]?.level ?? 0) > 0;
  const io = list.filter(({ object }) => object >= 0 && ready(object)).map((event) => copyOf(event));
  const over: AsyncEvent[] = [];
  for (let i = 0; i < list.length; ) {
    const event = list[i] as AsyncEvent;
    if (event.callback === "cleanup" || (event.expire > 0 && event.expire <= v.now)) {
      over.push({
        callback: event.callback,
        expire: event.expire,
        object: event.object,
        thread: event.thread,
        word: event.word,
      });
      list.splice(i, 1);
    } else i += 1;
  }
  v.triggered = [...io, ...over];
  c.value = v.triggered.length;
  c.extra = pipe;
}

const CALLBACKS = { alarm: LIBOS.signal_alarm, itimer: LIBOS.signal_itimer, io: LIBOS.signal_io } as const;

function callBack(c: Cpu, v: Worker) {
  const [event, ...rest] = v.triggered;
  v.triggered = rest;
  if (!event) throw new Error("async worker: no event");
  if (event.callback === "cleanup") return enter(c.program, LIBOS.cleanup_thread, { thread: event.thread, word: event.word });
  return enter(c.program, CALLBACKS[event.callback], {});
}

const worker = (over: boolean): Flow =>
  flow<Worker>(LIBOS.libos_async_worker, "libos", "9, corrections 9.2", (s) => [
    s.own({ now: 0, next: 0, objects: [], polled: 0, triggered: [] }),
    s.act(
      "the async worker starts",
      (c) => {
        c.t.libos.ready = true;
        c.value = c.process(c.t).threads[0] ?? -1;
        c.extra = 1;
      },
      "thread.start",
    ),
    s.at("loop"),
    s.test("async_worker_shutdown?", (c) => asyncOf(c).shutdown, "shutdown"),
    ...now(s),
    s.call("lock(async_worker_lock)", LIBOS.lock, () => ({ name: ASYNC_LOCK })),
    s.act("IO objects; the next time that is later than now_us", gather(over)),
    s.call("unlock(async_worker_lock)", LIBOS.unlock, () => ({ name: ASYNC_LOCK })),
    s.call(
      "PalStreamsWaitEvents(install_new_event + objects, until the next time)",
      PAL.PalStreamsWaitEvents,
      (c, v) => ({
        objects: [asyncOf(c).pipe, ...v.objects],
        timeout: v.next === 0 ? NEVER : Math.max(0, v.next - v.now) * 1000,
        takes: -1,
        result: 0,
        ends: -1,
      }),
      "pal.call.enter",
    ),
    s.test(
      "failed, and neither interrupted nor timed out?",
      (c, v) => {
        v.polled = Math.max(0, c.t.rax);
        return c.t.rax < 0 && c.t.rax !== PAL_ERROR.INTERRUPTED && c.t.rax !== PAL_ERROR.TRYAGAIN;
      },
      "die",
    ),
    ...now(s),
    s.call("lock(async_worker_lock)", LIBOS.lock, () => ({ name: ASYNC_LOCK })),
    s.test("install_new_event not polled?", (c, v) => v.polled === 0 || (c.m.objects[asyncOf(c).pipe]?.level ?? 0) === 0, "polled"),
    s.call(
      "clear_pollable_event(install_new_event): PalStreamRead",
      PAL.PalStreamRead,
      (c) => callArgs({ object: asyncOf(c).pipe, bytes: Number.MAX_SAFE_INTEGER }),
      "pal.call.enter",
    ),
    s.at("polled"),
    s.act("what is over by now_us, and ends of threads", trigger),
    s.call("unlock(async_worker_lock)", LIBOS.unlock, () => ({ name: ASYNC_LOCK })),
    s.at("next"),
    s.test("none left?", (_, v) => v.triggered.length === 0, "loop"),
    s.callDynamic("callback(caller, arg)", callBack),
    s.jump("next", "next one"),
    s.at("shutdown"),
    s.call("PalThreadExit(async_worker_running)", PAL.PalThreadExit, () => exitArgs({}), "pal.call.enter"),
    s.at("die"),
    s.call("PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true }), "pal.call.enter"),
  ]);

/** signal_current_proc: SI_USER, with the process's own pid. */
const signalSelf = <V extends object>(s: Steps<V>, signal: number): Step =>
  s.call("kill_current_proc(info)", LIBOS.kill_current_proc, (c) => ({
    info: sentBy(signal, c.process(c.t).pid),
    id: c.newSignalId(),
  }));

const signalAlarm = flow(LIBOS.signal_alarm, "libos", "9", (s) => [signalSelf(s, SIG.ALRM), s.ret()]);

/** It sets itself again, whatever was cancelled since it was taken off the list (B24). */
const signalItimer = flow(LIBOS.signal_itimer, "libos", "9", (s) => [
  s.act("g_real_itimer.timeout += reset", (c) => {
    const { realItimer } = c.process(c.t).libos;
    realItimer.timeout += realItimer.reset;
    c.value = realItimer.reset;
  }),
  s.test("no interval?", (c) => c.process(c.t).libos.realItimer.reset === 0, "signal"),
  s.call("install_async_event(reset, signal_itimer)", LIBOS.install_async_event, (c) =>
    installArgs("itimer", c.process(c.t).libos.realItimer.reset),
  ),
  s.at("signal"),
  signalSelf(s, SIG.ALRM),
  s.ret(),
]);

/** SIGIO, with an empty siginfo. */
const IO = 29;
const signalIo = flow(LIBOS.signal_io, "libos", "9", (s) => [signalSelf(s, IO), s.ret()]);

const cleanup = flow(LIBOS.cleanup_thread, "libos", "7.2", (s) => [
  s.call("spin until the thread has left the PAL", LIBOS["spin until PAL has cleared the word"], (_, v) => ({ thread: v.thread })),
  s.test("nobody has joined it?", (_, v) => v.word < 0, "return"),
  s.call("release_clear_child_tid(clear_child_tid)", LIBOS.release_clear_child_tid, (_, v) => ({ object: v.word })),
  s.at("return"),
  s.ret(),
]);

const terminate = flow(LIBOS.terminate_async_worker, "libos", "7.1", (s) => [
  s.act("async_worker_shutdown := 1", (c) => {
    asyncOf(c).shutdown = true;
  }),
  wakeWorker(s),
  s.call("spin until the worker has left the PAL", LIBOS["spin until PAL has cleared the word"], (c) => ({ thread: asyncOf(c).thread })),
  s.ret(),
]);

const US_IN_S = 1_000_000;
const microseconds = (ns: number): number => Math.floor(ns / 1000);

/** What alarm is given are whole seconds. */
const wholeSeconds = (ns: number): number => Math.floor(ns / 1e9) * US_IN_S;

/** Seconds, rounded up. */
const alarm = (tellsItimer: boolean): Flow =>
  flow(SYSCALL_FLOWS.alarm, "libos", "9", (s) => [
    s.call("install_async_event(seconds, signal_alarm)", LIBOS.install_async_event, (_, v) => installArgs("alarm", wholeSeconds(v.after))),
    tellsItimer
      ? s.act("g_real_itimer := the alarm", (c, v) => {
          const us = wholeSeconds(v.after);
          Object.assign(c.process(c.t).libos.realItimer, { timeout: us === 0 ? 0 : microseconds(c.now) + us, reset: 0 });
        })
      : null,
    s.act("seconds that were left, rounded up", (c) => {
      c.t.rax = Math.ceil(c.t.rax / US_IN_S);
      c.value = c.t.rax;
    }),
    answer(s),
  ]);

/** getitimer has no new value. */
interface Itimer extends GetitimerArgs {
  now: number;
  left: number;
  reset: number;
}

const nosys = <V extends GetitimerArgs>(s: Steps<V>): (Step | Mark)[] => [
  s.at("no such timer"),
  s.act("-ENOSYS", (c) => {
    c.t.rax = E.NOSYS;
  }),
  answer(s),
];

/** What is left by g_real_itimer, which alarm does not know (B25). */
const look = (c: Cpu, v: Itimer): void => {
  const { timeout, reset } = c.process(c.t).libos.realItimer;
  v.left = Math.max(0, timeout - v.now);
  v.reset = reset;
  c.value = v.left;
};

const tellTimer = (v: Itimer): void => {
  tell(v, OUT.oldValue, v.left * 1000);
  tell(v, OUT.interval, v.reset * 1000);
};

const setitimer = flow<SetitimerArgs & Itimer>(SYSCALL_FLOWS.setitimer, "libos", "9", (s) => [
  s.own({ now: 0, left: 0, reset: 0 }),
  s.test("not ITIMER_REAL?", (_, v) => v.which !== "real", "no such timer"),
  ...now(s),
  s.act("what is left, by g_real_itimer", look),
  s.call("install_async_event(value, signal_itimer)", LIBOS.install_async_event, (_, v) => installArgs("itimer", microseconds(v.value))),
  s.act("g_real_itimer := the new one", (c, v) => {
    const { realItimer } = c.process(c.t).libos;
    realItimer.timeout = v.now + microseconds(v.value);
    realItimer.reset = microseconds(v.interval);
    if (v.old) tellTimer(v);
  }),
  ...copyOut(s),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
  ...nosys(s),
]);

const getitimer = flow<Itimer>(SYSCALL_FLOWS.getitimer, "libos", "9", (s) => [
  s.own({ now: 0, left: 0, reset: 0 }),
  s.test("not ITIMER_REAL?", (_, v) => v.which !== "real", "no such timer"),
  ...now(s),
  s.act("what is left, by g_real_itimer", (c, v) => {
    look(c, v);
    tellTimer(v);
  }),
  ...copyOut(s),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
  ...nosys(s),
]);

/** ioctl(FIOASYNC). */
const ioctl = flow(SYSCALL_FLOWS.ioctl, "libos", "9", (s) => [
  ...getHandle(s),
  s.call("FIOASYNC: install_async_event(handle, signal_io)", LIBOS.install_async_event, (_, v) => installArgs("io", 0, v.object)),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
  ...noHandle(s),
]);

export const asyncFlows = (fixes: { over: boolean; tellsItimer: boolean }): Flow[] => [
  install,
  worker(fixes.over),
  signalAlarm,
  signalItimer,
  signalIo,
  cleanup,
  terminate,
  alarm(fixes.tellsItimer),
  setitimer,
  getitimer,
  ioctl,
];
