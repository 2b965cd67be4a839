/** What a thread is in the middle of, by call depth. Entries are used again: a row costs no memory. */

export interface Entry {
  /** Call depth of the thread right after it was entered. */
  depth: number;
}

export interface Nesting<E extends Entry> {
  /** Entered at this depth: the entry to fill in, with what an earlier use left in it. */
  enter(depth: number): E;
  /** The innermost, null when there is none. */
  top(): E | null;
  /** The thread is at `depth`: what was entered deeper is over, also when its frames were dropped without a return. */
  backTo(depth: number): void;
  /** From the outermost to the innermost. */
  each(visit: (entry: E) => void): void;
}

export function nesting<E extends Entry>(fresh: () => E): Nesting<E> {
  const entries: E[] = [];
  let used = 0;
  const at = (index: number): E => (entries[index] ??= fresh());
  const backTo = (depth: number): void => {
    while (used > 0 && at(used - 1).depth > depth) used -= 1;
  };
  return {
    enter(depth) {
      backTo(depth - 1);
      const entry = at(used);
      used += 1;
      entry.depth = depth;
      return entry;
    },
    top: () => (used === 0 ? null : at(used - 1)),
    backTo,
    each(visit) {
      for (let i = 0; i < used; i += 1) visit(at(i));
    },
  };
}
