/** Operations on signals: what they do, which are blocked, sending them and waiting for them. */

import * as z from "zod";
import { NEVER } from "../../time.ts";
import { AS_LINUX, done, operation } from "../operation.ts";
import { count, duration, handlerName, name, signal } from "../values.ts";

export const SA_FLAGS = ["SA_RESTART", "SA_RESETHAND", "SA_NODEFER", "SA_ONSTACK", "SA_SIGINFO", "SA_NOCLDSTOP", "SA_NOCLDWAIT"] as const;

const sent = z.union([z.literal(0), signal]).describe("the signal; 0 sends none and only asks whether the target is there");

const takers = z
  .record(name, duration)
  .optional()
  .describe("on native-linux: threads that took it on the kernel of a log, and when: it is delivered no earlier");
const old = z.boolean().default(false).describe("true: it asks for what was set before");

export const SIGNALS = {
  sigaction: operation(
    {
      does: "set what a signal does",
      linux:
        "For all threads of the process. SIG_IGN discards what is pending. -EINVAL for SIGKILL and SIGSTOP. A handler without a restorer " +
        "is registered, but no frame can be made for it: SIGSEGV comes in its place.",
      graphene: "For the calling thread only; SA_RESTART, SA_NODEFER, SA_ONSTACK, the mask and the restorer are stored and never used.",
      example: "sigaction: { signal: SIGINT, handler: on-sigint, flags: [SA_RESTART] }",
    },
    () =>
      z.strictObject({
        signal: signal.describe("the signal"),
        handler: handlerName.describe(
          "a handler of the scenario's `handlers`, or default, or ignore; none: nothing is set (NULL in place of an action), it only asks",
        ),
        flags: z.array(z.enum(SA_FLAGS)).max(100).default([]).describe("flags of the action"),
        mask: z.array(signal).max(1000).default([]).describe("signals blocked while the handler runs, besides its own"),
        norestorer: z.boolean().default(false).describe("true: without SA_RESTORER, which libc always sets"),
        old,
        ...done,
      }),
  ),
  sigprocmask: operation(
    {
      does: "block or unblock signals",
      linux:
        "Unblocked signals that are pending come at the end of the call. SIGKILL and SIGSTOP cannot be blocked. -EFAULT when what was set " +
        "before cannot be written: the mask is changed all the same.",
      graphene:
        "As on Linux, but SIGKILL and SIGSTOP can be blocked, and the size is not looked at. A page that can only be read passes its test: " +
        "the write faults in the LibOS, which ends the process, under SGX never.",
      example: "sigprocmask: { how: block, signals: [SIGINT, SIGTERM] }",
    },
    () =>
      z.strictObject({
        how: z.enum(["block", "unblock", "set"]).describe("add to the mask, take away from it, or replace it"),
        signals: z.array(signal).max(1000).describe("the signals"),
        old: z
          .union([z.boolean(), z.literal("read-only")])
          .default(false)
          .describe("true: it asks for what was set before; read-only: and gives a page for it that can only be read"),
        size: count.optional().describe("bytes that it says a set has; without it 8, which alone is right"),
        ...done,
      }),
  ),
  sigpending: operation(
    {
      does: "ask which signals are pending",
      linux: "Blocked signals that wait for the thread or its process.",
      graphene: "Signals that wait in the thread's rings, blocked or not.",
      example: "sigpending",
    },
    () => z.strictObject(done),
  ),
  sigsuspend: operation(
    {
      does: "wait for a signal under another mask",
      linux: "-EINTR after the handler; a signal that is pending and not blocked by the mask ends it at once. -EFAULT without a mask.",
      graphene: "Sleeps with its thread's lock held and does not look at what is pending: it may sleep for ever (2.18).",
      example: "sigsuspend: { mask: [SIGINT] }",
      short: "mask",
    },
    () =>
      z.strictObject({
        mask: z.array(signal).max(1000).default([]).describe("signals blocked during the wait"),
        nomask: z.boolean().default(false).describe("true: NULL is given in place of a mask"),
        ...done,
      }),
  ),
  pause: operation(
    {
      does: "wait for a signal",
      linux: "-EINTR after a handler has run.",
      graphene: "Linux PAL: handlers run, but the call never returns. SGX: it returns 0.",
      example: "pause",
    },
    () => z.strictObject(done),
  ),
  sigtimedwait: operation(
    {
      does: "wait until a signal of a set is pending and take it (also sigwaitinfo)",
      linux: "The signal's number: no handler runs. -EAGAIN after the timeout, -EINTR after the handler of another signal.",
      graphene: "Not implemented: -ENOSYS.",
      example: "sigtimedwait: { signals: [SIGTERM], timeout: 5ms }",
    },
    () =>
      z.strictObject({
        signals: z.array(signal).max(1000).describe("the set; the signals should be blocked"),
        timeout: duration.default(NEVER).describe("the call ends after this time"),
        info: z.boolean().default(false).describe("true: it asks for the siginfo"),
        ...done,
      }),
  ),
  sigwait: operation(
    {
      does: "wait until a signal of a set is pending and take it (sigwait of glibc)",
      linux: "0; begins again after the handler of another signal.",
      graphene: "Not implemented: -ENOSYS.",
      example: "sigwait: { signals: [SIGTERM] }",
      short: "signals",
    },
    () => z.strictObject({ signals: z.array(signal).max(1000).describe("the set; the signals should be blocked"), ...done }),
  ),
  sigqueue: operation(
    {
      does: "send a signal with a value (rt_sigqueueinfo, rt_tgsigqueueinfo)",
      linux: "As kill or tgkill; si_code is SI_QUEUE.",
      graphene: "Not implemented: -ENOSYS.",
      example: "sigqueue: { process: self, signal: SIGRTMIN+1, value: 7 }",
    },
    () =>
      z.strictObject({
        process: name.default("self").describe("self, parent, or the program that the process runs"),
        thread: name.optional().describe("in place of the process: self, or the program that the thread runs"),
        signal: sent,
        value: count.default(0).describe("si_value"),
        takers,
        ...done,
      }),
  ),
  sigaltstack: operation(
    {
      does: "register an alternate stack",
      linux:
        "-ENOMEM below 2048 bytes, unless it is being disabled; -EPERM on it. Handlers with SA_ONSTACK run there, also when the stack is full. " +
        "What was set before is told when it went well. SS_ONSTACK in the flags counts as none.",
      graphene:
        "-EINVAL with SS_ONSTACK. -ENOMEM below 2048 bytes, also when it is being disabled; the stack is stored and never used. What was stored before is told always, " +
        "without the flags that say that it is used or that there is none.",
      example: "sigaltstack: { bytes: 8192 }",
    },
    () =>
      z.strictObject({
        bytes: count.default(8192).describe("size of the stack"),
        disable: z.boolean().default(false).describe("true: no alternate stack any more (SS_DISABLE)"),
        onstack: z.boolean().default(false).describe("true: SS_ONSTACK in the flags, as some programs give it"),
        nostack: z.boolean().default(false).describe("true: NULL is given in place of a stack: it only asks"),
        old,
        ...done,
      }),
  ),
  kill: operation(
    {
      does: "send a signal to a process",
      linux: "One thread of the process takes it that does not block it. -ESRCH when there is no such process.",
      graphene: "Each thread of the process gets it. To another process it is a message that its IPC helper answers (2.15).",
      example: "kill: { process: parent, signal: SIGUSR1 }",
    },
    () =>
      z.strictObject({
        process: name.default("self").describe("self, parent, group, all, or the program that the process runs (worker, worker#2)"),
        group: name.optional().describe("instead: the process whose process group is meant, kill(-pid)"),
        signal: sent,
        takers,
        ...done,
      }),
  ),
  tgkill: operation(
    {
      does: "send a signal to a thread",
      linux: "To that thread alone, also of another process. -ESRCH when there is no such thread.",
      graphene:
        "Into the thread's ring; the thread is resumed. Also to a thread that has ended, without an error. A thread of another process is a " +
        "matter of its IPC helper.",
      example: "tgkill: { thread: worker, signal: SIGUSR1 }",
    },
    () =>
      z.strictObject({
        thread: name.default("self").describe("self, or the program that the thread runs (worker, worker#2)"),
        signal: sent,
        takers,
        ...done,
      }),
  ),
  "skip-fault": operation(
    {
      does: "in a handler: change the saved context so that the faulting instruction is skipped",
      linux: "The program goes on after the instruction when the handler returns.",
      graphene: AS_LINUX,
      example: "skip-fault",
    },
    () => z.strictObject({}),
  ),
  "context-mask": operation(
    {
      does: "in a handler: change the mask in the saved context",
      linux: "The mask is in force when the handler has returned.",
      graphene: "The LibOS does not look at it.",
      example: "context-mask: { signals: [SIGUSR2] }",
      short: "signals",
    },
    () => z.strictObject({ signals: z.array(signal).max(1000).describe("signals blocked after the handler") }),
  ),
} as const;
