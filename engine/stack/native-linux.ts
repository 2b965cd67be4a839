/** native-linux: no library OS, the kernel alone. The oracle: what the application should have seen (reference, 1.2). */

import { nativeJoin } from "../app/pthread-join.ts";
import { nativeCall } from "../app/syscalls.ts";
import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow, type Program } from "../flow.ts";
import { enter } from "../frames.ts";
import { callArgs, exitArgs, quick } from "../host/calls.ts";
import { childCalls } from "../host/children.ts";
import { killThread, vforkIsOver } from "../host/process-state.ts";
import { restorer } from "../host/restorer.ts";
import { signalCalls } from "../host/signal-calls.ts";
import { timerCalls } from "../host/timers.ts";
import { ref } from "../ref.ts";
import { copyOf } from "../state.ts";
import { processesNamed, threadNamed, zombieNamed } from "../targets.ts";
import { NOTHING_KEPT, type Stack } from "./stack.ts";

/** Handlers go back to default, what is ignored stays so; other threads, alternate stack and POSIX timers are gone (begin_new_exec). */
function execve(c: Cpu): number {
  const p = c.process(c.t);
  for (const [signal, action] of Object.entries(p.hostActions)) if (action.flow >= 0) delete p.hostActions[Number(signal)];
  for (const t of c.threadsOf(p)) if (t !== c.t) killThread(c, t);
  c.t.app.altStack = 0;
  p.timers = p.timers.filter((timer) => timer.object >= 0);
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
  callDynamic("the thread's program", (c) => ({ flow: c.flowOf(c.t.program), v: {} })),
  call("exit(0)", "libc exit", () => ({ ...callArgs(), status: 0 })),
]);

const main = flow(start, "app", "1.2", ({ act, callDynamic, call }) => [
  act(
    "the process starts",
    (c) => {
      c.value = c.process(c.t).parent;
    },
    "process.start",
  ),
  callDynamic("main()", (c) => ({ flow: c.flowOf(c.t.program), v: {} })),
  call("exit_group(0)", "libc exit_group", () => ({ ...callArgs(), status: 0 })),
]);

/** Id of a thread that does not exist. */
const NOBODY = Number.MAX_SAFE_INTEGER;

/** The first thread of the caller's process has ended, and the process goes on: its id is known until all is over. */
function isEndedLeader(c: Cpu, name: string): boolean {
  const { pid } = c.process(c.t);
  return c.threads.some((known) => known.pid === pid && known.tid === pid && known.name === name) && threadNamed(c, name) === undefined;
}

const same = (name: Parameters<typeof nativeCall>[0]): Flow => nativeCall(name, name);

/** The kernel model answers with its own number of the new one; the application gets the id. */
const creating = (name: "clone" | "fork", id: (c: Cpu) => number): Flow =>
  flow(`libc ${name}`, "app", "1.2", ({ act, call, ret }) => [
    call(`syscall ${name}`, `host ${name}`, (_, v) => copyOf(v)),
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
  nativeCall("unimplemented", "call"),
  nativeCall("undefined", "call"),
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
  same("setpgid"),
  same("setsid"),
  same("getpgid"),
  nativeCall("clock_nanosleep", "nanosleep"),
  nativeCall("select", "poll", (_, v) => ({ ...copyOf(v), select: true })),
  nativeCall("rt_sigqueueinfo", "rt_sigqueueinfo", (c, v) => {
    const target = v.thread === "" ? undefined : threadNamed(c, v.thread as string);
    return {
      ...copyOf(v),
      thread: v.thread === "" ? -1 : (target?.id ?? NOBODY),
      process: processesNamed(c, v.wanted as string)[0]?.id ?? -1,
    };
  }),
  creating("clone", (c) => c.t.rax),
  same("vfork"),
  nativeCall("posix_spawn", "vfork"),
  creating("fork", (c) => c.m.processes[c.t.rax]?.pid ?? E.AGAIN),
  same("epoll_wait"),
  nativeCall("futex_wait", "futex-wait"),
  nativeCall("futex_wake", "futex-wake"),
  nativeCall("gettimeofday", "nothing", (_, v) => ({ ...copyOf(v), result: 0 })),
  nativeCall("ioctl", "nothing", (_, v) => ({ ...copyOf(v), result: 0 })),
  nativeCall("exit", "exit", (_, v) => ({ ...copyOf(v), ...exitArgs({ status: Number(v.status) }) })),
  nativeCall("exit_group", "exit", (_, v) => ({ ...copyOf(v), ...exitArgs({ status: Number(v.status), group: true }) })),
  nativeCall("kill", "kill", (c, v) => ({
    ...copyOf(v),
    targets: processesNamed(c, v.wanted as string, v.group as string).map((p) => p.id),
    ended: zombieNamed(c, v.wanted as string),
  })),
  nativeCall("tgkill", "tgkill", (c, v) => {
    const target = threadNamed(c, v.thread as string);
    return {
      ...copyOf(v),
      targets: target && target.process === c.t.process ? [target.id] : [],
      ended: isEndedLeader(c, v.thread as string),
    };
  }),
];

export const nativeLinux: Stack = {
  ...NOTHING_KEPT,
  text: "no library OS: what the application should see",
  flows: (): Flow[] => [main, started, restorer("app"), ...kernel, ...libc],
  boot: start,
  bootThread: (program: Program) => enter(program, startThread, {}),
  enclave: false,
};
