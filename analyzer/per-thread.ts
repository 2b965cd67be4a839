/** State of a rule for each thread; that of ended threads is let go. */

export interface PerThread<S> {
  of(thread: number): S;
  drop(thread: number): void;
  each(visit: (thread: number, state: S) => void): void;
}

export function perThread<S>(fresh: () => S): PerThread<S> {
  const states = new Map<number, S>();
  return {
    of(thread) {
      let state = states.get(thread);
      if (state === undefined) {
        state = fresh();
        states.set(thread, state);
      }
      return state;
    },
    drop: (thread) => void states.delete(thread),
    each(visit) {
      for (const [thread, state] of states) visit(thread, state);
    },
  };
}
