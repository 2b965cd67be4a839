/** System calls that newer programs make in place of the old ones: the base revision has few of them. */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { callArgs, TIMEVAL } from "../host/calls.ts";
import { ANY } from "../host/children.ts";
import type { OperationName, OperationOf } from "../scenario/schema.ts";
import { setOf } from "../signals.ts";
import { extended } from "../state.ts";
import { call, childNamed, pollArgs, processNamed } from "./call.ts";
import type { Context, Items } from "./items.ts";

type Newer =
  | "signalfd"
  | "eventfd"
  | "timerfd"
  | "timerfd-settime"
  | "timer-create"
  | "timer-settime"
  | "timer-delete"
  | "getitimer"
  | "clock-nanosleep"
  | "sigtimedwait"
  | "sigwait"
  | "sigqueue"
  | "select"
  | "waitid"
  | "setpgid"
  | "setsid"
  | "getpgid"
  | "receive-timeout";

type Compile = { readonly [N in Newer & OperationName]: (op: OperationOf<N>, x: Context) => Items };

export const NEWER: Compile = {
  signalfd: (op, x) =>
    call(x, op, "signalfd", (c) => extended(callArgs({ object: c.object(op.on), result: op.result }), { mask: setOf(op.signals) })),
  eventfd: (op, x) =>
    call(x, op, "eventfd", (c) =>
      extended(callArgs({ object: c.object(op.on), result: op.result, bytes: op.initial }), { semaphore: op.semaphore }),
    ),
  timerfd: (op, x) => call(x, op, "timerfd_create", (c) => callArgs({ object: c.object(op.on), result: op.result })),
  "timerfd-settime": (op, x) =>
    call(x, op, "timerfd_settime", (c) =>
      extended(callArgs({ object: c.object(op.on) }), { value: op.value, interval: op.interval, absolute: op.absolute, old: op.old }),
    ),
  "timer-create": (op, x) =>
    call(x, op, "timer_create", () => extended(callArgs(), { name: op.timer, signal: op.signal, value: op.value, thread: op.thread })),
  "timer-settime": (op, x) =>
    call(x, op, "timer_settime", () =>
      extended(callArgs(), { name: op.timer, value: op.value, interval: op.interval, absolute: op.absolute, old: op.old }),
    ),
  "timer-delete": (op, x) => call(x, op, "timer_delete", () => extended(callArgs(), { name: op.timer })),
  getitimer: (op, x) => call(x, op, "getitimer", () => extended(callArgs(), { which: op.which })),
  "clock-nanosleep": (op, x) =>
    call(x, op, "clock_nanosleep", (c) =>
      extended(callArgs({ timeout: op.until === undefined ? (op.for ?? 0) : Math.max(0, op.until - c.now) }), {
        absolute: op.until !== undefined,
        rem: op.rem,
      }),
    ),
  sigtimedwait: (op, x) =>
    call(x, op, "rt_sigtimedwait", () =>
      extended(callArgs({ timeout: op.timeout }), { mask: setOf(op.signals), info: op.info, zero: false }),
    ),
  sigwait: (op, x) => {
    const again = x.fresh("sigwait");
    // sysdeps/unix/sysv/linux/sigwait.c of glibc: EINTR is no answer.
    return [
      x.s.at(again),
      ...call(x, op, "rt_sigtimedwait", () => extended(callArgs(), { mask: setOf(op.signals), info: false, zero: true }), "sigwait"),
      x.s.test("sigwait: EINTR? again", (c) => c.t.rax === E.INTR, again),
    ];
  },
  sigqueue: (op, x) =>
    call(
      x,
      op,
      "rt_sigqueueinfo",
      () =>
        extended(callArgs(), { wanted: op.process, thread: op.thread ?? "", signal: op.signal, value: op.value, takers: op.takers ?? {} }),
      op.thread === undefined ? "rt_sigqueueinfo" : "rt_tgsigqueueinfo",
    ),
  select: (op, x) => call(x, op, "select", (c) => pollArgs(c, op)),
  waitid: (op, x) =>
    call(x, op, "waitid", (c) =>
      extended(callArgs({ object: childNamed(c, op.child), bytes: op.nohang ? 1 : 0 }), {
        exited: op.exited,
        stopped: op.stopped,
        continued: op.continued,
        keep: op.keep,
        finds: ANY,
        status: 0,
        tid: 0,
        process: -1,
      }),
    ),
  setpgid: (op, x) =>
    call(x, op, "setpgid", (c: Cpu) => {
      const process = processNamed(c, op.process);
      return extended(callArgs(), { process, group: op.group === undefined ? process : processNamed(c, op.group) });
    }),
  setsid: (op, x) => call(x, op, "setsid", () => callArgs()),
  "receive-timeout": (op, x) =>
    call(x, op, "setsockopt", (c) => extended(callArgs({ object: c.object(op.on), bytes: TIMEVAL }), { receiveTimeout: op.for })),
  getpgid: (op, x) => call(x, op, "getpgid", () => callArgs()),
};
