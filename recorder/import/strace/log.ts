/**
 * A log as events per thread: beginnings and ends of calls are joined, times run from the log's start, the lives of threads
 * that had the same id one after the other are kept apart. Memory is linear in the log.
 */

import { bounded } from "./args.ts";
import { StraceError } from "./errors.ts";
import { type Content, parseLine, type Result, type Stamp } from "./lines.ts";
import { createTally, type Tally } from "./tally.ts";

export interface CallEvent {
  readonly kind: "call";
  readonly life: Life;
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Lines it has in the log. */
  lines: number;
  name: string;
  args: string;
  /** ns since the log began. */
  readonly start: number;
  end: number;
  value: number | null;
  restart: string;
  /** False while the log has no end of it. */
  ended: boolean;
}

export interface SignalEvent {
  readonly kind: "signal";
  readonly life: Life;
  readonly line: number;
  readonly lines: 1;
  readonly signal: number;
  /** `{si_signo=..., ...}` */
  readonly info: string;
  readonly start: number;
}

export interface StopEvent {
  readonly kind: "stop";
  readonly life: Life;
  readonly line: number;
  readonly lines: 1;
  readonly start: number;
}

/** `exited with`, `killed by` or `superseded by execve`. */
export interface EndEvent {
  readonly kind: "end";
  readonly life: Life;
  readonly line: number;
  readonly lines: 1;
  readonly start: number;
  readonly how: "exited" | "killed" | "superseded";
  /** Exit status or signal. */
  readonly value: number;
}

export type LogEvent = CallEvent | SignalEvent | StopEvent | EndEvent;

/** A thread from its first line to its last. */
export interface Life {
  readonly id: number;
  /** 0 when the log has no pids. A thread that calls execve goes on under its process's id. */
  pid: number;
  /** The id it had first. */
  bornAs: number;
  readonly events: LogEvent[];
}

export interface Log {
  readonly lives: readonly Life[];
  /** Of all threads, in the order of their first lines. */
  readonly events: readonly LogEvent[];
  readonly tally: Tally;
  readonly lines: number;
  /** Time of the last line. */
  readonly duration: number;
}

export interface LogReader {
  /** The next line; `last` when the file ends in the middle of it. */
  line(text: string, last?: boolean): void;
  /** After the last line. Throws StraceError. */
  finish(): Log;
}

/** `where` names the log in errors. */
export function createLogReader(where: string): LogReader {
  const reader = new Reader();
  let lines = 0;
  return {
    line(text, last = false) {
      lines += 1;
      reader.take(text, lines, last);
    },
    finish: () => finished(reader, lines, where),
  };
}

function finished(reader: Reader, lines: number, where: string): Log {
  reader.finish();
  const { log } = reader;
  if (reader.first === null) {
    if (reader.unstamped > 0)
      throw new StraceError(`${where}:${reader.unstamped}`, "no time stamp; expected seconds.microseconds before the call");
    throw new StraceError(
      `${where}:${Math.max(1, lines)}`,
      "no line of strace up to here; expected lines such as `1234 1700000000.000001 read(0, ...) = 5 <0.000010>`",
    );
  }
  if (reader.relative > 0)
    throw new StraceError(
      `${where}:${reader.relative}`,
      "time stamps count from line to line (-r); expected seconds since the epoch (-ttt)",
    );
  return { ...log, lines };
}

/** Seconds since the epoch before which a time stamp is none (2001); strace -r writes differences. */
const EPOCH_FLOOR = 1e9;
const DAY_SECONDS = 86_400;

const ATTACHED = /^strace: Process (\d{1,10}) attached$/;

/** A call's line that breaks off with what strace tells of a new thread: what stands before it, and the thread's id. */
function brokenOff(line: string): { text: string; pid: number } | null {
  if (!line.endsWith(" attached")) return null;
  const at = line.lastIndexOf("strace: Process ");
  const attached = ATTACHED.exec(line.slice(at));
  return attached && line.slice(0, at).includes("(") ? { text: line.slice(0, at), pid: Number(attached[1]) } : null;
}

class Reader {
  readonly lives: Life[] = [];
  readonly events: LogEvent[] = [];
  readonly tally = createTally();
  first: Stamp | null = null;
  /** First line of strace's without, or with a relative, time stamp. */
  unstamped = 0;
  relative = 0;
  /** Beginning of a line that goes on in the next one. */
  private broken = "";
  private now = 0;
  private days = 0;
  private lastSeconds = 0;
  /** The living, by pid; 0 stands for lines without one. */
  private readonly alive = new Map<number, Life>();
  private readonly open = new Map<Life, CallEvent>();
  private readonly untimed = new Map<Life, CallEvent>();
  /** Pids the log itself tells of, by a creation or an attachment. */
  private readonly announced = new Set<number>();

  get log(): Omit<Log, "lines"> {
    return { lives: this.lives, events: this.events, tally: this.tally, duration: this.now };
  }

  take(line: string, number: number, last: boolean): void {
    // On a terminal strace tells of a new thread in the middle of the line of the call that made it.
    const broken = this.broken === "" && !last ? brokenOff(line) : null;
    if (broken) {
      this.broken = broken.text;
      this.announced.add(broken.pid);
      return this.tally.add("attached", 1);
    }
    const text = this.broken + line;
    this.broken = "";
    const { pid, stamp, content } = parseLine(text);
    if (content.form === "empty") return this.tally.add("empty", 1);
    if (content.form === "attached") {
      this.announced.add(content.pid);
      return this.tally.add("attached", 1);
    }
    if (content.form === "other") return this.tally.add(last && number > 1 ? "truncated" : "foreign", 1);
    if (stamp === null) {
      this.unstamped ||= number;
      return this.tally.add("foreign", 1);
    }
    if (stamp.clock === "epoch" && stamp.seconds < EPOCH_FLOOR) this.relative ||= number;
    this.clock(stamp);
    this.event(this.lifeOf(pid), content, number);
  }

  /** Calls that the log does not end last until it ends. */
  finish(): void {
    for (const call of this.open.values()) call.end = this.now;
    for (const life of this.lives) if (life.pid === 0) nameFromItself(life, this.lives);
  }

  private clock(stamp: Stamp): void {
    this.first ??= stamp;
    if (stamp.clock === "day" && stamp.seconds < this.lastSeconds - DAY_SECONDS / 2) this.days += 1;
    this.lastSeconds = stamp.seconds;
    const at = (stamp.seconds + this.days * DAY_SECONDS - this.first.seconds) * 1e9 + stamp.ns - this.first.ns;
    if (at < this.now) this.tally.note("clock-stepped-back");
    else this.now = bounded(at);
  }

  /** Without a pid it is the only one alive; the first pid that nothing announced belongs to the thread that had none. */
  private lifeOf(pid: number | null): Life {
    if (pid === null) {
      const only = this.alive.size === 1 ? [...this.alive.values()][0] : this.alive.get(0);
      return only ?? this.born(0);
    }
    const known = this.alive.get(pid);
    if (known) return known;
    const nameless = this.alive.get(0);
    if (nameless && !this.announced.has(pid)) {
      this.alive.delete(0);
      nameless.pid = pid;
      nameless.bornAs = pid;
      this.alive.set(pid, nameless);
      return nameless;
    }
    return this.born(pid);
  }

  private born(pid: number): Life {
    const life: Life = { id: this.lives.length, pid, bornAs: pid, events: [] };
    this.lives.push(life);
    this.alive.set(pid, life);
    return life;
  }

  private event(life: Life, content: Content, line: number): void {
    const at = { life, line, start: this.now } as const;
    switch (content.form) {
      case "call":
        return this.whole(at, content.name, content.args, content.result);
      case "begin": {
        const call: CallEvent = {
          kind: "call",
          ...at,
          lines: 1,
          name: content.name,
          args: content.args,
          end: this.now,
          value: null,
          restart: "",
          ended: false,
        };
        this.open.set(life, call);
        return this.keep(call);
      }
      case "end":
        return this.resumed(life, content.name, content.args, content.result);
      case "signal":
        return this.keep({ kind: "signal", ...at, lines: 1, signal: content.signal, info: content.info });
      case "stopped":
        return this.keep({ kind: "stop", ...at, lines: 1 });
      case "exited":
        return this.end({ kind: "end", ...at, lines: 1, how: "exited", value: content.status });
      case "killed":
        return this.end({ kind: "end", ...at, lines: 1, how: "killed", value: content.signal });
      case "superseded":
        return this.superseded({ kind: "end", ...at, lines: 1, how: "superseded", value: content.by });
    }
  }

  private keep(event: LogEvent): void {
    // Without -T a call lasts until the thread's next line.
    const before = this.untimed.get(event.life);
    if (before) {
      before.end = event.start;
      this.untimed.delete(event.life);
    }
    event.life.events.push(event);
    this.events.push(event);
  }

  private whole(at: { life: Life; line: number; start: number }, name: string, args: string, result: Result): void {
    const { value, restart, duration } = result;
    this.announce(name, value);
    const end = bounded(at.start + (duration ?? 0));
    const call: CallEvent = { kind: "call", ...at, lines: 1, name, args, end, value, restart, ended: true };
    this.keep(call);
    if (duration !== null || (value === null && restart === "")) return;
    this.tally.note("no-duration");
    this.untimed.set(at.life, call);
  }

  private resumed(life: Life, name: string, args: string, { value, restart, duration }: Result): void {
    const call = this.open.get(life);
    // The restart of a call is resumed under the name restart_syscall.
    if (call === undefined || (call.name !== name && name !== "restart_syscall")) return this.tally.add("stray", 1);
    this.open.delete(life);
    this.announce(name, value);
    call.lines += 1;
    call.args += args;
    call.value = value;
    call.restart = restart;
    call.ended = true;
    call.end = duration === null ? this.now : bounded(call.start + duration);
  }

  private announce(name: string, value: number | null): void {
    if (value !== null && value > 0 && CREATES.has(name)) this.announced.add(value);
  }

  private end(event: EndEvent): void {
    const call = this.open.get(event.life);
    if (call) call.end = this.now;
    this.open.delete(event.life);
    this.keep(event);
    this.alive.delete(event.life.pid);
    this.announced.delete(event.life.pid);
  }

  /** A thread that was not the first called execve: it goes on under the first one's id. */
  private superseded(event: EndEvent): void {
    const { pid } = event.life;
    this.end(event);
    const heir = this.alive.get(event.value);
    if (!heir) return;
    this.alive.delete(event.value);
    this.alive.set(pid, heir);
    heir.pid = pid;
  }
}

/** Calls that answer with the id of the thread that makes them. */
const OWN_ID: ReadonlySet<string> = new Set(["set_tid_address", "gettid", "getpid"]);

/** Without -f no line has an id, but the program may have asked for its own. */
function nameFromItself(life: Life, lives: readonly Life[]): void {
  const asked = life.events.find((event) => event.kind === "call" && OWN_ID.has(event.name) && event.value !== null && event.value > 0);
  const id = asked?.kind === "call" ? (asked.value ?? 0) : 0;
  if (id === 0 || lives.some((other) => other.pid === id)) return;
  life.pid = id;
  life.bornAs = id;
}

/** Calls that make a thread or process. */
export const CREATES: ReadonlySet<string> = new Set(["clone", "clone3", "fork", "vfork"]);
