/**
 * What a strace log says a real kernel did, read for comparing and nothing else: per thread the calls it made outside handlers and their
 * results, the handlers that ran and where, its end. It shares no code with the importer, so that a mistake there is not made here again.
 */

import { signalNumber } from "../../engine/index.ts";

/** A call that the thread made outside handlers, or in a handler that never came back. */
export interface CallSeen {
  readonly kind: "call";
  readonly name: string;
  /** "5", "-EINTR"; "none" when it never came back, "?" when nobody can tell. */
  value: string;
  /** Id of the thread or process it made, by `ThreadSeen.key`. */
  child: string | null;
  readonly line: number;
}

/** A handler was entered. `depth` counts the handlers it interrupts. */
export interface HandlerSeen {
  readonly kind: "handler";
  readonly signal: string;
  readonly depth: number;
  readonly line: number;
  /** What the handler reads; null when nobody can tell. */
  told: Told | null;
}

/** Fields of a siginfo, as numbers. */
export interface Told {
  readonly code: number;
  /** 0 when there is none. */
  pid: number;
  /** si_status, si_addr or si_value; 0 when there is none. */
  value: number;
}

export interface ThreadSeen {
  /** The same in no two threads of a log, also when an id is used again. */
  readonly key: string;
  readonly id: number;
  /** It is the first thread of its process. */
  readonly leads: boolean;
  readonly happened: readonly (CallSeen | HandlerSeen)[];
  /** "exited 0", "killed SIGTERM"; "" when the log does not show its end. */
  readonly end: string;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

interface Made {
  readonly number: number;
  readonly name: string;
  args: string;
  result: string;
  child: Life | null;
}

type Event =
  | { readonly what: "call"; readonly call: Made }
  | {
      readonly what: "signal";
      readonly signal: string;
      readonly info: string;
      readonly number: number;
      handled: boolean;
      returned: boolean;
    }
  | { readonly what: "end"; readonly text: string };

interface Life {
  readonly key: string;
  readonly id: number;
  readonly first: number;
  readonly events: Event[];
  parent: Life | null;
  /** Shares its process with its parent. */
  thread: boolean;
}

const CREATES = new Set(["clone", "clone3", "fork", "vfork"]);

/** Threads in the order of their first lines; the first is the program's. */
export function readKernelLog(text: string): ThreadSeen[] {
  const lives = livesOf(text);
  linkFamilies(lives);
  followDispositions(text, lives);
  for (const life of lives) pairReturns(life);
  return lives.map((life) => ({
    key: life.key,
    id: life.id,
    leads: !life.thread,
    happened: happenedIn(life),
    end: life.events.map((event) => (event.what === "end" ? event.text : "")).findLast((end) => end !== "") ?? "",
  }));
}

const LINE = /^(?:(\d+) +)?\d+\.\d+ (.*)$/;
const WHOLE = /^(\w+)\((.*)\) += (.+?)(?: <[\d.]+>)?$/;
const BEGUN = /^(\w+)\((.*) <unfinished \.\.\.>$|^(\w+)\(<unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)\) += (.+?)(?: <[\d.]+>)?$/;
const NEVER_ENDED = /^<\.\.\. (\w+) resumed>.* <unfinished \.\.\.>\) += \?$/;
const SIGNAL = /^--- (SIG\w+) (\{.*\}) ---$/;
const END = /^\+\+\+ (exited with|killed by) (\w+)/;

function livesOf(text: string): Life[] {
  const lives: Life[] = [];
  const alive = new Map<number, Life>();
  const open = new Map<Life, Made>();
  for (const { number, text: line } of linesOf(text)) {
    const [, pid, content = ""] = LINE.exec(line) ?? [];
    if (content === "") continue;
    const id = Number(pid ?? 0);
    let life = alive.get(id);
    if (life === undefined) {
      life = { key: `${id}@${number}`, id, first: number, events: [], parent: null, thread: false };
      lives.push(life);
      alive.set(id, life);
    }
    const signal = SIGNAL.exec(content);
    const end = END.exec(content);
    if (signal)
      life.events.push({ what: "signal", signal: signal[1] ?? "", info: signal[2] ?? "", number, handled: false, returned: false });
    else if (end) {
      life.events.push({ what: "end", text: `${end[1] === "exited with" ? "exited" : "killed"} ${end[2]}` });
      alive.delete(id);
    } else take(life, content, number, open);
  }
  return lives;
}

function take(life: Life, content: string, number: number, open: Map<Life, Made>): void {
  const begun = BEGUN.exec(content);
  const whole = begun ? null : WHOLE.exec(content);
  const made = begun ?? whole;
  if (made) {
    const call: Made = { number, name: made[1] ?? made[3] ?? "", args: made[2] ?? "", result: whole?.[3] ?? "", child: null };
    life.events.push({ what: "call", call });
    if (begun) open.set(life, call);
    return;
  }
  const resumed = NEVER_ENDED.test(content) ? null : RESUMED.exec(content);
  const call = open.get(life);
  if (!resumed || !call) return;
  open.delete(life);
  call.args += resumed[2] ?? "";
  call.result = resumed[3] ?? "";
}

const linesOf = (text: string): Line[] => text.split("\n").map((line, i) => ({ number: i + 1, text: line.replace(/\r$/, "") }));

/** A call that answered with an id made the next life of that id. */
function linkFamilies(lives: readonly Life[]): void {
  for (const life of lives)
    for (const event of life.events) {
      if (event.what !== "call" || !CREATES.has(event.call.name)) continue;
      const id = Number.parseInt(event.call.result, 10);
      const child = lives.find((one) => one.id === id && one.parent === null && one.first > event.call.number);
      if (!child) continue;
      child.parent = life;
      child.thread = event.call.args.includes("CLONE_THREAD");
      event.call.child = child;
    }
}

/** What a process has set for its signals: a handler, or one that is gone after its first run; nothing else matters here. */
type Dispositions = Map<string, "handler" | "once">;

/** Decides of each signal line whether a handler ran. Events of all threads, in the order of the lines. */
function followDispositions(text: string, lives: readonly Life[]): void {
  const table = new Map<Life, Dispositions>();
  const ordered: { readonly at: number; readonly life: Life; readonly run: () => void }[] = [];
  const of = (life: Life): Dispositions => {
    const leader = leaderOf(life);
    const known = table.get(leader) ?? new Map();
    table.set(leader, known);
    return known;
  };
  const last = lastLines(text);
  for (const life of lives)
    for (const [i, event] of life.events.entries()) {
      if (event.what === "signal") ordered.push({ at: event.number, life, run: () => arrives(event, life.events[i + 1], of(life)) });
      if (event.what !== "call") continue;
      const { call } = event;
      const { child } = call;
      const at = last(life, call.number);
      if (child && !child.thread) {
        const clears = call.args.includes("CLONE_CLEAR_SIGHAND");
        ordered.push({ at: call.number, life, run: () => table.set(child, clears ? new Map() : new Map(of(life))) });
      } else if (call.name === "rt_sigaction" && call.result.startsWith("0")) ordered.push({ at, life, run: () => set(call, of(life)) });
      else if (call.name === "execve" && call.result.startsWith("0")) ordered.push({ at, life, run: () => of(life).clear() });
    }
  ordered.sort((a, b) => a.at - b.at);
  for (const { run } of ordered) run();
}

/** Number of the line on which a call of a thread ended. */
function lastLines(text: string): (life: Life, begun: number) => number {
  const lines = linesOf(text);
  return (life, begun) => {
    if (!lines[begun - 1]?.text.includes("<unfinished ...>")) return begun;
    for (let n = begun + 1; n <= lines.length; n += 1) {
      const line = lines[n - 1]?.text ?? "";
      if (line.includes(" resumed>") && Number(/^(\d+) /.exec(line)?.[1] ?? 0) === life.id) return n;
    }
    return begun;
  };
}

const leaderOf = (life: Life): Life => (life.thread && life.parent ? leaderOf(life.parent) : life);

function set({ args }: Made, dispositions: Dispositions): void {
  const [, signal = "", handler = ""] = /^(SIG\w+), \{sa_handler=([^,]+),/.exec(args) ?? [];
  if (signal === "" || handler === "") return;
  if (handler === "SIG_DFL" || handler === "SIG_IGN") dispositions.delete(signal);
  else dispositions.set(signal, /^[^}]*SA_RESETHAND/.test(args) ? "once" : "handler");
}

type SignalEvent = Extract<Event, { what: "signal" }>;

function arrives(event: SignalEvent, next: Event | undefined, dispositions: Dispositions): void {
  const set = dispositions.get(event.signal);
  if (set === "once") dispositions.delete(event.signal);
  // The kernel could not write the frame: it sends SIGSEGV instead, and the handler never runs.
  const faulted = next?.what === "signal" && next.signal === "SIGSEGV" && /si_code=SI_KERNEL, si_addr=NULL/.test(next.info);
  const dies = next?.what === "end" && next.text === `killed ${event.signal}`;
  event.handled = set !== undefined && !faulted && !dies;
}

/** From the last line back: an rt_sigreturn belongs to the nearest handler before it that has none yet. */
function pairReturns({ events }: Life): void {
  let returns = 0;
  for (const event of events.toReversed()) {
    if (event.what === "call" && event.call.name === "rt_sigreturn") returns += 1;
    if (event.what !== "signal" || !event.handled || returns === 0) continue;
    event.returned = true;
    returns -= 1;
  }
}

/** Not calls that an application gets a result of. */
const NO_CALLS = new Set(["rt_sigreturn", "exit", "exit_group"]);

function happenedIn({ events }: Life): (CallSeen | HandlerSeen)[] {
  const happened: (CallSeen | HandlerSeen)[] = [];
  /** A call that a signal ended and whose result is open, for the program and each handler that runs. */
  const suspended: (CallSeen | null)[] = [null];
  /** The signal of the line before. */
  let last = "";
  for (const event of events) {
    const depth = suspended.length - 1;
    if (event.what === "end" && event.text === `killed ${last}`) {
      // The signal came as this call returned, or after handlers that ran then: the program never saw its result, though strace did.
      const call = happened.findLast((one) => one.kind === "call");
      if (call) call.value = "?";
    }
    last = event.what === "signal" ? event.signal : "";
    if (event.what === "signal" && event.handled) {
      happened.push({ kind: "handler", signal: event.signal, depth, line: event.number, told: toldBy(event.info) });
      if (event.returned) suspended.push(null);
      else suspended[depth] = null;
    }
    if (event.what !== "call") continue;
    const { call } = event;
    if (call.name === "rt_sigreturn" && depth > 0) {
      suspended.pop();
      const below = suspended[depth - 1];
      if (below && call.result.startsWith("-1 EINTR")) {
        below.value = "-EINTR";
        suspended[depth - 1] = null;
      }
    }
    if (NO_CALLS.has(call.name)) continue;
    const before = suspended[depth] ?? null;
    const again = before !== null && (before.name === call.name || call.name === "restart_syscall");
    if (before && !again) before.value = "?";
    const seen: CallSeen = again
      ? before
      : { kind: "call", name: call.name, value: "none", child: call.child?.key ?? null, line: call.number };
    if (!again && depth === 0) happened.push(seen);
    seen.child = call.child?.key ?? null;
    seen.value = resultOf(call.result);
    suspended[depth] = call.result.startsWith("? ERESTART") ? seen : null;
  }
  return happened;
}

function resultOf(result: string): string {
  const [, number = "", error] = /^(0x[0-9a-f]+|-?\d+)(?:<[^>]*>)?(?: (E[A-Z0-9]+)\b)?/.exec(result) ?? [];
  if (number === "") return "none";
  return error !== undefined && number === "-1" ? `-${error}` : String(Number(number));
}

/** Values of siginfo.h. */
const CODES: Readonly<Record<string, number>> = {
  ...{ SI_USER: 0, SI_KERNEL: 128, SI_QUEUE: -1, SI_TIMER: -2, SI_TKILL: -6 },
  ...{ CLD_EXITED: 1, CLD_KILLED: 2, CLD_DUMPED: 3, CLD_STOPPED: 5, CLD_CONTINUED: 6 },
  ...{ SEGV_MAPERR: 1, SEGV_ACCERR: 2, BUS_ADRALN: 1, BUS_ADRERR: 2, FPE_INTDIV: 1, FPE_FLTDIV: 3, ILL_ILLOPC: 1, ILL_ILLOPN: 2 },
};

function toldBy(info: string): Told | null {
  const field = (name: string): string => new RegExp(`${name}=([^,} ]+)`).exec(info)?.[1] ?? "";
  const code = CODES[field("si_code")];
  const value = field("si_status") || field("si_addr") || field("si_int");
  return code === undefined ? null : { code, pid: Number(field("si_pid")) || 0, value: signalNumber(value) || Number(value) || 0 };
}
