/**
 * What a rule remembers of an open scope or a live thread. A note is gone with its subject: a rule has nothing to clear. Whoever asks to
 * be told of the end is told only of subjects that have a note, so rules that remember little cost little.
 */

import { type Closing, Gate, type Listener, whileOpen } from "./gates.ts";
import { doubled } from "./scopes.ts";

/** Scopes, or slots of threads: by place, the seq of the row that began what stands there now. It tells one use of a place from the next. */
export interface Subjects {
  readonly seq: Float64Array;
}

/** Where the ends of subjects are told, and gates closed. */
export interface Home {
  readonly closing: Closing;
  /** Makes what is called with a subject whose end `atEnd` wants to know. */
  watch(atEnd: (subject: number) => void): (subject: number) => void;
}

/** Rules ask at most of their rows, and mostly there is no note: one class for all of them, so that the question becomes two loads. */
export class Notes<T> {
  private readonly notes: (T | null)[] = [];
  /** By place: the use of it that has the note. NaN, which is no use, for none. */
  private uses = new Float64Array(16).fill(Number.NaN);
  private watch: ((subject: number) => void) | null = null;
  private gate: Gate | null = null;
  /** Places whose notes the gate has counted; null without a gate. */
  private counted: Set<number> | null = null;

  constructor(
    private readonly subjects: Subjects,
    private readonly home: Home,
    private readonly whenOver: ((note: T, subject: number) => void) | null = null,
  ) {
    if (whenOver !== null) this.watch = home.watch((subject) => this.ends(subject));
  }

  /** Null when there is none, also for the subject NONE. */
  get(subject: number): T | null {
    if (subject < 0 || subject >= this.uses.length) return null;
    return this.uses[subject] === this.subjects.seq[subject] ? (this.notes[subject] as T) : null;
  }

  set(subject: number, note: T): void {
    while (subject >= this.uses.length) this.uses = doubled(this.uses).fill(Number.NaN, this.uses.length);
    const use = this.subjects.seq[subject] as number;
    this.notes[subject] = note;
    if (this.uses[subject] === use) return;
    this.uses[subject] = use;
    this.watch?.(subject);
    if (this.counted === null || this.counted.has(subject)) return;
    this.counted.add(subject);
    this.gate?.more();
  }

  remove(subject: number): void {
    if (subject < 0 || subject >= this.uses.length) return;
    this.notes[subject] = null;
    this.uses[subject] = Number.NaN;
    this.discount(subject);
  }

  /**
   * The listener, called only while there is a note on any subject, and for the row with which the last of them ends. For what is rare: who
   * notes something in most rows of a kind gains nothing.
   */
  whileAny(listener: Listener): Listener {
    this.gate ??= new Gate(this.home.closing);
    this.counted ??= new Set();
    this.watch ??= this.home.watch((subject) => this.ends(subject));
    return whileOpen(this.gate, listener);
  }

  private ends(subject: number): void {
    const note = this.whenOver === null ? null : this.get(subject);
    if (note !== null) this.whenOver?.(note, subject);
    this.discount(subject);
  }

  private discount(subject: number): void {
    if (this.counted?.delete(subject) === true) this.gate?.less();
  }
}
