/** What a program does by itself: computing, faulting, jumping, deciding. The operations that hold others take the form of a list. */

import * as z from "zod";
import { FAULTS, VMAS } from "../../faults.ts";
import { resultIs } from "../conditions.ts";
import { canBeLogged, mistakeInRows, rows } from "../logged.ts";
import { done, operation } from "../operation.ts";
import { type Body, count, duration, exactlyOneOf, handlerName, name, placeName, result } from "../values.ts";

const OWN_CODE = "The program's own code: the same on every stack.";

export const own = (body: Body) =>
  ({
    compute: operation(
      {
        does: "run own instructions without system calls, for a time",
        linux: "A signal is taken in the middle; the rest of the time follows after the handler.",
        graphene: "As on Linux. Under SGX a signal leaves the enclave by an asynchronous exit.",
        example: "compute: 5ms",
        short: "for",
      },
      () =>
        z.strictObject({
          for: duration.describe("how long"),
          until: duration
            .optional()
            .describe("on native-linux: until this virtual time instead, at which the kernel of a log saw the next call"),
        }),
    ),
    fault: operation(
      {
        does: "an instruction that faults",
        linux:
          "SIGFPE, SIGSEGV, SIGBUS, SIGILL or SIGTRAP for the thread. cpuid, rdtsc and syscall are ordinary instructions; hlt, in " +
          "(protection) and a noncanonical address are SIGSEGV with SI_KERNEL; stack, or memory at the stack-guard, is an overflow: only " +
          "a handler with SA_ONSTACK can run.",
        graphene:
          "In an enclave cpuid, rdtsc, syscall and int3 fault, too: cpuid and rdtsc are emulated, syscall ends the thread, or is emulated as " +
          "well (Gramine, whose Linux PAL traps it by seccomp).",
        example: "fault: { what: memory, address: 4096 }",
        short: "what",
      },
      () =>
        z
          .strictObject({
            what: z.enum(FAULTS).describe("the instruction"),
            address: count.optional().describe("address of a memory fault; without it one is chosen"),
            at: z.enum(VMAS).default("unmapped").describe("what is at the address; only with `what: memory`"),
          })
          .refine(({ what, at }) => what === "memory" || at === "unmapped", { path: ["at"], message: "expected only with what: memory" }),
    ),
    "probe-memory": operation(
      {
        does: "hand the system a pointer that may be bad",
        linux: "-EFAULT when it is bad.",
        graphene: "The LibOS tries it: Linux PAL -EFAULT; under SGX the fault in the LibOS comes again and again.",
        example: "probe-memory: { valid: false }",
      },
      () => z.strictObject({ valid: z.boolean().default(false).describe("whether the pointer is good"), ...done }),
    ),
    vectors: operation(
      {
        does: "keep values in vector registers, or use the registers, or look whether the values are still there",
        linux: "A handler leaves them as they were.",
        graphene: "A handler's use of them may destroy the program's values.",
        example: "vectors: live",
        short: "what",
      },
      () => z.strictObject({ what: z.enum(["live", "clobber", "check"]).describe("put values in, use the registers for others, or look") }),
    ),
    call: operation(
      {
        does: "a system call that eintr does not emulate",
        linux: "Takes its time and gives its result.",
        graphene: "As on Linux, or -ENOSYS at once for a call that the base revision does not have.",
        example: "call: { name: fsync, takes: 2ms }",
        short: "name",
      },
      () =>
        z.strictObject({
          name: name.describe("its name, as it is shown"),
          takes: duration.default(0).describe("how long it takes"),
          result: result.default(0).describe("what it returns, on every stack"),
          interruptible: z
            .boolean()
            .optional()
            .describe("whether a signal ends it; without this, only calls that are known to wait for somebody (signal(7)) are ended"),
          makes: name
            .optional()
            .describe(
              "the object that it makes, for read and write: -EBADF on a stack that does not have the call, and knows no such file",
            ),
          ...done,
        }),
    ),
    sigsetjmp: operation(
      {
        does: "remember this place and run operations; a siglongjmp out of them continues after them",
        linux: "The mask is remembered, too.",
        graphene: "As on Linux; but a handler left in this way leaves the LibOS in it (3.2 handler-longjmp-preempt-leak).",
        example: "sigsetjmp: { place: here, do: [ { fault: memory } ] }",
      },
      () => z.strictObject({ place: name.describe("a name for the place"), do: z.lazy(body).describe("the operations") }),
    ),
    siglongjmp: operation(
      {
        does: "leave the handler for a remembered place, restoring the mask",
        linux: "The program continues after the operations of that sigsetjmp.",
        graphene: "As on Linux; the preempt counter keeps what the handler had added.",
        example: "siglongjmp: here",
        short: "place",
      },
      () =>
        z.strictObject({
          place: placeName.describe("the place of a sigsetjmp"),
          mask: z.boolean().default(true).describe("false: the mask stays as it is (longjmp)"),
        }),
    ),
    "by-run": operation(
      {
        does: "in a handler: go on as another handler, chosen by the number of the run on this thread",
        linux: OWN_CODE,
        graphene: OWN_CODE,
        example: "by-run: { threads: { main: { as: [first-run], ends: [5ms] } }, otherwise: usual-run }",
      },
      () =>
        z.strictObject({
          threads: z
            .record(name, z.strictObject({ as: z.array(handlerName).max(1e6), ends: z.array(duration).max(1e6) }))
            .describe("for each thread, by the number of the run: handlers, and until when on native-linux the run lasts at least"),
          otherwise: handlerName.describe("the handler for further runs and other threads"),
        }),
    ),
    loop: operation(
      {
        does: "repeat operations",
        linux: OWN_CODE,
        graphene: OWN_CODE,
        example: "loop: { until: stop, do: [ pause ] }",
      },
      () =>
        z.strictObject({
          times: z
            .union([count, z.literal("forever")])
            .default("forever")
            .describe("rounds at most"),
          until: name.optional().describe("a flag: looked at before each round, the loop ends when it is set"),
          do: z.lazy(body).describe("the operations of a round"),
        }),
    ),
    retry: operation(
      {
        does: "run operations, and again while the result of the last call in them is of a kind",
        linux: OWN_CODE,
        graphene: OWN_CODE,
        example: "retry: { while: EINTR, do: [ { read: { from: pipe } } ] }",
      },
      () =>
        z.strictObject({
          while: resultIs.describe("results that make it begin again; see `eintr explain results`"),
          times: z
            .union([count.min(1), z.literal("forever")])
            .default("forever")
            .describe("rounds at most, the first included"),
          do: z.lazy(body).describe("the operations; the last call that came back decides"),
        }),
    ),
    if: operation(
      {
        does: "run operations when the last call had a result, or when a flag is set",
        linux: OWN_CODE,
        graphene: OWN_CODE,
        example: "if: { result: EINTR, do: [ gettime ], else: [ exit ] }",
      },
      () =>
        exactlyOneOf(
          z.strictObject({
            result: resultIs.optional().describe("result of the last call of this program or handler; see `eintr explain results`"),
            flag: name.optional().describe("a flag that `set` sets"),
            do: z.lazy(body).default([]).describe("operations when it is so"),
            else: z.lazy(body).default([]).describe("operations when it is not"),
          }),
          ["result", "flag"],
        ),
    ),
    set: operation(
      {
        does: "set or clear a flag of the process (volatile sig_atomic_t)",
        linux: "Seen by all threads and handlers of the process; a forked child has a copy; exec clears them all.",
        graphene: "As on Linux.",
        example: "set: stop",
        short: "flag",
      },
      () =>
        z.strictObject({
          flag: name.describe("the flag; it is clear until it is set"),
          to: z.boolean().default(true).describe("false: clear it"),
        }),
    ),
    logged: operation(
      {
        does: "operations of a log, one after the other, each a row of numbers: how long logs are written",
        linux: "What the operations do.",
        graphene: "What the operations do.",
        example: "logged: { like: [ { compute: 1us }, { getpid: { expect: 1 } } ], rows: [ [ 0, 5000, 1, 1, 0, 7000 ] ] }",
      },
      () =>
        z
          .strictObject({
            like: z
              .lazy(body)
              .default([])
              .describe(
                "sorts of operations; loop, retry, if, sigsetjmp, siglongjmp, by-run and sigwait are none. " +
                  "Without it the rows are like the scenario's `sorts`",
              ),
            rows: rows.describe(
              "for each operation the index of one that it is like, then its own numbers: of for, until, takes, result, expect and line " +
                "those that this one has, times in ns",
            ),
          })
          .superRefine(({ like, rows: numbers }, ctx) => {
            const sorts = like as readonly { readonly op: string }[];
            // The scenario's sorts are read behind it: `takeSorts`.
            if (sorts.length === 0) return;
            const longer = sorts.find(({ op }) => !canBeLogged(op));
            if (longer !== undefined) ctx.addIssue({ code: "custom", path: ["like"], message: `expected no ${longer.op} here` });
            const mistake = longer === undefined ? mistakeInRows({ like: sorts, rows: numbers }) : null;
            if (mistake !== null) ctx.addIssue({ code: "custom", path: ["rows"], message: mistake });
          }),
    ),
  }) as const;
