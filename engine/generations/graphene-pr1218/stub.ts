/**
 * The stub around every system call (syscallas.S at 32a89d1d2), on a stack of its own. Registers and return address are in shim_regs there
 * (tcb.context.regs): whoever changes them decides where the call returns to. Here they are the frames below the stub's.
 */

import { LIBC, SHIM, type Shim } from "../../app/flows.ts";
import { counter, debugCall, debugResult, returned } from "../../app/syscalls.ts";
import { E } from "../../errno.ts";
import type { CallLocals } from "../../host/calls.ts";
import { SHIM_DO } from "../../libos/flows.ts";
import type { Declares, Ref } from "../../ref.ts";
import { SYSCALL_NAMES, SYSCALLS, type SyscallName } from "../../syscalls.ts";
import { PR, STUBS } from "../graphene-pr347/flows.ts";
import { handleSysret } from "../graphene-pr347/stub.ts";
import { type Cpu, type Flow, flow, type Mark, type Step, type Steps } from "./flow.ts";
import { PR1218 } from "./flows.ts";
import { EXIT, leaveStub } from "./rip.ts";

/** What the stub keeps. */
interface Stub {
  /** What the call has returned: the application's RAX, or that of the frame that a handler returns to. */
  result: number;
}

const entry = <V>(s: Steps<V>): Step => s.act("syscalldb: RSP := the thread's syscall stack, shim_regs");

/** Test and clear. */
function takeBit(c: Cpu): boolean {
  const isSet = c.t.libos.sigpending;
  c.t.libos.sigpending = false;
  c.value = isSet ? 1 : 0;
  return isSet;
}

/** The function has returned. */
function keepResult(c: Cpu, v: Stub): void {
  v.result = c.t.rax;
  c.value = v.result;
}

/** After each signal, and after a look in vain, it looks again. `kind`: of the row in which the call ends. */
const exit = <V extends Stub>(s: Steps<V>, kind: "libos.syscall.exit" | "return"): (Step | Mark)[] => [
  s.at(EXIT.begin),
  s.test("CHECK_SIGNAL_PENDING_BIT; jc .Ldeliver_signal", takeBit, EXIT.deliver),
  s.act("pop the registers, RSP, tcb.context.regs := NULL", leaveStub),
  s.at(EXIT.jump),
  s.ret(
    "jmp *tcb.tmp_rip",
    (c, v) => {
      c.value = v.result;
      c.extra = kind === "return" ? 0 : c.t.libos.palErrno;
    },
    kind,
  ),
  s.at(EXIT.deliver),
  s.call("deliver_signal_on_sysret(rax)", PR.deliver_signal_on_sysret, (c) => ({ ret: c.t.rax })),
  s.jump(EXIT.begin, "__syscallas_return_begin"),
];

const called = <V extends Stub>(s: Steps<V>, number: number, call: Step, kind: Parameters<typeof exit>[1]): (Step | Mark)[] => [
  entry(s),
  s.act("tcb.context.regs := shim_regs", (c) => {
    c.t.libos.syscallNr = number;
    c.t.libos.regs = true;
    c.value = number;
  }),
  call,
  s.act("jmp __syscallas_return_begin", keepResult),
  ...exit(s, kind),
];

const stub = (name: SyscallName): Flow =>
  flow<Shim<CallLocals> & Stub>(STUBS[name] as Declares<object>, "libos", "pr1218 6", (s) => [
    s.own({ result: 0 }),
    ...called(
      s,
      SYSCALLS[name],
      s.call(`shim_${name}()`, SHIM[name] as unknown as Ref<Shim<CallLocals>>, (c, v) => ({
        args: v.args,
        entry: counter(c),
        ret: 0,
      })),
      "libos.syscall.exit",
    ),
  ]);

/** rt_sigreturn's number. */
const SIGRETURN = 15;

const sigreturnStub = flow<Stub>(PR["syscalldb (rt_sigreturn)"], "libos", "pr1218 6, 7", (s) => [
  s.own({ result: 0 }),
  ...called(s, SIGRETURN, s.call("shim_rt_sigreturn()", PR.shim_rt_sigreturn), "return"),
]);

/** A number without a function gets the same exit, and no tcb.context.regs: what it delivers is written through NULL. */
const undefinedStub = flow<Stub>(PR1218["syscalldb (isundef)"], "libos", "pr1218 6", (s) => [
  s.own({ result: 0 }),
  entry(s),
  s.jump(EXIT.end, "shim_table[rax] is NULL: isundef"),
  ...exit(s, "return"),
  s.at(EXIT.end),
  s.act("rax := -38", (c, v) => {
    c.t.rax = E.NOSYS;
    keepResult(c, v);
  }),
  s.jump(EXIT.begin, "jmp __syscallas_return_begin"),
]);

const undefinedCall = flow(LIBC.undefined, "app", "pr1218 6", (s) => [
  s.call("syscalldb(): no function of that number", PR1218["syscalldb (isundef)"]),
  s.ret("back in the application", returned, "app.return"),
]);

/** BEGIN_SHIM and END_SHIM. Their assertion about preempt is only there in a debug build. */
const shim = (name: SyscallName, debug: boolean): Flow =>
  flow<Shim<CallLocals>>(SHIM[name] as Declares<object>, "libos", "pr1218 5", (s) => [
    debugCall(s, name, debug),
    s.call(`shim_do_${name}()`, SHIM_DO[name] as unknown as Ref<object>, (_, v) => v.args),
    ...endShim(s),
    debugResult(s, debug),
    s.ret("return", (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
    }),
  ]);

const endShim = <V extends { ret: number }>(s: Steps<V>): Step[] => [
  s.act("END_SHIM", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.call("handle_sysret_signal()", PR.handle_sysret_signal),
];

const sigreturnShim = flow<{ ret: number }>(PR.shim_rt_sigreturn, "libos", "pr1218 5, 7", (s) => [
  s.own({ ret: 0 }),
  s.call("shim_do_sigreturn()", PR.shim_do_sigreturn),
  ...endShim(s),
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

export const stubFlows = (debug: boolean): Flow[] => [
  ...SYSCALL_NAMES.flatMap((name) => [stub(name), shim(name, debug)]),
  sigreturnStub,
  sigreturnShim,
  undefinedStub,
  undefinedCall,
  handleSysret("SHIM_FLAG_MAY_DELIVER_SIGNAL"),
];
