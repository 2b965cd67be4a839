/** `perf script`, ftrace's text and gVisor's log as what happened: calls, signals, handlers, in real time. */

import { SIG, SIGNAL_COUNT, signalName } from "../../../engine/index.ts";
import type { QualityCounter } from "../../format/metadata.ts";
import { Happened, SignalIds } from "../happened.ts";
import { ImportError, type Importer, SNIFF_BYTES } from "../importer.ts";
import { LogThread, targetsOf } from "../log-thread.ts";
import { type ImportedRow, sourceOfRows } from "../rows.ts";
import { formOf } from "../text/form.ts";
import { createTextReader } from "../text/reader.ts";
import { ftraceLine, gvisorLine, perfLine, type TracedEvent } from "./line.ts";

class EventReader {
  readonly happened = new Happened();
  private readonly threads = new Map<number, LogThread>();
  /** Processes of threads, where the tracer tells it or a fork does. */
  private readonly homes = new Map<number, number>();
  private readonly ids = new SignalIds();
  private readonly counts = new Map<Fate, number>();
  private readonly id: string;
  private begun: number | null = null;
  private latest = 0;
  private lines = 0;

  constructor(id: string) {
    this.id = id;
  }

  line(event: TracedEvent | null): void {
    this.lines += 1;
    if (event === null) return this.count("foreign");
    if (event.what.is === "other") return this.count("other");
    this.count("events");
    this.begun ??= event.time;
    // Events of several processors may be told out of order: time does not go back.
    if (event.time < this.latest) this.count("back");
    this.latest = event.time;
    this.happened.now = Math.max(this.happened.now, Math.round(event.time - this.begun));
    this.take(event, this.threadOf(event));
  }

  finish(): boolean {
    for (const thread of this.threads.values()) thread.settle();
    return this.begun !== null;
  }

  counters(): QualityCounter[] {
    return [...this.counts].map(([name, count]) => ({ name: `${this.id}.${name}`, count, ...FATES[name] }));
  }

  private count(name: Fate): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  private take({ what, pid }: TracedEvent, thread: LogThread): void {
    const { happened } = this;
    const { number } = thread;
    switch (what.is) {
      case "enter":
        if (what.name === "rt_sigreturn") return void thread.leaveHandler();
        return thread.begin(what.name, `${CALLED.get(what.name) ?? what.name}(${what.args})`, this.lines);
      case "exit":
        if (what.result > 0 && MAKES.has(what.name) && pid === null) this.count("unplaced");
        if (what.name === "rt_sigreturn" || thread.end(what.name, what.result)) return;
        // What was made comes out of its maker's call.
        if (what.result !== 0 || !MAKES.has(what.name)) this.count("stray");
        return;
      case "generate": {
        const signal = bounded(what.signal);
        const to = this.threads.get(what.to) ?? thread;
        const id =
          what.result === 0 ? this.ids.send(what.group ? `process ${to.pid}` : `thread ${to.tid}`, signal) : this.ids.take([], signal);
        happened.put(number, "host.signal.generate", "host", "a signal is generated", { signal, value: to.number, extra: id });
        if (what.result > 0)
          happened.put(number, "host.signal.discard", "host", "it is dropped", { signal, value: Math.min(2, what.result - 1), extra: id });
        return;
      }
      case "deliver": {
        const { signal, id } = this.arrives(bounded(what.signal), what.handler, thread);
        if (what.handler === "handler") {
          happened.put(number, "host.signal.deliver", "host", "a signal is delivered", { signal, value: 1, extra: id });
          return thread.enterHandler(signal, id, `handler of ${nameOf(signal)}`);
        }
        if (what.handler === "ignore") return happened.put(number, "host.signal.discard", "host", "it is ignored", { signal, extra: id });
        return happened.put(number, "host.signal.default", "host", "the default action", { signal, value: 1, extra: id });
      }
      case "fork":
        this.homes.set(what.child, what.child);
        return;
      case "gone":
        thread.settle();
        return happened.put(number, "thread.exit", "host", "the thread ends");
      case "sgx":
        return happened.put(number, SGX[what.leaf] ?? "step", "host", what.leaf.toUpperCase());
    }
  }

  /** A signal that ends a process reaches each thread as SIGKILL (kernel/signal.c: complete_signal): it is the one that was sent. */
  private arrives(signal: number, handler: string, thread: LogThread): { signal: number; id: number } {
    const targets = targetsOf(thread);
    const sent = signal === SIG.KILL && handler === "default" && !this.ids.has(targets, SIG.KILL) ? this.ids.newest(targets) : null;
    return { signal: sent ?? signal, id: this.ids.take(targets, sent ?? signal) };
  }

  private threadOf({ tid, pid, comm }: TracedEvent): LogThread {
    const known = this.threads.get(tid);
    if (known) return known;
    const home = pid ?? this.homes.get(tid) ?? tid;
    const name = this.threads.size === 0 ? "main" : `${comm === "" ? "thread" : comm.slice(0, 40)}-${tid}`;
    const number = this.happened.addThread(String(tid), { name, pid: home, tid, internal: false });
    const thread = new LogThread(this.happened, number, home, tid);
    this.threads.set(tid, thread);
    return thread;
  }
}

const SGX = { eenter: "sgx.eenter", eexit: "sgx.eexit", eresume: "sgx.eresume", aex: "sgx.aex" } as Readonly<
  Record<string, "sgx.eenter" | "sgx.eexit" | "sgx.eresume" | "sgx.aex">
>;
/** The operations of scenarios that stand for a call. */
const CALLED: ReadonlyMap<string, string> = new Map([
  ["rt_sigaction", "sigaction"],
  ["rt_sigprocmask", "sigprocmask"],
  ["rt_sigsuspend", "sigsuspend"],
]);

type Fate = "events" | "other" | "foreign" | "stray" | "back" | "unplaced";

/** Calls that make a thread or a process. */
const MAKES: ReadonlySet<string> = new Set(["clone", "clone3", "fork", "vfork"]);

const FATES = {
  events: { severity: "info", advice: "lines of calls, signals and threads" },
  other: { severity: "info", advice: "events of other kinds" },
  foreign: { severity: "info", advice: "lines that are no event: heads, stacks, words" },
  stray: { severity: "notice", advice: "ends of calls whose beginnings are not in the log" },
  back: {
    severity: "notice",
    advice:
      "times that go back, taken as the time before: times of --deltatime are distances, and two recordings in one file have two beginnings",
  },
  unplaced: {
    severity: "notice",
    advice:
      "threads or processes that were made, and nothing tells which they are: each counts as a process. perf script -F comm,pid,tid,cpu,time,event,trace tells it, and ftrace's option record-tgid",
  },
} as const satisfies Record<Fate, Pick<QualityCounter, "severity" | "advice">>;

const bounded = (signal: number): number => (signal >= 0 && signal <= SIGNAL_COUNT ? signal : 0);
const nameOf = (signal: number): string => (signal >= 1 ? signalName(signal) : `signal ${signal}`);

interface Format {
  readonly id: string;
  readonly text: string;
  readonly parse: (line: string) => TracedEvent | null;
  /** What to record, when there is nothing that is known. */
  readonly instead: string;
}

const importerOf = ({ id, text, parse, instead }: Format): Importer => {
  const knows = (line: string): boolean => parse(line) !== null;
  return {
    id,
    text,
    clock: "monotonic",
    mostBytes: Number.POSITIVE_INFINITY,
    knows,
    sniff(start) {
      const { first } = formOf(start, start.length < SNIFF_BYTES, knows);
      // Heads and stacks stand between events.
      const written = first.filter((line) => line.trim() !== "" && !/^(?:#|\s|cpus=)/.test(line));
      const all = first.filter((line) => knows(line));
      return all.length > 0 && 2 * all.length > written.filter((line) => !knows(line)).length + all.length;
    },
    async read(chunks, name) {
      const reader = new EventReader(id);
      async function* batches(): AsyncGenerator<ImportedRow[], void> {
        const lines = createTextReader(knows);
        for await (const chunk of chunks) {
          for (const line of lines.add(chunk)) reader.line(parse(line));
          yield reader.happened.take();
        }
        const { lines: rest, cut } = lines.finish();
        for (const line of rest) reader.line(parse(line));
        if (cut !== "") reader.line(parse(cut));
        const hasEvents = reader.finish();
        yield reader.happened.take();
        if (!hasEvents) throw new ImportError(`${name}: ${text}, but none of its events is a system call or a signal; ${instead}`);
      }
      return {
        is: "transitions",
        source: sourceOfRows(reader.happened, ["depth"], batches()),
        counters: () => reader.counters(),
      };
    },
  };
};

export const perf = importerOf({
  id: "perf",
  text: "the text of perf script",
  parse: perfLine,
  instead: "record with: perf record -e 'signal:*,raw_syscalls:*' PROGRAM",
});

export const ftrace = importerOf({
  id: "ftrace",
  text: "ftrace's text (trace-cmd report)",
  parse: ftraceLine,
  instead: "record with: trace-cmd record -e signal -e raw_syscalls PROGRAM",
});

export const gvisor = importerOf({
  id: "gvisor",
  text: "gVisor's log",
  parse: gvisorLine,
  instead: "run it again with: runsc --debug --strace --debug-log=DIR/",
});
