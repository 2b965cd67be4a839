/**
 * Writer of `transitions.arrow`: the Arrow IPC file format, uncompressed, one record batch per block, columns
 * written from the block's own arrays without a copy (performance.md, section 3). Each `put` reaches the file
 * before it returns.
 */

import fs from "node:fs";
import {
  type Data,
  Field,
  type Int,
  Int8,
  Int16,
  Int32,
  Int64,
  Message,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint8,
  Uint16,
  Uint32,
} from "apache-arrow";
import { type Block, newBlock, type Sink, type Source } from "../engine/block.ts";
import { KINDS } from "../engine/transition.ts";
import { createDigest, type Digest } from "./digest.ts";
import { FileSink, writeError } from "./file-sink.ts";
import { splitInt64 } from "./int64.ts";
import {
  type BatchFacts,
  COLUMN_MEANING,
  FORMAT_VERSION,
  KEYFRAME_KEY,
  META_KEY,
  type QualityCounter,
  type RunEnd,
  type RunInfo,
  STORED_COLUMNS,
  type StoredColumn,
  type TraceHeader,
} from "./trace-format.ts";

/**
 * apache-arrow's file writer leaves the schema message out of the stream part: only the footer has it. The
 * format wants it there, and a recording that was killed has no footer.
 */
class FileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    this._writeMagic()._writePadding(2)._writeMessage(Message.from(schema));
    return this;
  }
}

function arrowType(column: StoredColumn): Int {
  const types = column.signed ? { 8: Int8, 16: Int16, 32: Int32, 64: Int64 } : { 8: Uint8, 16: Uint16, 32: Uint32, 64: Int64 };
  return new types[column.bits as keyof typeof types]();
}

function arrowSchema(source: Source, run: RunInfo): Schema {
  const fields = STORED_COLUMNS.map(
    (column) => new Field(column.name, arrowType(column), false, new Map([["meaning", COLUMN_MEANING[column.name]]])),
  );
  const header: TraceHeader = { format: FORMAT_VERSION, run, sites: [...source.sites], kinds: [...KINDS] };
  return new Schema(fields, new Map([[META_KEY, JSON.stringify(header)]]));
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

/**
 * Start a file; it must not exist. The lists of `source` are read at each `put`, its keyframe too, so `put` must
 * be called between two steps. `digest` is another one only where hashing itself is measured. Throws TraceError when
 * writing fails.
 */
export function createArrowWriter(path: string, source: Source, run: RunInfo, digest: Digest = createDigest()): ArrowWriter {
  const fd = fs.openSync(path, "wx");
  const sink = new FileSink(path, fd);
  const schema = arrowSchema(source, run);
  const struct = new Struct(schema.fields);
  const writer = new FileWriter().reset(sink, schema);
  const empty = newBlock(0);
  const halves = new Map<string, Int32Array>();
  const written = { threads: 0, texts: 0, decisions: 0 };
  let rows = 0;
  let time = 0;
  let writtenAt = Date.now();
  let open = true;

  /** The file's form of a column: the block's own memory, or Int64 halves of it. */
  const columnData = (column: StoredColumn, block: Block): Data => {
    const values = block[column.name];
    if (!(values instanceof Float64Array)) {
      return makeData({ type: arrowType(column), length: block.n, nullCount: 0, data: values.subarray(0, block.n) }) as Data;
    }
    let pairs = halves.get(column.name);
    if (pairs === undefined || pairs.length < 2 * block.n) halves.set(column.name, (pairs = new Int32Array(2 * block.n)));
    splitInt64(values, block.n, pairs);
    const data = new BigInt64Array(pairs.buffer as ArrayBuffer, 0, block.n);
    return makeData({ type: new Int64(), length: block.n, nullCount: 0, data }) as Data;
  };

  /** What the source's lists have gained since the last call. */
  const newFacts = (): BatchFacts => {
    const facts: BatchFacts = {
      seq0: rows,
      threads: source.threads.slice(written.threads),
      texts: source.texts.slice(written.texts),
      decisions: source.decisions.slice(written.decisions),
    };
    written.threads += facts.threads.length;
    written.texts += facts.texts.length;
    written.decisions += facts.decisions.length;
    return facts;
  };

  const writeBatch = (block: Block, facts: BatchFacts, keyframe: string | null): void => {
    const metadata = new Map([[META_KEY, JSON.stringify(facts)]]);
    if (keyframe !== null) metadata.set(KEYFRAME_KEY, keyframe);
    const children = STORED_COLUMNS.map((column) => columnData(column, block));
    const data = makeData({ type: struct, length: block.n, nullCount: 0, children });
    writer.write(new RecordBatch(schema, data as Data<Struct>, metadata));
    sink.flush();
    writtenAt = Date.now();
  };

  const close = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };

  sink.flush();
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
      writeBatch(block, newFacts(), source.keyframe());
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
