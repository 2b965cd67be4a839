/** Host system calls as flows of the kernel (reference, 1.2). Those that wait are in `waiting.ts`. */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow, type Kinds, type Step, type Steps } from "../flow.ts";
import { programFlow } from "../flow-names.ts";
import type { Declares } from "../ref.ts";
import { SI, sentBy } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import { copyTree, type Word } from "../state.ts";
import type { ProgramArgs, ReceiveTimeoutArgs } from "../syscalls.ts";
import { endThread, newProcess, newThread } from "../threads.ts";
import { NEVER } from "../time.ts";
import { WHY, type Why } from "../transition.ts";
import { isReadable, isSocket, writeFd } from "./fds.ts";
import { type Creating, KERNEL, type KernelLocals, type KernelName, type Sending } from "./flows.ts";
import { generate, takenBy } from "./generate.ts";
import { copyOut, NO_OUTPUT, skipCopyOut } from "./outputs.ts";
import { endProcess } from "./process-state.ts";
import { wakeWaiters } from "./sleep.ts";
import { objectOf, waiting, waitingCalls } from "./waiting.ts";

/** Locals of every call. -1 stands for "not given". */
export interface CallLocals {
  /** Object waited for, or -1. */
  object: number;
  objects: readonly number[];
  bytes: number;
  /** The outside world answers after this time (ns) with `result`. */
  takes: number;
  result: number;
  /** ns the call waits at most. */
  timeout: number;
  until: number;
  /** A call made again after a signal ends when it would have: -1, or that time (restart_block, and the world outside goes on). */
  ends: number;
  /** false: signals wait for its end (a sleep of state D: files, fsync). */
  interruptible: boolean;
  out: readonly number[];
  ret: number;
}

type Argument = "object" | "objects" | "bytes" | "takes" | "result" | "timeout" | "interruptible";
/** What a caller gives; undefined stands for "not given", too. */
export type Given = { readonly [A in Argument]?: CallLocals[A] | undefined };

const NOTHING: Given = {};

/** No object is waited for. One list for all: it is not changed. */
export const NO_OBJECTS: readonly number[] = [];

/** Arguments for a host call; what is left out is "not given". One shape, written out: this is on the hot path. */
export const callArgs = (given: Given = NOTHING): CallLocals => ({
  object: given.object ?? -1,
  objects: given.objects ?? NO_OBJECTS,
  bytes: given.bytes ?? 0,
  takes: given.takes ?? -1,
  result: given.result ?? 0,
  timeout: given.timeout ?? NEVER,
  until: NEVER,
  ends: -1,
  interruptible: given.interruptible ?? true,
  out: NO_OUTPUT,
  ret: 0,
});

/** The end of a call: its result in RAX. */
const toCaller = <V extends { ret: number }>(ret: Steps<V>["ret"], name: string): Step =>
  ret(
    `${name}: return from the kernel`,
    (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
    },
    "host.syscall.exit",
  );

/** A call that never waits. */
export const quick = <N extends KernelName>(
  name: N,
  run: (c: Cpu, v: KernelLocals<N>) => number,
  kind: Kinds = "host.syscall.enter",
): Flow =>
  flow<KernelLocals<N> & Pick<CallLocals, "ret" | "out">>(
    KERNEL[name] as Declares<KernelLocals<N>>,
    "host",
    "1.2",
    ({ act, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          v.ret = run(c, v);
          skipCopyOut(c, v);
        },
        kind,
      ),
      copyOut({ act }, `${name}: write what was asked for`),
      toCaller(ret, name),
    ],
    { kernel: true },
  );

/** Put bytes, connections or wake-ups into an object. */
export function fill(c: Cpu, object: number, amount: number): void {
  const o = c.m.objects[object];
  if (!o) return;
  o.level += amount;
  wakeWaiters(c, object);
}

/** What bytes say that are in the object, or are about to be: the reader takes it out with `takeMessage`. */
export function addMessage(c: Cpu, object: number, message: Word): void {
  const o = c.m.objects[object];
  if (o) o.messages = [...o.messages, message];
}

/** What the bytes say that are written. */
function handOver(c: Cpu, object: number): void {
  const { mail } = c.t;
  if (mail?.object !== object) return;
  addMessage(c, object, mail.message);
  c.t.mail = null;
}

/** What the bytes just read said; null when they said nothing. */
export function takeMessage(c: Cpu, object: number): Word {
  const o = c.m.objects[object];
  const [first = null, ...rest] = o?.messages ?? [];
  if (o) o.messages = rest;
  return first;
}

/** To a pipe whose reader is gone: EPIPE, and SIGPIPE where the caller did not ask for none (MSG_NOSIGNAL). */
const sending = (name: "write" | "send"): Flow =>
  flow(
    KERNEL[name],
    "host",
    "1.2",
    ({ act, test, at, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          v.until = c.now;
          c.value = v.object;
          v.ret = v.takes >= 0 ? v.result : writeFd(v, objectOf(c, v)?.fd);
          if (v.takes < 0 && v.object >= 0 && v.ret >= 0 && !objectOf(c, v)?.closed) {
            handOver(c, v.object);
            fill(c, v.object, v.bytes);
          }
          c.ns = Math.max(0, v.takes);
        },
        "host.syscall.enter",
      ),
      test(`${name}: is the other end open?`, (c, v) => (v.takes >= 0 ? v.result !== E.PIPE : !objectOf(c, v)?.closed), "done"),
      act(
        name === "write" ? "write: broken pipe, SIGPIPE" : "send: broken pipe, MSG_NOSIGNAL",
        (c, v) => {
          v.ret = E.PIPE;
          if (name === "write") generate(c, c.process(c.t), c.t, sentBy(SIG.PIPE, c.process(c.t).pid));
        },
        name === "write" ? "host.signal.generate" : "step",
      ),
      at("done"),
      toCaller(ret, name),
    ],
    { kernel: true },
  );

/** kill and tgkill: one transition for each target. */
const killing = (name: "kill" | "tgkill"): Flow =>
  flow<Sending>(
    KERNEL[name],
    "host",
    "1.2",
    ({ act, test, jump, at, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          c.signal = v.signal;
          // A library OS may still know a thread that is gone.
          if (name === "tgkill") v.targets = v.targets.filter((id) => c.m.threads[id]);
          v.ret = v.targets.length === 0 && !v.ended ? E.SRCH : 0;
        },
        "host.syscall.enter",
      ),
      at("next"),
      test(`${name}: no target left`, (_, v) => v.targets.length === 0 || v.signal === 0, "done"),
      act(
        `${name}: the signal is generated`,
        (c, v) => {
          const [target, ...rest] = v.targets;
          v.targets = rest;
          const t = name === "tgkill" ? (c.m.threads[target ?? -1] ?? null) : null;
          const p = t ? c.process(t) : name === "kill" ? (c.m.processes[target ?? -1] ?? null) : null;
          const took = p ? takenBy(c, p, v.takers) : undefined;
          generate(c, p, t, sentBy(v.signal, c.process(c.t).pid, name === "tgkill" ? SI.TKILL : SI.USER), c.newSignalId(), took);
          if (v.wakeUp) c.detail = c.text("wakes a thread for the LibOS");
        },
        "host.signal.generate",
      ),
      jump("next", `${name}: next target`),
      at("done"),
      toCaller(ret, name),
    ],
    { kernel: true },
  );

/** Locals of `host exit`. `how` is the value of `thread.exit`, `why` and `signal` are the cause if the process ends by it. */
export interface Exit {
  status: number;
  group: boolean;
  how: number;
  why: Why;
  signal: number;
}

/** What a library OS or a program says of an end of its own. */
export const exitArgs = (given: Partial<Exit>): Exit => ({ status: 0, group: false, how: 0, why: WHY.EXIT, signal: 0, ...given });

/** Of a process whose threads end one by one the leader's status counts, whichever is last (wait_task_zombie in kernel/exit.c). */
function leaving(c: Cpu, v: Exit): void {
  const p = c.process(c.t);
  const own = { status: v.status & 0xff, why: v.why, signal: v.signal };
  if (c.t.tid === p.pid) p.end = own;
  if (v.group) endProcess(c, p, own, c.t);
  else if (p.threads.length === 1) endProcess(c, p, p.end, c.t);
}

const exiting = flow(
  KERNEL.exit,
  "host",
  "1.2",
  ({ act }) => [
    act(
      "exit: enter the kernel",
      (c, v) => {
        c.value = v.status;
        leaving(c, v);
      },
      "host.syscall.enter",
    ),
    act(
      "exit: the thread is gone",
      (c, v) => {
        c.signal = v.signal;
        c.value = v.how;
        endThread(c, c.t);
      },
      "thread.exit",
    ),
  ],
  { kernel: true },
);

/** Every host call. Those the emulation does not look into are `host call`. */
export const hostCalls: readonly Flow[] = [
  ...waitingCalls,
  sending("write"),
  sending("send"),
  quick("write-file", (c, v) => {
    c.ns = Math.max(0, v.takes);
    return v.takes >= 0 ? v.result : v.bytes;
  }),
  quick("fionread", (c, v) => objectOf(c, v)?.level ?? 0),
  quick("poll-now", (c, v) => (v.takes >= 0 ? v.result : isReadable(objectOf(c, v)) ? 1 : 0)),
  killing("kill"),
  killing("tgkill"),
  exiting,
  quick("futex-wake", (c, v) => wakeWaiters(c, v.object, v.bytes)),
  quick("close", (c, v) => {
    const object = objectOf(c, v);
    if (object) object.closed = true;
    wakeWaiters(c, v.object);
    return 0;
  }),
  quick("setsockopt", setsockopt),
  quick("sched_yield", () => 0, "thread.yield"),
  quick("getpid", (c) => c.process(c.t).pid),
  quick("clock_gettime", (c) => c.now),
  quick("nothing", (_, v) => v.result),
  quick("clone", clone),
  quick("fork", fork),
  waiting({ name: "vfork", enter: vfork, attempt: isOver }),
];

/** Bytes of a struct timeval. */
export const TIMEVAL = 16;

/** SO_RCVTIMEO takes a whole struct timeval; one of 0 waits for ever (sock_set_timeout in net/core/sock.c). */
function setsockopt(c: Cpu, v: ReceiveTimeoutArgs): number {
  const object = objectOf(c, v);
  if (!isSocket(object)) return E.NOTSOCK;
  if (v.bytes < TIMEVAL) return E.INVAL;
  object.receiveTimeout = v.receiveTimeout === 0 ? NEVER : v.receiveTimeout;
  return 0;
}

/** A new thread of this process. Its name is its program's, or what it does for the LibOS. */
function clone(c: Cpu, v: Creating): number {
  const { program, start, internal, cloned } = v;
  const t = newThread(c, {
    process: c.process(c.t),
    name: program,
    internal,
    program: programFlow(program),
    frames: c.wiring.bootThread(start),
    creator: c.t,
    cloned,
  });
  return t.tid;
}

/** A new process with one thread. The kernel copies dispositions and mask; a library OS starts anew below them. */
function fork(c: Cpu, { program }: ProgramArgs): number {
  const me = c.process(c.t);
  const p = newProcess(c, program, me);
  p.hostActions = copyTree(me.hostActions);
  newThread(c, { process: p, name: program, internal: false, program: programFlow(program), frames: c.wiring.boot(), creator: c.t });
  return p.id;
}

/** The child has the caller's memory until it calls execve or ends: the caller sleeps, and no signal wakes it (wait_for_vfork_done in kernel/fork.c). */
function vfork(c: Cpu, v: ProgramArgs): void {
  const p = c.m.processes[fork(c, v)];
  if (!p) return;
  p.vforkDone = c.newObject("vfork");
  v.object = p.vforkDone;
  v.result = p.pid;
  v.interruptible = false;
}

function isOver(c: Cpu, v: CallLocals): number | null {
  return c.processes().some((p) => p.alive && p.vforkDone === v.object) ? null : v.result;
}

/** Set the process's real timer (alarm and ITIMER_REAL share it). Returns ns that were left. */
export function setTimer(c: Cpu, value: number, interval: number): number {
  const p = c.process(c.t);
  const left = p.timer === NEVER ? 0 : Math.max(0, p.timer - c.now);
  p.timer = value === 0 ? NEVER : c.now + value;
  p.timerInterval = interval;
  c.dirty = true;
  return left;
}
