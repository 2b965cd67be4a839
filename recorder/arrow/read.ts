/**
 * Reader of `transitions.arrow`. Opening walks the batch headers once and keeps a short entry for each (a batch
 * has up to 16,384 rows), the texts and threads; rows, keyframes and decisions stay on disk until asked for.
 */

import fs from "node:fs";
import { type Block, type Decision, KINDS, newBlock, type Site, type StateColumn, type ThreadInfo } from "../../engine/index.ts";
import { columnsOf, notYetIn } from "../format/columns.ts";
import { errorText, TraceError } from "../format/errors.ts";
import { openRegular } from "../format/files.ts";
import {
  type BatchFacts,
  batchForm,
  DECISIONS_KEY,
  decisionFrom,
  decisionsForm,
  headerForm,
  KEYFRAME_KEY,
  META_KEY,
  METADATA_KEYS,
  METADATA_SLACK,
  type RunEnd,
  type RunInfo,
  readForm,
  tooLong,
} from "../format/metadata.ts";
import { FORMAT_VERSION, OLDEST_FORMAT } from "../format/version.ts";
import { bodyProblem, checkValues, columnSpans, fillBlock } from "./block.ts";
import { type Message, parseMessage, type Span } from "./message.ts";
import { hasMagic, type PlacedMessage, readError, readWhole, walkMessages } from "./walk.ts";

export interface BatchEntry {
  readonly seq0: number;
  readonly rows: number;
  /** The flatbuffer in the file. */
  readonly metadataOffset: number;
  readonly metadataLength: number;
  /** So much of it is read with the rows: everything but metadata texts. */
  readonly headLength: number;
  readonly bodyLength: number;
  /** Places of texts in the file; null when there is none. */
  readonly keyframe: Span | null;
  readonly decisions: Span | null;
}

export interface TransitionReader {
  readonly path: string;
  /** Format of the file. */
  readonly format: number;
  readonly info: RunInfo;
  /** Columns of state of which the trace knows nothing: zeros in blocks. */
  readonly absent: readonly StateColumn[];
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  readonly batches: readonly BatchEntry[];
  /** Rows in whole batches. */
  readonly rows: number;
  /** The closing facts; null when the recording was killed. */
  readonly end: RunEnd | null;
  /** True when the file holds everything up to its closing facts. */
  readonly complete: boolean;
  /** Bytes after the last whole batch that could not be used; 0 when complete. */
  readonly lostBytes: number;
  /** Why the walk stopped before the closing facts, for people; empty when complete. */
  readonly stopped: string;
  /** Length of the file when it was opened. */
  readonly bytes: number;
  /**
   * Batch `index` as a block; `into`, when given, is filled and returned: its arrays are replaced, their memory is used again.
   * Throws TraceError naming batch and row when a column holds what it may not.
   */
  readBlock(index: number, into?: Block): Block;
  /** Index of the batch that holds `seq`, or -1. */
  batchOf(seq: number): number;
  /**
   * JSON text (UTF-8) of the state after the last row of batch `index`, or null. Its memory is used again by the next call, or by
   * `decisions`.
   */
  keyframe(index: number): Buffer | null;
  /** All of them, in order. Throws TraceError where they are none, after those before. */
  decisions(): Generator<Decision, void>;
  close(): void;
}

const RERECORD = "Record it again, or ask whoever gave it to you for another copy";

/**
 * Open a trace's Arrow file. Throws TraceError when it is not one. A broken or missing batch ends the trace there
 * (`complete` is false, `stopped` says why).
 */
export function openTransitions(path: string): TransitionReader {
  const fd = openFile(path);
  try {
    return readerOf(path, fd);
  } catch (error) {
    fs.closeSync(fd);
    throw readError(path, "", error);
  }
}

function openFile(path: string): number {
  const hint = "Give the folder of a recorded trace (NAME.trace)";
  try {
    const opened = openRegular(path);
    if ("fd" in opened) return opened.fd;
    throw new TraceError(path, "", `this is ${opened.is}, expected a regular file`, hint);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(path, "", `cannot be opened (${errorText(error)})`, hint, { cause: error });
  }
}

/** What is known of a file once its batch headers were walked. */
interface Walked {
  readonly format: number;
  readonly run: RunInfo;
  readonly absent: readonly StateColumn[];
  readonly sites: Site[];
  readonly threads: ThreadInfo[];
  readonly texts: string[];
  readonly batches: BatchEntry[];
  /** Of all batches: the last has none of the rows. */
  readonly decisionSpans: Span[];
  readonly rows: number;
  readonly end: RunEnd | null;
  /** Where and why it ended before its closing facts; null when it did not. */
  readonly stop: { readonly offset: number; readonly why: string } | null;
}

function walkFile(path: string, fd: number, size: number): Walked {
  if (!hasMagic(fd)) throw new TraceError(path, "byte 0", "this is not an Arrow file", "Expected transitions.arrow of an eintr trace");
  const walk = walkMessages(fd, size);
  const first = walk.next();
  if (first.done === true) {
    throw new TraceError(path, `byte ${first.value.offset}`, `expected the schema, but ${first.value.why}`, RERECORD);
  }
  const found = { ...checkSchema(path, first.value), threads: [] as ThreadInfo[], texts: [] as string[] };
  const batches: BatchEntry[] = [];
  const decisionSpans: Span[] = [];
  let rows = 0;
  let end: RunEnd | null = null;
  while (end === null) {
    const next = walk.next();
    if (next.done === true) return { ...found, batches, decisionSpans, rows, end, stop: next.value };
    try {
      const { entry, facts } = checkBatch(path, next.value, found.format, batches.length, rows);
      for (const site of facts.sites ?? []) found.sites.push(site);
      for (const thread of facts.threads ?? []) found.threads.push(thread);
      for (const text of facts.texts ?? []) found.texts.push(text);
      if (entry.decisions !== null) decisionSpans.push(entry.decisions);
      if (entry.rows > 0) batches.push(entry);
      rows += entry.rows;
      end = facts.end ?? null;
    } catch (error) {
      // A broken batch ends the trace like a missing one: what came before it is whole and worth having.
      if (!(error instanceof TraceError)) throw error;
      return { ...found, batches, decisionSpans, rows, end, stop: { offset: next.value.offset, why: error.message } };
    }
  }
  return { ...found, batches, decisionSpans, rows, end, stop: null };
}

function readerOf(path: string, fd: number): TransitionReader {
  const size = fs.fstatSync(fd).size;
  const { format, run, absent, sites, threads, texts, batches, decisionSpans, rows, end, stop } = walkFile(path, fd, size);
  /** Memory behind the blocks made here, to be read into again: fresh pages for each batch cost more than the reading. */
  const memory = new WeakMap<Block, Buffer>();
  let headMemory: Buffer | undefined;
  let textMemory: Buffer | undefined;
  const readText = (place: string, { offset, length }: Span): Buffer => {
    textMemory = atLeast(textMemory, length);
    return readWhole(path, fd, place, offset, length, textMemory);
  };
  const seqs = Float64Array.from(batches, (batch) => batch.seq0);
  let open = true;

  return {
    path,
    format,
    info: run,
    absent,
    sites,
    threads,
    texts,
    batches,
    rows,
    end,
    complete: end !== null,
    lostBytes: stop === null ? 0 : size - stop.offset,
    stopped: stop?.why ?? "",
    bytes: size,
    readBlock(index, into): Block {
      const entry = batches[index];
      if (entry === undefined) throw new RangeError(`batch ${index} of ${batches.length}`);
      const block = into ?? newBlock(0);
      const { metadataOffset, metadataLength, headLength, bodyLength } = entry;
      headMemory = atLeast(headMemory, headLength);
      const head = readWhole(path, fd, `batch ${index}`, metadataOffset, headLength, headMemory);
      const message = parseAgain(path, index, head, metadataLength);
      const bytes = atLeast(memory.get(block), bodyLength);
      memory.set(block, bytes);
      const body = readWhole(path, fd, `batch ${index}`, metadataOffset + metadataLength, bodyLength, bytes);
      block.seq0 = entry.seq0;
      block.n = entry.rows;
      const place = (row: number) => `batch ${index}, row ${row}, seq ${entry.seq0 + row}`;
      fillBlock(body, columnSpans(message, format), block, format);
      checkValues(path, place, block, { threads: threads.length, sites: sites.length, texts: texts.length });
      return block;
    },
    batchOf(seq): number {
      if (!(seq >= 0 && seq < rows)) return -1;
      let low = 0;
      let high = seqs.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((seqs[middle] as number) <= seq) low = middle;
        else high = middle - 1;
      }
      return low;
    },
    keyframe(index): Buffer | null {
      const span = batches[index]?.keyframe ?? null;
      return span === null ? null : readText(`keyframe of batch ${index}`, span);
    },
    *decisions() {
      for (const span of decisionSpans) {
        const place = `decisions at byte ${span.offset}`;
        for (const stored of parseJson(path, place, readText(place, span).toString("utf8"), decisionsForm)) yield decisionFrom(stored);
      }
    },
    close(): void {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
}

/** That memory, or more when it is too small: some to spare, since the next length is not the same. */
const atLeast = (memory: Buffer | undefined, length: number): Buffer =>
  memory !== undefined && memory.length >= length ? memory : Buffer.allocUnsafeSlow(length + (length >> 2));

function parseAgain(path: string, index: number, head: Buffer, whole: number): Message {
  try {
    return parseMessage(head, whole);
  } catch (error) {
    throw new TraceError(path, `batch ${index}`, "its header changed while the file was open", "Open it again", { cause: error });
  }
}

/** Our metadata as JSON of the given form. */
function parseFacts<T>(path: string, place: string, placed: PlacedMessage, form: Parameters<typeof readForm<T>>[0]): T {
  const text = placed.text(META_KEY);
  if (text === undefined) throw new TraceError(path, place, `no '${META_KEY}' metadata`, "This Arrow file was not written by eintr");
  return parseJson(path, place, text, form);
}

function parseJson<T>(path: string, place: string, text: string, form: Parameters<typeof readForm<T>>[0]): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TraceError(path, place, `its metadata is not JSON (${errorText(error)})`, RERECORD);
  }
  const read = readForm(form, value);
  if ("data" in read) return read.data;
  throw new TraceError(path, place, `metadata ${read.problem}`, RERECORD);
}

/** Bytes of a header that belong to nothing we know would be read again with each batch. */
function checkHeader(path: string, place: string, { message, metadataLength }: PlacedMessage): void {
  let used = METADATA_SLACK;
  for (const key of METADATA_KEYS) used += message.metadata.get(key)?.length ?? 0;
  if (metadataLength <= used) return;
  throw new TraceError(path, place, `a header of ${metadataLength} bytes, expected at most ${used} for what is in it`, RERECORD);
}

function checkSchema(path: string, placed: PlacedMessage): Pick<Walked, "format" | "run" | "absent" | "sites"> {
  const place = `byte ${placed.offset}`;
  if (placed.message.type !== "schema") throw new TraceError(path, place, "expected the schema message", RERECORD);
  checkHeader(path, place, placed);
  const version = versionOf(placed);
  if (version !== null && version > FORMAT_VERSION) {
    throw new TraceError(path, place, `format ${version} is newer than ${FORMAT_VERSION}, the newest known here`, "Use a newer eintr");
  }
  if (version !== null && version < OLDEST_FORMAT) {
    const known = `${OLDEST_FORMAT} to ${FORMAT_VERSION} are known here`;
    throw new TraceError(path, place, `format ${version} is from before the first release, ${known}`, RERECORD);
  }
  const header = parseFacts(path, place, placed, headerForm);
  const expected = columnsOf(header.format)
    .map(({ name, type }) => `${name} ${type}`)
    .join(", ");
  const found = placed.message.fields.map(({ name, type, dictionary }) => `${name} ${dictionary ? "dictionary" : type || "?"}`).join(", ");
  if (found !== expected) throw new TraceError(path, place, `its columns are [${found}], expected [${expected}]`, RERECORD);
  // Ids are positions and the list is append-only, so an older vocabulary is the beginning of ours.
  const stranger = header.kinds.findIndex((kind, id) => kind.name !== KINDS[id]?.name);
  if (stranger >= 0) {
    const name = header.kinds[stranger]?.name ?? "";
    throw new TraceError(path, place, `kind ${stranger} is '${name}', unknown here`, "Use the eintr that recorded it, or a newer one");
  }
  return { ...header, absent: [...new Set([...(header.absent ?? []), ...notYetIn(header.format)])] };
}

/** The format is the first that stands in the header. */
const VERSION_BYTES = 40;

/** The format number alone, before the rest is checked: a newer header may have another form. */
function versionOf(placed: PlacedMessage): number | null {
  const match = /^\{"format":(\d{1,9})[,}]/.exec(placed.text(META_KEY, VERSION_BYTES) ?? "");
  return match === null ? null : Number(match[1]);
}

function checkBatch(
  path: string,
  placed: PlacedMessage,
  format: number,
  index: number,
  seq0: number,
): { entry: BatchEntry; facts: BatchFacts } {
  const { message } = placed;
  const place = `batch ${index}, byte ${placed.offset}`;
  const fail = (problem: string): never => {
    throw new TraceError(path, place, problem, RERECORD);
  };
  if (message.type !== "batch") fail("expected a record batch");
  const problem = bodyProblem(message, format);
  if (problem !== null) fail(problem);
  checkHeader(path, place, placed);
  const long = tooLong(METADATA_KEYS.map((key) => message.metadata.get(key)?.length ?? 0));
  if (long !== null) fail(long);
  const facts = parseFacts(path, place, placed, batchForm);
  if (facts.seq0 !== seq0) fail(`it begins at seq ${facts.seq0}, expected ${seq0}`);
  const rows = seq0 + message.rows;
  if (facts.end !== undefined && facts.end.rows !== rows) fail(`it speaks of ${facts.end.rows} rows, the file holds ${rows}`);
  /** Where in the file the text of that key is. */
  const span = (key: string): Span | null => {
    const { offset, length } = message.metadata.get(key) ?? { offset: 0, length: 0 };
    return length === 0 ? null : { offset: placed.metadataOffset + offset, length };
  };
  const entry: BatchEntry = {
    seq0,
    rows: message.rows,
    metadataOffset: placed.metadataOffset,
    metadataLength: placed.metadataLength,
    headLength: placed.headLength,
    bodyLength: message.bodyLength,
    keyframe: span(KEYFRAME_KEY),
    decisions: span(DECISIONS_KEY),
  };
  return { entry, facts };
}
