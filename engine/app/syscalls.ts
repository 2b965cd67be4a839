/**
 * The system calls an application can make: one list for both kinds of stack. `libc NAME` is what the application calls; below it
 * is the kernel (native-linux) or the LibOS (shim_NAME around shim_do_NAME with BEGIN_SHIM and END_SHIM, reference 2.13).
 */

import { copyOfLocals } from "../control.ts";
import { type Cpu, running, topFrame } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow, type Mark, type Step } from "../flow.ts";
import { type Cpu as GrapheneCpu, type Steps as GrapheneSteps, flow as grapheneFlow } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { KERNEL, type KernelLocals, type KernelName } from "../host/flows.ts";
import { LIBOS, SHIM_DO } from "../libos/flows.ts";
import type { Declares, Ref } from "../ref.ts";
import { SYSCALLS, type SyscallName } from "../syscalls.ts";
import { type Arguments, type Entry, LIBC, type LibcName, SHIM, type Shim } from "./flows.ts";
import { leaveCall } from "./pins.ts";

export const returned = (c: Cpu): void => {
  c.value = c.t.rax;
  const stack = running(c.t);
  const caller = stack[stack.length - 2];
  if (caller && "result" in caller.v) caller.v.result = c.t.rax;
  leaveCall(c);
};

/** Above the kernel: `args` turns the call's arguments into the kernel's. */
export const nativeCall = <N extends LibcName, K extends KernelName>(
  name: N,
  kernel: K,
  args: (c: Cpu, v: Arguments<(typeof LIBC)[N]>) => KernelLocals<K>,
): Flow =>
  flow<Arguments<(typeof LIBC)[N]>>(LIBC[name] as Declares<Arguments<(typeof LIBC)[N]>>, "app", "1.2", ({ call, ret }) => [
    call(`syscall ${name}`, KERNEL[kernel] as unknown as Ref<object>, args),
    ret("back in the application", returned, "app.return"),
  ]);

const DELAYED_BIT = 0x8000_0000;
/** preempt, as BEGIN_SHIM notes it. */
export const counter = (c: GrapheneCpu): number => c.t.libos.preempt + (c.t.libos.delayed ? DELAYED_BIT : 0);

/** Calls that may last: with debugging on a line is printed before they begin (shim_parser.c, `slow`). */
const SLOW: ReadonlySet<SyscallName> = new Set([
  "read",
  "write",
  "poll",
  "ioctl",
  "pause",
  "nanosleep",
  "accept",
  "clone",
  "fork",
  "vfork",
  "execve",
  "wait4",
  "semop",
  "msgrcv",
  "sigsuspend",
  "futex_wait",
  "futex_wake",
  "epoll_wait",
] satisfies SyscallName[]);

/** Locals of a shim, as its call's row says them. */
export function shimArgs<A extends object>(c: GrapheneCpu, args: A): Shim<A> {
  c.value = counter(c);
  return { args, entry: counter(c), ret: 0 };
}

/** What the running function of libc was given, as a value. */
const argsOf = <A extends object>(c: GrapheneCpu): A => copyOfLocals(c.program, topFrame(c.t)) as unknown as A;

/** Above the LibOS. The arguments go through all functions, whichever call it is. */
export const libosCall = (name: SyscallName, entry: Entry): Flow =>
  grapheneFlow<CallLocals>(LIBC[name] as Declares<object>, "app", "2.13", ({ call, at, ret }) => [
    call(
      entry.label(name),
      entry.refs[name] as unknown as Ref<Shim<CallLocals>>,
      (c) => shimArgs(c, argsOf<CallLocals>(c)),
      "libos.syscall.enter",
    ),
    at("back"),
    ret("back in the application", returned, "app.return"),
  ]);

/** With debugging on, what shim_NAME prints at its start, and at its end. Each line is a PAL call outside of it (shim_internal.h:263-267). */
export const debugCall = <V>(s: Pick<GrapheneSteps<V>, "call">, name: SyscallName, debug: boolean): Step | null =>
  debug && SLOW.has(name) ? s.call("debug: the call and its arguments", LIBOS.debug_printf) : null;
export const debugResult = <V>(s: Pick<GrapheneSteps<V>, "call">, debug: boolean): Step | null =>
  debug ? s.call("debug: the result", LIBOS.debug_printf) : null;

/** The counter is what it was at the call, or it is the end of the process. */
export const assertPreempt = <V extends { entry: number }>({ act, test, call, at }: GrapheneSteps<V>): (Step | Mark)[] => [
  test("assert(preempt == value at entry)", (c, v) => counter(c) === v.entry, "ok"),
  act(
    "assert failed: preempt",
    (c, v) => {
      c.value = counter(c);
      c.extra = v.entry;
    },
    "libos.assert",
  ),
  call("__abort()", LIBOS.__abort),
  at("ok"),
];

/** `debug`: the manifest has debug_type. */
export const shimCall = (name: SyscallName, debug: boolean): Flow => {
  const number = SYSCALLS[name];
  return grapheneFlow<Shim<CallLocals>>(SHIM[name] as Declares<object>, "libos", "2.13", (s) => [
    s.act("BEGIN_SHIM: syscall_nr, user registers", (c) => {
      c.t.libos.syscallNr = number;
      c.value = number;
    }),
    debugCall(s, name, debug),
    s.call(`shim_do_${name}()`, SHIM_DO[name] as unknown as Ref<object>, (_, v) => v.args),
    s.act("END_SHIM", (c, v) => {
      v.ret = c.t.rax;
      c.value = v.ret;
    }),
    s.call("handle_signal(false)", LIBOS.handle_signal, () => ({ delayedOnly: false })),
    ...assertPreempt(s),
    debugResult(s, debug),
    s.ret(
      "return",
      (c, v) => {
        c.t.libos.syscallNr = 0;
        c.t.rax = v.ret;
        c.value = v.ret;
        c.extra = c.t.libos.palErrno;
      },
      "libos.syscall.exit",
    ),
  ]);
};

/** Above the LibOS, of a number without a function. */
export const undefinedCall: Flow = flow(LIBC.undefined, "app", "2.15, errata A2", (s) => [
  s.act("syscalldb: no function of that number: -38", (_, v) => {
    v.ret = E.NOSYS;
  }),
  s.ret(
    "back in the application",
    (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
      leaveCall(c);
    },
    "app.return",
  ),
]);
