/**
 * PAL calls (Dk* functions), the same on both PALs but for their bottom: a system call on Linux, an ocall under SGX, and for
 * LEAVE_PAL_CALL, which on Linux delivers what was pended (reference, 1.1, 1.5, 2.8).
 */

import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import { type CallLocals, callArgs, type Exit, exitArgs, NO_OBJECTS } from "../host/calls.ts";
import { KERNEL, sending } from "../host/flows.ts";
import { SIG } from "../signals.ts";
import { extended, type Word } from "../state.ts";
import { NEVER } from "../time.ts";
import { WHY } from "../transition.ts";
import { bottom, done, enter, failed, leave, ocall, type PalLocals, type PalName } from "./call-parts.ts";
import { PAL_ERROR, unixToPal } from "./events.ts";
import { DK, type DkName, dkCreate, dkExit, palMalloc, vdsoClockGettime } from "./flows.ts";
import type { HostName } from "./host-calls.ts";
import { syncCalls } from "./sync-calls.ts";

/** Locals of a Dk* function. */
export interface DkLocals extends PalLocals, Pick<CallLocals, "object" | "objects" | "bytes" | "takes" | "result" | "timeout"> {
  /** ns at which it was entered. */
  began: number;
  /** Thread it is about. */
  target: number;
}

type Given = Partial<Pick<DkLocals, "object" | "objects" | "bytes" | "takes" | "result" | "timeout" | "target">>;

const NOTHING: Given = {};

export const dkArgs = (given: Given = NOTHING): DkLocals => ({
  object: given.object ?? -1,
  objects: given.objects ?? NO_OBJECTS,
  bytes: given.bytes ?? 0,
  takes: given.takes ?? -1,
  result: given.result ?? 0,
  timeout: given.timeout ?? NEVER,
  ret: 0,
  magic: false,
  raised: 0,
  began: 0,
  target: given.target ?? -1,
});

type Plain = Exclude<HostName, "setsockopt" | "nanosleep" | "tgkill" | "clone" | "fork" | "exit">;

interface Dk {
  readonly name: DkName;
  /** Host call at the bottom; null when it needs none. */
  readonly host: Plain | null;
  readonly args?: (c: Cpu, v: DkLocals) => CallLocals;
  /** Result and error (0 = none) from what the bottom said, a negative PAL error or a result; default: an error's result is 0. */
  readonly result?: Result;
}

/** DkSystemTimeQuery counts microseconds from here, so that 0 can only be a failure. */
export const CLOCK_BASE_US = 1_600_000_000_000_000;

type Result = (c: Cpu, v: DkLocals, host: number) => { ret: number; error: number };

const plain: Result = (_, __, host) => (host < 0 ? { ret: 0, error: -host } : { ret: host, error: 0 });

/** 0 bytes is the end of the stream, an error for the PAL. */
const stream: Result = (c, v, host) => (host === 0 ? { ret: 0, error: PAL_ERROR.ENDOFSTREAM } : plain(c, v, host));

/** Success is 1, so that 0 stays the failure. */
const truth: Result = (c, v, host) => (host < 0 ? plain(c, v, host) : { ret: 1, error: 0 });

const io = (_: Cpu, v: DkLocals): CallLocals => callArgs(v);

const client = (_: Cpu, v: DkLocals): CallLocals => callArgs({ object: v.object, takes: v.takes, result: v.result || 1 });

/** accept on a named pipe: Linux knows "try again" and "aborted" there, all else is denied, EINTR too (Linux/db_pipes.c:125-133). */
const pipeClient = (pal: PalName): Result => {
  if (pal === "sgx") return truth;
  const known: readonly number[] = [PAL_ERROR.TRYAGAIN, PAL_ERROR.CONNFAILED];
  return (c, v, host) => truth(c, v, host >= 0 || known.includes(-host) ? host : -PAL_ERROR.DENIED);
};

const calls = (pal: PalName): readonly Dk[] => [
  { name: "DkStreamRead", host: "pipe-read", result: stream },
  { name: "DkStreamRead (device)", host: "read" },
  { name: "DkStreamWrite", host: "pipe-write" },
  { name: "DkStreamWrite (tcp)", host: "send" },
  { name: "DkStreamWrite (device)", host: "write" },
  { name: "DkStreamWrite (file)", host: "write-file" },
  { name: "DkStreamWaitForClient", host: "accept", args: client, result: truth },
  { name: "DkStreamWaitForClient (pipe)", host: "accept", args: client, result: pipeClient(pal) },
  { name: "DkObjectClose", host: "close", result: truth },
  { name: "DkObjectClose (event)", host: null },
  { name: "DkObjectClose (mutex)", host: null },
  // For a pipe it sets O_NONBLOCK, which nobody changes here (db_pipes.c:547).
  { name: "DkStreamAttributesSetbyHandle (pipe)", host: null },
  { name: "DkStreamGetName", host: null },
  { name: "DkMutexCreate", host: null },
  { name: "DkNotificationEventCreate", host: null },
  { name: "DkSegmentRegister", host: null },
  // The process is there already: execve of a vforked child.
  { name: "DkProcessCreate (made)", host: null },
  { name: "DkStreamDelete", host: null },
  { name: "DkVirtualMemoryAlloc", host: null },
  { name: "DkVirtualMemoryFree", host: null },
  // The outside world's answer may be any number: the LibOS keeps it, the PAL only says whether the call was done. A look-up that finds
  // nothing leaves its error behind, as most programs have it many times before main.
  {
    name: "DkStreamOpen",
    host: "call",
    result: (_, __, host) =>
      host === -PAL_ERROR.INTERRUPTED || host === -PAL_ERROR.STREAMNOTEXIST ? { ret: 0, error: -host } : { ret: 1, error: 0 },
  },
  { name: "DkObjectsWaitAny", host: "wait-any" },
  { name: "DkThreadYieldExecution", host: "sched_yield", result: () => ({ ret: 1, error: 0 }) },
];

/** Whatever goes wrong, it is DENIED (Pal/src/db_threading.c:95). */
const resume = (pal: PalName): Flow =>
  resultOf(
    pal,
    "DkThreadResume",
    (s) => bottom(pal, s, "tgkill", (_, v) => extended(sending([v.target], SIG.CONT), { wakeUp: true })),
    (_, __, host) => (host < 0 ? { ret: 0, error: PAL_ERROR.DENIED } : { ret: 1, error: 0 }),
  );

function palCall(pal: PalName, { name, host, args = io, result = plain }: Dk): Flow {
  if (host === null) return silentCall(pal, name);
  return resultOf(pal, name, (s) => bottom(pal, s, host, args), result);
}

/** A call that hands up what its bottom said. */
const resultOf = (pal: PalName, name: DkName, below: (s: Steps<DkLocals>) => Step, convert: Result): Flow =>
  flow(DK[name], "pal", "1.1, 2.8", (s) => [
    enter(s),
    below(s),
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
    leave(pal, s),
    done(s),
  ]);

/** One that needs nothing of the host, or a call that neither waits nor fails (mmap, arch_prctl, shutdown): that is left out. */
const silentCall = (pal: PalName, name: DkName): Flow =>
  flow(DK[name], "pal", "1.1", (s) => [
    enter(s),
    s.act("do it", (_, v) => {
      v.ret = 1;
    }),
    leave(pal, s),
    done(s),
  ]);

/** There is no driver for it on a Linux host, and no such thing in an enclave (Linux/db_ipc.c:86, Linux-SGX/db_ipc.c:55). */
const memoryChannel = (pal: PalName): Flow =>
  flow(DK.DkCreatePhysicalMemoryChannel, "pal", "1.1", (s) => [
    enter(s),
    s.act(pal === "linux" ? "open(/dev/gipc): there is no driver" : "not implemented", (_, v) => {
      v.raised = pal === "linux" ? PAL_ERROR.DENIED : PAL_ERROR.NOTIMPLEMENTED;
    }),
    failed(s),
    leave(pal, s),
    done(s),
  ]);

/** What DkStreamAttributesQuerybyHandle says: 0 when it failed, else 1 with these added. */
export const READABLE = 2;

/** FIONREAD, and a poll that does not wait (Linux/db_pipes.c:510-545, Linux-SGX/db_pipes.c:333-369). */
const query = (pal: PalName): Flow =>
  flow(DK.DkStreamAttributesQuerybyHandle, "pal", "2.20", (s) => [
    enter(s),
    bottom(pal, s, "fionread", io),
    s.test("failed?", askFailed(pal), "failed"),
    bottom(pal, s, "poll-now", io),
    s.test("failed?", askFailed(pal), "failed"),
    s.act("attr", (c, v) => {
      v.ret = c.t.rax > 0 ? 1 + READABLE : 1;
      c.value = v.ret;
    }),
    s.at("leave"),
    leave(pal, s),
    done(s),
    s.at("failed"),
    failed(s),
    s.jump("leave"),
  ]);

/** Bytes of the int in which it hands the host a time-out (Linux/db_sockets.c:1101-1110, Linux-SGX/db_sockets.c:892-900). */
const INT = 4;

const setTimeout = (pal: PalName): Flow =>
  resultOf(
    pal,
    "DkStreamAttributesSetbyHandle",
    (s) => bottom(pal, s, "setsockopt", (_, v) => extended(callArgs({ object: v.object, bytes: INT }), { receiveTimeout: v.timeout })),
    truth,
  );

const askFailed =
  (pal: PalName) =>
  (c: Cpu, v: DkLocals): boolean => {
    const host = pal === "linux" ? unixToPal(c.t.rax) : c.t.rax;
    v.raised = host < 0 ? -host : 0;
    return host < 0;
  };

/**
 * Linux: elapsed microseconds, also when interrupted. SGX: the whole time asked for; cut off by a signal it returns 0 (2.18, 2.20
 * nanosleep). Any failure is raised as INTERRUPTED (Pal/src/db_threading.c:59).
 */
const delay = (pal: PalName): Flow =>
  flow(DK.DkThreadDelayExecution, "pal", "2.18, 2.20", (s) => [
    began(s),
    bottom(pal, s, "nanosleep", (_, v) => extended(callArgs(v), { rem: false, absolute: false })),
    s.act("elapsed microseconds", (c, v) => {
      const elapsed = Math.floor((c.now - v.began) / 1000);
      const asked = Math.floor(v.timeout / 1000);
      v.raised = c.t.rax === 0 ? 0 : PAL_ERROR.INTERRUPTED;
      v.ret = c.t.rax === 0 || pal === "sgx" ? asked : Math.min(elapsed, asked);
    }),
    s.test("no error?", (_, v) => v.raised === 0, "ok"),
    failed(s),
    s.at("ok"),
    leave(pal, s),
    done(s),
  ]);

const began = (s: Steps<DkLocals>): Step =>
  s.act("ENTER_PAL_CALL: mark the pal_frame", (c, v) => {
    v.magic = true;
    v.began = c.now;
  });

/** Linux asks the vDSO, whose text is not PAL text; there is no LEAVE (D7). SGX: an ocall; interrupted it yields 0. */
const time = (pal: PalName): Flow =>
  flow(DK.DkSystemTimeQuery, "pal", "2.8 (D7), 3.4 sgx-time-query-zero", (s) => [
    enter(s),
    pal === "linux" ? s.call("clock_gettime in the vDSO", vdsoClockGettime) : bottom(pal, s, "clock_gettime", () => callArgs()),
    s.act("microseconds", (c, v) => {
      v.ret = c.t.rax < 0 ? 0 : CLOCK_BASE_US + Math.floor(c.t.rax / 1000);
    }),
    pal === "linux" ? null : leave(pal, s),
    done(s),
  ]);

const vdso = flow(
  vdsoClockGettime,
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
  const args = (_: Cpu, { status, how, why, signal }: Exit): Exit => ({ status, group, how, why, signal });
  if (pal === "linux") return [s.call(`INLINE_SYSCALL(${group ? "exit_group" : "exit"})`, KERNEL.exit, args)];
  return [
    s.at("exit"),
    ocall(s, group ? "ocall_exit(exit_group)" : "ocall_exit()", "exit", args),
    s.jump("exit", "interrupted: exit again"),
  ];
};

/** Locals of DkThreadExit and DkProcessExit. */
export interface DkExit extends Exit {
  /** The memory this frame is in is given back. */
  freed: boolean;
}

export const dkExitArgs = (given: Partial<Exit> = {}): DkExit => extended(exitArgs(given), { freed: false });

/** The PAL ends the thread for a reason of its own, which no LibOS hears of. */
export const palGivesUp = (status: number): DkExit => dkExitArgs({ status, how: 2, why: WHY.PAL });

/** DkThreadExit never leaves: nothing pended is delivered any more. On Linux a signal may still come, to a thread without a stack (3.5). */
const threadExit = (pal: PalName): Flow =>
  flow(dkExit.DkThreadExit, "pal", "2.8, 3.5 linux-thread-exit-window", (s) => [
    s.act("_DkThreadExit(): kill this thread"),
    pal === "linux"
      ? s.act("free the TCB and the stacks", (_, v) => {
          v.freed = true;
        })
      : null,
    ...leaveForGood(pal, s, false),
  ]);

const processExit = (pal: PalName): Flow => flow(dkExit.DkProcessExit, "pal", "2.16", (s) => leaveForGood(pal, s, true));

/** Locals of DkThreadCreate and DkProcessCreate. */
export interface CreateLocals extends PalLocals {
  program: string;
  /** Flow of the thread's first function in the LibOS. */
  start: number;
  internal: boolean;
  cloned: Word;
}

export const createArgs = (given: Partial<Pick<CreateLocals, "program" | "start" | "internal" | "cloned">>): CreateLocals => ({
  program: given.program ?? "",
  start: given.start ?? -1,
  internal: given.internal ?? false,
  cloned: given.cloned ?? null,
  ret: 0,
  magic: false,
  raised: 0,
});

/** New thread or process: the host call only makes it; how it boots is the stack's business. */
const create = (pal: PalName, name: keyof typeof dkCreate, host: "clone" | "fork"): Flow =>
  flow(dkCreate[name], "pal", "2.1, 2.19", (s) => [
    enter(s),
    pal === "linux" ? s.call("malloc the handle", palMalloc) : null,
    bottom(pal, s, host, (_, v) => extended(callArgs(), { program: v.program, start: v.start, internal: v.internal, cloned: v.cloned })),
    s.act("handle of the new one", (c, v) => {
      v.ret = Math.max(0, c.t.rax);
    }),
    leave(pal, s),
    done(s),
  ]);

export const palCalls = (pal: PalName): Flow[] => [
  ...calls(pal).map((dk) => palCall(pal, dk)),
  resume(pal),
  query(pal),
  setTimeout(pal),
  memoryChannel(pal),
  ...syncCalls(pal),
  delay(pal),
  time(pal),
  ...(pal === "linux" ? [vdso] : []),
  threadExit(pal),
  processExit(pal),
  create(pal, "DkThreadCreate", "clone"),
  create(pal, "DkProcessCreate", "fork"),
];
