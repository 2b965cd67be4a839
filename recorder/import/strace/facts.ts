/**
 * One pass over all threads in the order of the log that finds out what a line alone does not tell: what a signal's
 * disposition was when it arrived, who sent it, whom a kill reached, which child a wait found.
 */

import { SIG } from "../../../engine/index.ts";
import { field, splitArgs, timeSpan, wholeNumber } from "./args.ts";
import { type Arrival, arrival, ENDED } from "./arrivals.ts";
import { coalescedEnds } from "./coalesced.ts";
import { EFAULT, EPIPE } from "./errno.ts";
import { isOtherMeans, type Senders } from "./homemade.ts";
import { type GroupChange, type Kill, killTarget, newGroups } from "./kills.ts";
import { type LackedFiles, lackedFile } from "./lacked-files.ts";
import { type CallEvent, CREATES, type EndEvent, type Log, type LogEvent, type SignalEvent } from "./log.ts";
import { Masks } from "./masks.ts";
import { toReadOnlyPage } from "./pages.ts";
import { mayRaise } from "./pipes.ts";
import { changesTimer, type PosixTimer } from "./posix-timers.ts";
import { type Action, actionOf, hasRestorers } from "./registrations.ts";
import { isCut, Mailbox, mailboxOf, settleEffect } from "./sent.ts";
import { signalfdObject, TAKES_SIGNALS, type Taken, takenBy } from "./signal-files.ts";
import { ABOUT_SOCKETS, type Sockets, type SocketUse, socketUse } from "./sockets.ts";
import { stoppedByOthers } from "./stops.ts";
import type { Process, Task, Tree } from "./tree.ts";
import { MASK_AT } from "./waiting.ts";
import { leavesNoZombies, type Wait, waitOf } from "./waits.ts";

/** What is known of a process at a place of the log. */
export interface ProcessState {
  readonly process: Process;
  actions: Map<number, Action>;
  /** False when it ran before the log began: what is not in `actions` is unknown then, not default. */
  known: boolean;
  /** The last alarm or setitimer(ITIMER_REAL). */
  timer: Timer | null;
  /** Those of timer_create, by their ids in the log. */
  readonly timers: Map<number, PosixTimer>;
  timersMade: number;
  /** Signals sent to it, and to its threads, by calls of the log that are emulated. */
  readonly sent: Mailbox;
  readonly sentTo: Map<Task, Mailbox>;
  /** Descriptors from which it reads signals, as objects of the scenario. */
  readonly signalfds: Map<number, string>;
  readonly sockets: Sockets;
  readonly lackedFiles: LackedFiles;
  /** All its children by their ids. */
  readonly children: Map<number, Process>;
  /** Children not yet waited for. */
  readonly unreaped: Set<Process>;
  /** Threads that have not ended. */
  readonly alive: Set<Task>;
  group: number;
  /** Signals that reached it. */
  readonly arrived: Set<number>;
  /** The signal that will end it was sent: what is sent later finds nobody. */
  doomed: boolean;
  /** A signal that ends it needs no plan any more. */
  deathPlanned: boolean;
}

/** All in ns. */
export interface Timer {
  readonly at: number;
  readonly value: number;
  readonly interval: number;
}

export interface Facts {
  readonly actions: ReadonlyMap<CallEvent, Action>;
  readonly arrivals: ReadonlyMap<SignalEvent, Arrival>;
  readonly kills: ReadonlyMap<CallEvent, Kill>;
  readonly groups: ReadonlyMap<CallEvent, GroupChange>;
  readonly waits: ReadonlyMap<CallEvent, Wait>;
  /** When a process must have ended for a wait to find it, ns of the log. */
  readonly goneBy: ReadonlyMap<Process, number>;
  /** When it did, where one SIGCHLD told of several, ns of the log. */
  readonly goneAt: ReadonlyMap<Process, number>;
  /** Mask of the thread when it made the call, for calls that wait under another one. */
  readonly masks: ReadonlyMap<CallEvent, readonly number[]>;
  /** Masks that a handler put into its saved context, by the rt_sigreturn that puts them in force. */
  readonly contexts: ReadonlyMap<CallEvent, readonly number[]>;
  /** Objects that calls on a signalfd are about. */
  readonly signalfds: ReadonlyMap<CallEvent, string>;
  /** Timers that calls are about. */
  readonly timers: ReadonlyMap<CallEvent, PosixTimer>;
  /** Signals that a call took. */
  readonly taken: ReadonlyMap<CallEvent, readonly Taken[]>;
  /** Calls about sockets that have a time-out of their own. */
  readonly sockets: ReadonlyMap<CallEvent, SocketUse>;
  /** Objects that calls make, read or write, and that a library OS may not have. */
  readonly lackedFiles: ReadonlyMap<CallEvent, string>;
  /** Writes answered with EPIPE that raised SIGPIPE. */
  readonly broken: ReadonlySet<CallEvent>;
  /** Changes of the mask whose EFAULT was about the old mask, which the page it was meant for does not take. */
  readonly readOnly: ReadonlySet<CallEvent>;
  /** Processes whose stops by job control are emulated. */
  readonly stoppable: ReadonlySet<Process>;
  /** Ends by a signal that nothing in the log sent. */
  readonly deaths: ReadonlySet<EndEvent>;
}

export function gatherFacts(log: Log, tree: Tree): Facts {
  const actions = new Map<CallEvent, Action>();
  const arrivals = new Map<SignalEvent, Arrival>();
  const kills = new Map<CallEvent, Kill>();
  const waits = new Map<CallEvent, Wait>();
  const masks = new Map<CallEvent, readonly number[]>();
  const goneBy = new Map<Process, number>();
  const signalfds = new Map<CallEvent, string>();
  const timers = new Map<CallEvent, PosixTimer>();
  const taken = new Map<CallEvent, readonly Taken[]>();
  const sockets = new Map<CallEvent, SocketUse>();
  const lackedFiles = new Map<CallEvent, string>();
  const broken = new Set<CallEvent>();
  const readOnly = new Set<CallEvent>();
  const deaths = new Set<EndEvent>();
  const states = new Map<Process, ProcessState>();
  const current = new Masks();
  const restorers = hasRestorers(log);
  const senders: Senders = {
    inLog: new Set(tree.tasks.map(({ life }) => life.pid)),
    haveOtherMeans: log.events.some((event) => event.kind === "call" && isOtherMeans(event.name, event.args)),
  };
  const stoppable = stoppedByOthers(tree);
  const living = new Set<ProcessState>();
  const groups = newGroups(living, tree.main);
  const changes = new Map<CallEvent, GroupChange>();

  const stateOf = (process: Process): ProcessState => {
    let state = states.get(process);
    if (state === undefined) {
      state = newState(process);
      states.set(process, state);
    }
    return state;
  };
  for (const task of [tree.main, ...tree.adopted]) {
    const state = stateOf(task.process);
    state.alive.add(task);
    living.add(state);
    const parent = task.process.parent;
    if (parent !== null && task.process.leader === task) adopt(stateOf(parent), task);
  }

  const creation = (task: Task, call: CallEvent): void => {
    const child = tree.madeBy.get(call);
    if (!child) return;
    const mine = stateOf(task.process);
    const state = stateOf(child.process);
    state.alive.add(child);
    living.add(state);
    current.created(child, task);
    if (child.process === task.process) return;
    state.actions = new Map(mine.actions);
    state.known = mine.known;
    state.group = mine.group;
    for (const [fd, object] of mine.signalfds) state.signalfds.set(fd, object);
    for (const [fd, socket] of mine.sockets) state.sockets.set(fd, socket);
    for (const [fd, file] of mine.lackedFiles) state.lackedFiles.set(fd, file);
    adopt(mine, child);
  };

  /** Calls that take signals do so when they end: what is sent until then counts. By their ends. */
  const taking: { readonly call: CallEvent; readonly done: () => void }[] = [];
  const takeNext = (): void => taking.shift()?.done();
  const takes = (task: Task, event: CallEvent, state: ProcessState): void => {
    const object = signalfdObject(event, state);
    if (object !== undefined) signalfds.set(event, object);
    if (event.name !== "rt_sigtimedwait" && (event.name !== "read" || object === undefined)) return;
    const at = taking.findIndex((other) => other.call.end > event.end);
    taking.splice(at < 0 ? taking.length : at, 0, { call: event, done: () => taken.set(event, takenBy(event, task, state, senders)) });
  };

  const call = (task: Task, event: CallEvent): void => {
    const state = stateOf(task.process);
    const { name, value } = event;
    const use = ABOUT_SOCKETS.has(name) ? socketUse(event, state.sockets, state.process.name) : null;
    if (use) sockets.set(event, use);
    const file = lackedFile(event, state.lackedFiles, state.process.name);
    if (file !== undefined) lackedFiles.set(event, file);
    if (value === EPIPE && mayRaise(event)) {
      mailboxOf(state, task).put(SIG.PIPE, { call: event, sender: task.process.leader.life.pid, effect: event.end });
      if (state.actions.get(SIG.PIPE)?.what === "ignore" || current.of(task).includes(SIG.PIPE)) broken.add(event);
    }
    if (CREATES.has(name)) creation(task, event);
    else if (name === "rt_sigaction") {
      const action = actionOf(event, task, restorers);
      if (action === null) return;
      actions.set(event, action);
      if (value === 0) state.actions.set(action.signal, action);
    } else if (name === "execve" && value === 0) {
      state.actions = new Map([...state.actions].filter(([, action]) => action.what === "ignore"));
      state.known = true;
      state.timers.clear();
    } else if (name === "rt_sigprocmask" && value === 0) current.changes(task, event);
    else if (name === "rt_sigprocmask" && value === EFAULT && toReadOnlyPage(event, task.process)) {
      current.changes(task, event);
      readOnly.add(event);
    } else if (name === "rt_sigreturn") current.returns(task, event);
    else if (name === "alarm" || name === "setitimer") state.timer = timerOf(event) ?? state.timer;
    else if (name.startsWith("timer_")) {
      const timer = changesTimer(event, task, state);
      if (timer) timers.set(event, timer);
    } else if (MASK_AT.has(name)) masks.set(event, current.of(task));
    else if (name === "wait4" || name === "waitid") {
      const wait = waitOf(event, state, stoppable);
      if (wait) waits.set(event, wait);
      if (wait?.changed) return;
      for (const child of wait?.found ? [wait.found] : (wait?.gone ?? [])) goneBy.set(child, wait?.nohang ? event.start : event.end);
    } else if (name === "setpgid" || name === "setsid") {
      const change = groups.change(event, state);
      if (change) changes.set(event, change);
    } else if (TAKES_SIGNALS.has(name)) takes(task, event, state);
    else {
      const kill = killTarget(event, task, { tree, groups, stateOf, stoppable });
      if (kill) kills.set(event, kill);
    }
  };

  /** The line before, of each thread. */
  const before = new Map<Task, LogEvent>();
  /** What is known of the moment at which it was caused: before it was told, and not in a call that it did not end. */
  const settle = (event: SignalEvent, { cause, sending }: Arrival, task: Task, state: ProcessState, last: LogEvent | undefined): void => {
    const kill = sending && kills.get(sending.call);
    if (sending?.call.value === EPIPE) broken.add(sending.call);
    // Nothing in the scenario would fault: the call is only told, and then an instruction faults.
    if (sending && kill && cause === "lost") kills.delete(sending.call);
    else if (sending && kill) {
      settleEffect(sending, last, event);
      kill.takers[task.name] = event.start;
      lastKill.set(task.process, { signal: event.signal, kill, task });
    }
    const over = ENDED.has(field(event.info, "si_code"));
    const child = cause === "own" && over && !sending ? state.children.get(wholeNumber(field(event.info, "si_pid")) ?? -1) : undefined;
    if (child && last?.kind === "call" && isCut(last)) goneBy.set(child, Math.min(last.end, goneBy.get(child) ?? last.end));
  };
  /** The signal from the log that each process took last. */
  const lastKill = new Map<Process, { readonly signal: number; readonly kill: Kill; readonly task: Task }>();
  /** A process killed by another one is gone when its last line says so: writing a core takes its time. SIGKILL has no line of its own. */
  const diedAt = ({ value, start }: EndEvent, task: Task, state: ProcessState): void => {
    const last = lastKill.get(task.process);
    const sent = state.sent.first(value);
    const kill = sent && kills.get(sent.call);
    if (last?.signal === value) last.kill.takers[last.task.name] = start;
    else if (kill) kill.takers[task.name] = start;
  };
  /** A process is gone with its last thread, and with it what nobody waits for. */
  const leaves = (state: ProcessState): void => {
    living.delete(state);
    const parent = state.process.parent && stateOf(state.process.parent);
    if (parent && leavesNoZombies(parent)) parent.unreaped.delete(state.process);
  };
  const after = followers(log);
  for (const event of log.events) {
    while (taking.length > 0 && (taking[0]?.call.end ?? 0) <= event.start) takeNext();
    const task = tree.taskOf.get(event.life);
    if (!task) continue;
    if (event.kind === "call") call(task, event);
    else if (event.kind === "signal") {
      const state = stateOf(task.process);
      state.arrived.add(event.signal);
      const last = before.get(task);
      const arrived = arrival(event, after.get(event), last?.kind === "signal" ? arrivals.get(last) : undefined, task, state, {
        senders,
        stoppable,
        mask: current.of(task),
      });
      arrivals.set(event, arrived);
      if (arrived.action && arrived.cause !== "stop" && arrived.cause !== "lost") current.enters(task, event.signal, arrived.action);
      settle(event, arrived, task, state, last);
    } else if (event.kind === "end") {
      const state = stateOf(task.process);
      state.alive.delete(task);
      if (state.alive.size === 0) leaves(state);
      if (event.how !== "killed" || state.deathPlanned) continue;
      state.deathPlanned = true;
      diedAt(event, task, state);
      const last = before.get(task);
      const byItself = last?.kind === "call" && last.value === null && kills.has(last);
      const explained = byItself || state.arrived.has(event.value) || state.sent.first(event.value) !== undefined;
      if (!explained) deaths.add(event);
    }
    before.set(task, event);
  }
  while (taking.length > 0) takeNext();
  return {
    actions,
    arrivals,
    kills,
    groups: changes,
    waits,
    goneBy,
    goneAt: coalescedEnds(log, tree, goneBy),
    masks,
    contexts: current.changedContexts,
    signalfds,
    timers,
    taken,
    sockets,
    lackedFiles,
    broken,
    readOnly,
    stoppable,
    deaths,
  };
}

/** A thread's line after a signal, where it is one, too. */
function followers({ lives }: Log): Map<LogEvent, LogEvent> {
  const after = new Map<LogEvent, LogEvent>();
  for (const { events } of lives)
    events.forEach((event, i) => {
      const next = events[i + 1];
      if (event.kind === "signal" && next?.kind === "signal") after.set(event, next);
    });
  return after;
}

const newState = (process: Process): ProcessState => ({
  process,
  actions: new Map(),
  known: false,
  timer: null,
  timers: new Map(),
  timersMade: 0,
  sent: new Mailbox(),
  sentTo: new Map(),
  signalfds: new Map(),
  sockets: new Map(),
  lackedFiles: new Map(),
  children: new Map(),
  unreaped: new Set(),
  alive: new Set(),
  group: 0,
  arrived: new Set(),
  doomed: false,
  deathPlanned: false,
});

function adopt(state: ProcessState, child: Task): void {
  state.unreaped.add(child.process);
  state.children.set(child.life.pid, child.process);
}

function timerOf({ name, args, end }: CallEvent): Timer | null {
  const [first, timer = ""] = splitArgs(args);
  if (name === "alarm") return { at: end, value: (wholeNumber(first) ?? 0) * 1e9, interval: 0 };
  if (first !== "ITIMER_REAL") return null;
  return { at: end, value: timeSpan(field(timer, "it_value")) ?? 0, interval: timeSpan(field(timer, "it_interval")) ?? 0 };
}
