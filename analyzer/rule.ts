/**
 * What a rule is: its documentation, its logic, its words and its examples, in one value. The logic (`run`) listens to kinds of
 * transitions and to ends of scopes and says what it found as numbers and names; the words (`report`) make texts of that.
 */

import type { FixName, KindName, Layer, StackName, Transition } from "../engine/index.ts";
import type { Evidence, Severity } from "./finding.ts";
import type { Listener, ScopeName, ThreadModel } from "./model/index.ts";

/** Whose behaviour a rule speaks of: any trace's, or that of one generation of a library OS (reference, section 4). */
export const GENERATIONS = ["any", "graphene-2019", "pr347", "pr1218", "gramine"] as const;
export type Generation = (typeof GENERATIONS)[number];

/**
 * A row of the kind; a scope of the type has ended (`closed` and `how` of the model say which and how); a row made at the place, "at flow:
 * label"; the trace is over. A place is for what no kind tells: steps of the emulated code that change its own state.
 */
export type Subscription = KindName | `${ScopeName}.end` | `at ${string}: ${string}` | "trace.end";

/** What a rule listens to. A listener is called for each such row, or for some: `only` and `whileAny` say for which (`model/gates.ts`). */
export type Handlers = Readonly<Partial<Record<Subscription, Listener>>>;

/** What the logic of a rule hands over. */
export interface Found<Data, Id extends string> {
  readonly thread: number;
  /** Virtual ns wasted; the rule's `cost` says which. */
  readonly costNs: number;
  /** At least one, in any order. */
  readonly evidence: readonly { readonly id: Id; readonly seq: number }[];
  readonly data: Data;
}

/** The words of a rule. */
export interface Wording<Data, Id extends string> {
  readonly title: (data: Data) => string;
  /** What makes it the same thing in other runs: names, never seqs or times. */
  readonly same: (data: Data) => readonly (string | number)[];
  /** Where it went wrong: of the evidence of these ids the first is the wrong turn. Its caption says so, and the replay opens there. */
  readonly turn?: readonly Id[];
  /** Why each piece of evidence matters, for a person. */
  readonly captions: Readonly<Record<Id, (data: Data) => string>>;
}

/** A row made by hand: what is not given is 0, seq is the position, rows are 1 us apart. */
export type MadeRow = Partial<Transition> & { readonly name: KindName };

export interface Example {
  /** The situation. */
  readonly name: string;
  /** A built-in scenario by its name, the body of one as YAML, or rows for what no stack does. */
  readonly scenario: string | readonly MadeRow[];
  /** Rows have no stack. */
  readonly stacks?: readonly StackName[] | undefined;
  readonly fixes?: readonly FixName[] | undefined;
}

interface Expected {
  readonly title: string;
  readonly evidence: readonly string[];
}

/** The rule must report it: on these stacks and on no other that no example names, and not with its own fix, where the stack has that switch. */
export interface Invalid extends Example {
  /** Each finding, with the ids of its evidence in order of seq. */
  readonly found: readonly [Expected, ...Expected[]];
}

/** It comes close, and the rule must not report it. */
export interface Valid extends Example {
  /** Kinds ("pal.call.abandon") and places ("flow: label") that it comes to: so close. */
  readonly reaches: readonly string[];
}

/**
 * Where it is told: "reference 3.2", "gramine today, B24", "pull request 347, 2.1" (engine/README.md, Sources), or for what needs none of
 * these "Linux signal(7)", "Linux kernel/signal.c, do_sigtimedwait".
 */
export type Source = `${"reference" | "gramine" | "pull request" | "Linux"} ${string}`;

/** The page of the rule (`eintr explain ID`). */
export interface Documentation {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly layers: readonly Layer[];
  /** Where it happens; "any" for a rule that needs no knowledge of a stack. */
  readonly generations: readonly Generation[];
  /** What goes wrong. */
  readonly what: string;
  /** Why it matters to a program. */
  readonly why: string;
  /** What the rule looks for, and how a person confirms it. */
  readonly recognise: string;
  /** Situations that come close and are no fault, each with an example that the rule must not report. */
  readonly ignore: readonly { readonly text: string; readonly nearMiss: Valid }[];
  /** How the library OS was, or could be, fixed. */
  readonly remedy: string;
  /** The switch that fixes it here. */
  readonly fix: FixName | null;
  /** The harm lies in memory, or in what could happen: a finding explains no difference of the verdict. */
  readonly isLatent?: boolean;
  /** What `costNs` of a finding counts. */
  readonly cost: string;
  readonly source: Source;
  /** The page shows the first one, which is a scenario. */
  readonly invalid: readonly [Invalid, ...Invalid[]];
}

/** A finding in words. */
export interface Report {
  readonly title: string;
  readonly evidence: readonly Evidence[];
}

/** A finding before its texts are made: they are made only if it is kept. */
export interface RawFinding {
  readonly thread: number;
  readonly costNs: number;
  readonly same: readonly (string | number)[];
  /** First and last seq of its evidence. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly report: () => Report;
}

/** An entry of the catalogue that no run shows: a page, and why there is no rule. */
export interface Lint extends Omit<Documentation, "ignore" | "cost" | "invalid"> {
  /** Why no rule can look for it. */
  readonly whyNoRule: string;
  /** Situations that come close. */
  readonly ignore: readonly string[];
}

export interface Rule extends Documentation {
  readonly start: (model: ThreadModel, found: (finding: RawFinding) => void) => Handlers;
}

interface RuleDefinition<Data, Id extends string> extends Documentation {
  readonly run: (model: ThreadModel, found: (finding: Found<Data, Id>) => void) => Handlers;
  readonly report: Wording<Data, Id>;
}

/** The compiler checks that each piece of evidence has its caption. */
export function defineRule<Data, Id extends string>({ run, report, ...documentation }: RuleDefinition<Data, Id>): Rule {
  return {
    ...documentation,
    start: (model, found) => run(model, (finding) => found(unworded(finding, report))),
  };
}

function unworded<Data, Id extends string>(found: Found<Data, Id>, report: Wording<Data, Id>): RawFinding {
  const { thread, costNs, evidence, data } = found;
  let [firstSeq, lastSeq] = [Number.POSITIVE_INFINITY, -1];
  for (const { seq } of evidence) {
    if (seq < firstSeq) firstSeq = seq;
    if (seq > lastSeq) lastSeq = seq;
  }
  return { thread, costNs, same: report.same(data), firstSeq, lastSeq, report: () => worded(found, report) };
}

function worded<Data, Id extends string>({ evidence, data }: Found<Data, Id>, { title, turn = [], captions }: Wording<Data, Id>): Report {
  const isInOrder = evidence.every(({ seq }, i) => i === 0 || seq >= (evidence[i - 1]?.seq ?? 0));
  const inOrder = isInOrder ? evidence : [...evidence].sort((a, b) => a.seq - b.seq);
  const wrong = inOrder.find(({ id }) => turn.includes(id));
  const told = inOrder.map((one): Evidence => {
    const { seq, id } = one;
    const caption = captions[id](data);
    return one === wrong ? { seq, id, caption: `${WRONG_TURN}${caption}`, isTurn: true } : { seq, id, caption };
  });
  return { title: title(data), evidence: told };
}

/** Before the caption of the evidence where it went wrong. */
const WRONG_TURN = "the wrong turn: ";
