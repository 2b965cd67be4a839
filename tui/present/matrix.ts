/** Cases beside stacks: a case in full as text, many of them as a table in Markdown, everything as JSON. */

import { type Difference, firstOf, type Verdict } from "../../analyzer/index.ts";
import type { Compared, FoundBy, Ran } from "../comparing.ts";
import { safe } from "./safe.ts";
import { type Paint, plain, type Style } from "./style.ts";
import { momentText } from "./time.ts";
import { wrapCells } from "./two-column.ts";
import { withUnits } from "./units.ts";
import { verdictLines } from "./verdict.ts";

export interface ComparedCase {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Compared[];
}

/** What `eintr compare` calls the columns of numbers. */
export const TIME = "last step of the application";

/** Whether all stacks show the application what Linux alone does, and no rule finds anything. */
export const isAlike = ({ rows }: ComparedCase): boolean =>
  rows.every((row) => row.is === "ran" && firstOf(row.verdict) === undefined && row.findings.length === 0);

/** Enough for the longest names, so that blocks of many cases stand in line. */
const TIME_WIDTH = 12;
const EXITS_WIDTH = 8;
/** Fewest cells for words beside the numbers, and how far they stand in below them. */
const LEAST_BESIDE = 60;
const BELOW = 4;
/** Of a difference that is told, in cells: masks may have many names. */
const LONGEST = 360;
const LONGEST_SHORT = 160;

/** A block for each stack: numbers and outcome in a line, below it what went otherwise first, and the findings. */
export function matrixText({ name, title, rows }: ComparedCase, paint: Paint, columns: number): string {
  const width = Math.max(14, ...rows.map((row) => row.name.length));
  const numbers = width + TIME_WIDTH + EXITS_WIDTH + 2;
  // Words that would have too little room beside the numbers stand below them.
  const isBeside = columns - numbers >= LEAST_BESIDE;
  const margin = isBeside ? numbers : BELOW;
  const head = `${"stack".padEnd(width)}${"time".padStart(TIME_WIDTH)}${"exits".padStart(EXITS_WIDTH)}${isBeside ? "  outcome" : ""}`;
  const below = (text: string, style: Style): string[] => hanging(text, margin, columns).map((line) => style(line));
  const first = (head: string, text: string): string[] => {
    const lines = hanging(text, margin, columns);
    return isBeside ? lines.map((part, i) => (i === 0 ? head + part.trimStart() : part)) : [head.trimEnd(), ...lines];
  };
  const blocks = rows.flatMap((row): string[] => {
    if (row.is === "refused") return first(row.name.padEnd(numbers), `not run: ${safe(row.why)}`);
    const time = momentText(row.time.ns) + (row.time.of === "run" ? "*" : "");
    const differs = firstOf(row.verdict) !== undefined;
    return [
      ...first(`${row.name.padEnd(width)}${time.padStart(TIME_WIDTH)}${exitsText(row).padStart(EXITS_WIDTH)}  `, outcomeOf(row.verdict)),
      ...(row.verdict.other === null ? [] : below(safe(verdictLines(row.verdict)[1] ?? "", LONGEST), differs ? paint.warn : paint.dim)),
      ...(row.findings.length === 0 ? [] : below(`findings: ${findingsText(row.findings)}`, paint.warn)),
    ];
  });
  const told = wrapCells(`${safe(name)}: ${safe(title)}`, columns).map(paint.strong);
  return `${[...told, paint.dim(head), ...blocks].join("\n")}\n`;
}

/** What the numbers are, once for all cases. */
export const legend = (cases: readonly ComparedCase[], columns: number): string => {
  const rows = cases.flatMap((one) => one.rows).filter((row) => row.is === "ran");
  const asterisk = rows.some((row) => row.time.of === "run") ? "; * of the run, where the application made no step" : "";
  const text = `time: ${TIME}, virtual${asterisk}. exits: EEXIT and AEX, how often the enclave was left`;
  return wrapCells(text, columns)
    .map((line) => `${line}\n`)
    .join("");
};

const hanging = (text: string, margin: number, columns: number): string[] =>
  wrapCells(text, Math.max(columns - margin, 20)).map((part) => " ".repeat(margin) + part);

const outcomeOf = (verdict: Verdict): string => safe(withUnits(verdict.outcomes[0]?.text ?? "nothing happened"));

const exitsText = ({ exits }: Ran): string => (exits === null ? "-" : (exits.eexit + exits.aex).toLocaleString("en"));

const findingsText = (findings: readonly FoundBy[]): string =>
  findings.map(({ rule, count }) => (count === 1 ? rule : `${rule} (${count.toLocaleString("en")})`)).join(", ");

/** One case: a table with a row for each stack. */
export function caseMarkdown({ name, title, rows }: ComparedCase): string {
  const body = rows.map((row) =>
    row.is === "refused"
      ? cells([code(row.name), `not run: ${row.why}`, "", "", "", ""])
      : cells([
          code(row.name),
          outcomeOf(row.verdict),
          row.verdict.other === null ? "" : (verdictLines(row.verdict)[1] ?? "").replace(/^first difference from Linux alone: /, ""),
          findingsText(row.findings),
          momentText(row.time.ns) + (row.time.of === "run" ? " (of the run)" : ""),
          exitsText(row),
        ]),
  );
  const header = ["stack", "outcome", "first difference from Linux alone", "findings", TIME, "enclave exits"];
  return `**${safe(name)}**: ${escaped(title)}\n\n${[cells(header, plain), RULE(header.length), ...body].join("\n")}\n`;
}

/** Many cases: a row for each, a column for each stack. */
export function casesMarkdown(cases: readonly ComparedCase[]): string {
  const stacks = cases[0]?.rows.map((row) => row.name) ?? [];
  const body = cases.map(({ name, title, rows }) => cells([`${code(name)}: ${title}`, ...rows.map(shortText)]));
  return `${[cells(["case", ...stacks.map(code)], plain), RULE(stacks.length + 1), ...body].join("\n")}\n`;
}

/** What became of the application, in a few words: on Linux itself how it ends, elsewhere what went otherwise first; findings where nothing did. */
function shortText(row: Compared): string {
  if (row.is === "refused") return "not run";
  const { verdict, findings } = row;
  if (verdict.other === null) return ended(verdict);
  const first = firstOf(verdict);
  return [
    first === undefined ? `as on Linux${verdict.beyond > 0 ? ", as far as it came" : ""}` : told(first),
    ...(endsOtherwise(verdict) && first?.kind !== "process-end" ? [ended(verdict)] : []),
    ...(findings.length === 0 || first !== undefined ? [] : [findings.map(({ rule }) => code(rule)).join(", ")]),
  ].join("; ");
}

function told({ kind, what, one, other }: Difference): string {
  const text = withUnits(`${what}: ${one.text}, not ${other.text}`);
  return safe(kind === "siginfo" || kind === "mask" ? `as on Linux, but ${text}` : text, LONGEST_SHORT);
}

const endsOtherwise = ({ outcomes: [run] }: Verdict): boolean => run !== undefined && run.otherHow !== null && run.how !== run.otherHow;

/** Without the asides. */
const ended = (verdict: Verdict): string => outcomeOf(verdict).replaceAll(/ \([^()]*\)/g, "");

const RULE = (columns: number): string =>
  cells(
    Array.from({ length: columns }, () => "---"),
    plain,
  );
const code = (text: string): string => `\`${text}\``;
const cells = (texts: readonly string[], style: Style = escaped): string => `| ${texts.map(style).join(" | ")} |`;
/** A bar would end the cell; strangers' texts are no Markdown. */
const escaped = (text: string): string => safe(text).replaceAll(/[|<>*_\\]/g, "\\$&");

/** As `--format json` has it: one object for a case. */
export const matrixJson = ({ name, title, rows }: ComparedCase): Record<string, unknown> => ({
  case: name,
  title,
  stacks: rows.map((row) => {
    if (row.is === "refused") return { stack: row.stack, name: row.name, refused: row.why };
    const { stack, name: called, verdict, findings, time, exits, transitions, digest } = row;
    const [run] = verdict.outcomes;
    return {
      stack,
      name: called,
      outcome: { how: run?.how ?? "nothing", text: outcomeOf(verdict) },
      linux: verdict.other === null ? null : { same: firstOf(verdict) === undefined, first: firstOf(verdict) ?? null },
      findings,
      time_ns: time.ns,
      time_of: time.of,
      exits,
      transitions,
      digest,
    };
  }),
});
