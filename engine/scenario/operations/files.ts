/** Files that Linux makes of other things: signals, a counter, a timer. The base revision has none of them. */

import * as z from "zod";
import { done, operation } from "../operation.ts";
import { count, duration, name, result, signal } from "../values.ts";

const NOT_THERE = "Not implemented: -ENOSYS, and reading the object is -EBADF.";

const made = {
  on: name.describe("name of the object, for read, write and poll"),
  result: result.default(3).describe("number of the file"),
  ...done,
};

export const FILES = {
  signalfd: operation(
    {
      does: "make a file from which signals are read (signalfd4), or give it another set",
      linux: "A read takes pending signals of the set out of the queues, 128 bytes each. They should be blocked.",
      graphene: NOT_THERE,
      example: "signalfd: { on: sfd, signals: [SIGTERM, SIGCHLD] }",
    },
    () => z.strictObject({ signals: z.array(signal).max(1000).describe("the set"), ...made }),
  ),
  eventfd: operation(
    {
      does: "make a counter that is a file (eventfd2)",
      linux: "A write adds its `bytes` to the counter, a read waits until it is not 0 and takes it. Both give 8.",
      graphene: NOT_THERE,
      example: "eventfd: { on: efd }",
    },
    () =>
      z.strictObject({
        initial: count.default(0).describe("value it begins with"),
        semaphore: z.boolean().default(false).describe("true: a read takes one (EFD_SEMAPHORE)"),
        ...made,
      }),
  ),
  timerfd: operation(
    {
      does: "make a file from which a timer's expiries are read (timerfd_create)",
      linux: "A read waits for the first expiry and takes the number of those since the last one.",
      graphene: NOT_THERE,
      example: "timerfd: { on: tfd }",
    },
    () => z.strictObject(made),
  ),
  "timerfd-settime": operation(
    {
      does: "start or stop the timer of a timerfd",
      linux: "0.",
      graphene: "Not implemented: -ENOSYS.",
      example: "timerfd-settime: { on: tfd, value: 5ms, interval: 1ms }",
    },
    () =>
      z.strictObject({
        on: name.describe("the timerfd"),
        value: duration.describe("time to the first expiry; 0s stops it"),
        interval: duration.default(0).describe("time between further ones; 0 for none"),
        absolute: z.boolean().default(false).describe("true: `value` is a time of the run (TFD_TIMER_ABSTIME)"),
        old: z.boolean().default(false).describe("true: it asks for what was set before"),
        ...done,
      }),
  ),
} as const;
