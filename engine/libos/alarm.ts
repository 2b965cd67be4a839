/** alarm, setitimer, FIOASYNC and the async helper thread (reference, 2.19). Times are microseconds of DkSystemTimeQuery. */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow, type Step } from "../flow.ts";
import { dkArgs } from "../pal/calls.ts";
import { SIG } from "../signals.ts";
import type { AsyncEvent, Process } from "../state.ts";
import { answer, dk } from "./io.ts";
import { ASYNC_HELPER_LOCK } from "./names.ts";

const IDLE_SLEEP_NS = 1_000_000;
const MAX_IDLE_CYCLES = 100;

const helperLock = (): { name: string } => ({ name: ASYNC_HELPER_LOCK });

interface Install {
  callback: AsyncEvent["callback"];
  object: number;
  /** Microseconds from now; 0 cancels. */
  after: number;
  /** Microseconds left on what was cancelled. */
  left: number;
  time: number;
}

const next = (p: Process): AsyncEvent | undefined => p.asyncList[0];

/** Base: the last entry goes, whatever it is. Fixed: only an entry of the same kind that carries a time [H 87a4d4768]. */
function cancel(p: Process, v: Install, fixed: boolean): AsyncEvent | undefined {
  const at = fixed ? p.asyncList.findLastIndex((event) => event.callback === v.callback && v.callback !== "io") : p.asyncList.length - 1;
  const [removed] = at < 0 ? [] : p.asyncList.splice(at, 1);
  return removed;
}

const install = (fixed: boolean): Flow =>
  flow<Install>("install_async_event", "libos", "2.19, 3.1 async-list-redundant-cancel", (s) => [
    dk(s, "time = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
    s.act("event = struct async_event(callback, caller = app-thread, install_time, expire_time)", (c, v) => {
      v.time = c.t.rax;
      c.value = v.time + v.after;
    }),
    s.call("lock(async_helper_lock)", "lock", helperLock),
    s.act("remove the previous entry, remember its remaining time", (c, v) => {
      const removed = cancel(c.process(c.t), v, fixed);
      v.left = removed ? removed.expire - v.time : 0;
      c.value = v.left;
      c.extra = removed ? (removed.callback === v.callback ? 1 : 2) : 0;
      if (removed) c.detail = c.text(`removed the entry of ${removed.callback} for ${v.callback}`);
    }),
    s.test("time == 0: the new event is freed", (_, v) => v.after === 0, "unlock"),
    s.act("append event to global async_list", (c, v) => {
      c.process(c.t).asyncList.push({
        callback: v.callback,
        caller: c.t.id,
        object: v.object,
        install: v.time,
        expire: v.time + v.after,
        live: true,
      });
      c.value = c.process(c.t).asyncList.length;
    }),
    s.at("unlock"),
    s.call("unlock(async_helper_lock)", "unlock", helperLock),
    s.test("helper alive?", (c) => c.process(c.t).helperAlive, "alive"),
    s.call("create_async_helper()  < if not alive >", "create_async_helper"),
    s.at("alive"),
    dk(s, "set_event: DkStreamWrite(async_helper_event)", "DkStreamWrite", (c) => ({ object: c.process(c.t).helperEvent, bytes: 1 })),
    s.ret("return the remaining time", (c, v) => {
      c.t.rax = v.left;
      c.value = v.left;
    }),
  ]);

const createHelper = flow("create_async_helper", "libos", "2.19", (s) => [
  s.act("async_helper_state := ALIVE", (c) => {
    c.process(c.t).helperAlive = true;
  }),
  s.call(
    "thread_create(shim_async_helper)  <creates new thread in host>",
    "DkThreadCreate",
    (c) => {
      c.value = c.t.libos.palErrno;
      return { ...dkArgs(), program: "", start: "shim_async_helper", internal: true };
    },
    "pal.call.enter",
  ),
  s.ret(),
]);

interface Helper {
  idle: number;
  now: number;
  timeout: number;
  callback: string;
  target: number;
}

/** Whatever ends the wait without an object counts as the time-out (D14, 3.2 alarm-fires-early). */
const helper = flow<Helper>("shim_async_helper", "libos", "2.19", (s) => [
  s.act("async helper thread started", (c, v) => {
    c.t.libos.ready = true;
    v.idle = 0;
  }),
  s.at("loop"),
  dk(s, "now = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
  s.act("timeout := next expiry or idle time", (c, v) => {
    v.now = c.t.rax;
    const event = next(c.process(c.t));
    v.timeout = event && event.callback !== "io" ? Math.max(0, event.expire - v.now) * 1000 : IDLE_SLEEP_NS;
    c.value = v.timeout;
  }),
  s.test("next event has expired?", (c, v) => (next(c.process(c.t))?.expire ?? Number.MAX_SAFE_INTEGER) <= v.now, "fire"),
  dk(s, "DkObjectsWaitAny({ async_helper_event }, timeout)", "DkObjectsWaitAny", (c, v) => ({
    objects: [c.process(c.t).helperEvent],
    timeout: v.timeout,
  })),
  s.test("the event pipe is readable?", (c) => c.t.rax > 0, "drain"),
  s.test("no next event?", (c) => next(c.process(c.t)) === undefined, "idle"),
  s.at("fire"),
  s.act("timeout fired: call event.callback", (c, v) => {
    const event = next(c.process(c.t));
    v.callback = event?.callback ?? "";
    v.target = event?.caller ?? 0;
    c.value = (event?.expire ?? 0) - v.now;
    c.detail = c.text(v.callback);
  }),
  s.test("setitimer: only its bookkeeping", (_, v) => v.callback !== "alarm", "remove"),
  s.call("signal_alarm(event.caller)", "signal_alarm", (_, v) => ({ target: v.target })),
  s.at("remove"),
  s.call("lock(async_helper_lock)", "lock", helperLock),
  s.act("async_list.pop()", (c) => {
    c.process(c.t).asyncList.shift();
  }),
  s.call("unlock(async_helper_lock)", "unlock", helperLock),
  s.jump("loop", "while (true)"),
  s.at("drain"),
  s.act("drain the pipe, look again", (c, v) => {
    const pipe = c.m.objects[c.process(c.t).helperEvent];
    if (pipe) pipe.level = 0;
    v.idle = 0;
  }),
  s.jump("loop", "while (true)"),
  s.at("idle"),
  s.act("idle cycle", (c, v) => {
    v.idle += 1;
    c.value = v.idle;
  }),
  s.test("not idle for long?", (_, v) => v.idle < MAX_IDLE_CYCLES, "loop"),
  s.act("async helper thread terminated", (c) => {
    c.process(c.t).helperAlive = false;
  }),
  s.call("DkThreadExit()", "DkThreadExit", () => ({ ...dkArgs(), status: 0, how: 0 })),
]);

const signalAlarm = flow<{ target: number }>("signal_alarm", "libos", "2.19", (s) => [
  s.call("append_signal(app-thread, SIGALRM, wakeup = true)", "append_signal", (c, v) => ({
    target: v.target,
    signal: SIG.ALRM,
    id: c.newSignalId(),
    from: 0,
    full: false,
  })),
  s.ret(),
]);

interface AlarmLocals {
  after: number;
  ret: number;
}

const seconds = (us: number): number => Math.floor(us / 1e6);

const installCall = <V extends { ret: number }>(
  s: { call: (label: string, callee: string, args: (c: Cpu, v: V) => Install) => Step },
  label: string,
  make: (v: V) => Partial<Install>,
): Step => s.call(label, "install_async_event", (_, v) => ({ callback: "alarm", object: -1, after: 0, left: 0, time: 0, ...make(v) }));

const alarm = flow<AlarmLocals>("shim_do_alarm", "libos", "2.19", (s) => [
  installCall<AlarmLocals>(s, "install_async_event(seconds, callback = signal_alarm)", (v) => ({
    callback: "alarm",
    after: seconds(v.after / 1000) * 1e6,
  })),
  s.act("ret = remaining seconds", (c, v) => {
    v.ret = seconds(c.t.rax);
  }),
  answer(s),
]);

/** Its callback never sends a signal (3.2 setitimer-never-signals). */
const setitimer = flow<{ value: number; interval: number; ret: number }>("shim_do_setitimer", "libos", "2.19", (s) => [
  installCall<{ value: number; ret: number }>(s as never, "install_async_event(value, callback = signal_itimer)", (v) => ({
    callback: "itimer",
    after: Math.floor(v.value / 1000),
  })),
  answer(s),
]);

/** FIOASYNC installs with time 0, which only cancels (2.19). */
const fioasync = flow<{ object: number; ret: number }>("shim_do_ioctl", "libos", "2.19", (s) => [
  installCall<{ object: number; ret: number }>(s as never, "install_async_event(handle, 0, callback)", (v) => ({
    callback: "io",
    object: v.object,
    after: 0,
  })),
  answer(s),
]);

export const alarmFlows = (fixes: { asyncList: boolean }): Flow[] => [
  install(fixes.asyncList),
  createHelper,
  helper,
  signalAlarm,
  alarm,
  setitimer,
  fioasync,
];
