/**
 * A case: one small YAML file with all that a run needs (scenario, stack, decisions) and what is expected of it. It is what an issue or a
 * regression suite holds: the same file gives the same run on any machine.
 */

import { Document, type Scalar, visit } from "yaml";
import * as z from "zod";
import {
  CHOICE_KINDS,
  type Decision,
  FIX_NAMES,
  type FixName,
  findStackName,
  hint,
  isFix,
  isOption,
  OPTION_NAMES,
  type OptionName,
  readSource,
  STACK_NAMES,
  type StackName,
} from "../../engine/index.ts";
import { InputError } from "../io.ts";

export const CASE_VERSION = 1;
export const CASE_EXTENSION = ".case.yaml";

/** What is expected of a run. Texts are those of the rules and the verdict, word by word. */
export type Expectation =
  | { readonly is: "finding" | "no-finding"; readonly rule: string; readonly fingerprint: string | null }
  | {
      readonly is: "difference" | "no-difference";
      readonly what: string;
      readonly thread: string;
      readonly here: string;
      readonly linux: string;
    }
  | { readonly is: "same-as-linux" };

export interface CaseFile {
  readonly title: string;
  /** Version of eintr that made it. */
  readonly madeBy: string;
  readonly stack: StackName;
  readonly fixes: readonly FixName[];
  readonly options: readonly OptionName[];
  readonly seed: number;
  /** Transitions that are run, at most. */
  readonly rows: number;
  readonly decisions: readonly Decision[];
  readonly expect: readonly Expectation[];
  /** Text of the scenario. */
  readonly scenario: string;
}

/** Mistakes that are shown of a file. */
const MOST_SHOWN = 20;
const TEXT = z.string().max(10_000);
const DECISION = /^(\d{1,16}):([a-z]+)=(\d{1,9})$/;

const outer = z.strictObject({
  case: z.literal(CASE_VERSION),
  title: TEXT,
  "made-by": TEXT.default(""),
  stack: TEXT,
  fixes: z.array(TEXT).max(1000).default([]),
  options: z.array(TEXT).max(1000).default([]),
  seed: z.int().min(0).default(0),
  rows: z.int().min(1),
  decisions: z.array(z.string().regex(DECISION, "expected SEQ:POINT=CHOICE, such as 120:arrive=1")).max(1_000_000).default([]),
  expect: z.array(z.record(z.string(), z.unknown())).min(1).max(1000),
  scenario: z.string(),
});

const found = (is: "finding" | "no-finding") => z.strictObject({ [is]: TEXT, fingerprint: TEXT.optional() });
const differs = (is: "difference" | "no-difference") => z.strictObject({ [is]: TEXT, thread: TEXT, here: TEXT, linux: TEXT });
const FORMS = {
  finding: found("finding"),
  "no-finding": found("no-finding"),
  difference: differs("difference"),
  "no-difference": differs("no-difference"),
  "same-as-linux": z.strictObject({ "same-as-linux": z.literal(true) }),
} as const;
const SORTS = Object.keys(FORMS) as Expectation["is"][];

/** `where` names the file. Throws InputError with one line for each mistake, ScenarioError for a text that is no YAML. */
export function parseCase(text: string, where: string): CaseFile {
  const { value, placeOf } = readSource(text, where);
  const mistakes: string[] = [];
  const mistake = (path: readonly PropertyKey[], what: string): void =>
    void mistakes.push(`${placeOf(path)}: ${path.length === 0 ? "" : `${path.map(String).join(".")}: `}${what}`);
  const issues = (path: readonly PropertyKey[], error: z.ZodError): void => {
    for (const issue of error.issues) mistake([...path, ...issue.path], wordsOf(issue));
  };
  if (value === null || typeof value !== "object" || !("case" in value))
    throw new InputError(`${placeOf([])}: this is no case: it would begin with "case: ${CASE_VERSION}" (eintr case TRACE writes one)`);
  const read = outer.safeParse(value, { reportInput: true });
  if (!read.success) {
    issues([], read.error);
    throw refused(mistakes);
  }
  const { data } = read;
  const known = <N extends string>(
    name: string,
    path: readonly PropertyKey[],
    isKnown: (text: string) => text is N,
    all: readonly N[],
  ): N[] => {
    if (isKnown(name)) return [name];
    mistake(path, `"${name}" is not known here${hint(name, all)}`);
    return [];
  };
  const stack = findStackName(data.stack);
  if (stack === undefined) mistake(["stack"], `"${data.stack}" is not known here${hint(data.stack, STACK_NAMES)}`);
  const fixes = data.fixes.flatMap((name, i) => known(name, ["fixes", i], isFix, FIX_NAMES));
  const options = data.options.flatMap((name, i) => known(name, ["options", i], isOption, OPTION_NAMES));
  const decisions = data.decisions.flatMap((one, i): Decision[] => {
    const [, seq, point = "", choice] = DECISION.exec(one) ?? [];
    if ((CHOICE_KINDS as readonly string[]).includes(point)) return [{ seq: Number(seq), point, choice: Number(choice) }];
    mistake(["decisions", i], `"${point}" is no choice point${hint(point, CHOICE_KINDS)}`);
    return [];
  });
  const expect = data.expect.flatMap((entry, i): Expectation[] => {
    const sort = SORTS.find((name) => Object.hasOwn(entry, name));
    if (sort === undefined) {
      mistake(["expect", i], `expected one of ${SORTS.join(", ")}`);
      return [];
    }
    const checked = FORMS[sort].safeParse(entry, { reportInput: true });
    if (checked.success) return [expectationOf(sort, checked.data)];
    issues(["expect", i], checked.error);
    return [];
  });
  if (stack === undefined || mistakes.length > 0) throw refused(mistakes);
  const { title, seed, rows, scenario } = data;
  return { title, madeBy: data["made-by"], stack, fixes, options, seed, rows, decisions, expect, scenario };
}

const refused = (mistakes: readonly string[]): InputError => new InputError(mistakes.slice(0, MOST_SHOWN).join("\n"));

/** What was expected and what was found. */
function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown field ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
    case "invalid_type":
      return issue.input === undefined
        ? `missing; expected ${TYPES[issue.expected] ?? issue.expected}`
        : `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.join(" or ")}${issue.path[0] === "case" ? ": a newer eintr knows other cases" : ""}`;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  array: "a list",
  record: "a map",
  object: "a map",
};

function expectationOf(is: Expectation["is"], entry: Record<string, unknown>): Expectation {
  const text = (name: string): string => String(entry[name]);
  if (is === "same-as-linux") return { is };
  if (is === "finding" || is === "no-finding")
    return { is, rule: text(is), fingerprint: entry.fingerprint === undefined ? null : text("fingerprint") };
  return { is, what: text(is), thread: text("thread"), here: text("here"), linux: text("linux") };
}

function entryOf(one: Expectation): Record<string, unknown> {
  if (one.is === "same-as-linux") return { "same-as-linux": true };
  if ("rule" in one) return { [one.is]: one.rule, ...(one.fingerprint === null ? {} : { fingerprint: one.fingerprint }) };
  return { [one.is]: one.what, thread: one.thread, here: one.here, linux: one.linux };
}

/** The file as text; `parseCase` gives the case again. */
export function caseText(made: CaseFile): string {
  const { title, madeBy, stack, fixes, options, seed, rows, decisions, expect, scenario } = made;
  const doc = new Document({
    case: CASE_VERSION,
    title,
    "made-by": madeBy,
    stack,
    ...(fixes.length === 0 ? {} : { fixes }),
    ...(options.length === 0 ? {} : { options }),
    seed,
    rows,
    ...(decisions.length === 0 ? {} : { decisions: decisions.map((one) => `${one.seq}:${one.point}=${one.choice}`) }),
    expect: expect.map(entryOf),
    scenario,
  });
  doc.commentBefore = " A case of eintr. `eintr check FILE` runs it and compares with what is expected.";
  // The scenario as its author wrote it, line by line.
  visit(doc, {
    Pair(_, { key, value }) {
      if ((key as Scalar).value !== "scenario") return undefined;
      if (scenario.includes("\n")) (value as Scalar).type = "BLOCK_LITERAL";
      return visit.BREAK;
    },
  });
  return doc.toString({ lineWidth: 0 });
}
