/** A signal line: what caused it, and what the process had set for it. */

import { SIG, signalName } from "../../../engine/index.ts";
import { field, wholeNumber } from "./args.ts";
import type { ProcessState, Timer } from "./facts.ts";
import { type Homemade, homemadeBy, type Senders } from "./homemade.ts";
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
  readonly fault: Fault;
  /** Sent to this thread, not to its process. */
  readonly directed: boolean;
  /** Sent to its process, whose kernel chose this thread: one that is not the first. */
  readonly chosen: boolean;
  /** From outside, and yet the program's own doing: what sent it is not emulated. No host would send it to a library OS. */
  readonly homemade: Homemade;
  /** Disposition at that moment; null when nobody set one. */
  action: Action | null;
  /** Nobody set one, and the log does not show the program's start: it may have been anything. */
  readonly unknown: boolean;
  /** The handler's run ends with rt_sigreturn; filled in by `matchReturns`. */
  returned: boolean;
}

/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
export const SIG_STOPS: ReadonlySet<number> = new Set([SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU]);

/** As the scenario's operation writes it. */
export type Fault = Readonly<{ what: string; at?: string; address?: number }>;

const STACK_FULL: Fault = { what: "stack" };

/** Instructions that raise a signal, and what is at the address, by the code that the kernel gives it; SI_KERNEL is its own for some. */
const FAULTS: Readonly<Record<string, Readonly<Record<string, Fault>>>> = {
  SIGFPE: { FPE_FLT: { what: "float" }, FPE_: { what: "divide" } },
  SIGILL: { ILL_: { what: "illegal" } },
  SIGSEGV: { SEGV_ACCERR: { what: "memory", at: "protected" }, SEGV_: { what: "memory" }, SI_KERNEL: { what: "noncanonical" } },
  SIGBUS: { BUS_ADRALN: { what: "align" }, BUS_: { what: "memory", at: "file-end" } },
  SIGTRAP: { TRAP_BRKPT: { what: "int3" }, SI_KERNEL: { what: "int3" } },
};

function faultOf(signal: number, code: string): Fault | undefined {
  const codes = FAULTS[signalName(signal)] ?? {};
  return Object.entries(codes).find(([prefix]) => code.startsWith(prefix))?.[1];
}
/** Codes that the kernel gives a signal raised by an instruction. */
const FAULT_CODE = /^(?:SEGV|FPE|ILL|BUS|TRAP|SYS)_/;
/** The largest address a scenario may name. */
const MAX_ADDRESS = 1e9;

/** What else is known: who may have sent it, the processes whose stops are emulated, and what the thread blocks. */
interface Around {
  readonly senders: Senders;
  readonly stoppable: ReadonlySet<Process>;
  readonly mask: readonly number[];
}

/** `next`: the thread's line after it, `before`: what is known of the signal before. */
export function arrival(
  event: SignalEvent,
  next: LogEvent | undefined,
  before: Arrival | undefined,
  task: Task,
  state: ProcessState,
  { senders, stoppable, mask }: Around,
): Arrival {
  const { signal, info } = event;
  const code = field(info, "si_code");
  const action = state.actions.get(signal) ?? null;
  if (action?.what === "handler" && action.flags.includes("SA_RESETHAND")) state.actions.set(signal, { what: "default", signal });
  const address = Number(field(info, "si_addr"));
  const { cause, sentAt, sending } = causeOf(event, task, code, state, action, stoppable);
  const noFrame = action?.what === "handler" && next?.kind === "signal" && isFrameFault(next);
  // No room for SIGSEGV's own frame: the stack is full, and the kernel kills.
  const stackFull = noFrame && cause === "fault" && signal === next.signal;
  // Linux makes the disposition the default for a fault whose signal is blocked or ignored: no handler runs.
  const forced = cause === "fault" && mask.includes(signal);
  const told = before?.fault.what === STACK_FULL.what;
  return {
    cause: told || (noFrame && !stackFull) ? "lost" : cause,
    sending,
    sentAt: Math.min(sentAt, event.start),
    fault: stackFull
      ? STACK_FULL
      : {
          what: "memory",
          ...faultOf(signal, code),
          ...(state.known && isOverflow(event, code, action) ? { at: "stack-guard" } : {}),
          ...(address > 0 && address <= MAX_ADDRESS ? { address } : {}),
        },
    directed: code === "SI_TKILL" || FAULT_CODE.test(code),
    homemade: cause === "outside" ? homemadeBy(signal, code, wholeNumber(field(info, "si_pid")) ?? -1, senders) : "no",
    chosen: code !== "SI_TKILL" && task !== state.process.leader && !FAULT_CODE.test(code),
    action: stackFull || forced ? null : action,
    unknown: action === null && !state.known,
    returned: false,
  };
}

/** From here on Linux has the first thread's stack, and hardly anything else. */
const STACK_FROM = 0x7ffc_0000_0000;

/** An address there that is not mapped is below the stack's end; only a handler on another stack could run. */
function isOverflow({ signal, info }: SignalEvent, code: string, action: Action | null): boolean {
  if (code !== "SEGV_MAPERR" || action?.what !== "handler" || !action.flags.includes("SA_ONSTACK")) return false;
  return signalName(signal) === "SIGSEGV" && Number(field(info, "si_addr")) >= STACK_FROM;
}

interface Sent {
  readonly cause: Cause;
  readonly sentAt: number;
  readonly sending?: Sending;
}

function causeOf(
  event: SignalEvent,
  task: Task,
  code: string,
  state: ProcessState,
  action: Action | null,
  stoppable: ReadonlySet<Process>,
): Sent {
  const { signal, info, start } = event;
  const own = (sentAt: number): Sent => ({ cause: "own", sentAt });
  const other = (cause: Cause): Sent => ({ cause, sentAt: start });
  if (faultOf(signal, code) !== undefined) return other("fault");
  const pid = wholeNumber(field(info, "si_pid")) ?? -1;
  if (SIG_STOPS.has(signal) && (action === null || action.what === "default")) {
    const sending = state.sent.take(signal, pid, start);
    return sending === undefined ? other("stop") : { ...other("stop"), sending };
  }
  if (code === "") return untoldCause(event, task, state);
  // The emulated kernel tells the parent of a child's end by itself.
  if (signal === SIG.CHLD && ENDED.has(code)) {
    const child = state.children.get(pid);
    return child ? own(endOf(child) ?? start) : other("outside");
  }
  if (signal === SIG.CHLD && stoppable.has(state.children.get(pid) as Process)) return own(start);
  if (signal === SIG.ALRM && code === "SI_KERNEL" && state.timer) return own(expiry(state.timer, start));
  const timer = code === "SI_TIMER" ? state.timers.get(Number(field(info, "si_timerid"))) : undefined;
  if (timer?.signal === signal && timer.set) return own(expiry(timer.set, start));
  const mailbox = code === "SI_TKILL" ? state.sentTo.get(task) : state.sent;
  const queued = code === "SI_QUEUE" ? state.sentTo.get(task)?.take(signal, pid, start) : undefined;
  // The kernel sends SIGPIPE to the thread that wrote, and says that its process did.
  const raised = signal === SIG.PIPE ? state.sentTo.get(task)?.take(signal, pid, start) : undefined;
  const sending = raised ?? queued ?? mailbox?.take(signal, pid, start);
  return sending === undefined ? other("outside") : { ...own(sending.call.start), sending };
}

/** An old strace says neither why nor by whom: whatever of the log's own could have caused it did. */
function untoldCause({ signal, start }: SignalEvent, task: Task, state: ProcessState): Sent {
  if (signal === SIG.CHLD) {
    const ended = [...state.unreaped].map((child) => endOf(child)).filter((end) => end !== null && end <= start);
    if (ended.length > 0) return { cause: "own", sentAt: Math.max(...ended.map((end) => end ?? 0)) };
  }
  if (signal === SIG.ALRM && state.timer) return { cause: "own", sentAt: expiry(state.timer, start) };
  const sending = state.sentTo.get(task)?.takeAny(signal, null, start) ?? state.sent.takeAny(signal, null, start);
  return sending ? { cause: "own", sentAt: sending.call.start, sending } : { cause: "outside", sentAt: start };
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

/** si_code of a SIGCHLD for an end. */
export const ENDED: ReadonlySet<string> = new Set(["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED"]);

/** The kernel's own SIGSEGV: not at an address. */
const isFrameFault = ({ signal, info }: SignalEvent): boolean =>
  signalName(signal) === "SIGSEGV" && field(info, "si_code") === "SI_KERNEL" && /^(?:NULL|0)$/.test(field(info, "si_addr"));

/** Faults of a kind for which the scenario has no instruction. */
export const isOddFault = (event: SignalEvent): boolean =>
  FAULT_CODE.test(field(event.info, "si_code")) && faultOf(event.signal, field(event.info, "si_code")) === undefined;
