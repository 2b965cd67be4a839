/** timer_create, timer_settime, timer_delete: timers of the scenario, so that their signals come only where the calls are there. */

import { SIG, signalName, signalNumber } from "../../../engine/index.ts";
import { field, splitArgs, timeSpan, wholeNumber } from "./args.ts";
import type { ProcessState, Timer } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import type { Finished, Special } from "./mapped.ts";
import type { Item } from "./registrations.ts";
import type { Task } from "./tree.ts";

export interface PosixTimer {
  /** As the scenario calls it. */
  readonly name: string;
  readonly signal: number;
  /** si_value of the signal. */
  readonly value: number;
  /** Sent to the thread that made it, not to its process. */
  readonly directed: boolean;
  /** Null until it is started, and when it is stopped. */
  set: Timer | null;
}

/** Their time goes by whatever the process does. */
const CLOCKS: ReadonlySet<string> = new Set(["CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_BOOTTIME"]);
/** The largest value a scenario names. */
const MAX_VALUE = 1e9;

/** What the call makes of the process's timers; the timer that it is about, null when the scenario cannot say it. */
export function changesTimer(call: CallEvent, task: Task, state: ProcessState): PosixTimer | null {
  if (call.value !== 0) return null;
  const args = splitArgs(call.args);
  switch (call.name) {
    case "timer_create":
      return created(args, task, state);
    case "timer_settime": {
      const timer = state.timers.get(wholeNumber(args[0]) ?? -1);
      const set = settingOf(args);
      if (timer === undefined) return null;
      timer.set = set && { at: call.end, ...set };
      return set && timer;
    }
    case "timer_delete": {
      const id = wholeNumber(args[0]) ?? -1;
      const timer = state.timers.get(id);
      state.timers.delete(id);
      return timer ?? null;
    }
  }
  return null;
}

function created([clock = "", event = "", made = ""]: readonly string[], task: Task, state: ProcessState): PosixTimer | null {
  const id = wholeNumber(/^\[(\d+)\]/.exec(made)?.[1]);
  if (id === null || !CLOCKS.has(clock)) return null;
  const how = event === "NULL" ? "SIGEV_SIGNAL" : field(event, "sigev_notify");
  const toThread = how === "SIGEV_THREAD_ID";
  if (!toThread && how !== "SIGEV_SIGNAL") return null;
  if (toThread && wholeNumber(field(event, "sigev_notify_thread_id")) !== task.life.pid) return null;
  const signal = event === "NULL" ? SIG.ALRM : signalNumber(field(event, "sigev_signo"));
  const value = event === "NULL" ? id : (wholeNumber(field(field(event, "sigev_value"), "sival_int")) ?? 0);
  if (signal === undefined || value < 0 || value > MAX_VALUE) return null;
  state.timersMade += 1;
  const timer: PosixTimer = { name: `timer-${state.timersMade}`, signal, value, directed: toThread, set: null };
  state.timers.set(id, timer);
  return timer;
}

/** A moment of the clock is none of the run: null. */
function settingOf([, flags = "", spec = ""]: readonly string[]): Omit<Timer, "at"> | null {
  const value = timeSpan(field(spec, "it_value"));
  const interval = timeSpan(field(spec, "it_interval"));
  return flags === "0" && value !== null && interval !== null ? { value, interval } : null;
}

/** The call as an operation. */
export function timerItem({ call }: Finished, timer: PosixTimer | undefined): Special | null {
  if (timer === undefined) return null;
  return { item: itemOf(call, timer) };
}

function itemOf(call: CallEvent, { name, signal, value, directed }: PosixTimer): Item {
  if (call.name === "timer_delete") return { "timer-delete": { timer: name, expect: 0 } };
  if (call.name === "timer_create")
    return {
      "timer-create": {
        timer: name,
        signal: signalName(signal),
        ...(value === 0 ? {} : { value }),
        ...(directed ? { thread: true } : {}),
        expect: 0,
      },
    };
  const args = splitArgs(call.args);
  const set = settingOf(args);
  const old = /^[{[~]/.test(args[3] ?? "") ? { old: true } : {};
  return { "timer-settime": { timer: name, value: set?.value ?? 0, interval: set?.interval ?? 0, ...old, expect: 0 } };
}
