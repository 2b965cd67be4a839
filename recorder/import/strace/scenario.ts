/** A log as a scenario: a program for each thread, handlers, and the signals from outside. */

import type { QualityCounter } from "../../format/metadata.ts";
import type { ImportedScenario } from "../importer.ts";
import { bounded } from "./args.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import { evenOut, makeHandlers } from "./handlers.ts";
import { leftOut } from "./left-out.ts";
import type { AfterHandlers } from "./level.ts";
import { CREATES, type Log, type LogEvent } from "./log.ts";
import type { SignalPlan } from "./plans.ts";
import { type Action, type Item, type Registration, setAction } from "./registrations.ts";
import { matchReturns } from "./returns.ts";
import { changedLate, newForms, Shortened, shortened } from "./shortened.ts";
import { weave } from "./thread.ts";
import { makeTree, startsProgram, type Task, type Tree } from "./tree.ts";

export interface Imported extends ImportedScenario {
  /** What became of the lines: those named `strace.FATE...` add up to `lines`. */
  readonly counters: readonly QualityCounter[];
  readonly threads: number;
  readonly lines: number;
}

/** Transitions that a run may take for a line of the log; the longest emulated call takes fewer. */
const ROWS_PER_LINE = 1000;
const ROWS_AT_LEAST = 1_000_000;
/** More a scenario may not ask for. */
const ROWS_AT_MOST = 1_000_000_000;
/** Programs of a longer log are written in short: a scenario's list holds no million operations, and memory no million objects. */
const LONG_LINES = 10_000;

/** A run whose timer goes on after the end of the log is over so long after it, ns: a library OS may be behind. */
const AFTER_END_NS = 1e9;

/** `name` is that of the log's file. Tests choose from how many lines on programs are written in short. */
export function scenarioOf(log: Log, name: string, longLines = LONG_LINES): Imported {
  const { tally } = log;
  const tree = makeTree(log);
  const facts = gatherFacts(log, tree);
  const assumed = matchReturns(tree, facts);
  const unseen = madeUnseen(log, tree);
  const title = titleOf(tree);
  const missing = leftOut(tree);
  const goesOn = timerGoesOn(log);
  log.events.length = 0;
  if (goesOn) tally.note("timer-goes-on");
  if (unseen > 0) tally.note("not-followed", unseen);
  if (missing.calls > 0) tally.note("calls-left-out", missing.calls);
  if (missing.signals > 0) tally.note("signals-left-out", missing.signals);
  // Where calls were left out, those that made the threads may be among them.
  if (tree.adopted.length > 0 && missing.calls === 0) {
    // A log that itself begins later than its program may lack whoever made a child.
    const begun = startsProgram(tree.main.life) ? tree.adopted.filter(({ life }) => startsProgram(life)).length : 0;
    if (begun > 0) tally.note("several-programs", begun);
    if (tree.adopted.length > begun) tally.note("unknown-parent", tree.adopted.length - begun);
  }

  const setters: { action: Action; item: Item }[] = [];
  const beginnings = new Map<Task, Item[]>([[tree.main, tree.adopted.map(beginning)]]);
  for (const [process, actions] of assumed) {
    const items = actions.map((action) => ({ action, item: setAction(action, null) }));
    for (const setter of items) setters.push(setter);
    tally.note("assumed-action", items.length);
    beginnings.set(process.leader, [...items.map(({ item }) => item), ...(beginnings.get(process.leader) ?? [])]);
  }

  const plans: SignalPlan[] = [];
  const isLong = log.lines >= longLines;
  const afterHandlers: AfterHandlers[] = [];
  const late = changedLate(setters, afterHandlers);
  const others = tree.tasks.filter((task) => task !== tree.main);
  const forms = newForms(others.map((task) => task.name));
  const programs = new Map<Task, Item[] | Shortened>();
  for (const task of tree.tasks) {
    const context = { task, tree, facts, setters, afterHandlers };
    const program = isLong ? new Shortened(late, forms) : [];
    weave(context, beginnings.get(task) ?? [], program, plans, tally, log.duration);
    if (program instanceof Shortened) program.close();
    programs.set(task, program);
  }
  const handlers = makeHandlers(registrationsOf(setters), tally);
  evenOut(afterHandlers);
  for (const { action, item } of setters) if (action.what === "handler") (item.sigaction as Item).handler = action.name;

  const program = (task: Task): Item[] => {
    const woven = programs.get(task) ?? [];
    programs.delete(task);
    return woven instanceof Shortened ? woven.finish() : woven;
  };
  return {
    is: "scenario",
    scenario: {
      name: scenarioName(name),
      title: `${title}, from a strace log`,
      source: fileName(name),
      about: `${log.lines} lines, ${tree.tasks.length} threads. Times, results and signals are those of the log.`,
      ...objectsOf(facts),
      main: program(tree.main),
      programs: Object.fromEntries(others.map((task) => [task.name, program(task)])),
      handlers: Object.fromEntries(Object.entries(handlers).map(([key, items]) => [key, isLong ? shortened(items, forms) : items])),
      ...(isLong ? { sorts: forms.sorts } : {}),
      signals: plans,
      limit: {
        transitions: Math.min(ROWS_AT_MOST, Math.max(ROWS_AT_LEAST, log.lines * ROWS_PER_LINE)),
        ...(goesOn ? { time: bounded(log.duration + AFTER_END_NS) } : {}),
      },
    },
    counters: tally.counters(),
    threads: tree.tasks.length,
    lines: log.lines,
  };
}

/** Sockets with time-outs; all else that is read or written is answered by the outside world. */
function objectsOf({ sockets }: Facts): { objects?: Record<string, string> } {
  const objects = Object.fromEntries([...sockets.values()].map(({ socket: { name, kind } }) => [name, kind]));
  return Object.keys(objects).length === 0 ? {} : { objects };
}

/** Threads and processes of which the log shows no line. */
const madeUnseen = ({ events }: Log, { madeBy }: Tree): number =>
  events.filter((event) => event.kind === "call" && CREATES.has(event.name) && (event.value ?? 0) > 0 && !madeBy.has(event)).length;

/** A log that was cut in a loop of a timer: its signals would come for ever, and the program, whose end nobody knows, handle them. */
function timerGoesOn({ events, lives }: Log): boolean {
  const repeats = (event: LogEvent): boolean =>
    event.kind === "call" && /^(?:setitimer|timer_settime)$/.test(event.name) && INTERVAL.test(event.args);
  return lives.some((life) => life.events.at(-1)?.kind !== "end") && events.some(repeats);
}

const INTERVAL = /it_interval=\{tv_sec=(?!0, tv_[un]sec=0\})/;

const beginning = (task: Task): Item => ({ [task === task.process.leader ? "fork" : "clone"]: { program: task.name } });

const registrationsOf = (setters: readonly { action: Action }[]): Registration[] => [
  ...new Set(setters.map(({ action }) => action).filter((action) => action.what === "handler")),
];

/** The program that execve started last in the first thread, without its folder. */
function titleOf({ main }: Tree): string {
  const started = main.life.events.find((event) => event.kind === "call" && event.name === "execve" && event.value === 0);
  const path = started?.kind === "call" ? (/^"((?:[^"\\]|\\.)*)"/.exec(started.args)?.[1] ?? "") : "";
  const name =
    path
      .split("/")
      .at(-1)
      ?.replace(/[^\w.+-]/g, "") ?? "";
  return name === "" ? "a program" : name.slice(0, 100);
}

/** Findings and differences name lines of it. */
const fileName = (file: string): string => (file.split("/").at(-1) ?? "").replace(/["\\\p{Cc}]/gu, "?").slice(0, 200) || "log";

/** A name as scenarios have them, from a file's. */
function scenarioName(file: string): string {
  const base = file.split("/").at(-1) ?? "";
  const clean = base
    .replace(/\.(?:strace|log|txt)$/i, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "");
  return clean.slice(0, 200) || "log";
}
