/**
 * Writer of `transitions.arrow`: the Arrow IPC file format, uncompressed, one record batch per block, columns
 * written from the block's own arrays without a copy (performance.md, section 3). Each `put` reaches the file
 * before it returns.
 */

import fs from "node:fs";
import {
  type DataType,
  Field,
  Float64,
  Int8,
  Int16,
  Int32,
  Message,
  MetadataVersion,
  RecordBatchFileWriter,
  Schema,
  Uint8,
  Uint16,
  Uint32,
} from "apache-arrow";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import { BufferRegion, FieldNode, RecordBatch as RecordBatchHeader } from "apache-arrow/ipc/metadata/message";
import { type Block, type ColumnName, KINDS, newBlock, type Sink, type Source } from "../../engine/index.ts";
import { COLUMN_MEANING, STORED_COLUMNS } from "../format/columns.ts";
import { createDigest, type Digest } from "../format/digest.ts";
import { errorCode, errorText, TraceError } from "../format/errors.ts";
import {
  type BatchFacts,
  checkTexts,
  headerText,
  META_KEY,
  METADATA_KEYS,
  type QualityCounter,
  type RunEnd,
  type RunInfo,
  storedDecision,
  type TraceHeader,
} from "../format/metadata.ts";
import { FORMAT_VERSION } from "../format/version.ts";
import { FileSink, writeError } from "./file-sink.ts";
import { textPlaces } from "./message.ts";
import { PREFIX_BYTES } from "./walk.ts";

/** Bodies begin on a page of the file: a write that does not costs the kernel twice as much. */
const PAGE = 4096;
/** Longer than the header of a batch with a keyframe, mostly. */
const SCRATCH = 16 * PAGE;

const ROW_BYTES = STORED_COLUMNS.reduce((sum, { size }) => sum + size, 0);

/** A keyframe of so many bytes is never too long for its batch. */
const KEYFRAME_BYTES = 256 * 1024;

const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/**
 * apache-arrow's file writer with four differences. The schema message is also in the stream part, where the format wants it and a
 * recording that was killed has no other. Headers are padded to a page. A batch is written from its columns' memory, under a header
 * of the library's making of which only the texts are new: to build Data, Vector, RecordBatch and header for each batch takes longer
 * than writing it. And the schema is made with an empty text, too: over the long one the library takes longer than over everything else.
 */
class FileWriter extends RecordBatchFileWriter {
  /** Header for the number of rows of the batch before: nearly all batches have the same number. */
  private template: HeaderTemplate | null = null;
  private readonly scratch = Buffer.alloc(SCRATCH);

  /** `header` is the schema's text, as in `format/metadata.ts`. */
  constructor(
    private header: Buffer,
    private readonly absent: readonly ColumnName[],
  ) {
    super();
  }

  protected override _writeSchema(schema: Schema): this {
    const flatbuffer = Message.encode(Message.from(schema));
    return this._writeMagic()._writePadding(2)._writeHeader(flatbuffer, textPlaces("schema", flatbuffer), [this.header]);
  }

  protected override _writeFooter(schema: Schema): this {
    const flatbuffer = Footer.encode(new Footer(schema, MetadataVersion.V5, this._recordBatchBlocks, []));
    // In pieces: a copy of a long header beside it would be the most memory that a recording takes.
    const [head, tail] = aroundText(flatbuffer, textPlaces("footer", flatbuffer)[0] as number, this.header.length);
    const length = head.length + this.header.length + tail.length;
    this._write(Int32Array.of(-1, 0))._write(head)._write(this.header)._write(tail);
    // Whoever recorded holds this writer while the database is made.
    this.header = NO_TEXT;
    return this._write(Int32Array.of(length))._writeMagic();
  }

  /** One batch, with a text for each of `METADATA_KEYS`. */
  writeBlock(block: Block, texts: readonly Buffer[]): void {
    if (this.template?.n !== block.n) this.template = headerTemplate(block.n, this.absent);
    const { template, _position: at } = this;
    const { bodyLength, valuesLength } = template;
    this._writeHeader(template.bytes, template.places, texts);
    this._recordBatchBlocks.push(new FileBlock(this._position - at, bodyLength, at));
    for (const piece of valuesOf(block, valuesLength)) this._sink.write(piece);
    if (bodyLength > valuesLength) this._sink.write(new Uint8Array(bodyLength - valuesLength));
    this._position += bodyLength;
  }

  /** A message's flatbuffer and its texts, up to the next page. */
  private _writeHeader(flatbuffer: Uint8Array, places: readonly number[], texts: readonly Buffer[]): this {
    const end = PREFIX_BYTES + withTexts(flatbuffer, texts);
    const size = roundUp(this._position + end, PAGE) - this._position;
    const bytes = this.zeros(size);
    bytes.writeInt32LE(-1, 0);
    bytes.writeInt32LE(size - PREFIX_BYTES, 4);
    putWithTexts(bytes, PREFIX_BYTES, flatbuffer, places, texts);
    return this._write(bytes);
  }

  /** Memory to put a header together in: the same one for all that have a usual length. */
  private zeros(size: number): Buffer {
    if (size > SCRATCH) return Buffer.alloc(size);
    return this.scratch.subarray(0, size).fill(0);
  }
}

/** Bytes of a text in a flatbuffer: its length, itself, a zero, up to a multiple of four. */
const textBytes = (text: Buffer): number => 4 + roundUp(text.length + 1, 4);

/** Bytes of a flatbuffer with its texts after it. */
function withTexts(flatbuffer: Uint8Array, texts: readonly Buffer[]): number {
  let size = roundUp(flatbuffer.byteLength, 4);
  for (const text of texts) size += textBytes(text);
  return size;
}

/** What comes before the one text of a flatbuffer, which is of so many bytes, and what comes after it. */
function aroundText(flatbuffer: Uint8Array, place: number, length: number): [Buffer, Buffer] {
  const at = roundUp(flatbuffer.byteLength, 4);
  const head = Buffer.alloc(at + 4);
  head.set(flatbuffer);
  head.writeUInt32LE(at - place, place);
  head.writeUInt32LE(length, at);
  return [head, Buffer.alloc(roundUp(length + 1, 4) - length)];
}

/** Put a flatbuffer and its texts at `start` of `bytes`, which are zero, and make each place in it point to its text. */
function putWithTexts(bytes: Buffer, start: number, flatbuffer: Uint8Array, places: readonly number[], texts: readonly Buffer[]): void {
  bytes.set(flatbuffer, start);
  let at = start + roundUp(flatbuffer.byteLength, 4);
  for (const [i, text] of texts.entries()) {
    const place = start + (places[i] as number);
    bytes.writeUInt32LE(at - place, place);
    bytes.writeUInt32LE(text.length, at);
    bytes.set(text, at + 4);
    at += textBytes(text);
  }
}

interface HeaderTemplate {
  readonly n: number;
  /** Flatbuffer of a batch of `n` rows whose metadata texts are empty. */
  readonly bytes: Uint8Array;
  /** Where in it the offset of each text is. */
  readonly places: readonly number[];
  readonly bodyLength: number;
  /** Bytes of it that are values; what follows are bitmaps in which no bit is set. */
  readonly valuesLength: number;
}

/** Bytes of a column's bitmap that says which rows are not NULL. */
const bitmapBytes = (n: number): number => roundUp(Math.ceil(n / 8), 8);

/**
 * Two buffers a column: its bitmap, none where nothing is NULL, and its values. The values lie as in the block's memory; the bitmaps of
 * the absent columns follow after all of them.
 */
function headerTemplate(n: number, absent: readonly ColumnName[]): HeaderTemplate {
  let valuesLength = 0;
  const values = STORED_COLUMNS.map(({ size }) => {
    const region = new BufferRegion(valuesLength, n * size);
    valuesLength += roundUp(n * size, 8);
    return region;
  });
  let bodyLength = valuesLength;
  const regions = STORED_COLUMNS.flatMap(({ name }, i) => {
    const at = bodyLength;
    if (absent.includes(name)) bodyLength += bitmapBytes(n);
    return [new BufferRegion(at, bodyLength === at ? 0 : Math.ceil(n / 8)), values[i] as BufferRegion];
  });
  const nodes = STORED_COLUMNS.map(({ name }) => new FieldNode(n, absent.includes(name) ? n : 0));
  const metadata = new Map(METADATA_KEYS.map((key) => [key, ""]));
  const bytes = Message.encode(Message.from(new RecordBatchHeader(n, nodes, regions, null, [], metadata), bodyLength));
  return { n, bytes, places: textPlaces("batch", bytes), bodyLength, valuesLength };
}

const NO_TEXT = Buffer.alloc(0);
const PADDING = new Uint8Array(8);

/** Memory of the block's columns, each padded to 8 bytes: in one piece, if the block is full and as `newBlock` made it. */
function valuesOf(block: Block, valuesLength: number): Uint8Array[] {
  const { buffer } = block.time;
  if (block.n === block.time.length && buffer.byteLength === valuesLength && block.detail.buffer === buffer)
    return [new Uint8Array(buffer)];
  return STORED_COLUMNS.flatMap(({ name, size }) => {
    const bytes = block.n * size;
    const values = block[name];
    return [new Uint8Array(values.buffer, values.byteOffset, bytes), PADDING.subarray(0, roundUp(bytes, 8) - bytes)];
  });
}

const TYPES: Readonly<Record<string, new () => DataType>> = {
  uint8: Uint8,
  uint16: Uint16,
  uint32: Uint32,
  int8: Int8,
  int16: Int16,
  int32: Int32,
  float64: Float64,
};

/** The columns and their meanings; the text of our metadata is put in by the writer. */
function arrowSchema(): Schema {
  const fields = STORED_COLUMNS.map(({ name, type, nullable }) => {
    const Type = TYPES[type];
    if (Type === undefined) throw new Error(`no Arrow type for ${type}`);
    return new Field(name, new Type(), nullable, new Map([["meaning", COLUMN_MEANING[name]]]));
  });
  return new Schema(fields, new Map([[META_KEY, ""]]));
}

export interface ArrowWriter extends Sink {
  readonly path: string;
  /** Rows written so far. */
  readonly rows: number;
  /** Bytes of the file so far. */
  readonly bytes: number;
  /** Time of the last row, ns. */
  readonly time: number;
  /** `Date.now()` of the last write: the caller flushes the source when this is too long ago. */
  readonly writtenAt: number;
  /** Write the closing facts and the footer, close the file. */
  finish(end: { reason: RunEnd["reason"]; interrupted: boolean; quality: readonly QualityCounter[] }): RunEnd;
  /** Close the file as it is, after an error. It stays readable up to the last batch. */
  abandon(): void;
}

function createFile(path: string): number {
  try {
    return fs.openSync(path, "wx");
  } catch (error) {
    throw new TraceError(path, "", `cannot be made (${errorCode(error) || errorText(error)})`, "Choose another place", { cause: error });
  }
}

/** What of a source is written besides its rows. */
type Written = Pick<Source, "sites" | "threads" | "texts" | "decisions" | "absent" | "keyframe">;

/**
 * Start a file; it must not exist. The lists of `source` are read at each `put`, its keyframe too, so `put` must
 * be called between two steps. `digest` is another one only where hashing itself is measured. Throws TraceError when
 * writing fails, and before a byte is written when a reader would refuse the file.
 */
export function createArrowWriter(path: string, source: Written, run: RunInfo, digest: Digest = createDigest(FORMAT_VERSION)): ArrowWriter {
  const absent = [...(source.absent ?? [])];
  const header: TraceHeader = { format: FORMAT_VERSION, run, sites: [...source.sites], kinds: [...KINDS], absent };
  const writer = new FileWriter(headerText(path, header), absent);
  const fd = createFile(path);
  const sink = new FileSink(path, fd);
  writer.reset(sink, arrowSchema());
  const empty = newBlock(0);
  const written = { sites: source.sites.length, threads: 0, texts: 0, decisions: 0 };
  let rows = 0;
  let time = 0;
  let writtenAt = Date.now();
  let open = true;
  /** Length of the last keyframe, and bytes of rows since. */
  let keyframeBytes = 0;
  let sinceKeyframe = 0;

  /** States of very many threads are long; they come so rarely that keyframes are at most as long as the rows. */
  const nextKeyframe = (rowBytes: number): string | null => {
    sinceKeyframe += rowBytes;
    if (sinceKeyframe + KEYFRAME_BYTES < keyframeBytes) return null;
    const keyframe = source.keyframe();
    keyframeBytes = keyframe?.length ?? 0;
    sinceKeyframe = 0;
    return keyframe;
  };

  /** What the source's lists have gained since the last call; most batches have nothing new. */
  const newFacts = (): BatchFacts => {
    const facts: BatchFacts = { seq0: rows };
    const { sites, threads, texts } = source;
    if (sites.length > written.sites) facts.sites = sites.slice(written.sites);
    if (threads.length > written.threads) facts.threads = threads.slice(written.threads);
    if (texts.length > written.texts) facts.texts = texts.slice(written.texts);
    written.sites = sites.length;
    written.threads = threads.length;
    written.texts = texts.length;
    return facts;
  };

  const newDecisions = (): Buffer => {
    const { decisions } = source;
    if (decisions.length === written.decisions) return NO_TEXT;
    const text = Buffer.from(JSON.stringify(decisions.slice(written.decisions).map(storedDecision)));
    written.decisions = decisions.length;
    return text;
  };

  const writeBatch = (block: Block, facts: BatchFacts, keyframe: string | null): void => {
    const texts = [Buffer.from(JSON.stringify(facts)), newDecisions(), keyframe === null ? NO_TEXT : Buffer.from(keyframe)];
    checkTexts(path, sink.length, texts);
    writer.writeBlock(block, texts);
    sink.flush();
    writtenAt = Date.now();
  };

  const close = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };

  try {
    sink.flush();
  } catch (error) {
    close();
    throw error;
  }
  return {
    path,
    get rows() {
      return rows;
    },
    get bytes() {
      return sink.length;
    },
    get time() {
      return time;
    },
    get writtenAt() {
      return writtenAt;
    },
    put(block): void {
      if (block.n === 0) return;
      if (block.seq0 !== rows) throw new RangeError(`block starts at seq ${block.seq0}, expected ${rows}`);
      writeBatch(block, newFacts(), nextKeyframe(block.n * ROW_BYTES));
      digest.put(block);
      rows += block.n;
      time = block.time[block.n - 1] ?? time;
    },
    finish({ reason, interrupted, quality }): RunEnd {
      const facts = newFacts();
      const end: RunEnd = {
        reason,
        finished: reason === "finished",
        interrupted,
        rows,
        time,
        digest: digest.finish(source.texts, source.threads),
        quality: [...quality],
      };
      writeBatch(empty, { ...facts, end }, null);
      writer.finish();
      sink.flush();
      try {
        close();
      } catch (error) {
        throw writeError(path, sink.length, error);
      }
      return end;
    },
    abandon: close,
  };
}
