/**
 * The system calls an application can make: one list for both kinds of stack. `libc NAME` is what the application calls; below it
 * is the kernel (native-linux) or the LibOS (shim_NAME around shim_do_NAME with BEGIN_SHIM and END_SHIM, reference 2.13).
 */

import { type Cpu, running } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import { type Cpu as GrapheneCpu, flow as grapheneFlow } from "../generations/graphene-2019/flow.ts";
import { LIBOS } from "../libos/flows.ts";
import type { Locals } from "../state.ts";
import { copyOf } from "../state.ts";
import { leaveCall } from "./pins.ts";

/** Name -> number. 0 is read: the LibOS takes it for "not in a system call" (3.2 read-not-seen-as-syscall). */
export const SYSCALLS = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  sigaction: 13,
  sigprocmask: 14,
  ioctl: 16,
  sched_yield: 24,
  pause: 34,
  nanosleep: 35,
  alarm: 37,
  setitimer: 38,
  getpid: 39,
  accept: 43,
  clone: 56,
  fork: 57,
  vfork: 58,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  semop: 65,
  msgrcv: 70,
  gettimeofday: 96,
  sigpending: 127,
  sigsuspend: 130,
  sigaltstack: 131,
  futex_wait: 202,
  futex_wake: 1202,
  exit_group: 231,
  epoll_wait: 232,
  tgkill: 234,
  select: 23,
  getitimer: 36,
  setpgid: 109,
  setsid: 112,
  getpgid: 121,
  rt_sigtimedwait: 128,
  rt_sigqueueinfo: 129,
  timer_create: 222,
  timer_settime: 223,
  timer_delete: 226,
  clock_nanosleep: 230,
  waitid: 247,
  timerfd_create: 283,
  timerfd_settime: 286,
  signalfd: 289,
  eventfd: 290,
  probe: 1001,
  call: 1000,
  /** Any call that the base revision answers with -ENOSYS (libos/unimplemented.ts). */
  unimplemented: 1002,
} as const;

export type SyscallName = keyof typeof SYSCALLS;
export const SYSCALL_NAMES = Object.keys(SYSCALLS) as SyscallName[];

export const returned = (c: Cpu): void => {
  c.value = c.t.rax;
  const stack = running(c.t);
  const caller = stack[stack.length - 2];
  if (caller && "result" in caller.v) caller.v.result = c.t.rax;
  leaveCall(c);
};

/** Above the kernel: `args` turns the call's locals into the kernel's. */
export const nativeCall = (
  name: SyscallName | "undefined" | "posix_spawn",
  host: string,
  args: (c: Cpu, v: Locals) => Locals = (_, v) => copyOf(v),
): Flow =>
  flow(`libc ${name}`, "app", "1.2", ({ call, ret }) => [
    call(`syscall ${name}`, `host ${host}`, args),
    ret("back in the application", returned, "app.return"),
  ]);

interface Shim extends Locals {
  entry: number;
  ret: number;
}

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

/** Above the LibOS. `debug`: the manifest has debug_type, and each line about a call is a PAL call outside of it (shim_internal.h:263-267). */
export const libosCall = (name: SyscallName, debug: boolean): Flow[] => [
  grapheneFlow(`libc ${name}`, "app", "2.13", ({ call, at, ret }) => [
    call(
      `shim_${name}()`,
      `shim_${name}`,
      (c, v) => {
        c.value = counter(c);
        return { ...copyOf(v), entry: counter(c) };
      },
      "libos.syscall.enter",
    ),
    at("back"),
    ret("back in the application", returned, "app.return"),
  ]),
  grapheneFlow<Shim>(`shim_${name}`, "libos", "2.13", ({ act, test, call, at, ret }) => [
    act("BEGIN_SHIM: syscall_nr, user registers", (c) => {
      c.t.libos.syscallNr = SYSCALLS[name];
      c.value = SYSCALLS[name];
    }),
    debug && SLOW.has(name) ? call("debug: the call and its arguments", LIBOS.debug_printf) : null,
    call(`shim_do_${name}()`, `shim_do_${name}`, (_, v) => copyOf(v)),
    act("END_SHIM", (c, v) => {
      v.ret = c.t.rax;
      c.value = v.ret;
    }),
    call("handle_signal(false)", LIBOS.handle_signal, () => ({ delayedOnly: false })),
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
    debug ? call("debug: the result", LIBOS.debug_printf) : null,
    ret(
      "return",
      (c, v) => {
        c.t.libos.syscallNr = 0;
        c.t.rax = v.ret;
        c.value = v.ret;
        c.extra = c.t.libos.palErrno;
      },
      "libos.syscall.exit",
    ),
  ]),
];

/** Above the LibOS, of a number without a function. */
export const undefinedCall: Flow = flow<{ ret: number }>("libc undefined", "app", "2.15, errata A2", (s) => [
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
