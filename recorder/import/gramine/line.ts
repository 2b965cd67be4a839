/**
 * One line of Graphene's or Gramine's own log, of any era: whose it is, and what it says. Source of the formats: reference, section 6,
 * from shim_parser.c, shim_signal.c and libos_parser.c of their times. Knows nothing of the lines around it.
 */

import { signalNumber } from "../../../engine/index.ts";

/** `null` where the era does not tell. An internal thread is the LibOS's own. */
export interface Owner {
  readonly pid: number | null;
  readonly tid: number | null;
}

export type Said =
  | { readonly is: "call"; readonly name: string; readonly args: string; readonly result: number | null }
  /** The call goes on, or has no return. */
  | { readonly is: "begin"; readonly name: string; readonly args: string }
  | { readonly is: "end"; readonly name: string; readonly result: number }
  | { readonly is: "exit"; readonly name: string; readonly status: number }
  | { readonly is: "missing"; readonly name: string }
  /** A call's line that goes on in the thread's next one. */
  | { readonly is: "cut"; readonly text: string }
  | { readonly is: "handler"; readonly signal: number; readonly address: string }
  | { readonly is: "handler-over" }
  | { readonly is: "fetched"; readonly signal: number }
  | { readonly is: "dispatched"; readonly signal: number }
  | { readonly is: "sent"; readonly signal: number; readonly to: Owner }
  | { readonly is: "dropped"; readonly signal: number; readonly tid: number | null }
  | { readonly is: "delayed"; readonly preempt: number }
  | { readonly is: "killed"; readonly signal: number }
  | { readonly is: "fault"; readonly fault: number }
  | { readonly is: "internal-fault" }
  | { readonly is: "process-over"; readonly pid: number; readonly status: number }
  | { readonly is: "other" };

export interface GramineLine {
  readonly owner: Owner;
  /** "error", "warning", "debug" or "trace"; empty in eras without. */
  readonly level: string;
  readonly text: string;
  readonly said: Said;
}

/** Where the line was written (from v1.4 on), whose it is, how loud. */
const PLACE = /^\([\w.+-]{1,80}:\d{1,7}:[\w<>~ .-]{0,100}\) /;
const OWNER = /^\[([^\]\n]{0,48})\] ?/;
const LEVEL = /^(error|warning|debug|trace|always): /;
/** Longer lines are not taken apart. */
const MOST_LENGTH = 65_536;

const NOBODY: Owner = { pid: null, tid: null };

/** Null for a line that has no prefix of the log. */
export function parseGramine(line: string): GramineLine | null {
  if (line.length > MOST_LENGTH) return null;
  const place = PLACE.exec(line);
  let rest = place ? line.slice(place[0].length) : line;
  const bracket = OWNER.exec(rest);
  const owner = bracket ? ownerOf(bracket[1] ?? "") : null;
  if (bracket && owner !== null) rest = rest.slice(bracket[0].length);
  const level = LEVEL.exec(rest);
  if (level) rest = rest.slice(level[0].length);
  if (owner === null && (place === null || level === null)) return null;
  return { owner: owner ?? NOBODY, level: level?.[1] ?? "", text: rest, said: saidBy(rest) };
}

/** `P1:T2:app`, `P1:libos`, `P1::app`, `::app`; `P17:i2:app`; `17:app`; `    41`, `P00017`, six blanks. Null for none of these. */
function ownerOf(text: string): Owner | null {
  const [, pid, kind, tid] = /^P(\d{1,10})(?::(?:([Ti])(\d{1,10}))?.*)?$/.exec(text) ?? [];
  if (pid !== undefined) return { pid: Number(pid), tid: kind === "T" ? Number(tid) : null };
  const [, alone] = /^ *(\d{1,10})(?::.*)?$/.exec(text) ?? [];
  if (alone !== undefined) return { pid: null, tid: Number(alone) };
  return /^(?: {6}|::.*)$/.test(text) ? NOBODY : null;
}

const NAME = "(?:shim_)?(\\w{1,64})";
const RETURN = new RegExp(`^---- return from ${NAME}\\(.*\\) = (-?\\w{1,20})$`);
const EXIT = new RegExp(`^---- ${NAME} \\(returning (-?\\d{1,10})\\)$`);
const BEGIN = new RegExp(`^---- ${NAME}\\((.*?)\\)? \\.\\.\\.$`);
const WHOLE = new RegExp(`^---- ${NAME}\\((.*)\\) = (-?\\w{1,20})(?: \\(mock\\))?$`);
const ALONE = new RegExp(`^---- ${NAME}\\((.*)\\)$`);
const MISSING = /^(?:WARNING: shim_(\w+) not implemented|Unsupported system call (\w+))$/;

function saidBy(text: string): Said {
  if (text.startsWith("---- ")) return callBy(text);
  const missing = MISSING.exec(text);
  if (missing) return { is: "missing", name: missing[1] ?? missing[2] ?? "" };
  return aboutSignals(text) ?? { is: "other" };
}

function callBy(text: string): Said {
  const end = RETURN.exec(text);
  if (end) return { is: "end", name: end[1] ?? "", result: numberOf(end[2] ?? "") };
  const exit = EXIT.exec(text);
  if (exit) return { is: "exit", name: exit[1] ?? "", status: Number(exit[2]) };
  const begin = BEGIN.exec(text);
  if (begin) return { is: "begin", name: begin[1] ?? "", args: begin[2] ?? "" };
  const whole = WHOLE.exec(text);
  if (whole) return { is: "call", name: whole[1] ?? "", args: whole[2] ?? "", result: numberOf(whole[3] ?? "") };
  // rt_sigreturn has no result; any other line without one was cut, by the length of the log's buffer.
  const alone = ALONE.exec(text);
  if (alone?.[1] === "rt_sigreturn") return { is: "call", name: "rt_sigreturn", args: "", result: null };
  return { is: "cut", text };
}

/** `0x1f`, `31`, `-4`; addresses beyond what JavaScript counts exactly as their nearest neighbour. */
function numberOf(text: string): number {
  if (!/^(?:-?\d+|0x[0-9a-f]+)$/i.test(text)) return 0;
  const number = Number(BigInt.asIntN(64, BigInt(text)));
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}

/** "SIGUSR1", "[SIGUSR1]", "SIG35", "10". */
export function gramineSignal(text: string): number {
  const name = text.replace(/[[\]]/g, "");
  const [, digits] = /^(?:SIG)?(\d{1,2})$/.exec(name) ?? [];
  return digits === undefined ? signalNumber(name) : Number(digits);
}

/** Patterns of lines about signals, each with what it says. Eras by their wording: reference, 6.3. */
const SIGNALS: readonly (readonly [RegExp, (match: RegExpExecArray) => Said])[] = [
  [
    /^Created sigframe for sig: (\d+) at \S+ \(handler: (\w+),/,
    ([, signal = "", address = ""]) => ({ is: "handler", signal: Number(signal), address }),
  ],
  [/^run signal handler (\w+) \((\d+),/, ([, address = "", signal = ""]) => ({ is: "handler", signal: Number(signal), address })],
  [/^__enable_preempt: /, () => ({ is: "handler-over" })],
  [/^signal_logs\[(\d+)\]: head=\d+, tail=\d+$/, ([, index = ""]) => ({ is: "fetched", signal: Number(index) + 1 })],
  [/^(?:(SIG\w+)|signal (\d+)) handled$/, ([, name, number]) => ({ is: "dispatched", signal: gramineSignal(name ?? number ?? "") })],
  [
    /^Thread (\d+) killed by signal (\d+)$/,
    ([, tid = "", signal = ""]) => ({ is: "sent", signal: Number(signal), to: { pid: null, tid: Number(tid) } }),
  ],
  [/^killed by (?:(SIG\w+)|signal (\d+))$/, ([, name, number]) => ({ is: "killed", signal: gramineSignal(name ?? number ?? "") })],
  [/^signal delayed \((-?\d+)\)$/, ([, preempt = ""]) => ({ is: "delayed", preempt: Number(preempt) })],
  [
    /^signal queue is full \(TID = (\d+), SIG = (\d+)\)$/,
    ([, tid = "", signal = ""]) => ({ is: "dropped", signal: Number(signal), tid: Number(tid) }),
  ],
  [
    /^Signal (\d+) queue of (?:thread (\d+)|process) is full, dropping/,
    ([, signal = "", tid]) => ({ is: "dropped", signal: Number(signal), tid: tid === undefined ? null : Number(tid) }),
  ],
  [/^(?:deliver SIGCHLD \(|Child process \(pid: \d+\) died)/, () => ({ is: "sent", signal: 17, to: NOBODY })],
  [
    /^(?:Alarm\/timer triggered at|alarm goes off, signaling thread (\d+))/,
    ([, tid]) => ({ is: "sent", signal: 14, to: { pid: null, tid: tid === undefined ? null : Number(tid) } }),
  ],
  [/^arithmetic fault at /, () => ({ is: "fault", fault: 1 })],
  [/^memory fault at /, () => ({ is: "fault", fault: 2 })],
  [/^(?:illegal instruction at |Illegal instruction during app execution at )/, () => ({ is: "fault", fault: 3 })],
  [/^(?:Internal (?:memory|arithmetic|illegal) |Illegal instruction during \w+ internal execution)/, () => ({ is: "internal-fault" })],
  [
    /^process (\d+) exited with status (\d+)$/,
    ([, pid = "", status = ""]) => ({ is: "process-over", pid: Number(pid), status: Number(status) }),
  ],
];

/** Every pattern above begins so: most lines of a log are about something else. */
const MAY_BE =
  /^(?:C(?:reated s|hild p)|run s|__e|signal|S(?:IG|ignal)|[Tt]hread \d|killed|deliver|A(?:larm)|a(?:larm|rith)|memory f|[Ii](?:llegal|nternal)|process \d)/;

function aboutSignals(text: string): Said | null {
  if (!MAY_BE.test(text)) return null;
  for (const [pattern, say] of SIGNALS) {
    const match = pattern.exec(text);
    if (match) return say(match);
  }
  return null;
}
