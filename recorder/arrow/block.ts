/** From the body of a record batch to a block of columns, and the checks that make its ids safe to use as indexes. */

import { type Block, COLUMN_NAMES, COLUMNS, type ColumnName, KIND_COUNT } from "../../engine/index.ts";
import { columnsOf, notYetIn, type StoredColumn } from "../format/columns.ts";
import { TraceError } from "../format/errors.ts";
import { COLUMN_SLACK, MAX_BATCH_ROWS } from "../format/metadata.ts";
import type { Message, Span } from "./message.ts";

/** Values buffer of each column: the second of its two buffers. The first says what is NULL; the header says it for all batches. */
export const columnSpans = (message: Message, format: number): (Span | undefined)[] =>
  columnsOf(format).map((_, i) => message.buffers[2 * i + 1]);

/** A column that may be absent has a bit a row, besides. */
const rowBytes = (columns: readonly StoredColumn[]): number =>
  columns.reduce((sum, { size, nullable }) => sum + size + (nullable ? 1 / 8 : 0), 0);

/** Why the body of a batch with this header cannot be read, or null. A length is believed only as far as rows account for it. */
export function bodyProblem(message: Message, format: number): string | null {
  const { rows, bodyLength } = message;
  const columns = columnsOf(format);
  if (message.compressed) return "the batch is compressed, expected plain columns";
  if (rows > MAX_BATCH_ROWS) return `a batch of ${rows} rows, expected at most ${MAX_BATCH_ROWS}`;
  const most = Math.ceil(rows * rowBytes(columns)) + columns.length * COLUMN_SLACK;
  if (bodyLength > most) return `a body of ${bodyLength} bytes, expected at most ${most} for ${rows} rows`;
  const spans = columnSpans(message, format);
  const outside = columns.find(({ size }, i) => {
    const span = spans[i];
    return span === undefined || span.length < rows * size || span.offset + span.length > bodyLength;
  });
  return outside === undefined ? null : `column ${outside.name} does not fit ${rows} rows into the batch's ${bodyLength} bytes`;
}

/**
 * Point the columns of `block` into `body` (which must outlive it), or copy where alignment does not allow that. Spans were
 * checked when the file was opened. What files of that format do not have yet is zeros, as all that is absent.
 */
export function fillBlock(body: Buffer, spans: readonly (Span | undefined)[], block: Block, format: number): void {
  for (const name of notYetIn(format)) putColumn(block, name, new COLUMNS[name](block.n));
  for (const [i, { name, size }] of columnsOf(format).entries()) {
    const span = spans[i];
    const bytes = block.n * size;
    if (span === undefined || span.offset + bytes > body.length) throw new RangeError(`column ${name} outside the body`);
    setColumn(block, name, body.subarray(span.offset, span.offset + bytes));
  }
}

type ColumnType = (typeof COLUMNS)[ColumnName];

function setColumn(block: Block, name: ColumnName, raw: Buffer): void {
  const type = COLUMNS[name] as ColumnType;
  const bytes = raw.byteOffset % type.BYTES_PER_ELEMENT === 0 ? raw : Uint8Array.from(raw);
  putColumn(block, name, new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, block.n));
}

function putColumn(block: Block, name: ColumnName, values: InstanceType<ColumnType>): void {
  (block as unknown as Record<string, unknown>)[name] = values;
}

/** Refuse what no column may hold: ids that have no row in their table, numbers that are no exact integers. */
export function checkValues(
  path: string,
  place: (row: number) => string,
  block: Block,
  known: { threads: number; sites: number; texts: number },
): void {
  for (const name of COLUMN_NAMES) {
    const values = block[name];
    const row = values instanceof Float64Array ? firstInexact(values, block.n) : -1;
    if (row >= 0) throw new TraceError(path, place(row), `${name} is ${values[row]}`, "Expected integers below 2^53");
  }
  checkIds(path, place, block, known);
}

function firstInexact(values: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (!Number.isSafeInteger(values[i])) return i;
  return -1;
}

function checkIds(
  path: string,
  place: (row: number) => string,
  block: Block,
  known: { threads: number; sites: number; texts: number },
): void {
  const check = (name: "kind" | "thread" | "site" | "detail", limit: number) => {
    const row = firstAtLeast(block[name], block.n, limit);
    if (row < 0) return;
    throw new TraceError(
      path,
      place(row),
      `${name} ${block[name][row]} does not exist, expected less than ${limit}`,
      "The file is damaged here; record it again or use another copy",
    );
  };
  check("kind", KIND_COUNT);
  check("thread", known.threads);
  check("site", known.sites);
  // Text 0 is the empty text; a source need not list it.
  check("detail", Math.max(1, known.texts));
}

function firstAtLeast(values: Uint8Array | Uint16Array | Uint32Array, n: number, limit: number): number {
  for (let i = 0; i < n; i++) if ((values[i] as number) >= limit) return i;
  return -1;
}
