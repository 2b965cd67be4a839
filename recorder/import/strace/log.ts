/**
 * A log as events per thread: beginnings and ends of calls are joined, times run from the log's start, the lives of threads
 * that had the same id one after the other are kept apart. Memory is linear in the log.
 */

import { bounded } from "./args.ts";
import { Clock } from "./clock.ts";
import { StraceError } from "./errors.ts";
import { createJoiner, type Joined } from "./joined.ts";
import { Kept } from "./kept.ts";
import type { Content, Result } from "./lines.ts";
import { Order } from "./order.ts";
import { nameFromItself } from "./own-id.ts";
import { createTally, type Tally } from "./tally.ts";
import { refuseUnstarted } from "./unstarted.ts";

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
  /** Where the program called it from (-k): `prog(main+0x60)`; "" when the log does not tell. */
  frame: string;
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
  /** 0 where a call's own line tells of it. */
  readonly lines: number;
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
  /** Of all threads, in the order of their first lines. Emptied when all is known that is asked of them together. */
  readonly events: LogEvent[];
  readonly tally: Tally;
  readonly lines: number;
  /** Time of the last line. */
  readonly duration: number;
}

export interface LogReader {
  /** The next line; `cut` when the file ends in the middle of it. */
  line(text: string, cut?: boolean): void;
  /** After the last line. Throws StraceError. */
  finish(): Log;
}

/** `where` names the log in errors. */
export function createLogReader(where: string): LogReader {
  const reader = new Reader();
  const joiner = createJoiner();
  let lines = 0;
  let isCut = false;
  const take = (joined: Joined | null, last: boolean): void => {
    if (joined) reader.take(joined, last);
  };
  return {
    line(text, cut = false) {
      lines += 1;
      isCut ||= cut;
      take(joiner.add(text, lines), false);
    },
    finish() {
      take(joiner.flush(), isCut && lines > 1);
      reader.finish();
      refuse(reader, lines, where);
      refuseUnstarted(reader.log, where);
      return { ...reader.log, lines };
    },
  };
}

/** Forms of a log of which nothing can be made, each with the command that writes another one. */
function refuse(reader: Reader, lines: number, where: string): void {
  const { unstamped, summary, words } = reader;
  const { first, mixed } = reader.clock;
  if (mixed > 0)
    throw new StraceError(
      `${where}:${mixed}`,
      "a time stamp of another kind than those before: two logs in one, or a file that was edited",
    );
  const odd = reader.order.problem(reader.lives.length);
  if (odd !== "") throw new StraceError(`${where}:1`, odd);
  if (first !== null) return;
  if (unstamped > 0)
    throw new StraceError(
      `${where}:${unstamped}`,
      "no time stamps (neither -t, -tt nor -ttt); expected seconds.microseconds before the call",
    );
  if (summary > 0) throw new StraceError(`${where}:1`, "only the summary of -c, which tells of no single call; record without -c");
  if (words !== "") throw new StraceError(`${where}:1`, `strace traced nothing; it says "${words}"`);
  throw new StraceError(
    `${where}:${Math.max(1, lines)}`,
    "no line of strace up to here; expected lines such as `1234 1700000000.000001 read(0, ...) = 5 <0.000010>`",
  );
}

type OwnForm = "empty" | "summary" | "dump" | "elided" | "frame" | "attached" | "words";
type OwnContent = Extract<Content, { form: OwnForm }>;
const OWN: ReadonlySet<string> = new Set<OwnForm>(["empty", "summary", "dump", "elided", "frame", "attached", "words"]);
const aboutItself = (content: Content): content is OwnContent => OWN.has(content.form);

/** A frame of the C library's or the loader's, which every program has. */
const isLibrary = (frame: string): boolean => /\/(?:lib|ld)[^/]*\.so|^\[vdso\]|^linux-vdso/.test(frame);

class Reader {
  readonly lives: Life[] = [];
  readonly events: LogEvent[] = [];
  readonly tally = createTally();
  readonly clock = new Clock(this.tally);
  readonly order = new Order(this.clock);
  private readonly kept = new Kept();
  /** First line of strace's without a time stamp. */
  unstamped = 0;
  /** Lines of the table of -c. */
  summary = 0;
  /** The first of strace's own words. */
  words = "";
  /** The call of the last line, to which the frames after it belong. */
  private said: CallEvent | null = null;
  /** The living, by pid; 0 stands for lines without one. */
  private readonly alive = new Map<number, Life>();
  private readonly open = new Map<Life, CallEvent>();
  private readonly untimed = new Map<Life, CallEvent>();
  /** Pids the log itself tells of, by a creation or an attachment. */
  private readonly announced = new Set<number>();

  get log(): Omit<Log, "lines"> {
    return { lives: this.lives, events: this.events, tally: this.tally, duration: this.clock.now };
  }

  take(joined: Joined, isCut: boolean): void {
    const { line, number, broken, wrapped, announced } = joined;
    const { pid, stamp, content } = line;
    for (const one of announced) this.announced.add(one);
    this.tally.add("attached", broken);
    if (content.form === "other") return this.tally.add(isCut ? "truncated" : "foreign", 1 + wrapped);
    this.tally.add("wrapped", wrapped);
    if (aboutItself(content)) return this.own(content);
    if (stamp === null) {
      this.unstamped ||= number;
      return this.tally.add("foreign", 1);
    }
    this.clock.take(stamp, number);
    this.order.line(pid);
    this.event(this.lifeOf(pid), content, number);
  }

  /** What is no event of a thread. */
  private own(content: OwnContent): void {
    switch (content.form) {
      case "empty":
      case "dump":
      case "elided":
        return this.tally.add(content.form, 1);
      case "summary":
        this.summary += 1;
        return this.tally.add("summary", 1);
      case "frame":
        if (this.said !== null && this.said.frame === "" && !isLibrary(content.at))
          this.said.frame = this.kept.text(content.at.slice(0, 200));
        return this.tally.add("frame", 1);
      case "attached":
        this.announced.add(content.pid);
        return this.tally.add("attached", 1);
      case "words":
        this.words ||= content.text;
        this.leave(content.detached);
        return this.tally.add("attached", 1);
    }
  }

  /** An old strace writes no `+++ exited`: it leaves a thread that has called exit. */
  private leave(pid: number | null): void {
    const life = pid === null ? undefined : this.alive.get(pid);
    const last = life?.events.at(-1);
    if (life === undefined || last?.kind !== "call" || !/^exit(?:_group)?$/.test(last.name)) return;
    const status = Number.parseInt(last.args, 10) & 0xff;
    this.end({ kind: "end", life, line: last.line, lines: 0, start: this.clock.now, how: "exited", value: status });
  }

  /** Calls that the log does not end last until it ends. */
  finish(): void {
    for (const call of this.open.values()) call.end = this.clock.now;
    for (const life of this.lives) if (life.pid === 0) nameFromItself(life, this.lives);
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

  private event(life: Life, content: Exclude<Content, OwnContent>, line: number): void {
    const at = { life, line, start: this.clock.now } as const;
    this.said = null;
    switch (content.form) {
      case "call":
        this.order.call(content.name, content.args, content.result);
        return this.whole(at, content.name, content.args, content.result);
      case "begin": {
        const call: CallEvent = {
          kind: "call",
          life,
          line,
          lines: 1,
          name: this.kept.text(content.name),
          args: content.args,
          start: this.clock.now,
          end: this.clock.now,
          value: null,
          restart: "",
          ended: false,
          frame: "",
        };
        this.keep(call);
        this.open.set(life, call);
        return;
      }
      case "end":
        return this.resumed(life, content.name, content.args, content.result);
      case "more":
        return this.brokenOff(life, content.name, content.args);
      case "signal":
        return this.keep({ kind: "signal", ...at, lines: 1, signal: content.signal, info: this.kept.text(content.info) });
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
    if (event.kind === "call" && this.open.has(event.life)) this.tally.note("never-resumed");
    const before = this.untimed.get(event.life);
    if (before) {
      before.end = event.start;
      this.untimed.delete(event.life);
    }
    event.life.events.push(event);
    this.events.push(event);
  }

  private whole(at: { life: Life; line: number; start: number }, name: string, args: string, result: Result): void {
    const { value, restart, duration, coarse } = result;
    if (coarse) this.tally.note("coarse-durations");
    this.announce(name, value);
    const end = bounded(at.start + (duration ?? 0));
    const call: CallEvent = {
      kind: "call",
      life: at.life,
      line: at.line,
      lines: 1,
      name: this.kept.text(name),
      args: this.kept.args(name, args),
      start: at.start,
      end,
      value,
      restart,
      ended: true,
      frame: "",
    };
    this.keep(call);
    this.said = call;
    if (duration !== null || (value === null && restart === "")) return;
    this.tally.note("no-duration");
    this.untimed.set(at.life, call);
  }

  private resumed(life: Life, name: string, args: string, { value, restart, duration }: Result): void {
    const call = this.open.get(life);
    // The restart of a call is resumed under the name restart_syscall.
    if (call === undefined || (call.name !== name && name !== "restart_syscall")) return this.tally.add("stray", 1);
    this.open.delete(life);
    this.said = call;
    this.announce(name, value);
    call.lines += 1;
    call.args = this.kept.args(call.name, call.args + args);
    call.value = value;
    call.restart = restart;
    call.ended = true;
    call.end = duration === null ? this.clock.now : bounded(call.start + duration);
  }

  /** Another thread's line came again before its end. */
  private brokenOff(life: Life, name: string, args: string): void {
    const call = this.open.get(life);
    if (call === undefined || call.name !== name) return this.tally.add("stray", 1);
    call.lines += 1;
    call.args += args;
  }

  private announce(name: string, value: number | null): void {
    if (value !== null && value > 0 && CREATES.has(name)) this.announced.add(value);
  }

  private end(event: EndEvent): void {
    const call = this.open.get(event.life);
    if (call) call.end = this.clock.now;
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

/** Calls that make a thread or process. */
export const CREATES: ReadonlySet<string> = new Set(["clone", "clone3", "fork", "vfork"]);
