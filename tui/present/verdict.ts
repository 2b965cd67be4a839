/** The verdict in words: what became of the run, and the first thing that went otherwise. */

import { type Difference, firstOf, isDetail, isMissingCall, type Summary, summaryOf, type Verdict } from "../../analyzer/index.ts";
import { safe } from "./safe.ts";
import { withUnits } from "./units.ts";

/** What it was compared with, in words. */
export interface Beside {
  /** "Linux alone". */
  readonly name: string;
  /** "on Linux". */
  readonly there: string;
}

const LINUX: Beside = { name: "Linux alone", there: "on Linux" };

/** Lines without their ends. The first says what happened, the second what went otherwise first. */
export const verdictLines = (verdict: Verdict, beside: Beside = LINUX): string[] => summaryLines(summaryOf(verdict), beside);

/** The same of a verdict whose differences were only counted. */
export function summaryLines(summary: Summary, beside: Beside = LINUX): string[] {
  const [run] = summary.outcomes;
  return [safe(`${run?.name ?? "the run"}: ${withUnits(run?.text ?? "nothing happened")}`), safe(comparisonText(summary, beside))];
}

function comparisonText(verdict: Summary, beside: Beside): string {
  const { other, outcomes, compared, first } = verdict;
  if (other === null) return notCompared(verdict);
  if (first === undefined) {
    const asThere = `the application sees the same as ${beside.there === "there" ? "in" : "on"} ${beside.name}: ${calls(compared)} compared${excuses(verdict)}`;
    const [run] = outcomes;
    return run?.how === "stuck" || run?.how === "going-on" ? `${asThere}; there: ${withUnits(run.otherText ?? "")}` : asThere;
  }
  return `first difference from ${beside.name}: ${differenceText(first, verdict.log, beside)}${following(verdict)}`;
}

/** How many more there are. */
function following({ first, counts, omitted }: Summary): string {
  const missing = counts.missing - (first !== undefined && isMissingCall(first) ? 1 : 0);
  const handed = counts.handed - (first !== undefined && isDetail(first) && !isMissingCall(first) ? 1 : 0);
  const more = counts.differs - 1 - missing - handed + omitted;
  const besides = [
    ...(handed === 0 ? [] : [`a siginfo or mask of a handler differs ${times(handed)}`]),
    ...(missing === 0 ? [] : [`-ENOSYS is answered ${times(missing)}`]),
  ];
  const follow = more === 0 ? "" : `; and ${more.toLocaleString("en")} that ${more === 1 ? "follows" : "follow"}`;
  return `${follow}${besides.length === 0 ? "" : `; besides, ${besides.join(", ")}`}`;
}

const times = (n: number): string => (n === 1 ? "once" : `${n.toLocaleString("en")} times`);

function notCompared({ notices, outcomes }: Summary): string {
  const why = notices.find(({ name }) => name === "native-results-unknown")?.advice;
  if (why !== undefined) return why;
  return outcomes[0]?.name === "native-linux"
    ? "this is Linux alone: what other stacks are compared with"
    : "there is nothing to compare it with";
}

const calls = (n: number): string => `${n.toLocaleString("en")} ${n === 1 ? "call or handler" : "calls and handlers"}`;

/** What is no difference, but no agreement either. */
function excuses({ counts: { timing }, beyond: cut }: Summary): string {
  return [
    ...(timing === 0 ? [] : [`; ${timing.toLocaleString("en")} came at another moment, with what caused ${timing === 1 ? "it" : "them"}`]),
    ...(cut === 0 ? [] : [`; ${cut.toLocaleString("en")} lie beyond the end of one of the runs`]),
  ].join("");
}

/** "seq 67  main  read(pipe, 64): 0, on Linux -EINTR". */
function differenceText({ thread, what, line, one, other }: Difference, log: string | null, { there }: Beside): string {
  const place = one.seq === null ? `${there} seq ${other.seq ?? "?"}` : `seq ${one.seq}`;
  return `${place}  ${safe(thread, 30)}  ${safe(withUnits(what), 60)}${line === null ? "" : ` (${placeInLog(log, line)})`}: ${withUnits(one.text)}, ${there} ${withUnits(other.text)}`;
}

/** "program.strace:32". */
const placeInLog = (log: string | null, line: number): string => (log === null ? `line ${line} of the log` : `${safe(log, 60)}:${line}`);

/** The differences after the first, one a line; the last line says how to see the rest. */
export function followingLines(verdict: Verdict, most: number, how: string, beside: Beside = LINUX): string[] {
  const all = most === Number.POSITIVE_INFINITY;
  const first = firstOf(verdict);
  if (verdict.other === null) return [];
  const rest = verdict.differences.filter((one) => one !== first && (all || (one.weight === "differs" && !isDetail(one))));
  const shown = rest.slice(0, most);
  const mark = { differs: "", timing: "  (at another moment)", cut: "  (one run ended before it)" } as const;
  const hidden = rest.length - shown.length;
  return [
    ...shown.map((one) => safe(`  ${differenceText(one, verdict.log, beside)}${mark[one.weight]}`)),
    ...(hidden > 0 ? [safe(`  ... ${hidden.toLocaleString("en")} more: ${how}`)] : []),
    ...(verdict.omitted > 0 ? [`  ... and ${verdict.omitted.toLocaleString("en")} that are only counted`] : []),
  ];
}

/** As `--format json` has it. */
export const verdictJson = (verdict: Verdict): Record<string, unknown> => ({
  same: firstOf(verdict) === undefined,
  other: verdict.other,
  compared: verdict.compared,
  omitted: verdict.omitted,
  beyond: verdict.beyond,
  first: firstOf(verdict) ?? null,
  outcomes: verdict.outcomes,
  differences: verdict.differences,
});
