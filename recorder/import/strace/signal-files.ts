/** Signals that are taken and not handled: rt_sigtimedwait, and reads from a signalfd. Nothing in the log tells of their arrival. */

import { SIG, signalNumber } from "../../../engine/index.ts";
import { field, signalSet, splitArgs, wholeNumber } from "./args.ts";
import type { ProcessState } from "./facts.ts";
import { type Homemade, homemadeBy, type Senders } from "./homemade.ts";
import type { CallEvent } from "./log.ts";
import type { Task } from "./tree.ts";

/** A signal that a call took. */
export interface Taken {
  readonly signal: number;
  /** Nothing in the log sent it: it comes from outside while the call waits. */
  readonly outside: boolean;
  /** From outside, and yet the program's own doing, which is not emulated. */
  readonly homemade: Homemade;
}

/** Largest descriptor looked after. */
const MAX_FD = 1_000_000;

export const TAKES_SIGNALS: ReadonlySet<string> = new Set(["rt_sigtimedwait", "signalfd", "signalfd4", "read", "close"]);

/** Object of the scenario that stands for the descriptor which a call makes (signalfd4(-1, [TERM], 8, 0) = 3), reads or closes. */
export function signalfdObject({ name, args, value }: CallEvent, { signalfds, process }: ProcessState): string | undefined {
  const made = name === "signalfd" || name === "signalfd4";
  if (!made && signalfds.size === 0) return undefined;
  const fd = made ? value : wholeNumber(splitArgs(args)[0]);
  if (fd === null || fd < 0 || fd > MAX_FD) return undefined;
  if (made && signalSet(splitArgs(args)[1]) !== null) signalfds.set(fd, signalfds.get(fd) ?? `signalfd-${fd}-of-${process.name}`);
  const object = signalfds.get(fd);
  if (name === "close") signalfds.delete(fd);
  return object;
}

/** rt_sigtimedwait answers with a signal; a read with siginfos: read(3, [{ssi_signo=SIGTERM, ssi_pid=10, ...}], 128) = 128 */
export function takenBy({ name, value, args, end }: CallEvent, task: Task, state: ProcessState, senders: Senders): Taken[] {
  if (value === null || value <= 0) return [];
  const takeOne = (signal: number, code: string, sender: number | null): Taken => {
    const outside = !isOwn(signal, code, sender, end, task, state);
    return { signal, outside, homemade: outside ? homemadeBy(signal, code, sender ?? -1, senders) : "no" };
  };
  if (name === "rt_sigtimedwait") {
    const info = splitArgs(args)[1] ?? "";
    return [takeOne(value, field(info, "si_code"), wholeNumber(field(info, "si_pid")))];
  }
  return [...args.matchAll(/\{ssi_signo=(SIG\w+)([^}]*)/g)].map(([, signal = "", info = ""]) =>
    takeOne(signalNumber(signal), /ssi_code=(\w+)/.exec(info)?.[1] ?? "", wholeNumber(/ssi_pid=(\d{1,10})/.exec(info)?.[1])),
  );
}

/** Something in the log sends it, and is emulated. */
const isOwn = (signal: number, code: string, sender: number | null, at: number, task: Task, state: ProcessState): boolean =>
  (state.sentTo.get(task)?.takeAny(signal, sender, at) ?? state.sent.takeAny(signal, sender, at)) !== undefined ||
  (signal === SIG.CHLD && state.children.size > 0) ||
  (signal === SIG.ALRM && state.timer !== null && sender === null) ||
  ((code === "SI_TIMER" || code === "") && [...state.timers.values()].some((timer) => timer.signal === signal && timer.set !== null));
