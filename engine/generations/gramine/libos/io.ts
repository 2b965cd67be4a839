/** What calls on handles share (gramine-today.md 8; libos_open.c, libos_handle.c), and calls that neither wait nor send. */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import { type CallLocals, callArgs } from "../../../host/calls.ts";
import type { ObjectKind } from "../../../object-kinds.ts";
import type { Ref } from "../../../ref.ts";
import { extended } from "../../../state.ts";
import type { SyscallArgs } from "../../../syscalls.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL, type PalCallName } from "../pal/flows.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { HANDLE_MAP_LOCK } from "./names.ts";

export const kindOf = (c: Cpu, object: number): ObjectKind => c.m.objects[object]?.kind ?? "pipe";

/** Arguments of a system call for the PAL call it makes. */
export const palArgs = (v: CallLocals): CallLocals =>
  extended(
    callArgs({
      object: v.object,
      objects: v.object >= 0 ? [v.object] : v.objects,
      bytes: v.bytes,
      takes: v.takes,
      result: v.result,
      timeout: v.timeout,
      interruptible: v.interruptible,
    }),
    { ends: v.ends },
  );

/** A PAL call; its result is in RAX. */
export const pal = <V extends object>(s: Steps<V>, name: PalCallName, args: (c: Cpu, v: V) => CallLocals): Step =>
  s.call(`${name}()`, PAL[name], args, "pal.call.enter");

/** get_fd_handle: under the lock of the table. Then "no handle" has to follow somewhere in the flow. */
export const getHandle = <V extends CallLocals>(s: Steps<V>): (Step | Mark)[] => [
  s.call("get_fd_handle: lock(handle_map.lock)", LIBOS.lock, () => ({ name: HANDLE_MAP_LOCK })),
  s.call("get_fd_handle: unlock(handle_map.lock)", LIBOS.unlock, () => ({ name: HANDLE_MAP_LOCK })),
  s.test("none?", (c, v) => c.m.objects[v.object]?.fd?.what === "none", "no handle"),
];

export const noHandle = <V extends object>(s: Steps<V>): (Step | Mark)[] => [
  s.at("no handle"),
  s.act("-EBADF", (c) => {
    c.t.rax = E.BADF;
  }),
  answer(s),
];

/** -EINTR of a call that may be made again. */
export const restartable = <V extends object>(s: Steps<V>, code: (c: Cpu, v: V) => number = () => LIBOS_RESTART.SYS): Step =>
  s.act("pal_to_unix_errno; -EINTR becomes a restart code", (c, v) => {
    const result = palToUnix(c.t.rax);
    c.t.rax = result === E.INTR ? code(c, v) : result;
    c.value = c.t.rax;
  });

/** What the LibOS asks of the PAL for a call that the emulation does not look into; of others one that opens something. A log names the call: "constructor" is a name like any other. */
const OPAQUE: ReadonlyMap<string, PalCallName> = new Map([
  ["connect", "PalSocketConnect"],
  ["pipe", "PalStreamOpen (pipe)"],
  ["pipe2", "PalStreamOpen (pipe)"],
  ["socketpair", "PalStreamOpen (pipe)"],
  ["shutdown", "PalStreamDelete"],
  ["fsync", "PalStreamFlush"],
  ["fdatasync", "PalStreamFlush"],
  ["pread64", "PalStreamRead (file)"],
  ["pwrite64", "PalStreamRead (file)"],
  ["sendfile", "PalStreamRead (file)"],
  ...["write", "writev", "sendto", "sendmsg", "sendmmsg"].map((name): [string, PalCallName] => [name, "PalStreamWrite (any)"]),
]);
/** Their -EINTR stays one, whether or not a handler runs (corrections 8.M4; N8. libos_pipe.c:37-43). */
const NEVER_AGAIN: ReadonlySet<string> = new Set(["pread64", "pwrite64", "sendfile", "pipe", "pipe2"]);

/** ns from which fcntl must have waited: of its commands F_SETLKW alone does. A log says of the others that no signal ends them. */
const LOCK_WAIT_NS = 1e6;

const waitsForLock = ({ what, takes, interruptible }: SyscallArgs<"call">): boolean =>
  what === "fcntl" && takes >= LOCK_WAIT_NS && interruptible;

/** -EINTR is what came of the call at last: a host that says so each time would be asked for ever (4.2.6). */
const answered = (v: CallLocals): CallLocals => ({ ...palArgs(v), ...(v.result === E.INTR ? { result: 0 } : {}) });

const belowOf = (v: SyscallArgs<"call">): Ref<CallLocals> =>
  waitsForLock(v) ? LIBOS.file_lock_set : PAL[OPAQUE.get(v.what) ?? "PalStreamOpen"];

/** A lock that somebody else has: event_wait_with_retry, which no signal ends (corrections 1.M1; fs/libos_fs_lock.c). */
const fileLock = flow(LIBOS.file_lock_set, "libos", "corrections 1.M1", (s) => [
  s.at("again"),
  pal(s, "PalEventWait (lock of a file)", (_, v) => v),
  s.test("interrupted? again", (c) => palToUnix(c.t.rax) === E.INTR, "again"),
  s.ret(),
]);

/** One call of the PAL, of the given length. */
const opaque = flow(SYSCALL_FLOWS.call, "libos", "8", (s) => [
  s.callDynamic("one PAL call", (c, v) => enter(c.program, belowOf(v), answered(v)), "pal.call.enter"),
  // The outside world's answer may be any number: the PAL only says whether the call was cut short.
  s.act("its result; -EINTR becomes a restart code", (c, v) => {
    const cut = palToUnix(c.t.rax) === E.INTR && v.result !== E.INTR;
    c.t.rax = cut ? (NEVER_AGAIN.has(v.what) ? E.INTR : LIBOS_RESTART.SYS) : v.result;
    c.value = c.t.rax;
  }),
  answer(s),
]);

/** A call that is given a pointer: the LibOS looks whether it knows the memory (libos.check_invalid_pointers). */
const probe = flow(SYSCALL_FLOWS.probe, "libos", "12", (s) => [
  s.act("is_user_memory_readable: 0 or -EFAULT", (c, v) => {
    c.t.rax = v.valid ? 0 : E.FAULT;
    c.value = c.t.rax;
  }),
  answer(s),
]);

const yielding = flow(SYSCALL_FLOWS.sched_yield, "libos", "8", (s) => [
  pal(s, "PalThreadYieldExecution", () => callArgs()),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
]);

const gettime = flow(SYSCALL_FLOWS.gettimeofday, "libos", "9", (s) => [
  s.call("PalSystemTimeQuery()", PAL.PalSystemTimeQuery, () => ({}), "pal.call.enter"),
  s.act("0; the time is written", (c) => {
    c.value = c.t.rax;
    c.t.rax = 0;
  }),
  answer(s),
]);

const getpid = flow(SYSCALL_FLOWS.getpid, "libos", "7", (s) => [
  s.act("g_process.pid", (c) => {
    c.t.rax = c.process(c.t).pid;
  }),
  answer(s),
]);

export const ioFlows: readonly Flow[] = [opaque, fileLock, probe, yielding, gettime, getpid];
