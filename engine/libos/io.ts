/** Blocking calls of the LibOS and how EINTR reaches or misses the application (reference, 2.20). */

import { later } from "../cpu.ts";
import { E } from "../errno.ts";
import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { OUT } from "../host/outputs.ts";
import { dkArgs, dkExitArgs } from "../pal/calls.ts";
import { errnoOf } from "../pal/events.ts";
import { DK, type DkName, dkEvent as EVENT_CALLS, dkExit as EXITS } from "../pal/flows.ts";
import { eventArgs } from "../pal/sync-calls.ts";
import { extended } from "../state.ts";
import type { SleepArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { KIND } from "../transition.ts";
import { SHIM_DO } from "./flows.ts";

/** -PAL_ERRNO: what the last FAILURE left, whether or not it belongs to this call. */
export function minusPalErrno(c: Cpu): number {
  c.kind = KIND["pal.errno.read"];
  c.extra = c.t.libos.palErrno;
  return 0 - errnoOf(c.t.libos.palErrno);
}

/** Kinds of a step that gives `minusPalErrno` when something has failed. */
export const MAY_READ_ERRNO = ["step", "pal.errno.read"] as const;

type Given = NonNullable<Parameters<typeof dkArgs>[0]>;

/** The step that enters a PAL call; its row carries pal_errno at entry. */
export function dk<V extends object>(s: Pick<Steps<V>, "call">, label: string, name: DkName, args: (c: Cpu, v: V) => Given): Step {
  return s.call(
    label,
    DK[name],
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return dkArgs(args(c, v));
    },
    "pal.call.enter",
  );
}

/** A PAL call that the emulation needs for its LEAVE alone: memory, mutexes and events are made and given back without the host. */
export const dkQuiet = <V extends object>(s: Pick<Steps<V>, "call">, label: string, name: DkName): Step => dk(s, label, name, () => ({}));

/** A PAL call that does not return. */
export const dkExit = <V extends object>(
  s: Pick<Steps<V>, "call">,
  label: string,
  name: keyof typeof EXITS,
  args: (c: Cpu, v: V) => ReturnType<typeof dkExitArgs> = () => dkExitArgs(),
): Step =>
  s.call(
    label,
    EXITS[name],
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return args(c, v);
    },
    "pal.call.enter",
  );

/** A PAL call on an event of the LibOS: DkEventSet, DkEventClear, or the wait for it. */
export function dkEvent<V extends object>(
  s: Pick<Steps<V>, "call">,
  label: string,
  name: keyof typeof EVENT_CALLS,
  event: (c: Cpu, v: V) => number,
  timeout: (v: V) => number = () => NEVER,
  outside: (v: V) => boolean = () => false,
): Step {
  return s.call(
    label,
    EVENT_CALLS[name],
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return eventArgs(event(c, v), timeout(v), outside(v));
    },
    "pal.call.enter",
  );
}

const ownEvent = (c: Cpu): number => c.t.libos.schedulerEvent;

/** thread_setwait: what was set before is forgotten. */
export const setWait = <V extends object>(s: Pick<Steps<V>, "call">): Step =>
  dkEvent(s, "thread_setwait: DkEventClear(scheduler_event)", "DkEventClear", ownEvent);

export const threadSleep = <V extends object>(s: Pick<Steps<V>, "call">, timeout?: (v: V) => number, outside?: (v: V) => boolean): Step => {
  const label = `thread_sleep: DkObjectsWaitAny(scheduler_event, ${timeout ? "timeout" : "forever"})`;
  return dkEvent(s, label, "DkObjectsWaitAny", ownEvent, timeout, outside);
};

/** What a system call was given, for the PAL call it makes. */
export const given = (v: CallLocals): Given => ({
  object: v.object,
  objects: v.object >= 0 ? [v.object] : v.objects,
  bytes: v.bytes,
  takes: v.takes,
  result: v.result,
  timeout: v.timeout,
});

/** The end of every shim_do_*: the result in RAX. */
export const answer = <V extends { ret: number }>(s: Pick<Steps<V>, "ret">): Step =>
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  });

/** semop and msgrcv loop on the wait: never EINTR. */
const loopingWait = (name: "semop" | "msgrcv"): Flow =>
  flow(SHIM_DO[name], "libos", "2.20", (s) => [
    s.act("until when", (c, v) => {
      v.until = later(c.now, v.takes >= 0 ? v.takes : NEVER);
    }),
    s.at("again"),
    s.test("ready?", (c, v) => taken(c, v), "done"),
    dk(s, "DkObjectsWaitAny(handle)", "DkObjectsWaitAny", (c, v) =>
      extended(given(v), { takes: v.takes >= 0 ? Math.max(0, v.until - c.now) : -1 }),
    ),
    s.jump("again", "again"),
    s.at("done"),
    answer(s),
  ]);

function taken(c: Cpu, v: CallLocals): boolean {
  v.ret = v.result;
  if (v.takes >= 0) return c.now >= v.until;
  const object = c.m.objects[v.object];
  if (!object || object.level === 0) return false;
  object.level -= 1;
  return true;
}

/** tv_nsec of rem is computed with a slip that only shows above a second (3.2 nanosleep-remaining-wrong); the row's value is all of rem. */
export const nanosleep = (first: (s: Steps<SleepArgs>) => readonly (Step | Mark)[]): Flow =>
  flow<SleepArgs>(SHIM_DO.nanosleep, "libos", "2.20", (s) => [
    ...first(s),
    dk(s, "DkThreadDelayExecution(microseconds)", "DkThreadDelayExecution", (_, v) => ({ timeout: v.timeout })),
    s.act(
      "slept shorter than asked: -EINTR and the rest",
      (c, v) => {
        const asked = Math.floor(v.timeout / 1000);
        const remaining = Math.max(0, asked - c.t.rax);
        v.ret = c.t.rax < asked ? E.INTR : 0;
        const seconds = Math.floor(remaining / 1e6);
        c.value = v.ret === 0 ? 0 : seconds * 1e9 + (remaining - 1000 * seconds) * 1000;
        if (!v.rem || v.ret === 0) return;
        c.kind = KIND["app.output"];
        c.extra = OUT.remaining;
      },
      ["step", "app.output"],
    ),
    answer(s),
  ]);

/** A call the emulation does not look into: one PAL call of the given length. Cut short, it gives what PAL_ERRNO says. */
const opaque = flow(SHIM_DO.call, "libos", "2.20", (s) => [
  dk(s, "one PAL call", "DkStreamOpen", (_, v) => given(v)),
  s.act(
    "ret = done ? result : -PAL_ERRNO",
    (c, v) => {
      v.ret = c.t.rax === 1 ? v.result : minusPalErrno(c);
      c.value = v.ret;
    },
    MAY_READ_ERRNO,
  ),
  answer(s),
]);

const yielding = flow(SHIM_DO.sched_yield, "libos", "2.20", (s) => [
  dk(s, "DkThreadYieldExecution()", "DkThreadYieldExecution", () => ({})),
  answer(s),
]);

const gettime = flow(SHIM_DO.gettimeofday, "libos", "2.20", (s) => [
  dk(s, "DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
  s.act("microseconds", (c) => {
    c.value = c.t.rax;
  }),
  answer(s),
]);

const getpid = flow(SHIM_DO.getpid, "libos", "2.20", (s) => [
  s.act("ret = tgid", (c, v) => {
    v.ret = c.process(c.t).pid;
  }),
  answer(s),
]);

export const ioFlows: readonly Flow[] = [
  loopingWait("semop"),
  loopingWait("msgrcv"),
  nanosleep(() => []),
  opaque,
  yielding,
  gettime,
  getpid,
];
