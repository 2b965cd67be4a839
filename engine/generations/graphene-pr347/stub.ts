/**
 * The stub around every system call (pr347.md c3 to c5; syscallas.S at 54d9f053c). Its exit looks for signals after everything else, and goes on
 * at a handler when it finds one: there the LibOS is left, and the call has returned when the handler has.
 */

import { SHIM, type Shim } from "../../app/flows.ts";
import { assertPreempt, counter, debugCall, debugResult } from "../../app/syscalls.ts";
import type { Flow, Mark, Step } from "../../flow.ts";
import type { CallLocals } from "../../host/calls.ts";
import { SHIM_DO } from "../../libos/flows.ts";
import type { Declares, Ref } from "../../ref.ts";
import { SYSCALL_NAMES, SYSCALLS, type SyscallName } from "../../syscalls.ts";
import { flow, type Steps } from "./flow.ts";
import { PR, STUBS } from "./flows.ts";
import { STUB } from "./rip.ts";

/** What the stub's exit needs: the call's result in RAX, the outcome of its test in the flags. */
export interface StubExit {
  ret: number;
  pending: boolean;
}

export interface StubFixes {
  /** It is left when nothing can be delivered. */
  readonly spins: boolean;
}

/** Saves the registers for the LibOS. */
export const isdef = <V extends StubExit>(s: Steps<V>, number: number): (Step | Mark)[] => [
  s.act("syscalldb: pushq, shim_table[rax]"),
  s.at(STUB.isdef),
  s.act("isdef: tcb.context := syscall_nr, sp, ret_ip, regs", (c) => {
    c.t.libos.syscallNr = number;
    c.t.libos.regs = true;
    c.value = number;
  }),
];

/** Clears them, and leaves by `leave`: the return address is the application's, or a handler's. */
export const stubExit = <V extends StubExit>(s: Steps<V>, { spins }: StubFixes, leave: Step): (Step | Mark)[] => [
  s.at("no signal"),
  s.act("CHECK_SIGNAL_PENDING: has_signal against 0", (c, v) => {
    v.ret = c.t.rax;
    v.pending = c.t.libos.hasSignal > 0;
    c.value = c.t.libos.hasSignal;
  }),
  s.at(STUB.begin),
  s.test("ja .Lsignal_pending", (_, v) => v.pending, STUB.end),
  s.at("leave"),
  s.act("CLEAR_SAVED_AREA_IN_SHIM_TLS", (c) => {
    c.t.libos.syscallNr = 0;
    c.t.libos.regs = false;
  }),
  leave,
  s.at(STUB.end),
  s.call("deliver_signal_on_sysret(stack, rflags, rax)", PR.deliver_signal_on_sysret, (_, v) => ({ ret: v.ret })),
  s.test("delivered: leave", (c) => c.t.rax === 1, "leave"),
  s.act("not delivered: rax := the result", (c, v) => {
    c.t.rax = v.ret;
  }),
  spins ? s.jump("leave", "jmp .Lret_signal") : s.jump("no signal", "jmp .Lret_nosignal"),
];

const stub = (name: SyscallName, fix: StubFixes): Flow =>
  flow<Shim<CallLocals> & StubExit>(STUBS[name] as Declares<object>, "libos", "pr347 c3 to c5", (s) => [
    s.own({ pending: false }),
    ...isdef(s, SYSCALLS[name]),
    s.call(`shim_${name}()`, SHIM[name] as unknown as Ref<Shim<CallLocals>>, (c, v) => ({
      args: v.args,
      entry: counter(c),
      ret: 0,
    })),
    ...stubExit(
      s,
      fix,
      s.ret(
        "popq; retq",
        (c, v) => {
          c.t.rax = v.ret;
          c.value = v.ret;
          c.extra = c.t.libos.palErrno;
        },
        "libos.syscall.exit",
      ),
    ),
  ]);

/** What BEGIN_SHIM and END_SHIM are now: no handler runs in them. */
const shim = (name: SyscallName, debug: boolean): Flow =>
  flow<Shim<CallLocals>>(SHIM[name] as Declares<object>, "libos", "pr347 c3", (s) => [
    debugCall(s, name, debug),
    s.call(`shim_do_${name}()`, SHIM_DO[name] as unknown as Ref<object>, (_, v) => v.args),
    s.act("END_SHIM", (c, v) => {
      v.ret = c.t.rax;
      c.value = v.ret;
    }),
    ...assertPreempt(s),
    s.call("handle_sysret_signal()", PR.handle_sysret_signal),
    debugResult(s, debug),
    s.ret("return", (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
    }),
  ]);

/** The mask is not looked at. Of the stub's exit nobody reads the bit. */
export const handleSysret = (flag: string): Flow =>
  flow(PR.handle_sysret_signal, "libos", "pr347 c3", (s) => [
    s.act(`clear ${flag}`, (c) => {
      c.t.libos.sigpending = false;
    }),
    s.test("has_signal == 0?", (c) => c.t.libos.hasSignal === 0, "done"),
    s.act(`set ${flag}`, (c) => {
      c.t.libos.sigpending = true;
    }),
    s.at("done"),
    s.ret(),
  ]);

export const stubFlows = (fix: StubFixes, debug: boolean): Flow[] => [
  ...SYSCALL_NAMES.flatMap((name) => [stub(name, fix), shim(name, debug)]),
  handleSysret("SHIM_FLAG_SIGPENDING"),
];
