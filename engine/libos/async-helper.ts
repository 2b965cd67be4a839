/** The async helper: the internal thread that waits for the entries of async_list and calls back (reference, 2.19). */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { dkArgs, dkExitArgs } from "../pal/calls.ts";
import { NO_INFO } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import type { AsyncEvent, Process } from "../state.ts";
import { KIND } from "../transition.ts";
import { dk } from "./io.ts";
import { ASYNC_HELPER_LOCK } from "./names.ts";
import { UNDEFINED } from "./ring.ts";

const IDLE_SLEEP_NS = 1_000_000;
const MAX_IDLE_CYCLES = 100;

export const helperLock = (): { name: string } => ({ name: ASYNC_HELPER_LOCK });

/** next_event. An entry whose install time is 0 counts as one without a time: it never comes (3.4 sgx-time-query-zero). */
const next = (p: Process): AsyncEvent | undefined => p.asyncList.find((event) => event.install !== 0);

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
  /** The entry it holds a pointer to, -1 none, and what is read through it: still there when the entry is freed meanwhile. */
  event: number;
  callback: string;
  target: number;
  expire: number;
}

function holdNext(c: Cpu, v: Helper): void {
  const event = next(c.process(c.t));
  v.now = c.t.rax;
  v.event = event?.id ?? -1;
  v.callback = event?.callback ?? "";
  v.target = event?.caller ?? 0;
  v.expire = event?.expire ?? 0;
  v.timeout = event ? Math.max(0, event.expire - v.now) * 1000 : IDLE_SLEEP_NS;
  c.value = v.timeout;
}

const isListed = (c: Cpu, v: Helper): boolean => c.process(c.t).asyncList.some((event) => event.id === v.event);

/** The callback is read from the entry. Whoever cancelled it since has freed it: it is called all the same (3.1 async-list-redundant-cancel). */
function callBack(c: Cpu, v: Helper): void {
  c.value = v.expire - v.now;
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
  p.asyncList = p.asyncList.filter((event) => event.id !== v.event);
}

/** What had expired at the last look is taken off under the lock and before its callback; it may have been cancelled since. */
function takeExpired(c: Cpu, v: Helper): void {
  if (isListed(c, v)) remove(c, v);
  else v.callback = "";
}

/** Whatever ends the wait without an object counts as the time-out (D14, 3.2 alarm-fires-early); fixed: the clock is read again. */
const helper = (fixed: boolean): Flow =>
  flow<Helper>("shim_async_helper", "libos", "2.19, 3.1 async-list-redundant-cancel", (s) => [
    s.act("async helper thread started", (c, v) => {
      c.t.libos.ready = true;
      v.idle = 0;
    }),
    s.at("loop"),
    dk(s, "now = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
    s.act("timeout := next expiry or idle time", holdNext),
    s.test("next event has expired?", (_, v) => v.event >= 0 && v.expire <= v.now, "expired"),
    dk(s, "DkObjectsWaitAny({ async_helper_event }, timeout)", "DkObjectsWaitAny", (c, v) => ({
      objects: [c.process(c.t).helperEvent],
      timeout: v.timeout,
    })),
    s.test("the event pipe is readable?", (c) => c.t.rax > 0, "drain"),
    s.test("no next event?", (_, v) => v.event < 0, "idle"),
    fixed ? s.jump("loop", "is it time? look at the clock") : null,
    s.act("timeout fired: call event.callback", callBack),
    s.test("setitimer: only its bookkeeping", (_, v) => v.callback !== "alarm", "remove"),
    s.call("signal_alarm(event.caller)", "signal_alarm", (_, v) => ({ target: v.target })),
    s.at("remove"),
    s.call("lock(async_helper_lock)", "lock", helperLock),
    s.act("async_list.pop()", remove),
    s.call("unlock(async_helper_lock)", "unlock", helperLock),
    s.jump("loop", "while (true)"),
    s.at("expired"),
    s.call("lock(async_helper_lock)", "lock", helperLock),
    s.act("take the expired entry off async_list", takeExpired),
    s.call("unlock(async_helper_lock)", "unlock", helperLock),
    s.test("cancelled, or setitimer's: only bookkeeping?", (_, v) => v.callback !== "alarm", "loop"),
    s.call("expired: signal_alarm(event.caller)", "signal_alarm", (_, v) => ({ target: v.target })),
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
    s.call("DkThreadExit()", "DkThreadExit", () => dkExitArgs()),
  ]);

/** lookup_thread, then append_signal without a siginfo. Of a thread that has ended in the meantime nothing is found. */
const signalAlarm = flow<{ target: number }>("signal_alarm", "libos", "2.19", (s) => [
  s.callDynamic("append_signal(app-thread, SIGALRM, wakeup = true)", (c, v) => {
    const id = c.newSignalId();
    if (c.process(c.t).threadList.includes(v.target))
      return { flow: c.flowOf("append_signal"), v: { target: v.target, signal: SIG.ALRM, id, info: NO_INFO, context: "none" } };
    c.kind = KIND["libos.signal.lost"];
    c.signal = SIG.ALRM;
    c.value = 3;
    c.extra = id;
    return null;
  }),
  s.ret(),
]);

export const helperFlows = (fixed: boolean): Flow[] => [createHelper, helper(fixed), signalAlarm];
