/**
 * What `transitions.arrow` holds besides rows: the header in the schema's metadata, the facts of each batch in
 * the batch's metadata. Everything here is read from strangers' files, so each form has a zod schema.
 */

import * as z from "zod/mini";
import {
  CONTEXTS,
  type Decision,
  type KindEntry,
  LAYERS,
  type Site,
  STATE_COLUMNS,
  type StateColumn,
  type ThreadInfo,
} from "../../engine/index.ts";
import { HOLDS, TraceError } from "./errors.ts";
import { flag, found, list, members, oneOf, text, whole } from "./list-form.ts";

/** Metadata keys. What walking a file need not read has a key of its own. */
export const META_KEY = "eintr";
export const DECISIONS_KEY = "eintr.decisions";
export const KEYFRAME_KEY = "eintr.keyframe";

export const ARROW_NAME = "transitions.arrow";
export const DB_NAME = "trace.db";
/** What a person wrote to the trace in the replay: bookmarks, notes. */
export const NOTES_NAME = "replay.json";

const MEGABYTE = 1024 * 1024;
/** Bounds for files from strangers: far above what is useful, far below what would exhaust memory. The writer keeps to them. */
export const MAX_METADATA_BYTES = 256 * MEGABYTE;
export const MAX_BATCH_ROWS = 1 << 20;
/** What a message's header may hold besides our texts: its tables, the columns' meanings, filling up to a page. */
export const METADATA_SLACK = MEGABYTE;
/**
 * A batch's texts in order; what walking a file need not read comes last. JSON of odd shape takes thirty times its length in memory
 * before it is refused.
 */
const BATCH_TEXTS = [
  { key: META_KEY, what: "the new texts, threads and sites", most: 64 * MEGABYTE },
  { key: DECISIONS_KEY, what: "the decisions", most: 16 * MEGABYTE },
  { key: KEYFRAME_KEY, what: "the state of the run", most: 64 * MEGABYTE },
] as const;
export const METADATA_KEYS = BATCH_TEXTS.map(({ key }) => key);
/** What a batch's body may hold besides its rows, for each column: the format has buffers begin at multiples of 8, better of 64. */
export const COLUMN_SLACK = 64;

/** Whole numbers exact as float64. What is read here goes into INTEGER columns of `trace.db`, or is counted with. */
const integer = z.int();
const count = z.int().check(z.nonnegative());
const countCheck = whole(0);
/** Ids of the operating system. Threads of the LibOS itself have ids from 2^31 on. */
const systemId = whole(0, 2 ** 32 - 1);

/** What a form expects and what was found: zod's small edition has no words of its own. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected === "int" ? "a whole number" : issue.expected}, found ${found(issue.input)}`;
    case "invalid_value":
      return `expected ${issue.values.join(" or ")}`;
    case "too_small":
      return `expected at least ${issue.minimum}, found ${found(issue.input)}`;
    case "too_big":
      return `expected ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}, found ${found(issue.input)}`;
    default:
      return undefined;
  }
};

/** The value as that form, or what is wrong with it: the member, a colon, what was expected of it. */
export function readForm<T>(form: z.ZodMiniType<T>, value: unknown): { readonly data: T } | { readonly problem: string } {
  const result = form.safeParse(value, { error: inWords });
  if (result.success) return { data: result.data };
  const issue = result.error.issues[0];
  const member = issue?.path.join(".") ?? "";
  return { problem: `${member === "" ? "it" : member}: ${issue?.message ?? "invalid"}` };
}

/** `virtual`: the engine's. Times of a real clock count from the first of them. */
export const CLOCKS = ["virtual", "monotonic", "epoch"] as const;
export type Clock = (typeof CLOCKS)[number];

const runInfo = z.object({
  eintr: z.string(),
  stack: z.string(),
  fixes: list<string>(text),
  /** Options of the stack's manifest that were on. Older files do not tell of them: there were none. */
  options: z._default(list<string>(text), []),
  scenario: z.string(),
  scenarioText: z.string(),
  seed: count,
  scheduler: z.string(),
  origin: z.enum(["emulated", "imported"]),
  /** Which clock the times are of. Left out: virtual. */
  clock: z.optional(z.enum(CLOCKS)),
});
/** What a trace says about how it was made; enough to make it again. */
export type RunInfo = z.infer<typeof runInfo>;

const siteCheck = members<Site>({
  flow: text,
  step: whole(),
  label: text,
  layer: oneOf(LAYERS),
  context: oneOf(CONTEXTS),
  source: text,
});
const kindCheck = members<KindEntry>({ name: text, text, value: text, extra: text });

export const headerForm = z.object({
  format: count,
  run: runInfo,
  sites: list<Site>(siteCheck),
  kinds: list<KindEntry>(kindCheck),
  /** Columns of state that hold nothing in this trace. Format 3 has no such columns: what was not known is 0 there. */
  absent: z.optional(list<StateColumn>(oneOf(STATE_COLUMNS))),
});
export type TraceHeader = z.infer<typeof headerForm>;

/** A named count of something odd in the input, for people to see (style-anchors 2.6). */
export interface QualityCounter {
  readonly name: string;
  readonly count: number;
  readonly severity: (typeof SEVERITIES)[number];
  readonly advice: string;
}
const SEVERITIES = ["info", "notice", "data-loss", "error"] as const;
const qualityCheck = members<QualityCounter>({ name: text, count: countCheck, severity: oneOf(SEVERITIES), advice: text });

const runEnd = z.object({
  /** Why the recording ended. Only `finished` means that the run itself was over. */
  reason: z.enum(["finished", "aborted", "row-limit", "time-limit"]),
  finished: z.boolean(),
  /** True when somebody stopped it before its own end or limit. */
  interrupted: z.boolean(),
  rows: count,
  /** Time of the last transition, ns. */
  time: integer,
  /** See `digest.ts`. */
  digest: z.string(),
  quality: list<QualityCounter>(qualityCheck),
});
/** The closing facts, on the last batch. Absent in a recording that was killed. */
export type RunEnd = z.infer<typeof runEnd>;

const threadCheck = members<ThreadInfo>({ name: text, pid: systemId, tid: systemId, internal: flag });

export const batchForm = z.object({
  /** Seq of the batch's first row. */
  seq0: count,
  /** Only of imported traces: a stack knows its places from the start. */
  sites: z.optional(list<Site>(siteCheck)),
  threads: z.optional(list<ThreadInfo>(threadCheck)),
  texts: z.optional(list<string>(text)),
  end: z.optional(runEnd),
});
/** What was appended to the source's lists since the batch before, if anything, and the end on the last. */
export type BatchFacts = z.infer<typeof batchForm>;

/** A decision as a file has it: `door` is what format 1 called the kind of choice point, and it is not worth another format. */
interface StoredDecision {
  readonly seq: number;
  readonly door: string;
  readonly choice: number;
}

/** The decisions made since the batch before, beside the facts. */
export const decisionsForm = list<StoredDecision>(members<StoredDecision>({ seq: countCheck, door: text, choice: countCheck }));

export const storedDecision = ({ seq, point, choice }: Decision): StoredDecision => ({ seq, door: point, choice });
export const decisionFrom = ({ seq, door, choice }: StoredDecision): Decision => ({ seq, point: door, choice });

/** Most bytes of the schema's text: with more a reader would refuse the header. */
const MAX_TEXT_BYTES = MAX_METADATA_BYTES - METADATA_SLACK;

/** The header as the writer keeps it. Throws TraceError when the scenario is too long for that. */
export function headerText(path: string, header: TraceHeader): Buffer {
  const { length } = header.run.scenarioText;
  // A text so long need not be made into a longer one to know.
  const text = length > MAX_TEXT_BYTES ? null : Buffer.from(JSON.stringify(header));
  if (text !== null && text.length <= MAX_TEXT_BYTES) return text;
  throw new TraceError(
    path,
    "",
    `a scenario of ${length} characters is too long to be kept with its trace, whose header may have ${MAX_TEXT_BYTES} bytes`,
    "Nothing was recorded; shorten the scenario, or cut the log it comes from",
  );
}

/** What of a batch's texts is too long, told in words; null when nothing is. `lengths` in bytes, as in `BATCH_TEXTS`. */
export function tooLong(lengths: readonly number[]): string | null {
  const at = BATCH_TEXTS.findIndex(({ most }, i) => (lengths[i] ?? 0) > most);
  const text = BATCH_TEXTS[at];
  return text === undefined ? null : `${text.what} of a batch: ${lengths[at]} bytes, expected at most ${text.most}`;
}

/** Throws TraceError for a batch that a reader would refuse; the trace then ends before it. */
export function checkTexts(path: string, offset: number, texts: readonly Buffer[]): void {
  const problem = tooLong(texts.map((text) => text.length));
  if (problem === null) return;
  throw new TraceError(path, `byte ${offset}`, problem, HOLDS);
}
