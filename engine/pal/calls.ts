/**
 * PAL calls (Dk* functions), the same on both PALs but for their bottom: a system call on Linux, an ocall under SGX, and for
 * LEAVE_PAL_CALL, which on Linux delivers what was pended (reference, 1.1, 1.5, 2.8).
 */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow, type Mark, type Step, type Steps } from "../flow.ts";
import { type CallLocals, callArgs, type Exit, exitArgs } from "../host/calls.ts";
import { NEVER } from "../scenario/schema.ts";
import { SIG } from "../signals.ts";
import { WHY } from "../transition.ts";
import { EVENT, PAL_ERROR, unixToPal } from "./events.ts";

export type PalName = "linux" | "sgx";

/** Locals of a Dk* function. `magic` marks the pal_frame that get_frame looks for (SGX). */
export interface DkLocals extends CallLocals {
  magic: boolean;
  /** Error passed to FAILURE, 0 none. */
  raised: number;
  began: number;
  target: number;
  signal: number;
}

type Given = Partial<Pick<DkLocals, "object" | "objects" | "bytes" | "takes" | "result" | "timeout" | "target">>;

const NOTHING: Given = {};

export const dkArgs = (given: Given = NOTHING): DkLocals => ({
  object: given.object ?? -1,
  objects: given.objects ?? [],
  bytes: given.bytes ?? 0,
  takes: given.takes ?? -1,
  result: given.result ?? 0,
  timeout: given.timeout ?? NEVER,
  until: NEVER,
  ends: -1,
  ret: 0,
  magic: false,
  raised: 0,
  began: 0,
  target: given.target ?? -1,
  signal: 0,
});

interface Dk {
  readonly name: string;
  /** Host call at the bottom. */
  readonly host: string;
  readonly args?: (c: Cpu, v: DkLocals) => CallLocals;
  /** Result and error (0 = none) from what the bottom said, a negative PAL error or a result; default: an error's result is 0. */
  readonly result?: (c: Cpu, v: DkLocals, host: number) => { ret: number; error: number };
  /** What it does in the PAL before the host call, as a step of its own. */
  readonly before?: { readonly label: string; readonly run: (c: Cpu, v: DkLocals) => void };
  /** D7: no LEAVE_PAL_CALL, so nothing pended is delivered. */
  readonly leaves?: boolean;
}

/** DkSystemTimeQuery counts microseconds from here, so that 0 can only be a failure. */
export const CLOCK_BASE_US = 1_600_000_000_000_000;

const plain = (_: Cpu, __: DkLocals, host: number): { ret: number; error: number } =>
  host < 0 ? { ret: 0, error: -host } : { ret: host, error: 0 };

/** 0 bytes is the end of the stream, an error for the PAL. */
const stream = (c: Cpu, v: DkLocals, host: number): { ret: number; error: number } =>
  host === 0 ? { ret: 0, error: PAL_ERROR.ENDOFSTREAM } : plain(c, v, host);

/** Success is 1, so that 0 stays the failure. */
const truth = (c: Cpu, v: DkLocals, host: number): { ret: number; error: number } => (host < 0 ? plain(c, v, host) : { ret: 1, error: 0 });

const io = (_: Cpu, v: DkLocals): CallLocals => callArgs(v);

const CALLS: readonly Dk[] = [
  { name: "DkStreamRead", host: "read", result: stream },
  { name: "DkStreamWrite", host: "write" },
  {
    name: "DkStreamWaitForClient",
    host: "accept",
    args: (_, v) => callArgs({ object: v.object, takes: v.takes, result: v.result || 1 }),
    result: truth,
  },
  // The outside world's answer may be any number: the LibOS keeps it, the PAL only says whether the call was done.
  {
    name: "DkStreamOpen",
    host: "call",
    result: (c, v, host) => (host === -PAL_ERROR.INTERRUPTED ? plain(c, v, host) : { ret: 1, error: 0 }),
  },
  { name: "DkObjectsWaitAny", host: "wait-any" },
  { name: "DkThreadYieldExecution", host: "sched_yield", result: truth },
  { name: "DkThreadResume", host: "tgkill", args: (_, v) => ({ ...callArgs(), targets: [v.target], signal: SIG.CONT }), result: truth },
];

/**
 * Under SGX the word is set in the enclave and the ocall only wakes: cut off by a signal, it leaves a word that is set and a waiter that
 * sleeps (3.4 sgx-wakeup-ocall-abandoned). On Linux nothing comes between the two (2.8): one call stands for both.
 */
const eventSet = (pal: PalName): Dk =>
  pal === "linux"
    ? { name: "DkEventSet", host: "set", result: truth }
    : {
        name: "DkEventSet",
        host: "futex-wake",
        before: {
          label: "the event's word := 1",
          run: (c, v) => {
            const event = c.m.objects[v.object];
            if (event) event.level = 1;
            c.value = v.object;
          },
        },
        args: (_, v) => callArgs({ object: v.object, bytes: Number.MAX_SAFE_INTEGER }),
        result: truth,
      };

const ocallName = (host: string): string => `ocall_${host.replaceAll("-", "_")}`;

/** The bottom of a PAL call: enter the kernel, or leave the enclave to do so. */
function bottom(pal: PalName, s: Steps<DkLocals>, dk: Dk): Step {
  const args = dk.args ?? io;
  if (pal === "linux") return s.call(`INLINE_SYSCALL(${dk.host})`, `host ${dk.host}`, args);
  const code = ocallName(dk.host);
  return s.call(`${code}()`, "sgx_ocall", (c, v) => ({ code, args: args(c, v), result: 0 }), "ocall.enter");
}

function leave(pal: PalName, s: Steps<DkLocals>): Step {
  if (pal === "linux") return s.call("LEAVE_PAL_CALL: __check_pending_event()", "__check_pending_event");
  return s.act("LEAVE_PAL_CALL: clear the pal_frame", (_, v) => {
    v.magic = false;
  });
}

const enter = (s: Steps<DkLocals>): Step =>
  s.act("ENTER_PAL_CALL: mark the pal_frame", (c, v) => {
    v.magic = true;
    v.began = c.now;
  });

const done = (s: Steps<DkLocals>): Step =>
  s.ret(
    "return to the LibOS",
    (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
      c.extra = c.t.libos.palErrno;
    },
    "pal.call.leave",
  );

const failed = (s: Steps<DkLocals>): Step =>
  s.call(
    "_DkRaiseFailure(error): upcall FAILURE",
    "handle_failure",
    (c, v) => {
      c.value = EVENT.FAILURE;
      c.extra = v.raised;
      return { error: v.raised };
    },
    "libos.upcall.enter",
  );

function palCall(pal: PalName, dk: Dk): Flow {
  const convert = dk.result ?? plain;
  return flow<DkLocals>(dk.name, "pal", "1.1, 2.8", (s) => [
    enter(s),
    dk.before ? s.act(dk.before.label, dk.before.run) : null,
    bottom(pal, s, dk),
    s.test(
      "no error?",
      (c, v) => {
        // Under SGX the untrusted half of the ocall has converted it already, and a signal put -PAL_ERROR_INTERRUPTED there (2.3).
        const { ret, error } = convert(c, v, pal === "linux" ? unixToPal(c.t.rax) : c.t.rax);
        v.ret = ret;
        v.raised = error;
        return error === 0;
      },
      "ok",
    ),
    failed(s),
    s.at("ok"),
    dk.leaves === false ? null : leave(pal, s),
    done(s),
  ]);
}

/** Linux: elapsed microseconds, also when interrupted. SGX: an interrupted delay reports 0 (2.18, 2.20 nanosleep). */
const delay = (pal: PalName): Flow =>
  flow<DkLocals>("DkThreadDelayExecution", "pal", "2.18, 2.20", (s) => [
    enter(s),
    bottom(pal, s, { name: "DkThreadDelayExecution", host: "nanosleep" }),
    s.act("elapsed microseconds", (c, v) => {
      const elapsed = Math.floor((c.now - v.began) / 1000);
      const asked = Math.floor(v.timeout / 1000);
      v.ret = c.t.rax === 0 ? asked : pal === "linux" ? Math.min(elapsed, asked) : 0;
    }),
    leave(pal, s),
    done(s),
  ]);

/** Linux asks the vDSO, whose text is not PAL text; there is no LEAVE (D7). SGX: an ocall; interrupted it yields 0. */
const time = (pal: PalName): Flow =>
  flow<DkLocals>("DkSystemTimeQuery", "pal", "2.8 (D7), 3.4 sgx-time-query-zero", (s) => [
    enter(s),
    pal === "linux"
      ? s.call("clock_gettime in the vDSO", "vdso_clock_gettime")
      : bottom(pal, s, { name: "DkSystemTimeQuery", host: "clock_gettime", args: () => callArgs() }),
    s.act("microseconds", (c, v) => {
      v.ret = c.t.rax < 0 ? 0 : CLOCK_BASE_US + Math.floor(c.t.rax / 1000);
    }),
    pal === "linux" ? null : leave(pal, s),
    done(s),
  ]);

const vdso = flow(
  "vdso_clock_gettime",
  "pal",
  "2.8",
  ({ act, ret }) => [
    act("read the time page"),
    ret("return", (c) => {
      c.t.rax = c.now;
    }),
  ],
  { text: "vdso" },
);

/** The end of a thread or process. An ocall that a signal cut short comes back, so under SGX it is made again (ocall_exit loops). */
const leaveForGood = (pal: PalName, s: Steps<DkExit>, group: boolean): (Step | Mark)[] => {
  const args = ({ status, how, why, signal }: Exit): CallLocals & Exit => ({
    ...callArgs(),
    ...exitArgs({ status, group, how, why, signal }),
  });
  if (pal === "linux") return [s.call(`INLINE_SYSCALL(${group ? "exit_group" : "exit"})`, "host exit", (_, v) => args(v))];
  return [
    s.at("exit"),
    s.call(
      group ? "ocall_exit(exit_group)" : "ocall_exit()",
      "sgx_ocall",
      (_, v) => ({ code: "ocall_exit", args: args(v), result: 0 }),
      "ocall.enter",
    ),
    s.jump("exit", "interrupted: exit again"),
  ];
};

interface DkExit extends Omit<DkLocals, keyof Exit>, Exit {
  /** The memory this frame is in is given back. */
  freed: boolean;
}

/** Locals of DkThreadExit and DkProcessExit. */
export const dkExitArgs = (given: Partial<Exit> = {}): DkExit => ({ ...dkArgs(), ...exitArgs(given), freed: false }) as DkExit;

/** The PAL ends the thread for a reason of its own, which no LibOS hears of. */
export const palGivesUp = (status: number): DkExit => dkExitArgs({ status, how: 2, why: WHY.PAL });

/** DkThreadExit never leaves: nothing pended is delivered any more. On Linux a signal may still come, to a thread without a stack (3.5). */
const threadExit = (pal: PalName): Flow =>
  flow<DkExit>("DkThreadExit", "pal", "2.8, 3.5 linux-thread-exit-window", (s) => [
    s.act("_DkThreadExit(): kill this thread"),
    pal === "linux"
      ? s.act("free the TCB and the stacks", (_, v) => {
          v.freed = true;
        })
      : null,
    ...leaveForGood(pal, s, false),
  ]);

const processExit = (pal: PalName): Flow => flow<DkExit>("DkProcessExit", "pal", "2.16", (s) => leaveForGood(pal, s, true));

/** New thread or process: the host call only makes it; how it boots is the stack's business. */
const create = (pal: PalName, name: "DkThreadCreate" | "DkProcessCreate", host: "clone" | "fork"): Flow =>
  flow<DkLocals & { program: string; start: string; internal: boolean }>(name, "pal", "2.1, 2.19", (s) => [
    enter(s),
    pal === "linux" ? s.call("malloc the handle", "pal_malloc") : null,
    bottom(pal, s, {
      name,
      host,
      args: (_, v) => ({ ...callArgs(), program: v.program as string, start: v.start as string, internal: v.internal as boolean }),
    }),
    s.act("handle of the new one", (c, v) => {
      v.ret = Math.max(0, c.t.rax);
    }),
    leave(pal, s),
    done(s),
  ]);

export const palCalls = (pal: PalName): Flow[] => [
  ...[...CALLS, eventSet(pal)].map((dk) => palCall(pal, dk)),
  delay(pal),
  time(pal),
  ...(pal === "linux" ? [vdso] : []),
  threadExit(pal),
  processExit(pal),
  create(pal, "DkThreadCreate", "clone"),
  create(pal, "DkProcessCreate", "fork"),
];

/** Host calls that PAL calls reach through an ocall. */
export const OCALLS = [
  "read",
  "write",
  "accept",
  "call",
  "wait-any",
  "futex-wake",
  "sched_yield",
  "tgkill",
  "nanosleep",
  "clock_gettime",
  "exit",
  "clone",
  "fork",
] as const;

export const ocallFlow = ocallName;
