/** Signals that are taken and not handled: rt_sigtimedwait, and reads from a signalfd. Nothing in the log tells of their arrival. */

import { signalNumber } from "../../../engine/index.ts";
import { field, signalSet, splitArgs, wholeNumber } from "./args.ts";
import type { ProcessState } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import type { Task } from "./tree.ts";

/** A signal that a call took. */
export interface Taken {
  readonly signal: number;
  /** Nothing in the log sent it: it comes from outside while the call waits. */
  readonly outside: boolean;
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
export function takenBy({ name, value, args, end }: CallEvent, task: Task, state: ProcessState): Taken[] {
  if (value === null || value <= 0) return [];
  if (name === "rt_sigtimedwait") return [takeOne(value, wholeNumber(field(splitArgs(args)[1] ?? "", "si_pid")), end, task, state)];
  return [...args.matchAll(/\{ssi_signo=(SIG\w+)[^}]*?ssi_pid=(\d{1,10})/g)].map((match) =>
    takeOne(signalNumber(match[1] ?? ""), Number(match[2]), end, task, state),
  );
}

const SIGCHLD = 17;
const SIGALRM = 14;

function takeOne(signal: number, sender: number | null, at: number, task: Task, state: ProcessState): Taken {
  const own =
    (state.sentTo.get(task)?.takeAny(signal, sender, at) ?? state.sent.takeAny(signal, sender, at)) !== undefined ||
    (signal === SIGCHLD && state.children.size > 0) ||
    (signal === SIGALRM && state.timer !== null && sender === null);
  return { signal, outside: !own };
}
