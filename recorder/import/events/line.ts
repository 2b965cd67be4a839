/** Lines of other tracers as events: `perf script`, ftrace's text (also trace-cmd report), and gVisor's debug log with --strace. */

import { syscallOf } from "../../../engine/index.ts";
import { timedArguments } from "../text/timed-calls.ts";

/** Times are ns, from any beginning. */
export interface TracedEvent {
  readonly time: number;
  readonly tid: number;
  /** null where the tracer does not tell the process. */
  readonly pid: number | null;
  readonly comm: string;
  readonly what: Traced;
}

export type Traced =
  | { readonly is: "enter"; readonly name: string; readonly args: string }
  | { readonly is: "exit"; readonly name: string; readonly result: number }
  /** `result`: 0 sent, 1 ignored, 2 pending already, 3 and 4 lost, as trace/events/signal.h has them. */
  | { readonly is: "generate"; readonly signal: number; readonly to: number; readonly group: boolean; readonly result: number }
  | { readonly is: "deliver"; readonly signal: number; readonly handler: "default" | "ignore" | "handler" }
  | { readonly is: "fork"; readonly child: number }
  | { readonly is: "gone" }
  | { readonly is: "sgx"; readonly leaf: string }
  | { readonly is: "other" };

const ns = (seconds: string): number => {
  const [whole = "0", part = ""] = seconds.split(".");
  return Number(whole) * 1e9 + Number(part.padEnd(9, "0").slice(0, 9));
};

/**
 * `comm  tid [cpu] time: system:event: fields`, the thread also as `pid/tid`. A name may have blanks, numbers and brackets in it: it is
 * as long as the rest allows.
 */
const PERF =
  /^ *(\S.{0,31}) +(?:(\d{1,10})\/)?(\d{1,10}) +(?:\[\d{1,4}\] +)?(?:(?!\d+ )[\w.#]{4,6} +)?(\d{1,12}\.\d{1,9}): +(?:\d+ +)?([\w-]{1,64}):([\w-]{1,64}): *(.*)$/;
/** `comm-tid [cpu] flags time: event: fields`. */
const FTRACE =
  /^ *(\S.{0,63}?)-(\d{1,10}) +(?:\( *(?:(\d{1,10})|-+)\) +)?\[\d{1,4}\] +(?:[\w.#]{4,6} +)?(\d{1,12}\.\d{1,9}): +(?:(\w{1,64}): *(.*)|sys_(\w{1,64})(?:\((.*)\)| -> (\w+)))$/;

export function perfLine(line: string): TracedEvent | null {
  const [, comm = "", pid, tid = "", time = "", system = "", event = "", fields = ""] = PERF.exec(line) ?? [];
  if (tid === "") return null;
  return { time: ns(time), tid: Number(tid), pid: pid === undefined ? null : Number(pid), comm, what: eventOf(system, event, fields) };
}

export function ftraceLine(line: string): TracedEvent | null {
  const [, comm = "", tid = "", pid, time = "", event, fields = "", call, args, result] = FTRACE.exec(line) ?? [];
  if (tid === "") return null;
  const what: Traced =
    event !== undefined
      ? eventOf("", event, fields)
      : result === undefined
        ? { is: "enter", name: call ?? "", args: plain(args ?? "", 16) }
        : { is: "exit", name: call ?? "", result: numberOf(result) };
  return { time: ns(time), tid: Number(tid), pid: pid === undefined ? null : Number(pid), comm, what };
}

function eventOf(system: string, event: string, fields: string): Traced {
  const field = (name: string): string => new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(fields)?.[1] ?? "";
  const number = (name: string): number => Number(field(name) || 0);
  if (event === "sys_enter") {
    const [, nr = "", args = ""] = /^NR (\d+) \((.*)\)/.exec(fields) ?? [];
    const name = syscallOf(Number(nr));
    return nr === "" ? { is: "other" } : { is: "enter", name, args: timedArguments(name, hexadecimal(args)) ?? plainHex(args) };
  }
  if (event === "sys_exit") {
    const [, nr = "", result = ""] = /^NR (\d+) = (-?\d+)/.exec(fields) ?? [];
    return nr === "" ? { is: "other" } : { is: "exit", name: syscallOf(Number(nr)), result: Number(result) };
  }
  const [, way, call = ""] = /^sys_(enter|exit)_(\w+)$/.exec(event) ?? [];
  if (way === "enter") return { is: "enter", name: call, args: plain(fields, system === "" ? 16 : 10) };
  if (way === "exit") return { is: "exit", name: call, result: numberOf(fields.trim()) };
  if (event === "signal_generate") {
    // A name before it may say anything.
    const [, to = "0", group, result = "0"] = / pid=(\d{1,10}) grp=(\d) res=(\d{1,2})$/.exec(fields.trimEnd()) ?? [];
    return { is: "generate", signal: number("sig"), to: Number(to), group: group === "1", result: Number(result) };
  }
  if (event === "signal_deliver") {
    const handler = field("sa_handler")
      .replace(/^0x/, "")
      .replace(/^0+(?=.)/, "");
    return { is: "deliver", signal: number("sig"), handler: handler === "0" ? "default" : handler === "1" ? "ignore" : "handler" };
  }
  if (event === "sched_process_fork") return { is: "fork", child: Number(/ child_pid=(\d{1,10})$/.exec(fields.trimEnd())?.[1] ?? 0) };
  if (event === "sched_process_exit") return { is: "gone" };
  const [, leaf] = /(eenter|eexit|eresume|aex)/i.exec(event) ?? [];
  return leaf !== undefined && /sgx/i.test(`${system} ${event}`) ? { is: "sgx", leaf: leaf.toLowerCase() } : { is: "other" };
}

const hexadecimal = (args: string): string[] => args.split(", ").map((arg) => `0x${arg}`);

/** Small numbers are told, addresses are not. */
const plainHex = (args: string): string =>
  args
    .split(", ")
    .filter((arg) => /^[0-9a-f]{1,3}$/.test(arg))
    .map((arg) => String(Number.parseInt(arg, 16)))
    .slice(0, 1)
    .join("");

/** An argument that says something by itself: a small number, what gVisor has found of it behind; or a signal. */
const TELLING = /^(\w{1,32}: *)?(?:(0x[0-9a-f]{1,16}|[0-9a-f]{1,16})(?: .*)?|(SIG[A-Z0-9+]{1,8}))$/i;
/** Larger ones are addresses, mostly. */
const LARGEST = 0xffff;

/** Arguments as their tracer writes them, in numbers of that base where no 0x stands. */
const plain = (args: string, base: 10 | 16): string =>
  outermost(args)
    .flatMap((arg) => {
      const [, name = "", digits, signal] = TELLING.exec(arg.trim()) ?? [];
      if (signal !== undefined) return [`${name}${signal}`];
      const number = digits === undefined ? Number.NaN : digits.startsWith("0x") ? Number(digits) : numberIn(digits, base);
      return number <= LARGEST ? [`${name}${number}`] : [];
    })
    .join(", ");

const numberIn = (digits: string, base: 10 | 16): number =>
  base === 10 && !/^\d+$/.test(digits) ? Number.NaN : Number.parseInt(digits, base);

/** At the commas that no bracket holds. */
function outermost(args: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < args.length; i += 1) {
    const c = args[i] as string;
    if ("([{".includes(c)) depth += 1;
    else if (")]}".includes(c)) depth -= 1;
    else if (c === "," && depth <= 0) {
      parts.push(args.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, args.slice(from)];
}

function numberOf(text: string): number {
  if (!/^(?:-?\d{1,20}|(?:0x)?[0-9a-f]{1,16})$/i.test(text)) return 0;
  const number = Number(BigInt.asIntN(64, BigInt(/^-?\d+$/.test(text) ? text : text.startsWith("0x") ? text : `0x${text}`)));
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}

/** `I0705 23:27:43.235490       1 strace.go:564] [   2:   2] sh E read(...)`; older ones tell the thread alone, `[   2] `, and the result in one form. */
const GVISOR = /^[IDWE](\d{2})(\d{2}) (\d\d):(\d\d):(\d\d)\.(\d{6}) +\d+ [\w.]+:\d+\] (.*)$/;
/** `{"msg":"[   2:   2] sh E read(...)","level":"info","time":"2024-07-05T23:27:43.235490123Z"}`, with `log` for Kubernetes. */
const GVISOR_JSON = /^\{"(?:msg|log)":("(?:[^"\\]|\\.)*"),"level":"\w+","time":"([^"]{20,40})"\}$/;
const GVISOR_TASK = /^\[ *(?:(\d{1,10})(?:\( *\d+\))?: *)?(\d{1,10})(?:\( *\d+\))?\] (.*)$/s;
const GVISOR_ENTER = /^(.{1,64}?) E (\w{1,64})\((.*)\)$/s;
const GVISOR_EXIT = /^(.{1,64}?) X (\w{1,64})\(.*\) = (-?\w{1,20})(?: \(0x[0-9a-f]+\))?(?: errno=(\d{1,4}) \([^()]*\))? \([^()]*\)$/s;
const DAY_NS = 86_400e9;
/** Times are counted from here: since 1970 a double would be exact to 256 ns only, from here to 32 ns until 2029. */
const RECENT_MS = Date.UTC(2020, 0, 1);

export function gvisorLine(line: string): TracedEvent | null {
  const told = gvisorText(line) ?? gvisorJson(line);
  if (told === null) return null;
  const { time } = told;
  const [, pid, tid, text = ""] = GVISOR_TASK.exec(told.text) ?? [];
  const about = { time, tid: Number(tid ?? 0), pid: pid === undefined ? null : Number(pid) };
  if (tid === undefined) return { ...about, comm: "", what: { is: "other" } };
  const enter = GVISOR_ENTER.exec(text);
  if (enter) {
    const [, comm = "", name = "", args = ""] = enter;
    return { ...about, comm, what: { is: "enter", name, args: timedArguments(name, outermost(args)) ?? plain(args, 10) } };
  }
  const [, comm = "", name, result = "0", errno] = GVISOR_EXIT.exec(text) ?? [];
  if (name !== undefined)
    return { ...about, comm, what: { is: "exit", name, result: errno === undefined ? numberOf(result) : -Number(errno) } };
  return { ...about, comm: "", what: gvisorSignal(text, Number(tid)) };
}

interface Told {
  readonly time: number;
  readonly text: string;
}

function gvisorText(line: string): Told | null {
  const [, month = "", day = "", hours, minutes, seconds, micros, text = ""] = GVISOR.exec(line) ?? [];
  if (month === "") return null;
  // Months have 31 days here: only what lies between two lines counts.
  const days = Number(month) * 31 + Number(day);
  return { time: days * DAY_NS + (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e9 + Number(micros) * 1e3, text };
}

function gvisorJson(line: string): Told | null {
  const [, text = "", stamp = ""] = GVISOR_JSON.exec(line) ?? [];
  if (stamp === "") return null;
  const ms = Date.parse(stamp.replace(/\.\d+/, ""));
  const [, part = ""] = /\.(\d{1,9})/.exec(stamp) ?? [];
  try {
    return Number.isNaN(ms) ? null : { time: (ms - RECENT_MS) * 1e6 + Number(part.padEnd(9, "0")), text: String(JSON.parse(text)) };
  } catch {
    return null;
  }
}

/** As pkg/sentry/kernel/task_signals.go tells it. A thread is notified that is to take it; where nobody is, it waits. */
function gvisorSignal(text: string, tid: number): Traced {
  const [, whom, notified] = /^(Notified of|Notified of group|No task notified of) signal (\d{1,2})/.exec(text) ?? [];
  if (notified !== undefined) return { is: "generate", signal: Number(notified), to: tid, group: whom === "Notified of group", result: 0 };
  const [, why, discarded] = /^Discarding (ignored|duplicate) signal (\d{1,2})/.exec(text) ?? [];
  if (discarded !== undefined)
    return { is: "generate", signal: Number(discarded), to: tid, group: false, result: why === "ignored" ? 1 : 2 };
  const [, signal, what] =
    /^Signal (\d{1,2})(?:, PID: \d+, TID: \d+[^:]*)?: (delivering to handler|terminating thread group|ignored)/.exec(text) ?? [];
  if (signal === undefined) return { is: "other" };
  const handler = what === "ignored" ? "ignore" : what === "delivering to handler" ? "handler" : "default";
  return { is: "deliver", signal: Number(signal), handler };
}
