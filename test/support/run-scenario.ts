/** Run a scenario to its end in memory and ask what happened: the transitions, and what the application saw of them. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  type Block,
  boot,
  type Decision,
  KIND,
  type KindName,
  kindName,
  type Machine,
  NEVER,
  newBlock,
  parseScenario,
  type Run,
  type RunOptions,
  resultText,
  type Scenario,
  type ScenarioInput,
  type Sink,
  type Site,
  type StackName,
  signalName,
  type ThreadInfo,
  type Transition,
  transitionAt,
} from "../../engine/index.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../engine/scenarios");

/** Names of the scenarios that come with eintr, in the order of the alphabet. */
export const BUILT_IN: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.slice(0, -".yaml".length))
  .sort();

export const builtIn = (name: string): Scenario => parseScenario(readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8"), `${name}.yaml`);

/** One row with its numbers replaced by what they stand for. */
export interface Row extends Transition {
  readonly what: KindName;
  readonly who: string;
  /** "flow: label". */
  readonly where: string;
  readonly place: Site;
}

export interface Ran {
  readonly rows: readonly Row[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  readonly decisions: readonly Decision[];
  readonly machine: Machine;
  readonly run: Run;
}

/**
 * Rows after which a run that does not end counts as endless; a scenario's own limit may be lower. The async helper of a LibOS makes some
 * 40 rows each millisecond.
 */
const ROWS = 500_000;

type Options = Omit<RunOptions, "stack" | "scenario"> & { readonly rows?: number };

/** Run a scenario (a built-in one by its name) on a stack to its end. */
export function runScenario(scenario: string | Scenario, stack: StackName, { rows: most = ROWS, ...options }: Options = {}): Ran {
  const run = boot({ stack, scenario: typeof scenario === "string" ? builtIn(scenario) : scenario, ...options });
  return collect(run, most);
}

/** Run on and keep every transition. */
export function collect(run: Run, most = ROWS): Ran {
  const collector = collectorOf(run);
  run.run(most, collector);
  run.flush(collector);
  return collector.ran();
}

/** A sink that keeps every transition of a run that somebody else steps. */
export function collectorOf(run: Run): Sink & { ran(): Ran } {
  const transitions: Transition[] = [];
  return {
    put(block): void {
      for (let i = 0; i < block.n; i += 1) transitions.push(transitionAt(block, i));
    },
    ran: () => ranOf(run, transitions),
  };
}

/** A long run has few places: their texts are made once. The rows are the transitions themselves, with more to them. */
function ranOf(run: Run, transitions: readonly Transition[]): Ran {
  const texts: string[] = [];
  const rows = transitions.map((t): Row => {
    const place = run.sites[t.site] as Site;
    const where = (texts[t.site] ??= `${place.flow}: ${place.label}`);
    return Object.assign(t, { what: kindName(t.kind) as KindName, who: run.threads[t.thread]?.name ?? "?", where, place });
  });
  return { rows, threads: run.threads, texts: run.texts, decisions: run.decisions, machine: run.machine, run };
}

/** The IPC helper of a process: it is in every run of a LibOS, and few tests are about it. */
const isIpcHelper = (row: Row): boolean => row.who.startsWith("ipc-helper");

/** The rows that a kind, a place ("flow: label" or a part of it) or a thread selects; those of an IPC helper only when it is named. */
export function rowsOf(ran: Ran, wanted: { what?: KindName; where?: string; who?: string }): Row[] {
  return ran.rows.filter(
    (row) =>
      (wanted.what === undefined || row.what === wanted.what) &&
      (wanted.where === undefined || row.where.includes(wanted.where)) &&
      (wanted.who === undefined ? !isIpcHelper(row) : row.who === wanted.who),
  );
}

export const count = (ran: Ran, what: KindName, who?: string): number =>
  ran.rows.filter((row) => row.kind === KIND[what] && (who === undefined ? !isIpcHelper(row) : row.who === who)).length;

/** "name result" of each call the application got back, e.g. "read -EINTR", in order; of one thread, handlers' calls included. */
export function results(ran: Ran, who = "main"): string[] {
  return rowsOf(ran, { what: "app.return", who }).map((row) => `${row.place.flow.replace("libc ", "")} ${resultText(row.value)}`);
}

/** Result of the last call of that name that came back, or "never returns". */
export function resultOf(ran: Ran, call: string, who = "main"): string {
  return (
    results(ran, who)
      .filter((text) => text.startsWith(`${call} `))
      .at(-1)
      ?.slice(call.length + 1) ?? "never returns"
  );
}

/** Signals whose handlers ran, in the order in which they were entered: ["SIGINT", "SIGTERM"]. */
export const handled = (ran: Ran, who?: string): string[] =>
  ran.rows.filter((row) => row.what === "app.handler.enter" && (who === undefined || row.who === who)).map((row) => signalName(row.signal));

/** How a run ended. */
export type End = "exit" | "killed" | "assert" | "hang" | "endless";

/**
 * `exit`: every process ended by itself. `killed`: a signal or the PAL ended one. `assert`: the LibOS stopped. `hang`: all that is
 * left waits for what never comes. `endless`: the limit of time or rows came first.
 */
export function endOf(ran: Ran): End {
  if (count(ran, "libos.assert") > 0) return "assert";
  const m = ran.machine;
  if (m.live.length === 0) return ran.rows.some(diedBySignal) ? "killed" : "exit";
  const waitsForEver = m.live.every((id) => {
    const t = m.threads[id];
    // A LibOS helper that turns with nothing to do is none that goes on (2.19).
    return t?.state === "blocked" && (t.internal || (t.wait?.deadline ?? NEVER) >= NEVER);
  });
  return m.ended && waitsForEver ? "hang" : "endless";
}

const diedBySignal = (row: Row): boolean =>
  row.what === "libos.signal.kill" ||
  (row.what === "host.signal.default" && row.value === 1) ||
  (row.what === "thread.exit" && row.value === 2);

/** Rows of the main thread from its first call of that name to the return of it. */
export function rowsWithin(ran: Ran, call: string, who = "main"): Row[] {
  const own = rowsOf(ran, { who });
  const from = own.findIndex((row) => row.what === "app.call" && row.place.label.startsWith(`${call}(`));
  const to = own.findIndex((row, i) => i > from && row.where === `libc ${call}: back in the application`);
  return own.slice(from, to < 0 ? own.length : to);
}

/** How often the main thread was at a place before it made its first call of that name. */
export function visitsBefore(ran: Ran, site: string, call: string): number {
  const [first] = rowsWithin(ran, call);
  return rowsOf(ran, { where: site, who: "main" }).filter((row) => row.seq < (first?.seq ?? 0)).length;
}

/** The labels of one flow's steps in the order in which a thread went through them. */
export const stepsOf = (ran: Ran, flow: string, who?: string): string[] =>
  ran.rows.filter((row) => row.place.flow === flow && (who === undefined || row.who === who)).map((row) => row.place.label);

/**
 * Look for places ("flow: label", or a kind) one after the other in a run; "" when all are found in this order, else the first that
 * is missing and what was found before it.
 */
export function firstMissing(rows: readonly Row[], wanted: readonly string[]): string {
  let at = 0;
  for (const [i, place] of wanted.entries()) {
    const found = rows.findIndex((row, index) => index >= at && (row.where === place || row.what === place));
    if (found < 0) return `no "${place}" after ${i === 0 ? "the start" : `seq ${rows[at - 1]?.seq} (${wanted[i - 1]})`}`;
    at = found + 1;
  }
  return "";
}

/** A small scenario of a test, as parseScenario takes it. */
export const scenarioOf = (input: Record<string, unknown>): Scenario =>
  parseScenario(JSON.stringify({ name: "test", title: "made by a test", ...input }), "test");

/** What a scenario may have beside its main program. */
type More = Partial<Omit<ScenarioInput, "main">>;

/**
 * Run a program that has handlers for SIGINT and SIGTERM ("quick", an empty one unless `more` says otherwise), so that a test names only
 * what it is about: operations and signals.
 */
export function runProgram(stack: StackName, main: readonly unknown[], signals: Plan[] = [], more: More = {}, options: Options = {}): Ran {
  const scenario = scenarioOf({
    main: [on("SIGINT"), on("SIGTERM"), ...main],
    signals,
    limit: { time: "5s", transitions: 50_000 },
    ...more,
    handlers: { quick: [{ compute: "1us" }], ...more.handlers },
  });
  return runScenario(scenario, stack, options);
}

type Plan = NonNullable<ScenarioInput["signals"]>[number];

export const on = (signal: string, handler = "quick", more: Record<string, unknown> = {}): unknown => ({
  sigaction: { signal, handler, ...more },
});

/**
 * Flows that the main thread has been through before the application starts, and how often: it has made the IPC helper, and woken it by
 * the release of the lock that the helper was waiting for.
 */
const OF_THE_START: Readonly<Record<string, number>> = {
  DkThreadCreate: 1,
  pal_malloc: 1,
  "host clone": 1,
  ocall_wake_thread: 1,
  ocall_futex: 1,
  sgx_ocall: 2,
  "sgx_ocall (untrusted RSP)": 2,
  sgx_entry: 2,
  sgx_entry_return: 2,
  enclave_entry: 2,
};

/** Of enclave_entry it has not been through what an exception goes through. */
const OF_EXCEPTIONS = /exception|double-check|nothing to do|GPRSGX|EEXIT\(RDX/;

/** A signal for the thread that is about to execute a place for the n-th time since its program has started. */
export function pin(signal: string, site: string, thread = "main", nth = 1): Plan {
  const known = thread === "main" && !OF_EXCEPTIONS.test(site);
  const before = known ? (OF_THE_START[site.slice(0, site.indexOf(": "))] ?? 0) : 0;
  return { signal, thread, when: { thread, site, nth: nth + before } };
}

/** A signal while a thread waits in a call. */
export const inCall = (signal: string, call: string, nth = 1): Plan => ({ signal, when: { thread: "main", call, nth } });

export const at = (signal: string, time: string): Plan => ({ signal, when: { at: time } });

/** Another thread sends a signal to the main thread after a millisecond. */
export const SENDER = { sender: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] };

/** How a thread ended: 0 by itself, 1 killed, 2 in the PAL; undefined when it lives. */
export const exitOf = (ran: Ran, who = "main"): number | undefined => rowsOf(ran, { what: "thread.exit", who })[0]?.value;

/** A sink that keeps nothing. */
export const NOWHERE = { put: (): void => {} };

/** All columns of a run's remaining transitions in one block: for comparing runs byte for byte. */
export function columnsOf(run: Run, most = ROWS): Block {
  const parts: Block[] = [];
  const sink = { put: (block: Block): void => void parts.push(copyBlock(block)) };
  run.run(most, sink);
  run.flush(sink);
  const total = parts.reduce((sum, part) => sum + part.n, 0);
  const all = newBlock(total);
  all.seq0 = parts[0]?.seq0 ?? run.machine.seq;
  for (const part of parts) {
    for (const name of Object.keys(part) as (keyof Block)[]) {
      const into = all[name];
      if (typeof into !== "number") (into as Float64Array).set((part[name] as Float64Array).subarray(0, part.n), all.n);
    }
    all.n += part.n;
  }
  return all;
}

function copyBlock(block: Block): Block {
  const copy = newBlock(block.n);
  copy.seq0 = block.seq0;
  copy.n = block.n;
  for (const name of Object.keys(block) as (keyof Block)[]) {
    const into = copy[name];
    if (typeof into !== "number") (into as Float64Array).set((block[name] as Float64Array).subarray(0, block.n));
  }
  return copy;
}
