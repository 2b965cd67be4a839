/** From the body of a record batch to a block of columns, and the checks that make its ids safe to use as indexes. */

import type { Block, ColumnName } from "../engine/block.ts";
import { KIND_COUNT } from "../engine/transition.ts";
import type { Message, Span } from "./arrow-message.ts";
import { TraceError } from "./errors.ts";
import { joinInt64 } from "./int64.ts";
import { STORED_COLUMNS } from "./trace-format.ts";

/** Values buffer of each column: the second of its two buffers (columns have no nulls, so the first is empty). */
export const columnSpans = (message: Message): (Span | undefined)[] => STORED_COLUMNS.map((_, i) => message.buffers[2 * i + 1]);

/**
 * Point the columns of `block` into `body` (which must outlive it), or copy where alignment does not allow that;
 * `time` and `value` are converted. Spans were checked when the file was opened.
 */
export function fillBlock(
  path: string,
  place: (row: number) => string,
  body: Buffer,
  spans: readonly (Span | undefined)[],
  block: Block,
): void {
  for (const [i, column] of STORED_COLUMNS.entries()) {
    const span = spans[i];
    const bytes = (block.n * column.bits) / 8;
    if (span === undefined || span.offset + bytes > body.length) throw new RangeError(`column ${column.name} outside the body`);
    const raw = body.subarray(span.offset, span.offset + bytes);
    if (!column.converted) {
      setColumn(block, column.name, raw);
      continue;
    }
    const bad = joinInt64(aligned(raw, Int32Array), block.n, block[column.name] as Float64Array);
    if (bad >= 0) throw new TraceError(path, place(bad), `${column.name} is 2^53 or more`, "Expected integers below 2^53");
  }
}

type IntColumn = typeof Uint8Array | typeof Uint16Array | typeof Uint32Array | typeof Int16Array | typeof Int32Array;

function aligned<T extends IntColumn>(raw: Buffer, type: T): InstanceType<T> {
  const bytes = raw.byteOffset % type.BYTES_PER_ELEMENT === 0 ? raw : Uint8Array.from(raw);
  return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT) as InstanceType<T>;
}

function setColumn(block: Block, name: ColumnName, raw: Buffer): void {
  const type = block[name].constructor as IntColumn;
  (block as unknown as Record<string, unknown>)[name] = aligned(raw, type);
}

/** Refuse ids that have no row in their table. */
export function checkIds(
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
