/**
 * What `transitions.arrow` holds besides rows: the header in the schema's metadata, the facts of each batch in
 * the batch's metadata. Everything here is read from strangers' files, so each form has a zod schema.
 */

import * as z from "zod/mini";
import { COLUMN_NAMES, COLUMNS, type ColumnName } from "../engine/block.ts";
import { CONTEXTS, LAYERS } from "../engine/transition.ts";

/** Raised when an older reader could misread a newer file; never reused. */
export const FORMAT_VERSION = 1;

/** Metadata keys. The keyframe has its own key so that walking a file need not parse it. */
export const META_KEY = "eintr";
export const KEYFRAME_KEY = "eintr.keyframe";

export const ARROW_NAME = "transitions.arrow";
export const DB_NAME = "trace.db";

/** Bounds for files from strangers: far above what the writer makes, far below what would exhaust memory. */
export const MAX_METADATA_BYTES = 256 * 1024 * 1024;
export const MAX_BATCH_ROWS = 1 << 20;

/** Meaning of each stored column: field metadata in Arrow, comments in SQL. */
export const COLUMN_MEANING: Readonly<Record<ColumnName, string>> = {
  time: "ns since the run began",
  thread: "row of the thread table",
  site: "row of the site table: the place in the stack's code",
  kind: "row of the kind table: what sort of transition",
  signal: "signal number, 0 none",
  value: "first argument of the kind",
  extra: "second argument of the kind",
  depth: "call depth of the thread after the transition",
  cssa: "current SSA frame after the transition, 0 outside SGX",
  preempt: "LibOS preempt counter after the transition",
  pending: "signals pended on the thread after the transition, in PAL and LibOS",
  detail: "row of the text table, 0 none",
};

/** How a column lies in the file: as in memory. */
export interface StoredColumn {
  readonly name: ColumnName;
  /** "uint8", "int32", "float64", ...; a float64 holds integers below 2^53. */
  readonly type: string;
  /** Bytes of a value. */
  readonly size: number;
}

export const STORED_COLUMNS: readonly StoredColumn[] = COLUMN_NAMES.map((name) => ({
  name,
  type: COLUMNS[name].name.replace("Array", "").toLowerCase(),
  size: COLUMNS[name].BYTES_PER_ELEMENT,
}));

const count = z.number().check(z.int(), z.nonnegative());

const runInfo = z.object({
  eintr: z.string(),
  stack: z.string(),
  fixes: z.array(z.string()),
  scenario: z.string(),
  scenarioText: z.string(),
  seed: z.number(),
  scheduler: z.string(),
  origin: z.enum(["emulated", "imported"]),
});
/** What a trace says about how it was made; enough to make it again. */
export type RunInfo = z.infer<typeof runInfo>;

const site = z.object({
  flow: z.string(),
  step: z.number().check(z.int()),
  label: z.string(),
  layer: z.enum(LAYERS),
  context: z.enum(CONTEXTS),
  source: z.string(),
});
const kindEntry = z.object({ name: z.string(), text: z.string(), value: z.string(), extra: z.string() });

export const headerForm = z.object({
  format: count,
  run: runInfo,
  sites: z.array(site),
  kinds: z.array(kindEntry),
});
export type TraceHeader = z.infer<typeof headerForm>;

/** A named count of something odd in the input, for people to see (style-anchors 2.6). */
const qualityCounter = z.object({
  name: z.string(),
  count,
  severity: z.enum(["info", "notice", "data-loss", "error"]),
  advice: z.string(),
});
export type QualityCounter = z.infer<typeof qualityCounter>;

const runEnd = z.object({
  /** Why the recording ended. Only `finished` means that the run itself was over. */
  reason: z.enum(["finished", "aborted", "row-limit", "time-limit"]),
  finished: z.boolean(),
  /** True when somebody stopped it before its own end or limit. */
  interrupted: z.boolean(),
  rows: count,
  /** Time of the last transition, ns. */
  time: z.number(),
  /** See `digest.ts`. */
  digest: z.string(),
  quality: z.array(qualityCounter),
});
/** The closing facts, on the last batch. Absent in a recording that was killed. */
export type RunEnd = z.infer<typeof runEnd>;

export const batchForm = z.object({
  /** Seq of the batch's first row. */
  seq0: count,
  threads: z.array(z.object({ name: z.string(), pid: z.number(), tid: z.number(), internal: z.boolean() })),
  texts: z.array(z.string()),
  decisions: z.array(z.object({ seq: z.number(), door: z.string(), choice: z.number() })),
  end: z.optional(runEnd),
});
/** What was appended to the source's lists since the batch before, and the end on the last. */
export type BatchFacts = z.infer<typeof batchForm>;
