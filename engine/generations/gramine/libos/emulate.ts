/**
 * System calls of the application: entry, call, tail (gramine-today.md 5; libos_syscalls.c, syscallas.S). `libc NAME` is what the application
 * calls; it stays on its stack while the LibOS works on another one, and a restart makes its system call again.
 */

import { LIBC, restorer } from "../../../app/flows.ts";
import { futexArgs, pthreadJoin } from "../../../app/pthread-join.ts";
import { returned } from "../../../app/syscalls.ts";
import { copyOfLocals, newFrame } from "../../../control.ts";
import { running, topFrame } from "../../../cpu.ts";
import { E, isRestart } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { numberOf } from "../../../frames.ts";
import type { CallLocals } from "../../../host/calls.ts";
import type { Declares } from "../../../ref.ts";
import { extended, type Locals } from "../../../state.ts";
import { type ProgramArgs, SYSCALL_NAMES, SYSCALLS, type SyscallName } from "../../../syscalls.ts";
import { KIND } from "../../../transition.ts";
import { contextAt, jumpTo, SYSCALL } from "../context.ts";
import { type Cpu, flow } from "../flow.ts";
import { type Emulated, LIBOS, rtSigreturn, SYSCALL_FLOWS } from "./flows.ts";
import { setMask } from "./mask.ts";
import { MAKE_FILES, MISSING_CALLS } from "./missing.ts";
import { threadLock } from "./names.ts";

/** rt_sigreturn, for the row. */
const RT_SIGRETURN = 15;

/** Registers of an application that makes a system call. */
const emulated = (c: Cpu, nr: number, callee: number, args: Locals): Emulated =>
  extended(contextAt(c, running(c.t).length), { nr, callee, args });

/** The outside world goes on while a call is made again: its answer comes when it would have come. */
function worldGoesOn(c: Cpu, v: CallLocals): void {
  if (v.takes > 0 && v.ends < 0) v.ends = c.now + v.takes;
}

const libcCall = (name: SyscallName): Flow => {
  const number = SYSCALLS[name];
  const callee = SYSCALL_FLOWS[name] as Declares<object> as never;
  return flow<CallLocals>(LIBC[name] as Declares<object>, "app", "5", (s) => [
    s.at(SYSCALL),
    s.call(
      "syscall: libos_syscall_entry()",
      LIBOS.libos_emulate_syscall,
      (c, v) => {
        worldGoesOn(c, v);
        return emulated(c, number, numberOf(c.program, callee), copyOfLocals(c.program, topFrame(c.t)));
      },
      "libos.syscall.enter",
    ),
    s.ret("back in the application", returned, "app.return"),
  ]);
};

/** A number without a function: the tail is made all the same, without a restart. */
const undefinedCall = flow<CallLocals>(LIBC.undefined, "app", "5, corrections 5.12", (s) => [
  s.at(SYSCALL),
  s.call("syscall: libos_syscall_entry()", LIBOS.libos_emulate_syscall, (c) => emulated(c, -1, -1, {}), "libos.syscall.enter"),
  s.ret("back in the application", returned, "app.return"),
]);

/** The same of a call that a scenario has an operation for. */
const missingCall = (name: SyscallName): Flow =>
  flow<CallLocals>(LIBC[name] as Declares<object>, "app", "5, 6", (s) => [
    s.at(SYSCALL),
    s.call(
      "syscall: libos_syscall_entry()",
      LIBOS.libos_emulate_syscall,
      (c, v) => {
        const object = c.m.objects[v.object];
        if (object && MAKE_FILES.has(name)) object.fd = { what: "none" };
        return emulated(c, -1, -1, {});
      },
      "libos.syscall.enter",
    ),
    s.ret("back in the application", returned, "app.return"),
  ]);

/** glibc: clone with CLONE_VM and CLONE_VFORK. */
const posixSpawn = flow<ProgramArgs>(LIBC.posix_spawn, "app", "7.5", (s) => [
  s.at(SYSCALL),
  s.call(
    "clone(CLONE_VM|CLONE_VFORK): libos_syscall_entry()",
    LIBOS.libos_emulate_syscall,
    (c) =>
      emulated(
        c,
        SYSCALLS.clone,
        numberOf(c.program, SYSCALL_FLOWS.clone),
        extended(copyOfLocals(c.program, topFrame(c.t)), { vfork: true }),
      ),
    "libos.syscall.enter",
  ),
  s.ret("back in the application", returned, "app.return"),
]);

/** The call that pthread_join waits with; a restart makes it again. */
const join = pthreadJoin({
  flow,
  futex: (s) => [
    s.at(SYSCALL),
    s.call(
      "futex(FUTEX_WAIT, tid): libos_syscall_entry()",
      LIBOS.libos_emulate_syscall,
      (c, v) => emulated(c, SYSCALLS.futex_wait, numberOf(c.program, SYSCALL_FLOWS.futex_wait), futexArgs(v) as unknown as Locals),
      "libos.syscall.enter",
    ),
  ],
});

/** What the handler returns to. */
const sigreturn = flow(restorer, "app", "5", (s) => [
  s.call(
    "rt_sigreturn: libos_syscall_entry()",
    LIBOS.libos_emulate_syscall,
    (c) => emulated(c, RT_SIGRETURN, numberOf(c.program, rtSigreturn), {}),
    "libos.syscall.enter",
  ),
]);

interface Tail extends Emulated {
  ret: number;
}

/** T1 to T6. From T2 on a signal that comes waits for the next event (residual 2 of libos_internal.h:137-143). */
const emulate = flow<Tail>(LIBOS.libos_emulate_syscall, "libos", "5", (s) => [
  s.own({ ret: E.NOSYS }),
  s.test("tcb.context.regs := context; no function of that number?", (_, v) => v.callee < 0, "out"),
  s.act("tcb.context.syscall_nr := number", (c, v) => {
    c.t.libos.syscallNr = v.nr;
    c.value = v.nr;
  }),
  s.callDynamic("libos_syscall_table[number](arguments)", (c, v) => newFrame(c.program, v.callee, v.args)),
  s.act("ret = what it returned", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.at("out"),
  s.act("context.rax := ret", (c, v) => {
    v.rax = v.ret;
    c.value = v.ret;
  }),
  s.call("handle_signal(context)", LIBOS.handle_signal),
  s.test(
    "a handler was set up, not in a system call, or no restart code?",
    (c, v) => c.t.rax === 1 || c.t.libos.syscallNr < 0 || !isRestart(v.ret),
    "mask",
  ),
  s.act(
    "restart_syscall: context.rip := libos_syscall_entry",
    (c, v) => {
      v.restart = true;
      c.value = v.ret;
    },
    "libos.restart",
  ),
  s.at("mask"),
  s.test("no saved_sigmask?", (c) => c.t.libos.savedMask === null, "leave"),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act(
    "signal_mask := saved_sigmask",
    (c) => {
      if (c.t.libos.savedMask) setMask(c, c.t, c.t.libos.savedMask);
    },
    "libos.mask",
  ),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.act("has_saved_sigmask := false", (c) => {
    c.t.libos.savedMask = null;
  }),
  s.at("leave"),
  s.act("tcb.context.syscall_nr := -1, regs := NULL", (c) => {
    c.t.libos.syscallNr = -1;
  }),
  s.act(
    "return_from_syscall(context)",
    (c, v) => {
      c.row(KIND["libos.syscall.exit"], v.rax, 0);
      jumpTo(c, v);
    },
    "libos.syscall.exit",
  ),
]);

/** Of calls that the LibOS has a function for. */
export const emulateFlows = (names: readonly SyscallName[]): Flow[] => [
  ...SYSCALL_NAMES.filter((name) => names.includes(name)).map(libcCall),
  ...MISSING_CALLS.map(missingCall),
  undefinedCall,
  join,
  posixSpawn,
  sigreturn,
  emulate,
];
