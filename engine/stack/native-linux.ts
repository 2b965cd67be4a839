/** native-linux: no library OS, the kernel alone. The oracle: what the application should have seen (reference, 1.2). */

import { nativeCall } from "../app/syscalls.ts";
import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import { type CallLocals, callArgs, exitArgs, quick, setTimer } from "../host/calls.ts";
import { flushIgnored, recheck, retarget } from "../host/generate.ts";
import { restorer } from "../host/restorer.ts";
import { onAltStack } from "../host/signal.ts";
import { processesNamed, threadNamed } from "../libos/kill.ts";
import { changeMask } from "../libos/signal-calls.ts";
import { copySet, removeSignal, SIG, type SignalSet } from "../signals.ts";
import type { Locals } from "../state.ts";

const set = (v: Locals): SignalSet => copySet(v.mask as unknown as SignalSet);

/** Process-wide; setting a disposition to ignore throws away what is pending. */
function sigaction(c: Cpu, v: CallLocals): number {
  const signal = v.signal as number;
  const handler = v.handler as number;
  if (signal === SIG.KILL || signal === SIG.STOP) return E.INVAL;
  const p = c.process(c.t);
  c.signal = signal;
  if (handler === -2) delete p.hostActions[signal];
  else p.hostActions[signal] = { flow: handler, flags: v.flags as number, mask: set(v) };
  flushIgnored(c, p, signal);
  return 0;
}

/** SIGKILL and SIGSTOP cannot be blocked. */
function sigprocmask(c: Cpu, v: CallLocals): number {
  changeMask(c.t.hostMask, v.how as string, set(v));
  removeSignal(removeSignal(c.t.hostMask, SIG.KILL), SIG.STOP);
  recheck(c, c.t);
  retarget(c, c.process(c.t));
  return 0;
}

/** What alarm(2) returns: the seconds left, rounded to the nearest, but not to 0 (alarm_setitimer in kernel/time/itimer.c). */
function alarm(c: Cpu, v: CallLocals): number {
  const left = setTimer(c, Math.floor((v.after as number) / 1e9) * 1e9, 0);
  return left === 0 ? 0 : Math.max(1, Math.round(left / 1e9));
}

/** A size counts only with an alternate stack; none may be changed that the thread runs on (do_sigaltstack). */
function sigaltstack(c: Cpu, v: CallLocals): number {
  if (onAltStack(c, c.t)) return E.PERM;
  if (v.disable !== true && v.bytes < MINSIGSTKSZ) return E.NOMEM;
  c.t.app.altStack = v.disable === true ? 0 : v.bytes;
  return 0;
}

const MINSIGSTKSZ = 2048;

const kernel: readonly Flow[] = [
  quick("sigaction", sigaction, "host.sigaction"),
  quick("sigprocmask", sigprocmask, "host.sigprocmask"),
  quick("sigpending", () => 0),
  quick("sigaltstack", sigaltstack),
  quick("alarm", alarm),
  quick("setitimer", (c, v) => {
    setTimer(c, v.value as number, v.interval as number);
    return 0;
  }),
  quick("execve", (c) => {
    const p = c.process(c.t);
    for (const [signal, action] of Object.entries(p.hostActions)) if (action.flow >= 0) delete p.hostActions[Number(signal)];
    return 0;
  }),
  quick("probe", (_, v) => (v.valid ? 0 : E.FAULT)),
];

const started = flow("start_thread", "app", "1.2", ({ act, callDynamic, call }) => [
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

const main = flow("_start", "app", "1.2", ({ act, callDynamic, call }) => [
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

const same = (name: Parameters<typeof nativeCall>[0]): Flow => nativeCall(name, name);

/** The kernel model answers with its own number of the new one; the application gets the id. */
const creating = (name: "clone" | "fork", id: (c: Cpu) => number): Flow =>
  flow(`libc ${name}`, "app", "1.2", ({ act, call, ret }) => [
    call(`syscall ${name}`, `host ${name}`, (_, v) => ({ ...v })),
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
  creating("clone", (c) => c.t.rax),
  creating("fork", (c) => c.m.processes[c.t.rax]?.pid ?? E.AGAIN),
  same("epoll_wait"),
  nativeCall("futex_wait", "futex-wait"),
  nativeCall("futex_wake", "futex-wake"),
  nativeCall("gettimeofday", "nothing", (_, v) => ({ ...v, result: 0 })),
  nativeCall("ioctl", "nothing", (_, v) => ({ ...v, result: 0 })),
  nativeCall("exit", "exit", (_, v) => ({ ...v, ...exitArgs({ status: Number(v.status) }) })),
  nativeCall("exit_group", "exit", (_, v) => ({ ...v, ...exitArgs({ status: Number(v.status), group: true }) })),
  nativeCall("kill", "kill", (c, v) => ({ ...v, targets: processesNamed(c, v.wanted as string).map((p) => p.id) })),
  nativeCall("tgkill", "tgkill", (c, v) => {
    const target = threadNamed(c, v.thread as string);
    return { ...v, targets: target && target.process === c.t.process ? [target.id] : [] };
  }),
];

export const nativeLinux = {
  text: "no library OS: what the application should see",
  flows: (): Flow[] => [main, started, restorer("app"), ...kernel, ...libc],
  boot: "_start",
  bootThread: () => "start_thread",
  enclave: false,
} as const;
