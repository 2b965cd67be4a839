/** Why the application fares differently: the findings that explain the differences, and the differences that nobody explains. */

import { type Because, type Difference, isDetail, SEVERITIES } from "../../analyzer/index.ts";
import { safe } from "./safe.ts";
import { withUnits } from "./units.ts";

/** Unexplained ones that are told. */
const MOST = 5;

/** Nothing when there is no difference. */
export function becauseLines(all: readonly Because[]): string[] {
  const [first] = all;
  if (first === undefined) return [];
  const counts = new Map<string, number>();
  // What a handler is given and runs under is told last, as in the first line of the verdict.
  const details = all.filter(({ difference }) => isDetail(difference));
  for (const { rule } of [...all.filter(({ difference }) => !isDetail(difference)), ...details])
    if (rule !== null) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const unexplained = unexplainedOf(all);
  const causes = [...counts].map(([rule, count]) => `${rule}${count === 1 ? "" : ` (${count.toLocaleString("en")})`}`);
  return [
    ...(causes.length === 0 ? [] : [safe(`because: ${causes.join(", ")}`)]),
    ...(unexplained.length === 0
      ? []
      : [
          `unexplained: no rule says why of ${unexplained.length.toLocaleString("en")} ${unexplained.length === 1 ? "difference" : "differences"}`,
          ...unexplained
            .slice(0, MOST)
            .map(({ thread, what, one, other }) =>
              safe(withUnits(`  seq ${one.seq ?? "-"}  ${thread}  ${what}: ${one.text}, there ${other.text}`)),
            ),
        ]),
  ];
}

/** Differences that no finding explains. Of what a handler is given the verdict tells the number. */
export const unexplainedOf = (all: readonly Because[]): Difference[] =>
  all.flatMap(({ rule, difference }) => (rule === null && !isDetail(difference) ? [difference] : []));

/**
 * Findings whose rules explain a difference in what the application does, as they come, and the others, the gravest first: such as are in
 * nearly every run of a stack, and change nothing there.
 */
export function byEffect<Group extends { readonly rule: string; readonly severity: string }>(
  groups: readonly Group[],
  because: readonly Because[],
): { readonly explaining: Group[]; readonly others: Group[] } {
  const causes = new Set(because.flatMap(({ rule, difference }) => (rule === null || isDetail(difference) ? [] : [rule])));
  const gravity = ({ severity }: Group): number => (SEVERITIES as readonly string[]).indexOf(severity);
  return {
    explaining: groups.filter(({ rule }) => causes.has(rule)),
    others: groups.filter(({ rule }) => !causes.has(rule)).sort((a, b) => gravity(b) - gravity(a)),
  };
}
