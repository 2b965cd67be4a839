/** Who made whom: the threads of the log as threads and processes of the scenario, with their names there. */

import { field, wholeNumber } from "./args.ts";
import { type CallEvent, CREATES, type Life, type Log, type LogEvent } from "./log.ts";

/** A thread of the scenario. */
export interface Task {
  readonly life: Life;
  /** Name of its program, and of the thread that runs it. */
  readonly name: string;
  readonly process: Process;
  readonly creator: Task | null;
  /** The call that made it; null when the log does not show it. */
  readonly creation: CallEvent | null;
  /** The id the emulated kernel will give it when threads begin in the order of the log. */
  emulatedPid: number;
}

export interface Process {
  /** As its first thread's. */
  readonly name: string;
  readonly parent: Process | null;
  readonly leader: Task;
  readonly tasks: Task[];
}

export interface Tree {
  readonly main: Task;
  readonly tasks: readonly Task[];
  readonly taskOf: ReadonlyMap<Life, Task>;
  /** What a creating call made, if the log shows it. */
  readonly madeBy: ReadonlyMap<CallEvent, Task>;
  /** Threads and processes whose beginning the log does not show, but for the first. */
  readonly adopted: readonly Task[];
}

export function makeTree(log: Log): Tree {
  const creations = linkCreations(log);
  const processLike = pidsWaitedFor(log.events);
  const taskOf = new Map<Life, Task>();
  const madeBy = new Map<CallEvent, Task>();
  const adopted: Task[] = [];
  const names = new Map<string, number>();
  const isProcess = (life: Life): boolean => processLike.has(life.bornAs) || actsAsProcess(life);
  const first = firstThread(log.lives, (life) => !creations.has(life) && !isProcess(life));
  const others = log.lives.filter((life) => life !== first);
  const main = newTask(first, "main", null, null, false);
  taskOf.set(first, main);

  // A creator's life begins before those it made, so one pass in the order of birth knows every creator.
  for (const life of others) {
    const creation = creations.get(life) ?? null;
    const creator = creation === null ? main : (taskOf.get(creation.life) ?? main);
    const isThread = creation === null ? !isProcess(life) : creation.args.includes("CLONE_THREAD");
    const task = newTask(life, nameOf(life, isThread, names), creator, creation, isThread);
    taskOf.set(life, task);
    if (creation === null) adopted.push(task);
    else madeBy.set(creation, task);
  }
  const tasks = [...taskOf.values()];
  numberTasks(tasks);
  return { main, tasks, taskOf, madeBy, adopted };
}

/** The life the log begins with; of threads that ran before it began, the one with the lowest id, for that made the others. */
function firstThread(lives: readonly Life[], wasThere: (life: Life) => boolean): Life {
  const [first] = lives;
  if (first === undefined) throw new Error("a log with a time stamp has a thread");
  return wasThere(first) ? lives.filter(wasThere).reduce((low, life) => (life.bornAs < low.bornAs ? life : low)) : first;
}

function newTask(life: Life, name: string, creator: Task | null, creation: CallEvent | null, isThread: boolean): Task {
  if (isThread && creator !== null) {
    const task: Task = { life, name, process: creator.process, creator, creation, emulatedPid: 0 };
    creator.process.tasks.push(task);
    return task;
  }
  const task = { life, name, creator, creation, emulatedPid: 0 } as { -readonly [K in keyof Task]: Task[K] };
  task.process = { name, parent: creator?.process ?? null, leader: task, tasks: [task] };
  return task;
}

/** "thread-1235", "process-1236"; a later one with the same id is "process-1236-b2". */
function nameOf(life: Life, isThread: boolean, taken: Map<string, number>): string {
  const base = `${isThread ? "thread" : "process"}-${life.bornAs}`;
  const n = (taken.get(base) ?? 0) + 1;
  taken.set(base, n);
  return n === 1 ? base : `${base}-b${n}`;
}

/** The emulated kernel counts from 1, the first thread. Those of unknown origin are made first (see `scenario.ts`). */
function numberTasks(tasks: readonly Task[]): void {
  const order = (task: Task): number => (task.creator === null ? -2 : (task.creation?.start ?? -1));
  [...tasks]
    .sort((a, b) => order(a) - order(b) || (a.creation?.line ?? 0) - (b.creation?.line ?? 0) || a.life.id - b.life.id)
    .forEach((task, i) => {
      task.emulatedPid = i + 1;
    });
}

/** Each life and the call that made it: the call answered with its id, and it began after the call did. */
function linkCreations(log: Log): Map<Life, CallEvent> {
  const unborn = new Map<number, Life[]>();
  for (const life of log.lives) {
    const list = unborn.get(life.bornAs);
    if (list) list.push(life);
    else unborn.set(life.bornAs, [life]);
  }
  const creations = new Map<Life, CallEvent>();
  const open: CallEvent[] = [];
  for (const event of log.events) {
    if (event.kind !== "call" || !CREATES.has(event.name)) continue;
    if (!event.ended) open.push(event);
    if (event.value === null || event.value <= 0) continue;
    const list = unborn.get(event.value);
    const next = list?.findIndex((life) => bornAt(life) > event.line) ?? -1;
    const child = list?.splice(next, next < 0 ? 0 : 1)[0];
    if (child) creations.set(child, event);
  }
  // Cut off in the middle of a creation: the first unexplained life after it is its child.
  const unexplained = log.lives.filter((life, i) => i > 0 && !creations.has(life));
  let at = 0;
  for (const event of open) {
    while (at < unexplained.length && bornAt(unexplained[at]) <= event.line) at += 1;
    const child = unexplained[at];
    if (child) creations.set(child, event);
    at += 1;
  }
  return creations;
}

const bornAt = (life: Life | undefined): number => life?.events[0]?.line ?? 0;

/** Ids that somebody waited for as a child, or that a SIGCHLD told of. */
function pidsWaitedFor(events: readonly LogEvent[]): Set<number> {
  const pids = new Set<number>();
  for (const event of events) {
    if (event.kind === "call" && event.name === "wait4" && event.value !== null && event.value > 0) pids.add(event.value);
    if (event.kind !== "signal" || !event.info.includes("CLD_")) continue;
    const pid = wholeNumber(field(event.info, "si_pid"));
    if (pid !== null) pids.add(pid);
  }
  return pids;
}

/** strace itself starts a program so: nothing comes before. */
export function startsProgram({ events: [first] }: Life): boolean {
  return first?.kind === "call" && first.name === "execve" && first.value === 0;
}

/** It runs a program of its own, or its process has its id. */
const actsAsProcess = (life: Life): boolean =>
  life.events.some(
    (event) => event.kind === "call" && (event.name === "execve" || (event.name === "getpid" && event.value === life.bornAs)),
  );
