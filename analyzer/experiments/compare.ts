/** Two runs side by side, call by call and handler by handler (design, section 7). */

import { outcome, type Seen, type SeenCalls } from "./seen-calls.ts";

/** Something the application did, in one run or both. */
export interface SeenPair {
  readonly key: string;
  readonly one: Seen | undefined;
  readonly other: Seen | undefined;
  /** The application saw something else. Where a run was cut, what is missing says nothing. */
  readonly differs: boolean;
}

/** Pairs in the order of `one`; an item that only `other` has is placed by its seq there. `whole`: a missing item did not happen. */
export function pairUp(one: SeenCalls["seen"], other: SeenCalls["seen"], whole: boolean): SeenPair[] {
  const pairs = [...one].map(([key, was]): SeenPair => {
    const is = other.get(key);
    return { key, one: was, other: is, differs: whole ? outcome(was) !== outcome(is) : endedOtherwise(was, is) };
  });
  for (const [key, is] of other) if (!one.has(key)) pairs.push({ key, one: undefined, other: is, differs: whole });
  return pairs.sort((a, b) => seqOf(a) - seqOf(b));
}

const endedOtherwise = (was: Seen, is: Seen | undefined): boolean =>
  is !== undefined && was.result !== null && is.result !== null && was.result !== is.result;

const seqOf = ({ one, other }: SeenPair): number => one?.seq ?? other?.seq ?? 0;
