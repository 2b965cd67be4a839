/** native-linux: no library OS, the kernel alone. The oracle: what the application should have seen (reference, 1.2). */

import { exitCall } from "../app/call.ts";
import { type Arguments, LIBC, type LibcName } from "../app/flows.ts";
import { nativeJoin } from "../app/pthread-join.ts";
import { nativeCall } from "../app/syscalls.ts";
import { newFrame } from "../control.ts";
import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow, type Program } from "../flow.ts";
import { enter } from "../frames.ts";
import { callArgs, exitArgs, quick } from "../host/calls.ts";
import { childCalls } from "../host/children.ts";
import { KERNEL, type KernelLocals, type KernelName } from "../host/flows.ts";
import { killThread, vforkIsOver } from "../host/process-state.ts";
import { restorer } from "../host/restorer.ts";
import { signalCalls } from "../host/signal-calls.ts";
import { dropTimers, timerCalls } from "../host/timers.ts";
import { ref } from "../ref.ts";
import { copyOf, extended } from "../state.ts";
import type { ProgramArgs } from "../syscalls.ts";
import { processesNamed, threadNamed, zombieNamed } from "../targets.ts";
import { nativeLinuxMechanism } from "./native-linux-mechanism.ts";
import { HOST_HOPS, NO_EVENTS } from "./shown.ts";
import { NOTHING_KEPT, type Stack } from "./stack.ts";
import { handlerLine, hostMaskLine, hostPendingLine, resultLine, stackLines, threadLine } from "./state-lines.ts";

/** Handlers go back to default, what is ignored stays so; other threads, alternate stack and POSIX timers are gone (begin_new_exec). */
function execve(c: Cpu): number {
  const p = c.process(c.t);
  for (const [signal, action] of Object.entries(p.hostActions)) if (action.flow >= 0) delete p.hostActions[Number(signal)];
  for (const t of c.threadsOf(p)) if (t !== c.t) killThread(c, t);
  c.t.app.altStack = 0;
  dropTimers(c, p, (timer) => timer.object < 0);
  vforkIsOver(c, p);
  return 0;
}

const kernel: readonly Flow[] = [
  ...signalCalls,
  ...timerCalls,
  ...childCalls,
  quick("execve", execve),
  quick("probe", (_, v) => (v.valid ? 0 : E.FAULT)),
];

const start = ref("_start");
const startThread = ref("start_thread");

const started = flow(startThread, "app", "1.2", ({ act, callDynamic, call }) => [
  act(
    "the thread starts",
    (c) => {
      c.value = c.process(c.t).threads[0] ?? -1;
    },
    "thread.start",
  ),
  callDynamic("the thread's program", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
  call("exit(0)", LIBC.exit, () => exitCall(0)),
]);

const main = flow(start, "app", "1.2", ({ act, callDynamic, call }) => [
  act(
    "the process starts",
    (c) => {
      c.value = c.process(c.t).parent;
    },
    "process.start",
  ),
  callDynamic("main()", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
  call("exit_group(0)", LIBC.exit_group, () => exitCall(0)),
]);

/** Id of a thread that does not exist. */
const NOBODY = Number.MAX_SAFE_INTEGER;

/** The first thread of the caller's process has ended, and the process goes on: its id is known until all is over. */
function isEndedLeader(c: Cpu, name: string): boolean {
  const { pid } = c.process(c.t);
  return c.threads.some((known) => known.pid === pid && known.tid === pid && known.name === name) && threadNamed(c, name) === undefined;
}

/** Calls that the kernel takes as the application makes them. */
type Same = { [N in LibcName & KernelName]: Arguments<(typeof LIBC)[N]> extends KernelLocals<N> ? N : never }[LibcName & KernelName];

const same = <N extends Same>(name: N): Flow =>
  nativeCall(name, name, (_, v) => v as object as Arguments<(typeof LIBC)[N]> & KernelLocals<N>);

/** The kernel model answers with its own number of the new one; the application gets the id. */
const creating = (name: "clone" | "fork", id: (c: Cpu) => number): Flow =>
  flow<ProgramArgs>(LIBC[name], "app", "1.2", ({ act, call, ret }) => [
    call(`syscall ${name}`, KERNEL[name], (_, v) => extended(callArgs(), { program: v.program, start: -1, internal: false, cloned: null })),
    act("id of the new one", (c) => {
      c.t.rax = id(c);
    }),
    ret(
      "back in the application",
      (c) => {
        c.value = c.t.rax;
      },
      "app.return",
    ),
  ]);

const libc: readonly Flow[] = [
  nativeJoin,
  same("read"),
  same("write"),
  same("accept"),
  same("close"),
  same("poll"),
  same("semop"),
  same("msgrcv"),
  same("nanosleep"),
  same("pause"),
  same("sigsuspend"),
  same("wait4"),
  same("call"),
  same("sched_yield"),
  same("getpid"),
  same("sigaction"),
  same("sigprocmask"),
  same("sigpending"),
  same("sigaltstack"),
  same("alarm"),
  same("setitimer"),
  same("probe"),
  same("execve"),
  same("getitimer"),
  same("timer_create"),
  same("timer_settime"),
  same("timer_delete"),
  same("timerfd_create"),
  same("timerfd_settime"),
  same("signalfd"),
  same("eventfd"),
  same("rt_sigtimedwait"),
  same("waitid"),
  same("setsockopt"),
  same("setpgid"),
  same("setsid"),
  same("getpgid"),
  nativeCall("clock_nanosleep", "nanosleep", (_, v) => v),
  nativeCall("select", "poll", (_, v) => extended(copyOf(v), { select: true })),
  nativeCall("rt_sigqueueinfo", "rt_sigqueueinfo", (c, v) => {
    const target = v.thread === "" ? undefined : threadNamed(c, v.thread);
    return extended(callArgs(), {
      signal: v.signal,
      value: v.value,
      takers: v.takers,
      thread: v.thread === "" ? -1 : (target?.id ?? NOBODY),
      process: processesNamed(c, v.wanted)[0]?.id ?? -1,
    });
  }),
  creating("clone", (c) => c.t.rax),
  same("vfork"),
  nativeCall("posix_spawn", "vfork", (_, v) => v),
  creating("fork", (c) => c.m.processes[c.t.rax]?.pid ?? E.AGAIN),
  same("epoll_wait"),
  nativeCall("futex_wait", "futex-wait", (_, v) => v),
  nativeCall("futex_wake", "futex-wake", (_, v) => callArgs(v)),
  nativeCall("gettimeofday", "nothing", (_, v) => extended(copyOf(v), { result: 0 })),
  nativeCall("ioctl", "nothing", (_, v) => extended(copyOf(v), { result: 0 })),
  nativeCall("exit", "exit", (_, v) => exitArgs({ status: v.status })),
  nativeCall("exit_group", "exit", (_, v) => exitArgs({ status: v.status, group: true })),
  nativeCall("kill", "kill", (c, v) => ({
    targets: processesNamed(c, v.wanted, v.group).map((p) => p.id),
    signal: v.signal,
    ended: zombieNamed(c, v.wanted),
    takers: v.takers,
    wakeUp: false,
    ret: 0,
  })),
  nativeCall("tgkill", "tgkill", (c, v) => {
    const target = threadNamed(c, v.thread);
    return {
      targets: target ? [target.id] : [],
      signal: v.signal,
      ended: isEndedLeader(c, v.thread),
      takers: v.takers,
      wakeUp: false,
      ret: 0,
    };
  }),
];

export const nativeLinux: Stack = {
  ...NOTHING_KEPT,
  text: "no library OS: what the application should see",
  explain: nativeLinuxMechanism,
  flows: (): Flow[] => [main, started, restorer("app"), ...kernel, ...libc],
  boot: start,
  bootThread: (program: Program) => enter(program, startThread, {}),
  enclave: false,
  native: true,
  events: NO_EVENTS,
  hops: HOST_HOPS,
  stateLines: (v) => [
    threadLine(v),
    resultLine(v),
    hostPendingLine(v),
    hostMaskLine(v),
    handlerLine(v),
    ...stackLines("stack", v.thread.host, v.program),
  ],
};
