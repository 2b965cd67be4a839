/** Lines of the log into rows: threads and processes, calls and their results, signals and handlers. */

import { SIG, SIGNAL_COUNT, signalName } from "../../../engine/index.ts";
import { Happened, SignalIds } from "../happened.ts";
import { LogThread, targetsOf } from "../log-thread.ts";
import { splitArgs } from "../strace/args.ts";
import { callLabel } from "./labels.ts";
import { type GramineLine, gramineSignal, type Owner, parseGramine, type Said } from "./line.ts";
import { createGramineTally } from "./tally.ts";

/** ns that stand for a line: the log has no times. */
const LINE_NS = 1000;
const ENOSYS = -38;
/** Longest line of a call that is put together. */
const MOST_LENGTH = 8192;
/** How a process ended, as rows of its end say it. */
const BY_SIGNAL = 2;
const BY_FAULT = 4;
/** Signals that do nothing when nobody has set anything: SIGCHLD, SIGCONT, SIGURG, SIGWINCH. */
const IGNORED: ReadonlySet<number> = new Set([17, 18, 23, 28]);

/** The first word of a process of Gramine, and of Graphene before it. */
const STARTS = /^(?:Gramine was built from commit: |shim loaded at )/;

interface Process {
  readonly pid: number;
  readonly threads: LogThread[];
  /** Signals whose action it, or who made it, has set. */
  readonly set: Set<number>;
  killedBy: number;
  over: boolean;
}

export class GramineReader {
  readonly happened = new Happened();
  readonly tally = createGramineTally();
  private readonly ids = new SignalIds();
  private readonly processes = new Map<number, Process>();
  private readonly threads = new Map<string, LogThread>();
  private readonly internals = new Map<number, number>();
  /** Processes by the threads that older eras name alone. */
  private readonly homes = new Map<number, number>();
  private last: LogThread | null = null;
  /** The oldest eras tell of what kill does in a line of its own. */
  private tellsSending = false;
  private lines = 0;
  /** Lines that only the loudest level has: calls as they begin and end. */
  private calls = 0;
  /** Each process says once that it starts. */
  private starts = 0;

  line(text: string): void {
    this.lines += 1;
    this.happened.now = this.lines * LINE_NS;
    const parsed = parseGramine(text);
    if (parsed === null) return this.tally.add(text.trim() === "" ? "empty" : "foreign");
    if (STARTS.test(parsed.text)) this.starts += 1;
    const thread = this.threadOf(parsed.owner);
    if (thread === null) this.internal(parsed);
    else if (!this.goesOn(thread, parsed)) this.said(thread, parsed.said);
    // From 2021 on a process ends with it (libos_signal.c, internal_fault): before that, the message had no level.
    if (parsed.said.is === "internal-fault" && parsed.level === "error")
      this.processOver(thread?.number ?? 0, parsed.owner.pid ?? 1, 1, BY_FAULT);
  }

  /** After the last line. False when no line tells of a call. */
  finish(): boolean {
    for (const thread of this.threads.values()) thread.settle();
    const runs = this.starts - Math.max(this.processes.size, 1);
    if (runs > 0) this.tally.anotherRun(runs);
    return this.calls > 0;
  }

  /** A call's line that the log's buffer was too short for goes on in the thread's next lines, with a prefix of their own. */
  private goesOn(thread: LogThread, { said, level, text }: GramineLine): boolean {
    if (said.is === "cut") {
      if (thread.cut !== "") this.tally.add("cut");
      thread.cut = said.text;
      return true;
    }
    if (thread.cut === "" || (level !== "trace" && level !== "")) return false;
    if ((said.is !== "other" && said.is !== "missing") || thread.cut.length > MOST_LENGTH) {
      // Torn by another thread's line: the call is known, its end is not.
      this.tally.add("cut");
      thread.cut = "";
      return false;
    }
    const whole = parseGramine(`[P1:T1:] ${thread.cut}${text.replace(/^\.\./, "")}`)?.said;
    this.tally.add("joined");
    if (whole === undefined || whole.is === "cut") thread.cut += text;
    else {
      thread.cut = "";
      this.said(thread, whole);
    }
    return true;
  }

  private said(thread: LogThread, said: Said): void {
    const { happened, tally } = this;
    const { number } = thread;
    if (said.is === "call" || said.is === "begin" || said.is === "end") this.calls += 1;
    switch (said.is) {
      case "call":
        tally.add("calls");
        if (said.name === "rt_sigreturn") {
          if (!thread.leaveHandler()) tally.add("stray");
          return;
        }
        this.begin(thread, said.name, said.args);
        thread.end(said.name, said.result ?? 0);
        return this.effects(thread, said.name, splitArgs(said.args), said.result ?? 0);
      case "begin":
        tally.add("calls");
        return this.begin(thread, said.name, said.args);
      case "end":
        tally.add("calls");
        if (!thread.end(said.name, said.result)) tally.add("stray");
        return;
      case "exit":
        tally.add("calls");
        this.begin(thread, said.name, String(said.status));
        if (said.name === "exit") this.over(thread, 0, 0);
        return;
      case "missing":
        tally.add("calls");
        this.begin(thread, said.name, "");
        thread.end(said.name, ENOSYS);
        return;
      case "handler": {
        tally.add("signals");
        const id = this.ids.take(targetsOf(thread), said.signal);
        return thread.enterHandler(said.signal, id, `handler of ${nameOf(said.signal)}`);
      }
      case "handler-over":
        tally.add("signals");
        thread.leaveHandler();
        return;
      case "killed": {
        tally.add("signals");
        const process = this.processOf(thread.pid);
        process.killedBy = said.signal;
        const extra = this.ids.take(targetsOf(thread), said.signal);
        return happened.put(number, "libos.signal.kill", "libos", "killed by signal", { signal: bounded(said.signal), extra });
      }
      case "fault":
        tally.add("signals");
        thread.settle();
        return happened.put(number, "app.fault", "app", "a fault", { value: said.fault });
      case "other":
        return tally.add("other");
      default:
        tally.add("signals");
        return this.apart(thread.number, thread.pid, said);
    }
  }

  /** Lines of the LibOS's own threads, and of nobody's. */
  private internal({ owner: { pid }, said }: GramineLine): void {
    if (said.is === "other" || said.is === "cut" || said.is === "missing") return this.tally.add("other");
    this.tally.add("signals");
    const process = pid ?? this.last?.pid ?? 1;
    this.apart(this.internalOf(process), process, said);
  }

  /** What may be told by any thread. */
  private apart(teller: number, pid: number, said: Said): void {
    const { happened } = this;
    switch (said.is) {
      case "sent": {
        this.tellsSending ||= said.to.tid !== null && said.signal !== SIG.ALRM;
        const thread = said.to.tid === null ? undefined : this.threadOf({ pid: null, tid: said.to.tid });
        return this.send(teller, this.processOf(thread?.pid ?? pid), thread ?? null, said.signal);
      }
      case "dispatched":
        return happened.put(teller, "libos.signal.deliver", "libos", "a signal is handled", { signal: bounded(said.signal), value: 2 });
      case "fetched":
        return happened.put(teller, "libos.signal.fetch", "libos", "a signal is taken out of its ring", { signal: bounded(said.signal) });
      case "dropped":
        return happened.put(teller, "libos.signal.drop", "libos", "the queue of this signal is full", {
          signal: bounded(said.signal),
          value: teller,
        });
      case "delayed":
        return happened.put(teller, "libos.signal.delayed", "libos", "signal delayed", { value: said.preempt });
      case "internal-fault":
        return happened.put(teller, "libos.fault", "libos", "an internal fault");
      case "process-over":
        return this.processOver(teller, said.pid, said.status);
    }
  }

  private begin(thread: LogThread, name: string, args: string): void {
    thread.begin(name, callLabel(name, args), this.lines, name === "rt_sigprocmask" && /^SETMASK, ?[^N].*, ?NULL/.test(args));
  }

  /** What a call that succeeded did to others. */
  private effects(thread: LogThread, name: string, args: readonly string[], result: number): void {
    if (result !== 0) return;
    const own = this.processOf(thread.pid);
    if (name === "rt_sigaction" && args[1] !== undefined && !/^(?:0|NULL)$/.test(args[1])) own.set.add(gramineSignal(args[0] ?? ""));
    const signal = gramineSignal(args.at(-1) ?? "");
    if (this.tellsSending || signal < 1 || signal > SIGNAL_COUNT) return;
    const id = Number(args[name === "tgkill" ? 1 : 0]);
    if (name === "tgkill" || name === "tkill") {
      const target = this.threadOf({ pid: null, tid: id });
      if (target) this.send(thread.number, own, target, signal);
    } else if (name === "kill") this.send(thread.number, id > 0 ? this.processOf(id) : own, null, signal);
  }

  private send(teller: number, process: Process, thread: LogThread | null, signal: number): void {
    const id = this.ids.send(thread === null ? `process ${process.pid}` : `thread ${thread.tid}`, signal);
    const target = thread ?? process.threads[0];
    const row = { signal: bounded(signal), extra: id };
    this.happened.put(teller, "libos.signal.append", "libos", "a signal is sent", { ...row, value: target?.number ?? teller });
    if (IGNORED.has(signal) && !process.set.has(signal))
      this.happened.put(target?.number ?? teller, "libos.signal.ignore", "libos", "ignored by default", row);
  }

  private over(thread: LogThread, value: number, signal: number): void {
    if (thread.over) return;
    // Who is killed does not see what the call answered.
    if (signal === 0) thread.settle();
    else thread.drop();
    thread.over = true;
    this.happened.put(thread.number, "thread.exit", "libos", "the thread ends", { value, signal: bounded(signal) });
  }

  private processOver(teller: number, pid: number, status: number, how = 0): void {
    const process = this.processOf(pid);
    if (process.over) return;
    process.over = true;
    const { killedBy } = process;
    for (const thread of process.threads) this.over(thread, killedBy === 0 ? 0 : 1, killedBy);
    const row = { value: killedBy === 0 ? status : -killedBy, extra: killedBy === 0 ? how : BY_SIGNAL, signal: bounded(killedBy) };
    this.happened.put(process.threads[0]?.number ?? teller, "process.exit", "libos", "the process ends", row);
  }

  private processOf(pid: number): Process {
    const known = this.processes.get(pid);
    if (known) return known;
    const parent = [...this.threads.values()].find((thread) => thread.creates && thread.pid !== pid);
    const process: Process = {
      pid,
      threads: [],
      set: new Set(parent === undefined ? [] : this.processOf(parent.pid).set),
      killedBy: 0,
      over: false,
    };
    this.processes.set(pid, process);
    return process;
  }

  private threadOf({ pid, tid }: Owner): LogThread | null {
    if (tid === null) return null;
    const home = pid ?? this.homes.get(tid) ?? this.homeOf(tid);
    const key = `${home} ${tid}`;
    const known = this.threads.get(key);
    if (known) return (this.last = known);
    const isFirst = this.threads.size === 0;
    const process = this.processOf(home);
    const leads = process.threads.length === 0;
    const name = isFirst ? "main" : `${leads ? "process" : "thread"}-${tid}`;
    const number = this.happened.addThread(key, { name, pid: home, tid, internal: false });
    const thread = new LogThread(this.happened, number, home, tid);
    this.threads.set(key, thread);
    this.homes.set(tid, home);
    process.threads.push(thread);
    const creator = [...this.threads.values()].find((other) => other !== thread && other.creates);
    if (leads) this.happened.put(number, "process.start", "libos", "the process begins", { value: creator?.pid ?? 0 });
    this.happened.put(number, "thread.start", "libos", "the thread begins", { value: creator?.number ?? 0 });
    return (this.last = thread);
  }

  /** Older eras name the thread alone: one that a fork makes is a process of its own. */
  private homeOf(tid: number): number {
    const creator = [...this.threads.values()].find((thread) => thread.creates);
    if (creator === undefined) return this.last?.pid ?? tid;
    return creator.forks ? tid : creator.pid;
  }

  private internalOf(pid: number): number {
    const known = this.internals.get(pid);
    if (known !== undefined) return known;
    const number = this.happened.addThread(`libos ${pid}`, { name: `libos-${pid}`, pid, tid: 0, internal: true });
    this.internals.set(pid, number);
    this.happened.put(number, "thread.start", "libos", "the thread begins", {
      value: this.processOf(pid).threads[0]?.number ?? 0,
      extra: 1,
    });
    return number;
  }
}

const bounded = (signal: number): number => (signal >= 0 && signal <= SIGNAL_COUNT ? signal : 0);
const nameOf = (signal: number): string => (signal >= 1 && signal <= SIGNAL_COUNT ? signalName(signal) : `signal ${signal}`);
