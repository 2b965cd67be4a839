/** A signal line: what caused it, and what the process had set for it. */

import { signalName } from "../../engine/index.ts";
import { field, wholeNumber } from "./args.ts";
import type { ProcessState, Timer } from "./facts.ts";
import type { LogEvent, SignalEvent } from "./log.ts";
import type { Action } from "./registrations.ts";
import type { Sending } from "./sent.ts";
import type { Process, Task } from "./tree.ts";

/**
 * `own`: another line of the scenario causes it (kill, a timer, the end of a child). `fault`: an instruction of the thread.
 * `stop`: job control. `lost`: the kernel could not write its frame, and raised SIGSEGV instead. `outside`: everything else, to be generated.
 */
type Cause = "own" | "fault" | "stop" | "lost" | "outside";

export interface Arrival {
  readonly cause: Cause;
  /** The call of the log that sent it. */
  readonly sending: Sending | undefined;
  /** When it was sent, ns of the log: somewhat before the line that tells of it. Known for `own`. */
  readonly sentAt: number;
  readonly fault: "divide" | "memory" | "illegal";
  readonly address: number;
  /** Sent to this thread, not to its process. */
  readonly directed: boolean;
  /** Disposition at that moment; null when nobody set one. */
  action: Action | null;
  /** Nobody set one, and the log does not show the program's start: it may have been anything. */
  readonly unknown: boolean;
  /** The handler's run ends with rt_sigreturn; filled in by `matchReturns`. */
  returned: boolean;
}

const SIGCHLD = 17;
const SIGALRM = 14;
/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
export const SIG_STOPS: ReadonlySet<number> = new Set([19, 20, 21, 22]);

const FAULTS: Readonly<Record<string, Arrival["fault"]>> = { SIGFPE: "divide", SIGSEGV: "memory", SIGILL: "illegal" };
/** Codes that the kernel gives a signal raised by an instruction. */
const FAULT_CODE = /^(?:SEGV|FPE|ILL|BUS|TRAP|SYS)_/;
/** The largest address a scenario may name. */
const MAX_ADDRESS = 1e9;

/** `next`: the thread's line after it. */
export function arrival(event: SignalEvent, next: LogEvent | undefined, task: Task, state: ProcessState): Arrival {
  const { signal, info } = event;
  const code = field(info, "si_code");
  const action = state.actions.get(signal) ?? null;
  if (action?.what === "handler" && action.flags.includes("SA_RESETHAND")) state.actions.set(signal, { what: "default", signal });
  const address = Number(field(info, "si_addr"));
  const { cause, sentAt, sending } = causeOf(event, task, code, state, action);
  return {
    cause: action?.what === "handler" && next?.kind === "signal" && isFrameFault(next) ? "lost" : cause,
    sending,
    sentAt: Math.min(sentAt, event.start),
    fault: FAULTS[signalName(signal)] ?? "memory",
    address: address > 0 && address <= MAX_ADDRESS ? address : 0,
    directed: code === "SI_TKILL" || task !== state.process.leader || FAULT_CODE.test(code),
    action,
    unknown: action === null && !state.known,
    returned: false,
  };
}

interface Sent {
  readonly cause: Cause;
  readonly sentAt: number;
  readonly sending?: Sending;
}

function causeOf(event: SignalEvent, task: Task, code: string, state: ProcessState, action: Action | null): Sent {
  const { signal, info, start } = event;
  const own = (sentAt: number): Sent => ({ cause: "own", sentAt });
  const other = (cause: Cause): Sent => ({ cause, sentAt: start });
  const isFault = FAULT_CODE.test(code) || (code === "SI_KERNEL" && signalName(signal) === "SIGSEGV");
  if (isFault && FAULTS[signalName(signal)] !== undefined) return other("fault");
  if (SIG_STOPS.has(signal) && (action === null || action.what === "default")) return other("stop");
  const pid = wholeNumber(field(info, "si_pid")) ?? -1;
  // The emulated kernel tells the parent of a child's end by itself.
  if (signal === SIGCHLD && ENDED.has(code)) {
    const child = state.children.get(pid);
    return child ? own(endOf(child) ?? start) : other("outside");
  }
  if (signal === SIGALRM && code === "SI_KERNEL" && state.timer) return own(expiry(state.timer, start));
  const mailbox = code === "SI_TKILL" ? state.sentTo.get(task) : state.sent;
  const sending = mailbox?.take(signal, pid, start);
  return sending === undefined ? other("outside") : { ...own(sending.call.start), sending };
}

/** The last time before `until` at which the timer went off. */
function expiry({ at, value, interval }: Timer, until: number): number {
  const first = at + value;
  return interval > 0 && first <= until ? first + Math.floor((until - first) / interval) * interval : first;
}

/** When a process had ended, ns of the log; null when the log does not show it. */
export function endOf({ leader }: Process): number | null {
  const last = leader.life.events.at(-1);
  return last?.kind === "end" ? last.start : null;
}

const ENDED: ReadonlySet<string> = new Set(["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED"]);

/** The kernel's own SIGSEGV: not at an address. */
const isFrameFault = ({ signal, info }: SignalEvent): boolean =>
  signalName(signal) === "SIGSEGV" && field(info, "si_code") === "SI_KERNEL" && /^(?:NULL|0)$/.test(field(info, "si_addr"));

/** Faults of a kind for which the scenario has no instruction. */
export const isOddFault = (event: SignalEvent): boolean =>
  FAULT_CODE.test(field(event.info, "si_code")) && FAULTS[signalName(event.signal)] === undefined;
