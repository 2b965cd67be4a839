/** Timers of a process: ITIMER_REAL, those of timer_create, those behind a timerfd (kernel/time/itimer.c, posix-timers.c, fs/timerfd.c). */

import { type Cpu, later } from "../cpu.ts";
import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import type { HostTimer, Process } from "../state.ts";
import type { AlarmArgs, GetitimerArgs, SetitimerArgs, SettimeArgs, TimerArgs, TimerCreateArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { type CallLocals, quick, setTimer } from "./calls.ts";
import { makeFd } from "./fds.ts";
import { OUT, tell } from "./outputs.ts";

/** What alarm(2) returns: the seconds left, rounded to the nearest, but not to 0 (alarm_setitimer). */
function alarm(c: Cpu, v: AlarmArgs): number {
  const left = setTimer(c, Math.floor(v.after / 1e9) * 1e9, 0);
  return left === 0 ? 0 : Math.max(1, Math.round(left / 1e9));
}

const tellTimer = (v: CallLocals, left: number, interval: number): void => {
  tell(v, OUT.oldValue, left);
  tell(v, OUT.interval, interval);
};

const left = (c: Cpu, next: number): number => (next >= NEVER ? 0 : Math.max(0, next - c.now));

function setitimer(c: Cpu, v: SetitimerArgs): number {
  const p = c.process(c.t);
  if (v.which !== "real") return setCpuTimer(c, v);
  if (v.old) tellTimer(v, left(c, p.timer), p.timerInterval);
  setTimer(c, v.value, v.interval);
  return 0;
}

function getitimer(c: Cpu, v: GetitimerArgs): number {
  const p = c.process(c.t);
  const cpu = v.which === "real" ? null : p.cpuTimers[v.which as "virtual" | "prof"];
  if (cpu) tellTimer(v, cpu.left, cpu.interval);
  else tellTimer(v, left(c, p.timer), p.timerInterval);
  return 0;
}

/** ITIMER_VIRTUAL and ITIMER_PROF are set and asked for. Processor time is not counted: they do not expire. */
function setCpuTimer(c: Cpu, v: SetitimerArgs): number {
  const timer = c.process(c.t).cpuTimers[v.which as "virtual" | "prof"];
  if (v.old) tellTimer(v, timer.left, timer.interval);
  timer.left = v.value;
  timer.interval = v.interval;
  return 0;
}

const named = (c: Cpu, v: TimerArgs): HostTimer | undefined => c.process(c.t).timers.find((timer) => timer.name === v.name);

/** These timers of the process are gone. */
export function dropTimers(c: Cpu, p: Process, which: (timer: HostTimer) => boolean): void {
  p.timers = p.timers.filter((timer) => !which(timer));
  c.dirty = true;
}

function create(c: Cpu, { name, signal, value, thread }: TimerCreateArgs): number {
  const p = c.process(c.t);
  dropTimers(c, p, (timer) => timer.name === name);
  p.timers.push({ name, next: NEVER, interval: 0, signal, thread: thread ? c.t.id : -1, value, object: -1 });
  return 0;
}

function settime(c: Cpu, v: TimerArgs & SettimeArgs): number {
  const timer = named(c, v);
  return timer ? arm(c, v, timer) : E.INVAL;
}

/** A value of 0 disarms; an absolute time that is past expires at once. */
function arm(c: Cpu, v: SettimeArgs, timer: HostTimer): number {
  const value = v.value;
  if (v.old) tellTimer(v, left(c, timer.next), timer.interval);
  timer.next = value === 0 ? NEVER : v.absolute ? Math.max(c.now, value) : later(c.now, value);
  timer.interval = v.interval;
  c.dirty = true;
  return 0;
}

function timerDelete(c: Cpu, v: TimerArgs): number {
  const p = c.process(c.t);
  if (!named(c, v)) return E.INVAL;
  dropTimers(c, p, (timer) => timer.name === v.name);
  return 0;
}

function timerfdSettime(c: Cpu, v: SettimeArgs): number {
  const p = c.process(c.t);
  const object = c.m.objects[v.object];
  if (object?.fd?.what !== "timerfd") return E.INVAL;
  object.level = 0;
  let timer = p.timers.find((known) => known.object === v.object);
  if (!timer) {
    timer = { name: object.name, next: NEVER, interval: 0, signal: 0, thread: -1, value: 0, object: v.object };
    p.timers.push(timer);
  }
  return arm(c, v, timer);
}

export const timerCalls: readonly Flow[] = [
  quick("alarm", alarm),
  quick("setitimer", setitimer),
  quick("getitimer", getitimer),
  quick("timer_create", create),
  quick("timer_settime", settime),
  quick("timer_delete", timerDelete),
  quick("timerfd_create", (c, v) => makeFd(c, v, { what: "timerfd" })),
  quick("timerfd_settime", timerfdSettime),
  quick("signalfd", (c, v) => makeFd(c, v, { what: "signalfd", mask: v.mask })),
  quick("eventfd", (c, v) => makeFd(c, v, { what: "eventfd", semaphore: v.semaphore }, v.bytes)),
];
