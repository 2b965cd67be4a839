/** Operations about time: sleeping, alarms, timers. */

import * as z from "zod";
import { AS_LINUX, done, operation } from "../operation.ts";
import { duration, name } from "../values.ts";

export const TIME = {
  nanosleep: operation(
    {
      does: "sleep for a time",
      linux: "0 after the time; a signal with a handler ends it with -EINTR, SA_RESTART or not.",
      graphene: "-EINTR, also for ignored and blocked signals; the remaining time is wrong.",
      example: "nanosleep: 5ms",
      short: "for",
    },
    () => z.strictObject({ for: duration.describe("how long"), ...done }),
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
      linux: "Sets the one real timer of the process, which alarm shares.",
      graphene: "Cancels what is last in async_list, and never sends a signal.",
      example: "setitimer: { value: 5ms, interval: 1ms }",
    },
    () =>
      z.strictObject({
        value: duration.describe("time to the first signal; 0s cancels"),
        interval: duration.default(0).describe("time between further signals; 0 for one signal only"),
        ...done,
      }),
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
