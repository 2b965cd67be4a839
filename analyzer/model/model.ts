/**
 * The threads of a trace as its rows tell of them: what each has open, what it waits for, what waits for it. One model serves all rules, in
 * one pass; a rule reads it when one of its rows comes. What a trace does not tell is NONE, NaN or null here, never a guess.
 */

import { type Block, type Layer, linuxDefault, SIG, type StateColumn } from "../../engine/index.ts";
import type { Names } from "../names.ts";
import { type Action, type Actions, createActions } from "./actions.ts";
import { type Closing, Gate, GatedMap } from "./gates.ts";
import type { Interruption } from "./interruptions.ts";
import { createLocks, type ENDED, heldSince, holderOf } from "./locks.ts";
import { type Home, Notes } from "./notes.ts";
import { createScopes, HOW, type How, MANY_WATCHERS, NONE, SCOPE_TYPES, type ScopeType } from "./scopes.ts";
import { createSignals, generatedSeq, type PendingSignal, WAITS_IN } from "./signals.ts";
import { createThreads, MASK, MASKS, type Mask } from "./threads.ts";

/** Told of each scope that ends: it is `closed`, and can still be read. */
export type EndListener = (type: ScopeType) => void;

export class ThreadModel {
  /** The row at hand. */
  seq = 0;
  time = 0;
  thread = 0;
  kind = 0;
  site = 0;
  signal = 0;
  value = 0;
  extra = 0;
  detail = 0;
  /** Call depth; NaN when the trace does not tell it. */
  depth = 0;
  /** Slot of the row's thread: the subject of notes on threads. NONE when the thread has no row of its own yet. */
  slot = NONE;
  /** The scope that this row closed, or that is ending now; NONE for none. It can be read until the next row. */
  closed = NONE;
  how: How = HOW.RETURNED;

  /** For `follow.ts` and the files it uses; rules ask by the methods below. */
  readonly closing: Closing = [];
  readonly scopes = createScopes();
  readonly threads = createThreads();
  readonly signals = createSignals();
  readonly locks = createLocks();
  readonly actions: Actions = createActions();
  /** Sets of signals that texts of rows tell, by the number of the text. */
  readonly maskTexts = new Map<number, readonly [low: number, high: number] | null>();
  /** At the end of the trace: nobody is left who could do anything, so whoever sleeps sleeps for ever. */
  isOver = false;
  /** Processes that are stopped. */
  readonly stopped = new Set<number>();
  /** A row came that only a library OS makes: the host's mask and dispositions are not the application's. */
  hasLibos = false;
  /** Open from that row on. */
  readonly libos = new Gate(this.closing);
  /** Of the notes whose rules want to know an end: of scopes, and of threads by slot. */
  readonly watchers: ((scope: number) => void)[] = [];
  readonly threadWatchers: ((slot: number) => void)[] = [];
  readonly interruptions: Notes<Interruption> = this.notesOnScopes();
  /** Slot of the thread that this row ends: until the next row it can still be read. */
  leaving = NONE;
  block: Block | null = null;
  row = 0;
  readonly tellsDepth: boolean;
  private readonly tellsCssa: boolean;
  private readonly tellsPreempt: boolean;
  private readonly tellsPending: boolean;

  constructor(
    readonly names: Names,
    readonly ended: EndListener,
  ) {
    const tells = (name: StateColumn): boolean => !(names.absent ?? []).includes(name);
    this.tellsDepth = tells("depth");
    this.tellsCssa = tells("cssa");
    this.tellsPreempt = tells("preempt");
    this.tellsPending = tells("pending");
  }

  /** Slot of a thread that lives, NONE for any other. Questions about a thread are about the row's thread unless a slot is given. */
  slotOf(thread: number): number {
    return this.threads.slots.get(thread) ?? NONE;
  }

  /** The threads that live, with their slots. */
  liveThreads(): Iterable<readonly [thread: number, slot: number]> {
    return this.threads.slots;
  }

  /** The innermost open scope of this type of a thread, NONE for none. */
  open(type: ScopeType, slot = this.slot): number {
    return slot === NONE ? NONE : (this.threads.innermost[slot * SCOPE_TYPES + type] as number);
  }

  /** The scope around this one that has the same type. */
  around(scope: number): number {
    return this.scopes.outerAlike[scope] as number;
  }

  seqOf(scope: number): number {
    return this.scopes.seq[scope] as number;
  }

  timeOf(scope: number): number {
    return this.scopes.time[scope] as number;
  }

  depthOf(scope: number): number {
    return this.scopes.depth[scope] as number;
  }

  signalOf(scope: number): number {
    return this.scopes.signal[scope] as number;
  }

  /** The arguments of the row that opened the scope; their meaning is the kind's (`eintr schema`). */
  valueOfRow(scope: number): number {
    return this.scopes.value[scope] as number;
  }

  extraOfRow(scope: number): number {
    return this.scopes.extra[scope] as number;
  }

  /** Function of the emulated code that opened the scope; empty when the trace names none. */
  flowOf(scope: number): string {
    return this.names.sites[this.scopes.site[scope] as number]?.flow ?? "";
  }

  /** What the place that opened the scope is called; empty when the trace names none. */
  labelOf(scope: number): string {
    return this.names.sites[this.scopes.site[scope] as number]?.label ?? "";
  }

  /** Function of the emulated code in which the row was made. */
  flowHere(): string {
    return this.names.sites[this.site]?.flow ?? "";
  }

  /** Of a CALL: the seq at which the LibOS left its system call, NONE before that. */
  libosExitOf(call: number): number {
    return this.scopes.exitSeq[call] as number;
  }

  /** Of a CALL: its result as the LibOS gave it. */
  libosResultOf(call: number): number {
    return this.scopes.result[call] as number;
  }

  /** The event that interrupts an ocall of this PAL call; null for none. */
  interruptionOf(palCall: number): Readonly<Interruption> | null {
    return this.interruptions.get(palCall);
  }

  /** Whether the LibOS was told of a failure (which sets pal_errno) in the row's thread, after this seq. */
  hasFailedSince(seq: number): boolean {
    return this.slot !== NONE && (this.threads.failedSeq[this.slot] as number) > seq;
  }

  /** Columns that few rules need; NaN where the trace does not tell them. */
  cssa(): number {
    return this.tellsCssa && this.block !== null ? (this.block.cssa[this.row] as number) : Number.NaN;
  }

  preempt(): number {
    return this.tellsPreempt && this.block !== null ? (this.block.preempt[this.row] as number) : Number.NaN;
  }

  pendingCount(): number {
    return this.tellsPending && this.block !== null ? (this.block.pending[this.row] as number) : Number.NaN;
  }

  /** Process of a thread, NONE when it is not known. */
  pid(thread = this.thread): number {
    return this.names.threads[thread]?.pid ?? NONE;
  }

  /** What a thread is called; "thread 7" when the trace does not say. */
  nameOf(thread = this.thread): string {
    return this.names.threads[thread]?.name ?? `thread ${thread}`;
  }

  /** Whether a thread is one of the LibOS's own, which the application does not know. */
  isInternal(thread = this.thread): boolean {
    return this.names.threads[thread]?.internal === true;
  }

  /** Whether the process of a thread is stopped (SIGSTOP and its like). */
  isStopped(thread = this.thread): boolean {
    return this.stopped.size > 0 && this.stopped.has(this.pid(thread));
  }

  /** The text of the row, empty when it has none. */
  text(): string {
    return this.detail === 0 ? "" : (this.names.texts[this.detail] ?? "");
  }

  /** What the place is called at which the row was made. */
  labelHere(): string {
    return this.names.sites[this.site]?.label ?? "";
  }

  /** Layer of the code in which the row was made; empty when the trace does not say. */
  layerHere(): Layer | "" {
    return this.names.sites[this.site]?.layer ?? "";
  }

  /** Whether the row was made inside a handler of the host, as its place says. */
  isInSignalContext(): boolean {
    return this.names.sites[this.site]?.context === "signal";
  }

  /** Seq of the row with which a thread fell asleep in the host kernel, NONE while it runs. */
  asleepSince(slot = this.slot): number {
    return slot === NONE ? NONE : (this.threads.blockedSeq[slot] as number);
  }

  /** How long a thread has slept, 0 while it runs. */
  asleepFor(slot = this.slot): number {
    return this.asleepSince(slot) === NONE ? 0 : this.time - (this.threads.blockedTime[slot] as number);
  }

  /** Object that a sleeping thread waits for; NONE for none, or while it runs. */
  awaitedObject(slot = this.slot): number {
    return this.asleepSince(slot) === NONE ? NONE : (this.threads.blockedOn[slot] as number);
  }

  /** The lock that a thread sleeps for, NONE for none or when it waits for something else. */
  awaitedLock(slot = this.slot): number {
    const object = this.awaitedObject(slot);
    return this.holderOf(object) === NONE ? NONE : object;
  }

  /** Thread that holds a lock: NONE for nobody, ENDED for a thread that is no more. */
  holderOf(lock: number): number | typeof ENDED {
    return holderOf(this.locks, lock);
  }

  /** Seq of the row with which a lock was taken; NONE when nobody holds it. */
  lockedSince(lock: number): number {
    return heldSince(this.locks, lock);
  }

  /** Number of locks that a thread holds, those without a name among them. */
  locksHeld(slot = this.slot): number {
    return slot === NONE ? 0 : (this.threads.locksHeld[slot] as number);
  }

  /** Whether a mask of a thread blocks a signal; null when the rows do not tell the mask. */
  isBlocked(mask: Mask, signal: number, slot = this.slot): boolean | null {
    const at = MASKS * slot + mask;
    if (slot === NONE || this.threads.maskKnown[at] !== 1) return null;
    const word = (signal <= 32 ? this.threads.maskLow[at] : this.threads.maskHigh[at]) as number;
    return ((word >>> ((signal - 1) & 31)) & 1) === 1;
  }

  /** Whether the application asked for this signal to be blocked, as far as the rows tell: by the mask of the LibOS, or the kernel's alone. */
  blocks(signal: number, slot = this.slot): boolean | null {
    return this.isBlocked(this.hasLibos ? MASK.LIBOS : MASK.HOST, signal, slot);
  }

  /** Whether a mask blocks nothing; null when the rows do not tell it. */
  isMaskEmpty(mask: Mask, slot = this.slot): boolean | null {
    const at = MASKS * slot + mask;
    if (slot === NONE || this.threads.maskKnown[at] !== 1) return null;
    return this.threads.maskLow[at] === 0 && this.threads.maskHigh[at] === 0;
  }

  /** The set that a mask is, as two words of bits; null when the rows do not tell it. */
  maskOf(mask: Mask, slot = this.slot): readonly [low: number, high: number] | null {
    const at = MASKS * slot + mask;
    if (slot === NONE || this.threads.maskKnown[at] !== 1) return null;
    return [this.threads.maskLow[at] as number, this.threads.maskHigh[at] as number];
  }

  /** What the process of a thread asked for last for a signal; null when no row told it. */
  actionOf(signal: number, thread = this.thread): Action | null {
    return this.actions.of(this.pid(thread), signal);
  }

  /**
   * Whether a thread's application asked for nothing else than to be told of a pending signal: it blocks it by no mask, and does not ignore
   * it. Null when the rows do not tell the mask.
   */
  isDue({ signal, in: where }: Pick<PendingSignal, "signal" | "in">, thread = this.thread): boolean | null {
    // In a LibOS the host's SIGCONT only wakes a thread.
    if (this.hasLibos && where !== WAITS_IN.LIBOS && signal === SIG.CONT) return false;
    const action = this.actionOf(signal, thread)?.action ?? 0;
    if (action === 1 || (action === 0 && linuxDefault(signal) !== "terminate")) return false;
    const blocked = this.blocks(signal, this.slotOf(thread));
    return blocked === null ? null : !blocked;
  }

  /** Signals that wait for a thread, oldest first. */
  *pendingSignals(thread = this.thread): Generator<Readonly<PendingSignal>> {
    for (const pending of this.signals.waiting.values()) if (pending.thread === thread) yield pending;
  }

  /** Whether anything waits anywhere: a question that costs nothing. */
  anyPending(): boolean {
    return this.signals.waiting.size > 0;
  }

  /** Whether a signal waits for a thread that this mask lets through; null when the mask is not known. */
  hasDeliverable(mask: Mask, thread = this.thread): boolean | null {
    const { waiting } = this.signals;
    if (waiting.size === 0) return false;
    const slot = thread === this.thread ? this.slot : this.slotOf(thread);
    let unknown = false;
    for (const pending of waiting.values()) {
      if (pending.thread !== thread) continue;
      const blocked = this.isBlocked(mask, pending.signal, slot);
      if (blocked === false) return true;
      unknown ||= blocked === null;
    }
    return unknown ? null : false;
  }

  /** Seq of the row that made a signal pending in the host; NONE when there was none, or it is long ago. */
  generatedSeq(id: number): number {
    return generatedSeq(this.signals, id);
  }

  /** Notes of a rule on open scopes. `whenOver` is told when a scope that has one ends, while both can still be read. */
  notesOnScopes<T>(whenOver?: (note: T, scope: number) => void): Notes<T> {
    return new Notes<T>(this.scopes, { closing: this.closing, watch: (atEnd) => this.watchScopes(atEnd) }, whenOver);
  }

  private watchScopes(atEnd: (scope: number) => void): (scope: number) => void {
    const own = Math.min(this.watchers.push(atEnd), MANY_WATCHERS);
    const { scopes } = this;
    return (scope) => {
      const before = scopes.watched[scope] as number;
      scopes.watched[scope] = before === 0 || before === own ? own : MANY_WATCHERS;
    };
  }

  /** Notes of a rule on live threads, by slot. */
  notesOnThreads<T>(): Notes<T> {
    const watch: Home["watch"] = (atEnd) => {
      this.threadWatchers.push(atEnd);
      return () => {};
    };
    return new Notes<T>(this.threads, { closing: this.closing, watch });
  }

  /** What a rule remembers by something else, such as a process: a map that knows when it is empty. */
  map<K, V>(): GatedMap<K, V> {
    return new GatedMap<K, V>(this.closing);
  }
}
