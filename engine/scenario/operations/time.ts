/** Operations about time: sleeping, alarms, timers. */

import * as z from "zod";
import { AS_LINUX, done, operation } from "../operation.ts";
import { count, duration, name, signal } from "../values.ts";

const WHICH = z.enum(["real", "virtual", "prof"]).default("real");
const NOT_THERE = "Not implemented: -ENOSYS.";
const timerName = name.describe("a name for the timer");

export const TIME = {
  nanosleep: operation(
    {
      does: "sleep for a time",
      linux: "0 after the time; a signal with a handler ends it with -EINTR, SA_RESTART or not.",
      graphene: "-EINTR, also for ignored and blocked signals; the remaining time is wrong.",
      example: "nanosleep: 5ms",
      short: "for",
    },
    () =>
      z.strictObject({
        for: duration.describe("how long"),
        rem: z.boolean().default(false).describe("true: it asks for the time that is left"),
        ...done,
      }),
  ),
  "clock-nanosleep": operation(
    {
      does: "sleep for a time, or until one (sleep and usleep of glibc 2.31 and later)",
      linux: "0 after the time; a signal with a handler ends it with -EINTR, SA_RESTART or not.",
      graphene: "Not implemented: -ENOSYS at once.",
      example: "clock-nanosleep: 5ms",
      short: "for",
    },
    () =>
      z
        .strictObject({
          for: duration.optional().describe("how long"),
          until: duration.optional().describe("time of the run (TIMER_ABSTIME)"),
          rem: z.boolean().default(false).describe("true: it asks for the time that is left"),
          ...done,
        })
        .refine((op) => (op.for === undefined) !== (op.until === undefined), { message: "expected exactly one of for, until" }),
  ),
  alarm: operation(
    {
      does: "SIGALRM after whole seconds",
      linux: "Sets the one real timer of the process; the result is the seconds that were left. 0s cancels.",
      graphene: "Removes the last entry of async_list, whatever it is; the helper thread fires too early when it is interrupted (2.19).",
      example: "alarm: 1s",
      short: "after",
    },
    () => z.strictObject({ after: duration.describe("how long; 0s cancels"), ...done }),
  ),
  setitimer: operation(
    {
      does: "SIGALRM after a time, then at an interval",
      linux: "Sets the one real timer of the process, which alarm shares. virtual and prof are set, too; here they never expire.",
      graphene: "Cancels what is last in async_list, and never sends a signal. -ENOSYS for virtual and prof.",
      example: "setitimer: { value: 5ms, interval: 1ms }",
    },
    () =>
      z.strictObject({
        value: duration.describe("time to the first signal; 0s cancels"),
        interval: duration.default(0).describe("time between further signals; 0 for one signal only"),
        which: WHICH.describe("ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF"),
        old: z.boolean().default(false).describe("true: it asks for what was set before"),
        ...done,
      }),
  ),
  getitimer: operation(
    {
      does: "ask what is left of a timer of setitimer",
      linux: "0; what is left and the interval. alarm sets the same timer.",
      graphene: "What the last setitimer said, whatever alarm did. -ENOSYS for virtual and prof.",
      example: "getitimer",
    },
    () => z.strictObject({ which: WHICH.describe("ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF"), ...done }),
  ),
  "timer-create": operation(
    {
      does: "make a POSIX timer that sends a signal",
      linux: "0. The signal has SI_TIMER and the value; it is pending once, further expiries are only counted.",
      graphene: NOT_THERE,
      example: "timer-create: { timer: tick, signal: SIGUSR1 }",
    },
    () =>
      z.strictObject({
        timer: timerName,
        signal: signal.describe("the signal it sends"),
        value: count.default(0).describe("si_value of the signal"),
        thread: z.boolean().default(false).describe("true: it is sent to the calling thread (SIGEV_THREAD_ID), else to the process"),
        ...done,
      }),
  ),
  "timer-settime": operation(
    { does: "start or stop a POSIX timer", linux: "0.", graphene: NOT_THERE, example: "timer-settime: { timer: tick, value: 5ms }" },
    () =>
      z.strictObject({
        timer: timerName,
        value: duration.describe("time to the first signal; 0s stops it"),
        interval: duration.default(0).describe("time between further signals; 0 for one signal only"),
        absolute: z.boolean().default(false).describe("true: `value` is a time of the run (TIMER_ABSTIME)"),
        old: z.boolean().default(false).describe("true: it asks for what was set before"),
        ...done,
      }),
  ),
  "timer-delete": operation(
    { does: "delete a POSIX timer", linux: "0.", graphene: NOT_THERE, example: "timer-delete: tick", short: "timer" },
    () => z.strictObject({ timer: timerName, ...done }),
  ),
  fioasync: operation(
    {
      does: "ask for SIGIO on an object (ioctl FIOASYNC)",
      linux: "SIGIO when something arrives in the object.",
      graphene: "The entry has no time: it is freed at once, and the last one listed, such as an alarm, is cancelled. SIGIO never comes.",
      example: "fioasync: { on: socket }",
      short: "on",
    },
    () => z.strictObject({ on: name.describe("the object"), ...done }),
  ),
  gettime: operation({ does: "ask for the time", linux: "0.", graphene: AS_LINUX, example: "gettime" }, () => z.strictObject(done)),
} as const;
