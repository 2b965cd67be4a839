/**
 * Host system calls as flows of the kernel. A call that waits is four steps: enter, block, wake, return, because signals and
 * other threads act between them (reference, 1.2 rule 6). `attempt` tries to finish the call and answers null when it must wait.
 */

import { programFlow } from "../app/names.ts";
import { type Cpu, later } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import { NEVER } from "../scenario/schema.ts";
import { copySet, SIG, type SignalSet } from "../signals.ts";
import { copyTree, type HostObject, INTERRUPTED, type Locals, READY, TIMED_OUT } from "../state.ts";
import { endThread, forgetProcess, newProcess, newThread } from "../threads.ts";
import type { KindName } from "../transition.ts";
import { block, deliverable, endProcess, generate, recheck, retarget, wakeWaiters } from "./signal.ts";

/** Locals of every call. -1 stands for "not given". */
export interface CallLocals extends Locals {
  /** Object waited for, or -1. */
  object: number;
  objects: number[];
  bytes: number;
  /** The outside world answers after this time (ns) with `result`. */
  takes: number;
  result: number;
  /** ns the call waits at most. */
  timeout: number;
  until: number;
  ret: number;
}

type Given = Partial<Pick<CallLocals, "object" | "objects" | "bytes" | "takes" | "result" | "timeout">>;

const NOTHING: Given = {};

/** Arguments for a host call; what is left out is "not given". One shape, written out: this is on the hot path. */
export const callArgs = (given: Given = NOTHING): CallLocals => ({
  object: given.object ?? -1,
  objects: given.objects ?? [],
  bytes: given.bytes ?? 0,
  takes: given.takes ?? -1,
  result: given.result ?? 0,
  timeout: given.timeout ?? NEVER,
  until: NEVER,
  ret: 0,
});

interface Call {
  /** As a listing shows it. */
  readonly name: string;
  readonly attempt: (c: Cpu, v: CallLocals) => number | null;
  /** Result when `timeout` passes. */
  readonly timedOut?: number;
  /** With a handler that has SA_RESTART the call starts again (signal(7)). */
  readonly restarts?: boolean;
  readonly child?: boolean;
  readonly enter?: (c: Cpu, v: CallLocals) => void;
  /** A wake-up by another thread is the result 0; there is nothing to look at. */
  readonly token?: boolean;
}

const objectOf = (c: Cpu, v: CallLocals): HostObject | undefined => c.m.objects[v.object];

function waiting({ name, attempt, timedOut = E.TIMEDOUT, restarts = false, child = false, enter, token = false }: Call): Flow {
  const interrupted = restarts ? E.RESTARTSYS : E.INTR;
  const tryNow = (c: Cpu, v: CallLocals): number | null => (v.takes >= 0 ? (c.now >= v.until ? v.result : null) : attempt(c, v));
  return flow<CallLocals>(
    `host ${name}`,
    "host",
    "1.2",
    ({ act, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          v.until = later(c.now, v.takes >= 0 ? v.takes : v.timeout);
          c.value = v.object;
          enter?.(c, v);
          const result = v.takes === 0 ? v.result : tryNow(c, v);
          if (result === null) return;
          v.ret = result;
          leave(c);
        },
        "host.syscall.enter",
      ),
      act(
        `${name}: wait`,
        (c, v) => {
          const objects = v.object >= 0 ? [v.object] : v.objects;
          if (block(c, { objects: v.takes >= 0 ? [] : objects, deadline: v.until, interruptible: true, child: child ? -1 : -2 })) return;
          v.ret = interrupted;
          leave(c);
        },
        "thread.block",
      ),
      act(
        `${name}: wait is over`,
        (c, v) => {
          const t = c.t;
          c.value = t.cause;
          const late = t.cause === TIMED_OUT ? (v.takes >= 0 ? v.result : (attempt(c, v) ?? timedOut)) : null;
          const result = late ?? (token && t.cause === READY ? 0 : tryNow(c, v));
          if (result !== null) v.ret = result;
          else if (t.dying || (t.cause === INTERRUPTED && deliverable(c, t) !== null))
            v.ret = v.timeout < NEVER && v.takes < 0 ? E.INTR : interrupted;
          else rewind(c, 1);
        },
        "thread.wake",
      ),
      ret(
        `${name}: return from the kernel`,
        (c, v) => {
          c.t.rax = v.ret;
          c.value = v.ret;
        },
        "host.syscall.exit",
      ),
    ],
    { kernel: true },
  );
}

/** Positions in the four steps above. */
function leave(c: Cpu): void {
  rewind(c, 3);
}

function rewind(c: Cpu, pc: number): void {
  const frame = c.t.host[c.t.host.length - 1];
  if (frame) frame.pc = pc;
}

/** A call that never waits. */
export const quick = (name: string, run: (c: Cpu, v: CallLocals) => number, kind: KindName = "host.syscall.enter"): Flow =>
  flow<CallLocals>(
    `host ${name}`,
    "host",
    "1.2",
    ({ act, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          v.ret = run(c, v);
        },
        kind,
      ),
      ret(
        `${name}: return from the kernel`,
        (c, v) => {
          c.t.rax = v.ret;
          c.value = v.ret;
        },
        "host.syscall.exit",
      ),
    ],
    { kernel: true },
  );

function takeBytes(c: Cpu, v: CallLocals): number | null {
  const object = objectOf(c, v);
  if (!object) return null;
  if (object.level === 0) return object.closed ? 0 : null;
  const got = Math.min(object.level, v.bytes);
  object.level -= got;
  return got;
}

function takeOne(c: Cpu, v: CallLocals): number | null {
  const object = objectOf(c, v);
  if (!object || object.level === 0) return null;
  object.level -= 1;
  return v.result;
}

const countReady = (c: Cpu, v: CallLocals): number | null =>
  v.objects.filter((id) => (c.m.objects[id]?.level ?? 0) > 0 || c.m.objects[id]?.closed).length || null;

/** Index + 1 of the first object that is ready: what the PAL's waits ask for. */
function firstReady(c: Cpu, v: CallLocals): number | null {
  const at = v.objects.findIndex((id) => (c.m.objects[id]?.level ?? 0) > 0);
  return at < 0 ? null : at + 1;
}

/** wait4 of the native stack. `object` is the wanted child process or -1. */
function reap(c: Cpu, v: CallLocals): number | null {
  const me = c.process(c.t);
  const mine = c.processes().filter((p) => p.parent === me.id && !p.reaped && (v.object < 0 || p.id === v.object));
  if (mine.length === 0) return E.CHILD;
  const dead = mine.find((p) => !p.alive);
  if (!dead) return v.bytes === 1 ? 0 : null;
  dead.reaped = true;
  forgetProcess(c, dead);
  return dead.pid;
}

function suspendMask(c: Cpu, v: CallLocals): void {
  const t = c.t;
  t.savedMask = copySet(t.hostMask);
  t.hostMask = copySet(v.mask as unknown as SignalSet);
  recheck(c, t);
  retarget(c, c.process(t));
}

/** Put bytes, connections or wake-ups into an object. */
export function fill(c: Cpu, object: number, amount: number): void {
  const o = c.m.objects[object];
  if (!o) return;
  o.level += amount;
  wakeWaiters(c, object);
}

const sending = flow<CallLocals>(
  "host write",
  "host",
  "1.2",
  ({ act, test, at, ret }) => [
    act(
      "write: enter the kernel",
      (c, v) => {
        v.until = c.now;
        c.value = v.object;
        v.ret = v.takes >= 0 ? v.result : v.bytes;
        if (v.takes < 0 && v.object >= 0 && !objectOf(c, v)?.closed) fill(c, v.object, v.bytes);
        c.ns = Math.max(0, v.takes);
      },
      "host.syscall.enter",
    ),
    test("write: is the other end open?", (c, v) => v.takes >= 0 || !objectOf(c, v)?.closed, "done"),
    act(
      "write: broken pipe, SIGPIPE",
      (c, v) => {
        v.ret = E.PIPE;
        generate(c, c.process(c.t), c.t, SIG.PIPE, 0);
      },
      "host.signal.generate",
    ),
    at("done"),
    ret(
      "write: return from the kernel",
      (c, v) => {
        c.t.rax = v.ret;
        c.value = v.ret;
      },
      "host.syscall.exit",
    ),
  ],
  { kernel: true },
);

/** kill and tgkill: `targets` are process ids (kill) or thread ids (tgkill), one transition for each. */
const killing = (name: "kill" | "tgkill"): Flow =>
  flow<CallLocals & { targets: number[]; signal: number }>(
    `host ${name}`,
    "host",
    "1.2",
    ({ act, test, at, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          c.signal = v.signal;
          v.ret = v.targets.length === 0 ? E.SRCH : 0;
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
          generate(c, p, t, v.signal, c.process(c.t).pid);
        },
        "host.signal.generate",
      ),
      test(`${name}: next target`, () => true, "next"),
      at("done"),
      ret(
        `${name}: return from the kernel`,
        (c, v) => {
          c.t.rax = v.ret;
          c.value = v.ret;
        },
        "host.syscall.exit",
      ),
    ],
    { kernel: true },
  );

const exiting = flow<CallLocals & { status: number; group: boolean; how: number }>(
  "host exit",
  "host",
  "1.2",
  ({ act }) => [
    act(
      "exit: enter the kernel",
      (c, v) => {
        c.value = v.status;
        if (v.group || c.process(c.t).threads.length === 1) endProcess(c, c.process(c.t), v.status, c.t);
      },
      "host.syscall.enter",
    ),
    act(
      "exit: the thread is gone",
      (c, v) => {
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
  waiting({ name: "read", attempt: takeBytes, restarts: true }),
  sending,
  waiting({ name: "accept", attempt: takeOne, restarts: true }),
  waiting({ name: "poll", attempt: countReady, timedOut: 0 }),
  waiting({ name: "wait-any", attempt: firstReady, timedOut: E.TIMEDOUT }),
  waiting({ name: "futex-wait", attempt: () => null, restarts: true, token: true }),
  waiting({ name: "semop", attempt: takeOne }),
  waiting({ name: "msgrcv", attempt: takeOne }),
  waiting({ name: "nanosleep", attempt: () => null, timedOut: 0 }),
  waiting({ name: "pause", attempt: () => null }),
  waiting({ name: "sigsuspend", attempt: () => null, enter: suspendMask }),
  waiting({ name: "wait4", attempt: reap, restarts: true, child: true }),
  waiting({ name: "call", attempt: (_, v) => v.result, restarts: true }),
  killing("kill"),
  killing("tgkill"),
  exiting,
  quick("futex-wake", (c, v) => wakeWaiters(c, v.object, v.bytes)),
  quick("set", (c, v) => {
    const object = objectOf(c, v);
    if (object) object.level = 1;
    wakeWaiters(c, v.object);
    return 0;
  }),
  quick("close", (c, v) => {
    const object = objectOf(c, v);
    if (object) object.closed = true;
    wakeWaiters(c, v.object);
    return 0;
  }),
  quick("sched_yield", () => 0, "thread.yield"),
  quick("getpid", (c) => c.process(c.t).pid),
  quick("clock_gettime", (c) => c.now),
  quick("nothing", (_, v) => v.result),
  quick("clone", clone),
  quick("fork", fork),
];

interface Create extends CallLocals {
  program: string;
  start: string;
  internal: boolean;
}

const HELPERS: Readonly<Record<string, string>> = { shim_async_helper: "async-helper", ipc_helper: "ipc-helper" };

/** A new thread of this process. Its name is its program's, or what it does for the LibOS. */
function clone(c: Cpu, v: CallLocals): number {
  const { program, start, internal } = v as Create;
  const t = newThread(c, {
    process: c.process(c.t),
    name: HELPERS[start] ?? program,
    internal: internal === true,
    program: programFlow(program),
    frames: c.wiring.bootThread(start ?? ""),
    creator: c.t,
  });
  return t.tid;
}

/** A new process with one thread. The kernel copies dispositions and mask; a library OS starts anew below them. */
function fork(c: Cpu, v: CallLocals): number {
  const { program } = v as Create;
  const me = c.process(c.t);
  const p = newProcess(c, program, me);
  p.hostActions = copyTree(me.hostActions);
  newThread(c, { process: p, name: program, internal: false, program: programFlow(program), frames: c.wiring.boot(), creator: c.t });
  return p.id;
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
