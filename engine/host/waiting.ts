/**
 * System calls that wait. Each is four steps: enter, block, wake, return, because signals and other threads act between them (reference,
 * 1.2 rule 6). `attempt` tries to finish the call and answers null when it must wait. The last look and going to sleep are one action,
 * the second step: what comes between the first two is not overlooked.
 */

import { goTo } from "../control.ts";
import { costOf } from "../costs.ts";
import { type Cpu, later, topFrame } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, flow } from "../flow.ts";
import type { Declares } from "../ref.ts";
import type { SignalSet } from "../signals.ts";
import { type HostObject, INTERRUPTED, TIMED_OUT } from "../state.ts";
import type { FutexWaitArgs, PollArgs, SleepArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { KIND } from "../transition.ts";
import type { CallLocals } from "./calls.ts";
import { isReadable, isReady, readFd } from "./fds.ts";
import { KERNEL, type KernelLocals, type KernelName } from "./flows.ts";
import { copyOut, OUT, skipCopyOut, tell } from "./outputs.ts";
import { deliverable } from "./pending.ts";
import { lendMask, restoreMask } from "./signal.ts";
import { block } from "./sleep.ts";

export const objectOf = (c: Cpu, v: CallLocals): HostObject | undefined => c.m.objects[v.object];

/** Calls that a wait can be made of. */
type WaitName = { [N in KernelName]: KernelLocals<N> extends CallLocals ? N : never }[KernelName];

interface Call<N extends WaitName, V extends CallLocals = KernelLocals<N> & CallLocals> {
  readonly name: N;
  readonly attempt: (c: Cpu, v: V) => number | null;
  /** Result when `timeout` passes. */
  readonly timedOut?: number;
  /** What the kernel returns when a signal cuts it short: EINTR, or a code that says when it starts again (signal(7)). */
  readonly cut?: (v: V, c: Cpu) => number;
  readonly child?: boolean;
  readonly enter?: (c: Cpu, v: V) => void;
  /** At the return, however it came about. */
  readonly leaving?: (c: Cpu, v: V) => void;
}

const never = (): number => E.INTR;
/** ERESTARTSYS: with a handler that has SA_RESTART, and without a handler. */
export const restartsSys = (): number => E.RESTARTSYS;
/** ERESTARTNOHAND: without a handler only. */
export const restartsNoHand = (): number => E.RESTARTNOHAND;

export function waiting<N extends WaitName>({
  name,
  attempt,
  timedOut = E.TIMEDOUT,
  cut = never,
  child = false,
  enter,
  leaving,
}: Call<N>): Flow {
  type V = KernelLocals<N> & CallLocals;
  const interrupted = (c: Cpu, v: V): number => {
    const code = cut(v, c);
    const caller = c.t.host[c.t.host.length - 2];
    // Made again, it ends when it would have: the kernel keeps the time (restart_block), and the world outside goes on.
    if (caller && "ends" in caller.v && code !== E.INTR && v.until < NEVER) caller.v.ends = v.until;
    return code;
  };
  const tryNow = (c: Cpu, v: V): number | null => (v.takes >= 0 ? (c.now >= v.until ? v.result : null) : attempt(c, v));
  return flow<V>(
    KERNEL[name] as Declares<V>,
    "host",
    "1.2",
    ({ act, at, ret }) => [
      act(
        `${name}: enter the kernel`,
        (c, v) => {
          v.until = v.ends >= 0 ? v.ends : later(c.now, v.takes >= 0 ? v.takes : v.timeout);
          c.value = v.object;
          enter?.(c, v);
          const result = v.takes === 0 ? v.result : tryNow(c, v);
          if (result === null) return;
          v.ret = result;
          leave(c, v);
        },
        "host.syscall.enter",
      ),
      at(WAIT),
      act(
        `${name}: wait`,
        (c, v) => {
          const result = tryNow(c, v);
          // `object` of a wait for a child is the child.
          const objects = v.takes >= 0 || child ? [] : v.object >= 0 ? [v.object] : v.objects;
          if (result === null && block(c, { objects, deadline: v.until, interruptible: v.interruptible, child: child ? -1 : -2 })) return;
          v.ret = result ?? interrupted(c, v);
          stayAwake(c);
          leave(c, v);
        },
        "thread.block",
      ),
      act(
        `${name}: wait is over`,
        (c, v) => {
          const t = c.t;
          c.value = t.cause;
          const late = t.cause === TIMED_OUT ? (v.takes >= 0 ? v.result : (attempt(c, v) ?? timedOut)) : null;
          const result = late ?? tryNow(c, v);
          if (result !== null) v.ret = result;
          else if (t.dying || (t.cause === INTERRUPTED && deliverable(c, t) !== null)) v.ret = interrupted(c, v);
          else return goOn(c, WAIT);
          leave(c, v);
        },
        "thread.wake",
      ),
      at(WRITE),
      copyOut({ act }, `${name}: write what was asked for`),
      ret(
        `${name}: return from the kernel`,
        (c, v) => {
          leaving?.(c, v);
          c.t.queued = -1;
          c.t.rax = v.ret;
          c.value = v.ret;
        },
        "host.syscall.exit",
      ),
    ],
    { kernel: true },
  );
}

/** The thread did not go to sleep: the row is no block, and there is no switch to pay for. */
function stayAwake(c: Cpu): void {
  c.kind = KIND.step;
  c.value = 0;
  c.extra = 0;
  c.ns = costOf("step") - costOf("thread.block");
}

/** Marks in the steps above. */
const WAIT = "wait";
const WRITE = "write";

/** On to what is written, or past it. */
function leave(c: Cpu, v: CallLocals): void {
  goOn(c, WRITE);
  skipCopyOut(c, v);
}

const goOn = (c: Cpu, mark: string): void => goTo(c.program, topFrame(c.t), mark);

/** A socket's own time-out, where the outside world does not answer (SO_RCVTIMEO; net/core/sock.c, sock_rcvtimeo). */
function untilTimeout(c: Cpu, v: CallLocals): void {
  const object = objectOf(c, v);
  if (object && v.takes < 0) v.until = Math.min(v.until, later(c.now, object.receiveTimeout));
}

/** One that is cut short does not start again (sock_intr_errno). */
const cutReceive = (v: CallLocals, c: Cpu): number => ((objectOf(c, v)?.receiveTimeout ?? NEVER) < NEVER ? E.INTR : restartsSys());

/** What a call does when there is nothing: wait, or with O_NONBLOCK not. */
const nothing = (object: HostObject): number | null => (object.nonblock ? E.AGAIN : null);

function takeBytes(c: Cpu, v: CallLocals): number | null {
  const object = objectOf(c, v);
  if (!object) return null;
  if (object.kind === "file") return v.bytes;
  if (object.fd) return readFd(c, v, object, object.fd) ?? nothing(object);
  if (object.level === 0) return object.closed ? 0 : nothing(object);
  const got = Math.min(object.level, v.bytes);
  object.level -= got;
  return got;
}

function takeOne(c: Cpu, v: CallLocals): number | null {
  const object = objectOf(c, v);
  if (!object) return null;
  if (object.level === 0) return nothing(object);
  object.level -= 1;
  return v.result;
}

const countReady = (c: Cpu, v: CallLocals): number | null => v.objects.filter((id) => isReady(c, id)).length || null;

/** Index + 1 of the first object that is ready: what the PAL's waits ask for. */
function firstReady(c: Cpu, v: CallLocals): number | null {
  const at = v.objects.findIndex((id) => isReadable(c.m.objects[id]));
  return at < 0 ? null : at + 1;
}

/** A sleeper is in the word's queue from here on; a waker takes it out, asleep or not yet (kernel/futex: queued, then schedule). */
function enqueue(c: Cpu, v: FutexWaitArgs): void {
  if (v.tid && objectOf(c, v)?.level === 0) v.changed = true;
  c.t.queued = v.takes >= 0 ? -1 : v.object;
}

/** FUTEX_WAIT with 0 on an object whose level is the word: EAGAIN when it is not 0. A wake-up says nothing about the word. */
function enqueueIfZero(c: Cpu, v: CallLocals): void {
  const level = objectOf(c, v)?.level ?? 0;
  c.t.queued = level === 0 ? v.object : -1;
  if (level > 0) v.result = E.AGAIN;
}

const answered = (c: Cpu, v: CallLocals): number | null => (c.t.queued === v.object ? null : v.result);

const takenOut = (c: Cpu, v: FutexWaitArgs): number | null => (v.changed ? E.AGAIN : v.object >= 0 && c.t.queued !== v.object ? 0 : null);

/** A mask for the length of the call, where one is given. */
function lend(c: Cpu, v: { mask: SignalSet | null }): void {
  if (v.mask) lendMask(c, c.t, v.mask);
}

/** Cut short, the mask is in force until a handler's frame has kept the old one (restore_saved_sigmask_unless). */
function giveBack(c: Cpu, v: CallLocals): void {
  if (v.ret >= 0) restoreMask(c, c.t);
}

/** poll: ERESTART_RESTARTBLOCK; ppoll, select and pselect6: ERESTARTNOHAND. */
const cutPoll = (v: PollArgs): number => (v.mask || v.select ? E.RESTARTNOHAND : E.RESTARTBLOCK);

/** nanosleep writes what is left when it is cut short; one with an absolute time has nothing to write (kernel/time/hrtimer.c). */
function cutSleep(v: SleepArgs, c: Cpu): number {
  if (v.rem) tell(v, OUT.remaining, Math.max(0, v.until - c.now));
  return v.absolute ? E.RESTARTNOHAND : E.RESTARTBLOCK;
}

export const waitingCalls: readonly Flow[] = [
  waiting({ name: "read", attempt: takeBytes, timedOut: E.AGAIN, enter: untilTimeout, cut: cutReceive }),
  waiting({ name: "accept", attempt: takeOne, timedOut: E.AGAIN, enter: untilTimeout, cut: cutReceive }),
  waiting({ name: "poll", attempt: countReady, timedOut: 0, cut: cutPoll, enter: lend, leaving: giveBack }),
  waiting({ name: "epoll_wait", attempt: countReady, timedOut: 0, enter: lend, leaving: giveBack }),
  waiting({ name: "wait-any", attempt: firstReady, timedOut: E.TIMEDOUT, cut: restartsNoHand }),
  waiting({ name: "futex-wait", attempt: takenOut, enter: enqueue, cut: (v) => (v.timeout < NEVER ? E.RESTARTBLOCK : E.RESTARTSYS) }),
  waiting({ name: "futex-wait-0", attempt: answered, enter: enqueueIfZero }),
  waiting({ name: "semop", attempt: takeOne }),
  waiting({ name: "msgrcv", attempt: takeOne, cut: restartsNoHand }),
  waiting({ name: "nanosleep", attempt: () => null, timedOut: 0, cut: cutSleep }),
  waiting({ name: "pause", attempt: () => null, cut: restartsNoHand }),
  waiting({ name: "sigsuspend", attempt: (_, v) => (v.mask ? null : E.FAULT), enter: lend, cut: restartsNoHand }),
  waiting({ name: "call", attempt: (_, v) => v.result, cut: restartsSys }),
];
