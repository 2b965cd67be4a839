/**
 * What a rule remembers of an open scope or a live thread. A note is gone with its subject: a rule has nothing to clear. Whoever asks to
 * be told of the end is told only of subjects that have a note, so rules that remember little cost little.
 */

import { doubled } from "./scopes.ts";

/** Scopes, or slots of threads: by place, the seq of the row that began what stands there now. It tells one use of a place from the next. */
export interface Subjects {
  readonly seq: Float64Array;
}

/** Rules ask at most of their rows, and mostly there is no note: one class for all of them, so that the question becomes two loads. */
export class Notes<T> {
  private readonly notes: (T | null)[] = [];
  /** By place: the use of it that has the note. NaN, which is no use, for none. */
  private uses = new Float64Array(16).fill(Number.NaN);

  constructor(
    private readonly subjects: Subjects,
    private readonly watch: ((subject: number) => void) | null = null,
  ) {}

  /** Null when there is none, also for the subject NONE. */
  get(subject: number): T | null {
    if (subject < 0 || subject >= this.uses.length) return null;
    return this.uses[subject] === this.subjects.seq[subject] ? (this.notes[subject] as T) : null;
  }

  set(subject: number, note: T): void {
    while (subject >= this.uses.length) this.uses = doubled(this.uses).fill(Number.NaN, this.uses.length);
    this.notes[subject] = note;
    this.uses[subject] = this.subjects.seq[subject] as number;
    this.watch?.(subject);
  }

  remove(subject: number): void {
    if (subject < 0 || subject >= this.uses.length) return;
    this.notes[subject] = null;
    this.uses[subject] = Number.NaN;
  }
}
