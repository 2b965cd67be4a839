/**
 * Reads the flatbuffer headers of Arrow IPC messages: just what a trace needs, every access bounds-checked
 * (DataView throws RangeError), no loop longer than the bytes that are there. apache-arrow's decoder trusts
 * vector lengths, and a stranger's file could keep it busy for minutes.
 * Source: Arrow format, Message.fbs and Schema.fbs; field numbers below are theirs.
 */

/** Bytes of a text inside the message, not decoded yet. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface SchemaField {
  readonly name: string;
  /** "uint8", "int32", "float64", ...; empty for what no trace has. */
  readonly type: string;
  readonly dictionary: boolean;
}

export interface Message {
  readonly type: "schema" | "batch" | "other";
  readonly bodyLength: number;
  /** Custom metadata: of the schema, or of the message for batches. */
  readonly metadata: ReadonlyMap<string, Span>;
  /** Schema only. */
  readonly fields: readonly SchemaField[];
  /** Batch only. */
  readonly rows: number;
  /** Batch only: places of the buffers in the body, two a column (validity, values). */
  readonly buffers: readonly Span[];
  /** Batch only. */
  readonly compressed: boolean;
}

const HEADER_SCHEMA = 1;
const HEADER_BATCH = 3;
const TYPE_INT = 2;
const TYPE_FLOAT = 3;
const PRECISION_DOUBLE = 2;
/** More columns or keys than any trace has. */
const MAX_ENTRIES = 1024;
/** Longer than any name of a column or key. */
const MAX_NAME_BYTES = 4096;

class Table {
  private readonly vtable: number;
  private readonly vtableSize: number;

  constructor(
    readonly bytes: Buffer,
    readonly view: DataView,
    readonly position: number,
    /** Length of the whole message, of which `bytes` may be the beginning. */
    readonly whole: number,
  ) {
    this.vtable = position - view.getInt32(position, true);
    this.vtableSize = view.getUint16(this.vtable, true);
  }

  /** Absolute place of field `n`, 0 when absent. */
  private at(n: number): number {
    const slot = 4 + 2 * n;
    if (slot + 2 > this.vtableSize) return 0;
    const offset = this.view.getUint16(this.vtable + slot, true);
    return offset === 0 ? 0 : this.position + offset;
  }

  byte(n: number): number {
    const at = this.at(n);
    return at === 0 ? 0 : this.view.getUint8(at);
  }

  int16(n: number): number {
    const at = this.at(n);
    return at === 0 ? 0 : this.view.getInt16(at, true);
  }

  int32(n: number): number {
    const at = this.at(n);
    return at === 0 ? 0 : this.view.getInt32(at, true);
  }

  int64(n: number): number {
    const at = this.at(n);
    return at === 0 ? 0 : length64(this.view, at);
  }

  private follow(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  table(n: number): Table | null {
    const at = this.at(n);
    return at === 0 ? null : new Table(this.bytes, this.view, this.follow(at), this.whole);
  }

  /** Where the offset of field `n` is kept; the field must be there. */
  place(n: number): number {
    const at = this.at(n);
    if (at === 0) throw new RangeError(`no field ${n}`);
    return at;
  }

  text(n: number): Span {
    const at = this.at(n);
    if (at === 0) return { offset: 0, length: 0 };
    const start = this.follow(at);
    const length = this.view.getUint32(start, true);
    if (start + 4 + length > this.whole) throw new RangeError("a text reaches beyond the message");
    return { offset: start + 4, length };
  }

  /** Start and length of a vector whose elements have `size` bytes. */
  vector(n: number, size: number): { start: number; length: number } {
    const at = this.at(n);
    if (at === 0) return { start: 0, length: 0 };
    const start = this.follow(at);
    const length = this.view.getUint32(start, true);
    if (length > MAX_ENTRIES || start + 4 + length * size > this.bytes.length) {
      throw new RangeError(`a list of ${length} entries`);
    }
    return { start: start + 4, length };
  }

  tables(n: number): Table[] {
    const { start, length } = this.vector(n, 4);
    const tables: Table[] = [];
    for (let i = 0; i < length; i++) tables.push(new Table(this.bytes, this.view, this.follow(start + 4 * i), this.whole));
    return tables;
  }
}

/** A length or offset of 64 bits; negative and inexact ones are refused. */
function length64(view: DataView, at: number): number {
  const low = view.getUint32(at, true);
  const high = view.getInt32(at + 4, true);
  if (high < 0 || high >= 0x20_0000) throw new RangeError("a 64-bit length out of range");
  return high * 4_294_967_296 + low;
}

export function spanText(bytes: Buffer, span: Span): string {
  return bytes.toString("utf8", span.offset, span.offset + span.length);
}

/** Text of a name or key. */
function nameText(bytes: Buffer, span: Span): string {
  if (span.length > MAX_NAME_BYTES) throw new RangeError(`a name of ${span.length} bytes`);
  if (span.offset + span.length > bytes.length) throw new RangeError("a name beyond what was read");
  return spanText(bytes, span);
}

function keyValues(bytes: Buffer, entries: readonly Table[]): Map<string, Span> {
  return new Map(entries.map((entry) => [nameText(bytes, entry.text(0)), entry.text(1)]));
}

function schemaField(bytes: Buffer, field: Table): SchemaField {
  const type = field.table(3);
  return {
    name: nameText(bytes, field.text(0)),
    type: type === null ? "" : typeName(field.byte(2), type),
    dictionary: field.table(4) !== null,
  };
}

function typeName(kind: number, type: Table): string {
  if (kind === TYPE_INT) return `${type.byte(1) === 1 ? "int" : "uint"}${type.int32(0)}`;
  return kind === TYPE_FLOAT && type.int16(0) === PRECISION_DOUBLE ? "float64" : "";
}

function batchBuffers(batch: Table): Span[] {
  const { start, length } = batch.vector(2, 16);
  const buffers: Span[] = [];
  for (let at = start; at < start + 16 * length; at += 16) {
    buffers.push({ offset: length64(batch.view, at), length: length64(batch.view, at + 8) });
  }
  return buffers;
}

/** Where in a flatbuffer of the writer's the offset of each metadata text is kept, in order: of a batch, a schema, a file's footer. */
export function textPlaces(of: "batch" | "schema" | "footer", flatbuffer: Uint8Array): number[] {
  const bytes = Buffer.from(flatbuffer.buffer, flatbuffer.byteOffset, flatbuffer.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const root = new Table(bytes, view, view.getUint32(0, true), bytes.length);
  const texts = of === "batch" ? root.tables(4) : root.table(of === "schema" ? 2 : 1)?.tables(2);
  return (texts ?? []).map((entry) => entry.place(1));
}

/**
 * Parse the flatbuffer of one message, or its first `bytes` of a `whole`: then the texts need not be there. Throws RangeError when it
 * does not hold together, or something besides the metadata's texts is beyond `bytes`.
 */
export function parseMessage(bytes: Buffer, whole = bytes.length): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message = new Table(bytes, view, view.getUint32(0, true), whole);
  const none = { fields: [], rows: 0, buffers: [], compressed: false };
  const bodyLength = message.int64(3);
  const header = message.table(2);
  const type = message.byte(1);
  if (header !== null && type === HEADER_SCHEMA) {
    const fields = header.tables(1).map((field) => schemaField(bytes, field));
    return { ...none, type: "schema", bodyLength, fields, metadata: keyValues(bytes, header.tables(2)) };
  }
  if (header !== null && type === HEADER_BATCH) {
    return {
      ...none,
      type: "batch",
      bodyLength,
      metadata: keyValues(bytes, message.tables(4)),
      rows: header.int64(0),
      buffers: batchBuffers(header),
      compressed: header.table(3) !== null,
    };
  }
  return { ...none, type: "other", bodyLength, metadata: new Map() };
}
