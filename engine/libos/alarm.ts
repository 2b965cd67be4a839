/** alarm, setitimer and FIOASYNC: entries of async_list (reference, 2.19). Times are microseconds of DkSystemTimeQuery. */

import { E } from "../errno.ts";
import type { Flow, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { AsyncEvent, Process } from "../generations/graphene-2019/state.ts";
import { copyOut, OUT, tell } from "../host/outputs.ts";
import type { SetitimerArgs } from "../syscalls.ts";
import { helperFlows, helperLock } from "./async-helper.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { answer, dk } from "./io.ts";
import { lockOf } from "./ipc.ts";
import { rememberItimer } from "./itimer.ts";
import { MASTER_LOCK } from "./names.ts";

export interface Install {
  callback: AsyncEvent["callback"];
  object: number;
  /** Microseconds from now; 0 cancels. */
  after: number;
  /** Microseconds left on what was cancelled. */
  left: number;
  time: number;
  removed: boolean;
}

/**
 * Base: the last entry goes, whatever it is. Fixed: an alarm or timer takes the place of those before it, as they share one timer on
 * Linux, too; an IO entry neither cancels nor is cancelled [H 87a4d4768]. Returns what was removed last.
 */
function cancel(p: Process, v: Install, fixed: boolean): AsyncEvent | undefined {
  if (!fixed) return p.libos.asyncList.pop();
  if (v.callback === "io") return undefined;
  const removed = p.libos.asyncList.filter((event) => event.callback !== "io");
  p.libos.asyncList = p.libos.asyncList.filter((event) => event.callback === "io");
  return removed.at(-1);
}

const install = (fixed: boolean): Flow =>
  flow(LIBOS.install_async_event, "libos", "2.19, 3.1 async-list-redundant-cancel", (s) => [
    s.call("malloc(async_event)", LIBOS.malloc),
    dk(s, "time = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
    s.act("event = struct async_event(callback, caller = app-thread, install_time, expire_time)", (c, v) => {
      v.time = c.t.rax;
      c.value = v.time + v.after;
    }),
    s.call("lock(async_helper_lock)", LIBOS.lock, helperLock),
    s.act("remove the previous entry, remember its remaining time", (c, v) => {
      const removed = cancel(c.process(c.t), v, fixed);
      v.left = removed ? removed.expire - v.time : 0;
      c.value = v.left;
      c.extra = removed ? (removed.callback === v.callback ? 1 : 2) : 0;
      v.removed = removed !== undefined;
      if (removed) c.detail = c.text(`removed the entry of ${removed.callback} for ${v.callback}`);
    }),
    s.test("nothing removed?", (_, v) => !v.removed, "removed"),
    s.call("free(tmp)", LIBOS.free),
    s.at("removed"),
    s.test("time != 0?", (_, v) => v.after !== 0, "append"),
    s.call("time == 0: free(event)", LIBOS.free),
    s.jump("unlock", "nothing to append"),
    s.at("append"),
    s.act("append event to global async_list", (c, v) => {
      const p = c.process(c.t);
      p.libos.asyncEvents += 1;
      p.libos.asyncList.push({
        id: p.libos.asyncEvents,
        callback: v.callback,
        caller: c.t.id,
        object: v.object,
        install: v.time,
        expire: v.time + v.after,
        live: true,
      });
      c.value = p.libos.asyncList.length;
    }),
    s.at("unlock"),
    s.test("helper alive?", (c) => c.process(c.t).libos.helperAlive, "alive"),
    s.call("create_async_helper()  < if not alive >", LIBOS.create_async_helper),
    s.at("alive"),
    s.call("unlock(async_helper_lock)", LIBOS.unlock, helperLock),
    dk(s, "set_event: DkStreamWrite(async_helper_event)", "DkStreamWrite", (c) => ({ object: c.process(c.t).libos.helperEvent, bytes: 1 })),
    s.ret("return the remaining time", (c, v) => {
      c.t.rax = v.left;
      c.value = v.left;
    }),
  ]);

/** Up to whole seconds (shim_alarm.c:49). What is left is unsigned there: an entry whose time is over leaves 2^64 less that, as an int. */
const seconds = (us: number): number => (us >= 0 ? Math.ceil(us / 1e6) : Number(BigInt.asIntN(32, wrapped(us))));
const wrapped = (us: number): bigint => (BigInt.asUintN(64, BigInt(us)) + 999_999n) / 1_000_000n;

const installCall = <V extends object>(s: Pick<Steps<V>, "call">, label: string, make: (v: V) => Partial<Install>): Step =>
  s.call(label, LIBOS.install_async_event, (_, v) => ({
    callback: "alarm",
    object: -1,
    after: 0,
    left: 0,
    time: 0,
    removed: false,
    ...make(v),
  }));

const alarm = flow(SHIM_DO.alarm, "libos", "2.19", (s) => [
  installCall(s, "install_async_event(seconds, callback = signal_alarm)", (v) => ({
    callback: "alarm",
    after: Math.floor(v.after / 1e9) * 1e6,
  })),
  s.act("ret = remaining seconds", (c, v) => {
    v.ret = seconds(c.t.rax);
  }),
  answer(s),
]);

interface Setitimer extends SetitimerArgs {
  /** Microseconds. */
  setup: number;
}

/**
 * Its callback never sends a signal (3.2 setitimer-never-signals). All of it is under the master lock (shim_alarm.c); what was left of an
 * entry whose time is over is negative, and is returned as if it were an error.
 */
const setitimer = flow<Setitimer>(SHIM_DO.setitimer, "libos", "2.19", (s) => [
  s.own({ setup: 0 }),
  s.test("not ITIMER_REAL: -ENOSYS", notReal, "return"),
  dk(s, "setup_time = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
  s.act("setup_time", (c, v) => {
    v.setup = c.t.rax;
    c.value = v.setup;
  }),
  s.call("lock(__master_lock)", LIBOS.lock, lockOf(MASTER_LOCK)),
  s.act("current_timeout, current_reset", (c, v) => {
    const { timeout, reset } = c.process(c.t).libos.realItimer;
    if (!v.old) return;
    tell(v, OUT.oldValue, Math.max(0, timeout - v.setup) * 1000);
    tell(v, OUT.interval, reset * 1000);
  }),
  installCall(s, "install_async_event(value, callback = signal_itimer)", (v) => ({
    callback: "itimer",
    after: Math.floor(v.value / 1000),
  })),
  s.act("ret = time left < 0 ? that : 0; else real_itimer := setup_time, value, interval", (c, v) => {
    v.ret = Math.min(0, c.t.rax);
    c.value = v.ret;
    if (v.ret === 0) rememberItimer(c, v.setup, Math.floor(v.value / 1000), Math.floor(v.interval / 1000));
  }),
  s.call("unlock(__master_lock)", LIBOS.unlock, lockOf(MASTER_LOCK)),
  s.test("an error, or no ovalue?", (_, v) => v.ret < 0 || !v.old, "return"),
  copyOut(s, "*ovalue := them"),
  s.at("return"),
  answer(s),
]);

function notReal(_: Cpu, v: { which: string; ret: number }): boolean {
  if (v.which !== "real") v.ret = E.NOSYS;
  return v.which !== "real";
}

/** FIOASYNC installs with time 0, which only cancels (2.19). */
const fioasync = flow(SHIM_DO.ioctl, "libos", "2.19", (s) => [
  installCall(s, "install_async_event(handle, 0, callback)", (v) => ({
    callback: "io",
    object: v.object,
    after: 0,
  })),
  answer(s),
]);

export const alarmFlows = (fixes: { asyncList: boolean }): Flow[] => [
  install(fixes.asyncList),
  ...helperFlows(fixes.asyncList),
  alarm,
  setitimer,
  fioasync,
];
