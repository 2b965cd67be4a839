/** A verdict without its differences: the first of them, and how many there are. That is read at once, however many they are. */

import { E } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import type { DifferenceKind } from "./difference.ts";
import { MAX_ROWS, storedDifferences, storedOutcome } from "./stored.ts";
import { firstOf, isDetail, isMissingCall, ofWeight, type Verdict } from "./verdict.ts";

export interface Summary extends Omit<Verdict, "differences" | "cause"> {
  readonly first: Verdict["cause"];
  readonly counts: Counts;
}

/** How many differences, of those that are not only counted. */
interface Counts {
  readonly differs: number;
  /** Of these: a siginfo or mask of a handler. */
  readonly handed: number;
  /** Of these: a call that one of the runs does not have. */
  readonly missing: number;
  readonly timing: number;
}

export function summaryOf({ differences, cause: _, ...rest }: Verdict): Summary {
  const differs = ofWeight({ differences }, "differs");
  const missing = differs.filter(isMissingCall).length;
  return {
    ...rest,
    first: firstOf({ differences }),
    counts: {
      differs: differs.length,
      handed: differs.filter(isDetail).length - missing,
      missing,
      timing: ofWeight({ differences }, "timing").length,
    },
  };
}

/** Of the verdict in the trace's database; null if the trace was not compared yet. */
export function storedSummary(trace: Trace): Summary | null {
  const outcome = storedOutcome(trace);
  if (outcome === null) return null;
  const [sums = []] = trace.ask(
    `SELECT total(weight = 'differs'), total(weight = 'differs' AND kind IN ('siginfo', 'mask')), total(weight = 'timing') FROM difference`,
  );
  const [differs = 0, handed = 0, timing = 0] = sums.map(Number);
  return {
    ...outcome,
    // A stranger's database may not say which is told first.
    first: [...storedDifferences(trace, `${DIFFERS} AND cause = 1`, 1), ...storedDifferences(trace, DIFFERS, 1)][0],
    counts: { differs, handed, missing: missingIn(trace), timing },
  };
}

const DIFFERS = "WHERE weight = 'differs'";

function missingIn(trace: Trace): number {
  const calls = trace.ask(
    `SELECT kind, substr(what, 1, 2000), result, other_result, count(*) FROM difference
       WHERE weight = 'differs' AND kind = 'result' AND (result = ${E.NOSYS} OR other_result = ${E.NOSYS}) GROUP BY 2, 3, 4 LIMIT ${MAX_ROWS}`,
  );
  return calls
    .filter(([kind, what, result, otherResult]) =>
      isMissingCall({
        kind: String(kind) as DifferenceKind,
        what: String(what),
        one: { result: result === null || result === undefined ? null : Number(result) },
        other: { result: otherResult === null || otherResult === undefined ? null : Number(otherResult) },
      }),
    )
    .reduce((sum, [, , , , count]) => sum + Number(count), 0);
}
