/** Words and numbers that several rules need. */

import type { CallName, KernelName, StackName } from "../../engine/index.ts";
import { doubled, NONE, type PendingSignal, SCOPE, type ThreadModel } from "../model/index.ts";
import type { Handlers } from "../rule.ts";

export const NATIVE: readonly StackName[] = ["native-linux"];
export const LINUX_PAL: readonly StackName[] = ["graphene-linux"];
export const SGX: readonly StackName[] = ["graphene-sgx"];
export const PR347: readonly StackName[] = ["graphene-pr347"];
/** Pull request 347 is made on the Linux PAL, too. */
export const ALL_LINUX_PAL: readonly StackName[] = ["graphene-linux", "graphene-pr347"];
/** The stacks of Graphene at the base revision. */
export const GRAPHENE: readonly StackName[] = ["graphene-linux", "graphene-sgx"];

/** The stacks of today's Gramine. */
export const GRAMINE: readonly StackName[] = ["gramine-linux", "gramine-sgx"];

export const MS = 1_000_000;

/** Virtual time in words: "1.5 ms". */
export function timeText(ns: number): string {
  if (ns >= 1e9) return `${round(ns / 1e9)} s`;
  if (ns >= 1e6) return `${round(ns / 1e6)} ms`;
  return `${round(ns / 1e3)} us`;
}
const round = (n: number): string => String(Number(n.toPrecision(3)));

/** The application's call that a thread is in, as the program writes it; empty outside of any. */
export function callOf(m: ThreadModel, slot = m.slot): string {
  const call = m.open(SCOPE.CALL, slot);
  return call === NONE ? "" : m.labelOf(call);
}

/** Whether the label of a scope is of such a call. Asked for most calls of a program: a text is looked at once. */
export const createLabelTest = (m: ThreadModel, isSo: (label: string) => boolean): ((scope: number) => boolean) =>
  createPlaceTest(m, (scope) => isSo(m.labelOf(scope)));

/** The same of its flow. */
export const createFlowTest = (m: ThreadModel, isSo: (flow: string) => boolean): ((scope: number) => boolean) =>
  createPlaceTest(m, (scope) => isSo(m.flowOf(scope)));

const [UNKNOWN, NO, YES] = [0, 1, 2];

/** Answers about scopes that go by the place where they were opened, kept by its number. */
function createPlaceTest(m: ThreadModel, isSo: (scope: number) => boolean): (scope: number) => boolean {
  let known = new Uint8Array(256);
  return (scope) => {
    const site = m.scopes.site[scope] as number;
    const before = known[site] ?? UNKNOWN;
    if (before !== UNKNOWN) return before === YES;
    const answer = isSo(scope);
    // A broken trace may have rows of places that it does not name.
    if (site >= m.names.sites.length) return answer;
    while (site >= known.length) known = doubled(known);
    known[site] = answer ? YES : NO;
    return answer;
  };
}

/** A stranger's log may have a label for each of its lines. */
const MOST_LABELS = 1024;

/** Answers about labels, kept: rules ask at each call, and a program has few labels. */
export function kept<T>(answer: (label: string) => T): (label: string) => T {
  const known = new Map<string, T>();
  return (label) => {
    const before = known.get(label);
    if (before !== undefined) return before;
    if (known.size >= MOST_LABELS) known.clear();
    const fresh = answer(label);
    known.set(label, fresh);
    return fresh;
  };
}

/** "read" of "read(pipe, 8)". A stranger's log may have calls that nobody knows: they are none of those that a rule asks for. */
export const callName = kept((label) => (/^[\w-]*/.exec(label)?.[0] ?? "") as CallName);

/** Whether a label is of one of these calls. A name that no label begins with does not compile. */
export function calls(...names: readonly CallName[]): (label: string) => boolean {
  const known: ReadonlySet<string> = new Set(names);
  return kept((label) => known.has(callName(label)));
}

/** "pipe, 8)" of "read(pipe, 8)", if it is that call; else null. */
export const argsOf = (name: CallName, label: string): string | null => (callName(label) === name ? label.slice(name.length + 1) : null);

/** The same of a flow of the host's kernel. */
export function hostCalls(...names: readonly KernelName[]): (flow: string) => boolean {
  const known: ReadonlySet<string> = new Set(names.map((name) => `host ${name}`));
  return (flow) => known.has(flow);
}

/** Of host.signal.generate: a plan of the scenario sends it, no call of the program and no timer (engine/host/outside.ts). */
export const isFromOutside = (m: ThreadModel): boolean => m.labelHere().includes("from outside");

/** Of the text of app.fault: a general protection fault, of which the kernel tells no address (SI_KERNEL). */
export const isProtectionFault = (what: string): boolean => /^(?:hlt|in|protection|noncanonical)\b/.test(what);

/** "DkStreamRead" of "pipe_read: DkStreamRead(hdl.pal_handle)". */
export const palCallName = kept((label) => /Dk\w+/.exec(label)?.[0] ?? "a PAL call");

/** "ocall_sock_recv()" of "DkStreamRead: ocall_sock_recv()". */
export const ocallName = kept((label) => /\S+$/.exec(label)?.[0] ?? "an ocall");

/** The last exit of a thread from the enclave, and the stage one that came of it. */
export interface Exit {
  exit: number;
  /** EENTER with an SSA frame in use; NONE before. */
  entered: number;
  /** The signal that it makes way for. */
  signal: number;
}

/** Follows exits and stages one: `listeners` go into those of a rule, `last` is asked in a row of the enclave. */
export function followExits(m: ThreadModel): { readonly last: () => Exit | null; readonly listeners: Handlers } {
  const exits = m.notesOnThreads<Exit>();
  return {
    last: () => exits.get(m.slot),
    listeners: {
      "sgx.aex"() {
        // One in the middle of stage one: it goes on with the exit before.
        if (m.cssa() > 1) return;
        const exit = exits.get(m.slot);
        if (exit === null) return exits.set(m.slot, { exit: m.seq, entered: NONE, signal: m.signal });
        exit.exit = m.seq;
        exit.entered = NONE;
        exit.signal = m.signal;
      },
      "sgx.eenter"() {
        const exit = exits.get(m.slot);
        if (exit === null || m.value === 0) return;
        exit.entered = m.seq;
        exit.signal = m.signal;
      },
    },
  };
}

/** What remembers the newest `size` things by a number that grows; a power of two. It takes no memory before the first. */
export function createRing(size = 4096): { get(id: number): number; set(id: number, value: number): void } {
  let ids = EMPTY;
  let values = EMPTY;
  return {
    get: (id) => (ids[id & (size - 1)] === id ? (values[id & (size - 1)] as number) : NONE),
    set(id, value) {
      if (ids === EMPTY) {
        ids = new Float64Array(size).fill(-1);
        values = new Float64Array(size);
      }
      ids[id & (size - 1)] = id;
      values[id & (size - 1)] = value;
    },
  };
}
const EMPTY = new Float64Array(0);

/** A sleep that began while a signal was due. */
export interface Sleep {
  readonly thread: number;
  readonly signal: number;
  /** The row that made the signal wait. */
  readonly pending: number;
  /** The application's call, empty outside of any. */
  readonly call: string;
  readonly seq: number;
  readonly time: number;
}

/**
 * Sleeps that a signal may end, begun outside of handlers while a signal is due for which `counts` is true. `told` hears of each that lasts
 * a millisecond, or to the end of a trace that is over (`ended` is false then).
 */
export function sleepsOverSignals(
  m: ThreadModel,
  counts: (p: Readonly<PendingSignal>) => boolean,
  told: (sleep: Sleep, slept: number, ended: boolean) => void,
): Handlers {
  const sleeps = m.notesOnThreads<Sleep>();
  /** No sleep was ever noted: then there is none to look for. */
  let any = false;

  function over(sleep: Sleep, ended: boolean): void {
    const slept = m.time - sleep.time;
    if (slept >= MS || m.isOver) told(sleep, slept, ended);
  }

  return {
    "thread.block"() {
      if (any) sleeps.remove(m.slot);
      if (m.value !== 1 || !m.anyPending() || m.open(SCOPE.HANDLER) !== NONE || m.isInternal()) return;
      for (const p of m.pendingSignals()) {
        if (m.isDue(p) !== true || !counts(p)) continue;
        any = true;
        sleeps.set(m.slot, { thread: m.thread, signal: p.signal, pending: p.seq, call: callOf(m), seq: m.seq, time: m.time });
        return;
      }
    },
    "thread.wake": sleeps.whileAny(() => {
      const sleep = sleeps.get(m.slot);
      if (sleep === null) return;
      sleeps.remove(m.slot);
      over(sleep, true);
    }),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) {
        const sleep = sleeps.get(slot);
        if (sleep !== null && !m.isStopped(thread)) over(sleep, false);
      }
    },
  };
}
