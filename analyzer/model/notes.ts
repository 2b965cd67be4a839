/**
 * What a rule remembers of an open scope or a live thread. A note is gone with its subject: a rule has nothing to clear. Whoever asks to
 * be told of the end is told only of subjects that have a note, so rules that remember little cost little.
 */

export interface Notes<T> {
  /** Null when there is none, also for the subject NONE. */
  get(subject: number): T | null;
  set(subject: number, note: T): void;
  remove(subject: number): void;
}

/** `useOf` tells one use of a subject's place from the next. */
export function createNotes<T>(useOf: (subject: number) => number, watch?: (subject: number) => void): Notes<T> {
  const notes: (T | null)[] = [];
  const uses: number[] = [];
  return {
    get(subject) {
      return subject >= 0 && uses[subject] === useOf(subject) ? (notes[subject] ?? null) : null;
    },
    set(subject, note) {
      notes[subject] = note;
      uses[subject] = useOf(subject);
      watch?.(subject);
    },
    remove(subject) {
      notes[subject] = null;
    },
  };
}
