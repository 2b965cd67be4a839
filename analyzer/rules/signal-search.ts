/** Searches of the LibOS for a pending signal that never end (pr347.md c4, c8, c9): shared by the rules about them. */

import { NONE, type ThreadModel } from "../model/index.ts";
import type { Found, Handlers } from "../rule.ts";
import { callOf } from "./common.ts";

export interface EndlessSearch {
  readonly first: number;
  readonly again: number;
  readonly last: number;
  readonly turns: number;
  readonly lasted: number;
  /** Signals that wait and are blocked. */
  readonly signals: readonly number[];
  /** The call at whose end it searches; empty in rt_sigreturn. */
  readonly call: string;
}

export type EndlessSearchId = "first" | "again" | "last";

interface Search {
  readonly first: number;
  readonly since: number;
  again: number;
  last: number;
  lastTime: number;
  turns: number;
  readonly call: string;
  readonly signals: readonly number[];
}

/** Fewer may be several looks of one call. */
const FEW = 8;

/** A rule's run: each search that never ends is found. `inSigreturn` as below. */
export const findEndlessSearches =
  (inSigreturn: boolean) =>
  (m: ThreadModel, found: (finding: Found<EndlessSearch, EndlessSearchId>) => void): Handlers =>
    followSearches(m, inSigreturn, (thread, search) =>
      found({
        thread,
        costNs: search.lasted,
        evidence: [
          { id: "first", seq: search.first },
          { id: "again", seq: search.again },
          { id: "last", seq: search.last },
        ],
        data: search,
      }),
    );

/**
 * Searches that find nothing again and again, with no PAL call and nothing of the application between. `inSigreturn`: those of rt_sigreturn, or
 * those at the end of a call.
 */
function followSearches(m: ThreadModel, inSigreturn: boolean, found: (thread: number, search: EndlessSearch) => void): Handlers {
  const searches = m.notesOnThreads<Search>();
  /** Threads that are between the end of a handler and what it interrupted. */
  const returning = m.notesOnThreads<true>();

  function over(slot: number, thread: number): void {
    const search = searches.get(slot);
    if (search === null) return;
    searches.remove(slot);
    if (search.turns > FEW) found(thread, { ...search, lasted: search.lastTime - search.since });
  }
  const goesOn = (): void => over(m.slot, m.thread);
  const leaves = (): void => {
    goesOn();
    returning.remove(m.slot);
  };

  return {
    "libos.signal.pending"() {
      if ((returning.get(m.slot) === true) !== inSigreturn || !(m.value > 0)) return;
      const search = searches.get(m.slot);
      if (search === null) {
        const signals = [...new Set([...m.pendingSignals()].map(({ signal }) => signal))];
        const begin = { first: m.seq, since: m.time, again: NONE, last: NONE, lastTime: m.time, turns: 1 };
        searches.set(m.slot, { ...begin, call: inSigreturn ? "" : callOf(m), signals });
        return;
      }
      search.turns += 1;
      if (search.turns === 2) search.again = m.seq;
      search.last = m.seq;
      search.lastTime = m.time;
    },
    "pal.call.enter": searches.whileAny(goesOn),
    "libos.signal.fetch": goesOn,
    "libos.syscall.exit": searches.whileAny(goesOn),
    "app.handler.return"() {
      goesOn();
      returning.set(m.slot, true);
    },
    "app.call": leaves,
    "app.handler.enter": leaves,
    "libos.sigreturn": leaves,
    "thread.exit": leaves,
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(slot, thread);
    },
  };
}
