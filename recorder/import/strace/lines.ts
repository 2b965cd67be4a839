/** One line of a strace log: which thread, when, and which of strace's line forms. Knows nothing of the lines around it. */

import { signalNumber } from "../../../engine/index.ts";
import { EINTR, errorNumber } from "./errno.ts";

export interface Result {
  /** What the call returned, errors as negative numbers; null for `?`. */
  readonly value: number | null;
  /** The kernel's restart code ("ERESTARTSYS", ...) when a signal ended the call; else empty. */
  readonly restart: string;
  /** ns from `-T`; null without. */
  readonly duration: number | null;
  /** The duration is written in milliseconds or less exactly (--syscall-times=ms). */
  readonly coarse: boolean;
}

export type Content =
  | { readonly form: "call"; readonly name: string; readonly args: string; readonly result: Result }
  | { readonly form: "begin"; readonly name: string; readonly args: string }
  | { readonly form: "end"; readonly name: string; readonly args: string; readonly result: Result }
  /** Resumed, and broken off by another thread's line again. */
  | { readonly form: "more"; readonly name: string; readonly args: string }
  | { readonly form: "signal"; readonly signal: number; readonly info: string }
  | { readonly form: "stopped" }
  | { readonly form: "exited"; readonly status: number }
  | { readonly form: "killed"; readonly signal: number }
  | { readonly form: "superseded"; readonly by: number }
  | { readonly form: "attached"; readonly pid: number }
  /** strace speaks itself; it may say that it left a process. */
  | { readonly form: "words"; readonly text: string; readonly detached: number | null }
  /** A frame of -k. */
  | { readonly form: "frame"; readonly at: string }
  /** A line of the table of -c. */
  | { readonly form: "summary" }
  /** Bytes that -e read=... and -e write=... show. */
  | { readonly form: "dump" }
  /** Somebody left lines out, and says so. */
  | { readonly form: "elided" }
  | { readonly form: "empty" }
  | { readonly form: "other" };

export type Form = Content["form"];

export interface Line {
  /** null without a pid prefix. */
  readonly pid: number | null;
  /** null without a time stamp. */
  readonly stamp: Stamp | null;
  readonly content: Content;
}

export interface Stamp {
  /** Seconds since the epoch (-ttt) or since midnight (-tt). */
  readonly seconds: number;
  readonly ns: number;
  readonly clock: "epoch" | "day";
  /** Written without a fraction (-t), or in milliseconds. */
  readonly coarse: boolean;
}

const EMPTY: Content = { form: "empty" };
const OTHER: Content = { form: "other" };

/** `1234 ` of -o FILE, `[pid  1234] ` of the terminal; either may carry the program's name (-Y). */
const PID = /^(?:\[pid +(\d{1,10})(?:<[^>]*>)?\]|(\d{1,10})(?:<[^>]*>)?) +/;
const EPOCH = /^(\d{1,12})\.(\d{1,9})(?: +|$)/;
/** `--timestamps=unix` writes no fraction. No thread has so large an id. */
const WHOLE_EPOCH = /^(\d{10,12}) +(?=[A-Za-z_]\w*\(|--- |\+\+\+ |<\.\.\. |\[|\()/;
/** `--relative-timestamps=s` writes whole seconds since the line before; without a thread before them they would be one. */
const WHOLE_RELATIVE = /^(\d{1,9}) +(?=[a-z_]\w*\(|--- |\+\+\+ |<\.\.\. )/;
const DAY = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: +|$)/;
/** Some write the thread after the time. */
const PID_AFTER = /^\[pid +(\d{1,10})(?:<[^>]*>)?\] +/;
/** Time since the line before (-r beside -tt), number of the call (-n), instruction pointer (-i). */
const MORE = /^(?:(?:\[[ 0-9a-f?]+\]|\(\+ *\d{1,9}\.\d{1,9}\)) +)+/;

/** A number with the name that -X verbose writes behind it; what stands in a string is the program's own. */
const LONGEST = 65_536;
const VERBOSE = /"(?:[^"\\]|\\.)*"|(?:0x[0-9a-f]{1,16}|-?\d{1,20}) \/\* ([A-Z][A-Z0-9_]*(?:\|\w+)*) \*\//g;

export function parseLine(text: string): Line {
  let rest = text;
  let pid: number | null = null;
  const prefix = PID.exec(rest);
  if (prefix && !WHOLE_EPOCH.test(rest)) {
    pid = Number(prefix[1] ?? prefix[2]);
    rest = rest.slice(prefix[0].length);
  }
  let stamp: Stamp | null = null;
  const epoch = EPOCH.exec(rest) ?? WHOLE_EPOCH.exec(rest) ?? (pid === null ? null : WHOLE_RELATIVE.exec(rest));
  const day = epoch ? null : DAY.exec(rest);
  if (epoch) {
    stamp = { seconds: Number(epoch[1]), ns: fraction(epoch[2] ?? ""), clock: "epoch", coarse: isCoarse(epoch[2]) };
    rest = rest.slice(epoch[0].length);
  } else if (day) {
    const [, hours, minutes, seconds, digits] = day;
    const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    stamp = { seconds: total, ns: fraction(digits ?? ""), clock: "day", coarse: isCoarse(digits) };
    rest = rest.slice(day[0].length);
  }
  const after = stamp !== null && pid === null && rest.startsWith("[pid ") ? PID_AFTER.exec(rest) : null;
  if (after) {
    pid = Number(after[1]);
    rest = rest.slice(after[0].length);
  }
  const content = parseContent(named(rest.replace(MORE, "")));
  // "100.00    0.000000           0        74         7 total" begins like a time.
  if (content === OTHER && SUMMARY.test(text)) return { pid: null, stamp: null, content: { form: "summary" } };
  return { pid, stamp, content };
}

/** Constants by their names alone. */
const named = (text: string): string =>
  text.length < LONGEST && text.includes(" */") ? text.replace(VERBOSE, (all, name?: string) => name ?? all) : text;

/** Digits after the point: of seconds, or of milliseconds. */
const isCoarse = (digits: string | undefined): boolean => digits === undefined || digits.length <= 3;

/** Digits after the point, as ns. */
const fraction = (digits: string): number => Number(digits.padEnd(9, "0"));

/** Calls of 32-bit programs and of older kernels under the names of those that do the same. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ...["sigaction", "sigreturn", "sigprocmask", "sigpending", "sigsuspend"].map((name) => [name, `rt_${name}`] as const),
  ...["clock_nanosleep", "futex", "ppoll", "pselect6", "rt_sigtimedwait", "recvmmsg", "semtimedop"].map(
    (name) => [`${name}_time64`, name] as const,
  ),
  ["_newselect", "select"],
  ["oldselect", "select"],
  ["recv", "recvfrom"],
  ["send", "sendto"],
  ["waitpid", "wait4"],
]);
const nowNamed = (name: string): string => OTHER_NAMES.get(name) ?? name;

const SIGNAL = /^--- (SIG\w+) (\{.*\}) ---$/;
/** Before strace 4.7: `--- SIGCHLD (Child exited) @ 0 (0) ---`, the numbers being where, and about which address. */
const OLD_SIGNAL = /^--- (SIG\w+) \([^()]{1,60}\)(?: @ ([0-9a-f]{1,16}) \(([0-9a-f]{1,16})\))? ---$/;
const EXITED = /^\+\+\+ exited with (\d{1,3}) \+\+\+$/;
const KILLED = /^\+\+\+ killed by (SIG\w+)(?: \(core dumped\))? \+\+\+$/;
const SUPERSEDED = /^\+\+\+ superseded by execve in pid (\d{1,10}) \+\+\+$/;
const ATTACHED = /^(?:strace: )?Process (\d{1,10}) attached/;
/** Old ones say so without their name, and each in a line of its own. */
const WORDS =
  /^(?:strace: |Process \d{1,10} (?:detached|suspended|resumed)|\[ Process PID=\d{1,10} runs in .* mode\. \]$| ?<detached \.\.\.>$)/;
/** `...`, `[... 40 lines omitted ...]`, `<snip>`. */
const ELIDED =
  /^\s*[[<(*-]{0,5}\s*(?:(?:\.{3,}|\u2026)(?:.{0,60}\b(?:lines?|omitted|snip\w*|cut|truncated|more|same)\b.{0,30})?|.{0,40}\b(?:snip(?:ped)?|omitted|truncated)\b.{0,40}?)[\s.\u2026]*[\])>*-]{0,5}$/i;
const DUMP = /^ \| [0-9a-f]{5,16} {2}(?:[0-9a-f]{2}[ -]{1,2}){1,16}/;
const FRAME = /^ ?> (\S.*?) ?\[0x[0-9a-f]{1,16}\](?: \S+:\d+)?$/;
const SUMMARY = /^(?:% time +seconds|-{6} -{11} |System call usage summary|\s*\d{1,3}\.\d\d +\d+\.\d{6} +\d+ +\d+ +(?:\d+ +)?\w+$)/;
const RESUMED = /^<\.\.\. (\w+) resumed>,? ?/;
const CALL = /^([A-Za-z_]\w*)\(/;
/** `detached`: strace left before the end. */
const UNFINISHED = / ?<(?:unfinished|detached) \.\.\.>$/;
/** The thread ended inside the call. */
const NEVER_FINISHED = / ?<unfinished \.\.\.>\) += \?$/;

function parseContent(text: string): Content {
  if (text.trim() === "") return EMPTY;
  if (text.startsWith("---")) return parseSignal(text);
  if (text.startsWith("+++")) return parseEnd(text);
  const resumed = RESUMED.exec(text);
  if (resumed) {
    const name = nowNamed(resumed[1] ?? "");
    if (UNFINISHED.test(text)) return { form: "more", name, args: text.slice(resumed[0].length).replace(UNFINISHED, "") };
    const tail = parseTail(text, resumed[0].length);
    return tail ? { form: "end", name, ...tail } : OTHER;
  }
  const call = CALL.exec(text);
  if (!call) return parseOthers(text);
  const name = nowNamed(call[1] ?? "");
  if (UNFINISHED.test(text)) return { form: "begin", name, args: text.slice(call[0].length).replace(UNFINISHED, "") };
  const tail = parseTail(text, call[0].length);
  return tail ? { form: "call", name, ...tail } : OTHER;
}

/** What is about no call and no signal. */
function parseOthers(text: string): Content {
  const attached = ATTACHED.exec(text);
  if (attached) return { form: "attached", pid: Number(attached[1]) };
  if (WORDS.test(text)) return { form: "words", text, detached: wordsPid(text) };
  if (DUMP.test(text)) return { form: "dump" };
  if (text.length < 100 && ELIDED.test(text)) return { form: "elided" };
  const frame = FRAME.exec(text);
  if (frame) return { form: "frame", at: frame[1] ?? "" };
  return SUMMARY.test(text) ? { form: "summary" } : OTHER;
}

function wordsPid(text: string): number | null {
  const left = /^(?:strace: )?Process (\d{1,10}) detached/.exec(text);
  return left && Number(left[1]);
}

function parseSignal(text: string): Content {
  if (/^--- stopped by SIG\w+ ---$/.test(text)) return { form: "stopped" };
  const match = SIGNAL.exec(text);
  const old = match ? null : OLD_SIGNAL.exec(text);
  const signal = signalNumber(match?.[1] ?? old?.[1] ?? "");
  if (signal < 1) return SUMMARY.test(text) ? { form: "summary" } : OTHER;
  if (match) return { form: "signal", signal, info: match[2] ?? "" };
  return old ? { form: "signal", signal, info: oldInfo(old) } : OTHER;
}

/** Codes of faults at an address; an old strace tells none. */
const ADDRESS_CODES: Readonly<Record<string, string>> = { SIGSEGV: "SEGV_MAPERR", SIGBUS: "BUS_ADRERR" };

function oldInfo([, name = "", , address = "0"]: RegExpExecArray): string {
  const code = ADDRESS_CODES[name];
  return `{si_signo=${name}${code === undefined ? "" : `, si_code=${code}, si_addr=0x${address}`}}`;
}

function parseEnd(text: string): Content {
  const exited = EXITED.exec(text);
  if (exited) return { form: "exited", status: Number(exited[1]) & 0xff };
  const killed = KILLED.exec(text);
  const signal = signalNumber(killed?.[1] ?? "");
  if (signal > 0) return { form: "killed", signal };
  const superseded = SUPERSEDED.exec(text);
  return superseded ? { form: "superseded", by: Number(superseded[1]) } : OTHER;
}

/** Whole seconds (`--syscall-times=s`) tell nothing. */
const DURATION = / <(\d{1,9})(?:\.(\d{1,9}))?>$/;
const VALUE = /^(?:(\?)(?: (ERESTART\w*) \(.*\)| .*)?|(-?\d{1,20}|0x[0-9a-f]{1,16})(?:<.*>)?(?: (E[A-Z0-9]+))?(?: .*)?)$/;
/** Places tried for the result's equals sign in a line: enough for any real one, few enough for a made-up one. */
const MAX_TRIES = 64;

/** `args) = result <duration>`, from `start` on. Null when this is no complete call. */
function parseTail(text: string, start: number): { args: string; result: Result } | null {
  const timed = DURATION.exec(text);
  const body = timed ? text.slice(0, timed.index) : text;
  const duration = timed?.[2] === undefined ? null : Number(timed[1]) * 1e9 + fraction(timed[2]);
  const took = { duration, coarse: duration !== null && isCoarse(timed?.[2]) };
  const never = NEVER_FINISHED.exec(body);
  if (never) return { args: body.slice(start, never.index), result: { value: null, restart: "", ...took } };
  // From the right: strings among the arguments may hold anything.
  let at = body.length;
  for (let tries = 0; tries < MAX_TRIES && at > start; tries += 1) {
    at = body.lastIndexOf(" = ", at - 1);
    if (at < start) return null;
    const closed = lastNonSpace(body, at);
    const value = body[closed] === ")" ? VALUE.exec(body.slice(at + 3)) : null;
    if (value) return { args: body.slice(start, Math.max(start, closed)), result: resultOf(value, took) };
  }
  return null;
}

function lastNonSpace(text: string, before: number): number {
  let at = before - 1;
  while (at >= 0 && text[at] === " ") at -= 1;
  return at;
}

function resultOf([, , restart, number, error]: RegExpExecArray, took: Pick<Result, "duration" | "coarse">): Result {
  if (restart !== undefined) return { value: null, restart, ...took };
  if (number === undefined) return { value: null, restart: "", ...took };
  // In a 32-bit program's register the kernel's own codes are seen: there was a handler, so it is EINTR that the program gets.
  if (number === "-514" || number === "-516") return { value: EINTR, restart: "", ...took };
  if (number === "-1" && error !== undefined) return { value: errorNumber(error) ?? -1, restart: "", ...took };
  return { value: wholeNumber(number), restart: "", ...took };
}

/** 64-bit numbers beyond what JavaScript counts exactly are addresses or flags: their nearest neighbour will do. */
function wholeNumber(text: string): number {
  const number = Number(BigInt.asIntN(64, BigInt(text)));
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}
