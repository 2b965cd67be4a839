/** A run on native-linux as its application saw it, from the rows alone, in the words of `kernel-log.ts`. */

import { boot, KIND, resultText, type Scenario, type Site, signalName, type Transition, transitionAt } from "../../engine/index.ts";
import type { CallSeen, HandlerSeen } from "./kernel-log.ts";

export interface RunThread {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly happened: (CallSeen | HandlerSeen)[];
  ended: boolean;
}

/** Rows that a run may have; those of the largest log have a tenth. */
const MOST_ROWS = 3_000_000;

/** What an application saw of a run, from its rows alone. */
export function seenInRun(scenario: Scenario): { threads: RunThread[]; ends: Map<number, string> } {
  const run = boot({ stack: "native-linux", scenario });
  const rows: Transition[] = [];
  const sink = {
    put(block: Parameters<typeof transitionAt>[0]): void {
      for (let i = 0; i < block.n; i += 1)
        if (MATTERS.has(block.kind[i] ?? -1) || isEntry(run.sites[block.site[i] ?? -1])) rows.push(transitionAt(block, i));
    },
  };
  run.run(MOST_ROWS, sink);
  run.flush(sink);
  const returned = new Set(rows.filter((row) => row.kind === KIND["app.handler.return"]).map((row) => row.extra));
  const threads = run.threads.map(({ name, pid, tid }): RunThread => ({ name, pid, tid, happened: [], ended: false }));
  const ends = new Map<number, string>();
  const known: Known = { returned, ends, byId: new Map() };
  const levels = threads.map((): Level[] => [{ signal: 0, asked: "", call: null, running: null }]);
  for (const row of rows) {
    const thread = threads[row.thread];
    const site = run.sites[row.site];
    if (thread && site) follow(row, site, thread, levels[row.thread] ?? [], known);
  }
  return { threads, ends };
}

const MATTERS: ReadonlySet<number> = new Set([
  KIND["app.call"],
  KIND["app.return"],
  KIND["host.signal.deliver"],
  KIND["app.handler.enter"],
  KIND["app.siginfo"],
  KIND["app.siginfo.more"],
  KIND["app.handler.return"],
  KIND["thread.exit"],
  KIND["process.exit"],
]);

/** What is known of the whole run. */
interface Known {
  /** Ids of signals whose handlers came back. */
  readonly returned: ReadonlySet<number>;
  /** How processes ended, by their ids. */
  readonly ends: Map<number, string>;
  /** Handlers by the ids of their signals. */
  readonly byId: Map<number, HandlerSeen>;
}

/** The program (signal 0) or a handler that comes back, and the call it is in. */
interface Level {
  readonly signal: number;
  /** Name of a call that the kernel has not seen yet. */
  asked: string;
  call: CallSeen | null;
  /** The handler that is reading its siginfo. */
  running: HandlerSeen | null;
}

/** The kernel is entered by a system call: what comes before has its place before the call. */
const isEntry = (site: Site | undefined): boolean => site?.step === 0 && site.flow.startsWith("host ");

/** siglongjmp puts the mask back by a call. */
const callNamed = (label: string): string => (label.startsWith("siglongjmp") ? "sigprocmask" : (label.split("(")[0] ?? ""));

const NO_CALLS = new Set(["exit", "exit-group", "exit_group"]);

function follow(row: Transition, site: Site, thread: RunThread, levels: Level[], { returned, ends, byId }: Known): void {
  const top = levels.at(-1);
  if (!top) return;
  const outside = levels.length === 1;
  const call = (name: string): CallSeen => ({ kind: "call", name, value: "none", child: null, line: row.seq });
  if (isEntry(site) && top.asked !== "") {
    top.call = call(top.asked);
    if (outside) thread.happened.push(top.call);
    top.asked = "";
  }
  switch (row.kind) {
    case KIND["app.call"]: {
      const name = callNamed(site.label);
      top.call = null;
      top.asked = NO_CALLS.has(name) ? "" : name.replaceAll("-", "_");
      return;
    }
    case KIND["app.return"]: {
      // siglongjmp restores the mask with a call of its own.
      const open = top.call ?? call(site.flow.replace("libc ", ""));
      if (outside && top.call === null) thread.happened.push(open);
      open.value = resultText(row.value);
      top.call = null;
      return;
    }
    case KIND["host.signal.deliver"]:
      // Where strace tells of it. Of two delivered at one place the second one's handler runs first.
      thread.happened.push({ kind: "handler", signal: signalName(row.signal), depth: levels.length - 1, line: row.seq, told: null });
      byId.set(row.extra, thread.happened.at(-1) as HandlerSeen);
      if (returned.has(row.extra)) levels.push({ signal: row.extra, asked: "", call: null, running: null });
      else top.call = null;
      return;
    case KIND["app.handler.enter"]:
      top.running = byId.get(row.extra) ?? null;
      return;
    case KIND["app.siginfo"]:
      if (top.running) top.running.told = { code: row.value, pid: row.extra, value: 0 };
      return;
    case KIND["app.siginfo.more"]:
      if (top.running?.told) top.running.told.value = row.value;
      return;
    case KIND["app.handler.return"]:
      while (levels.length > 1 && levels.pop()?.signal !== row.extra);
      return;
    case KIND["process.exit"]:
      ends.set(thread.pid, row.value < 0 ? `killed ${signalName(-row.value)}` : `exited ${row.value}`);
      return;
    case KIND["thread.exit"]:
      thread.ended = true;
  }
}
