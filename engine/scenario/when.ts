/** When a signal or data from outside comes, and the plans that say so. */

import * as z from "zod";
import { STACK_NAMES } from "../stack/index.ts";
import { count, duration, exactlyOneOf, inWords, name, refersTo, signal } from "./values.ts";

const threadName = z
  .string()
  .min(1)
  .max(200)
  .register(inWords, { words: "the name of a thread: main, a program, or one of its further threads (worker#2)" })
  .register(refersTo, { to: "thread" });

const nth = z.number().int().min(1).max(1e9);

/** The forms of `when`, of which a plan has exactly one; but a handler and the number of one of its calls go together. */
const FORMS = ["at", "every", "rate", ["call", "handler"], "site"] as const;

export const when = exactlyOneOf(
  z.strictObject({
    at: duration.optional().describe("once, at this virtual time"),
    every: duration.optional().describe("again and again at this interval, with `from` and `times`"),
    from: duration.optional().describe("with `every` and `rate`: time of the first; without it after one interval"),
    times: count.optional().describe("with `every` and `rate`: how often; without it until the run ends"),
    rate: z.number().min(1e-6).max(1e6).optional().describe("at random, so often per second of virtual time (from the seed)"),
    thread: threadName.optional().describe("the thread that `call`, `handler` and `site` are about"),
    call: z
      .union([name, z.number().int().min(1).max(1e9)])
      .register(inWords, { words: "the name of an operation, or a number" })
      .register(refersTo, { to: "call" })
      .optional()
      .describe(
        "once, while the thread is in a call: an operation such as read, one of a `call` by its own name, or the number of a call, from 1; calls of handlers do not count",
      ),
    phase: z
      .enum(["before", "blocked"])
      .optional()
      .describe("with `call`: as it enters (before), or as it blocks (blocked, the default; as it returns when it never blocks)"),
    handler: signal
      .optional()
      .describe("once, when the thread has entered a handler of this signal; with a number as `call`: at that call of the handler"),
    site: name.optional().describe("once, when the thread is about to execute a place: `flow: label`, as `eintr stack NAME` prints them"),
    nth: nth.optional().describe("with `call` by name, `handler` and `site`: which visit, from 1"),
  }),
  FORMS,
).superRefine((w, ctx) => {
  if (typeof w.call === "string" && w.handler !== undefined)
    ctx.addIssue({ code: "custom", message: "expected the number of a call beside handler, or one of the two" });
  if ((w.call ?? w.handler ?? w.site) !== undefined && w.thread === undefined)
    ctx.addIssue({ code: "custom", message: "expected a thread with call, handler and site" });
});

export type When = z.output<typeof when>;

const stacks = z.array(z.enum(STACK_NAMES)).max(100).optional().describe("only on these stacks; places have other names elsewhere");
const at = when.describe("when it comes; see `eintr explain when`");

export const signalPlan = z.strictObject({
  signal: signal.describe("the signal"),
  process: threadName.optional().describe("the process that gets it, by its program; main without it"),
  thread: threadName.optional().describe("the thread that gets it; without it any of the process"),
  when: at,
  stacks,
  lacked: z.boolean().optional().describe("with stacks: nothing sends it on the others, so that they lack what it does"),
});

export const arrival = z.strictObject({
  to: name.describe("the object"),
  bytes: count.default(1).describe("bytes, connections or wake-ups"),
  when: at,
  stacks,
});
