/**
 * Apache Parquet, the columns of the view `transitions`: for DuckDB, pandas, Spark and the like. Texts are dictionaries, whole numbers
 * INT64 or INT32, what a trace does not know is NULL.
 */

import type { ByteWriter } from "hyparquet-writer";
import {
  type Block,
  COLUMN_NAMES,
  COLUMNS,
  type ColumnName,
  kindName,
  STATE_COLUMNS,
  type StateColumn,
  signalName,
} from "../../engine/index.ts";
import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";
import { NAMED_COLUMNS } from "./named-rows.ts";

/** Rows of a group: what is in memory at one time. */
const GROUP_ROWS = 131_072;

type Cells = (string | null)[] | Int32Array | BigInt64Array | null[];

/** A column of the file; `data` gives its cells for the rows of some blocks. */
interface Column {
  readonly name: string;
  readonly type: "STRING" | "INT32" | "INT64";
  readonly nullable: boolean;
  readonly data: (rows: Rows) => Cells;
}

/** Rows that are gathered for a group, by column. */
type Rows = { readonly [C in ColumnName]: InstanceType<(typeof COLUMNS)[C]> } & { readonly seq0: number; readonly n: number };

export const parquet: Exporter = {
  id: "parquet",
  extension: ".parquet",
  text: "Apache Parquet, the columns of csv; for DuckDB, pandas, Spark",
  binary: true,
  async write(trace, sink) {
    const { ByteWriter: Bytes, ParquetWriter, schemaFromColumnData } = await import("hyparquet-writer");
    const columns = columnsOf(trace);
    const out = new Bytes();
    const schema = schemaFromColumnData({ columnData: columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] })) });
    const writer = new ParquetWriter({ writer: out, schema, createdBy: `eintr ${trace.info.eintr}` });
    const group = createGroup();
    const writeGroup = async (): Promise<void> => {
      const rows = group.take();
      if (rows.n > 0) writer.write({ columnData: columns.map(({ name, data }) => ({ name, data: data(rows) })), rowGroupSize: GROUP_ROWS });
      await sink(taken(out));
    };
    for (const block of trace.rows()) {
      if (!group.fits(block)) await writeGroup();
      group.put(block);
      // Lets the sink say that nobody wants more.
      await sink("");
    }
    await writeGroup();
    writer.finish();
    await sink(taken(out));
  },
};

/** What was written since the last time. */
function taken(out: ByteWriter): Uint8Array {
  const bytes = out.getBytes().slice();
  out.index = 0;
  return bytes;
}

interface Group {
  fits(block: Block): boolean;
  put(block: Block): void;
  /** All that was put; the memory is used again after the next `put`. */
  take(): Rows;
}

function createGroup(): Group {
  const memory = Object.fromEntries(COLUMN_NAMES.map((name) => [name, new COLUMNS[name](GROUP_ROWS)])) as Record<ColumnName, Float64Array>;
  let seq0 = 0;
  let n = 0;
  return {
    fits: (block) => n + block.n <= GROUP_ROWS,
    put(block) {
      if (n === 0) seq0 = block.seq0;
      for (const name of COLUMN_NAMES) memory[name].set(block[name].subarray(0, block.n), n);
      n += block.n;
    },
    take() {
      const rows = { ...Object.fromEntries(COLUMN_NAMES.map((name) => [name, memory[name].subarray(0, n)])), seq0, n } as Rows;
      n = 0;
      return rows;
    },
  };
}

function columnsOf(trace: Trace): Column[] {
  const { sites, threads, texts, absent } = trace;
  const names = (name: string, nullable: boolean, list: (id: number) => string | null, of: (rows: Rows) => ArrayLike<number>): Column => ({
    name,
    type: "STRING",
    nullable,
    data: (rows) => Array.from(of(rows), list),
  });
  const site = (name: "flow" | "label" | "layer" | "context"): Column =>
    names(
      name,
      true,
      (id) => sites[id]?.[name] ?? null,
      (rows) => rows.site,
    );
  const small = (name: "extra"): Column => ({ name, type: "INT32", nullable: false, data: (rows) => rows[name] });
  const state = (name: StateColumn): Column => ({
    name,
    type: "INT32",
    nullable: absent.includes(name),
    data: (rows) => (absent.includes(name) ? new Array<null>(rows.n).fill(null) : Int32Array.from(rows[name])),
  });
  const made: Column[] = [
    { name: "seq", type: "INT64", nullable: false, data: ({ seq0, n }) => wide(Float64Array.from({ length: n }, (_, i) => seq0 + i)) },
    { name: "time_ns", type: "INT64", nullable: false, data: ({ time }) => wide(time) },
    names(
      "thread",
      true,
      (id) => threads[id]?.name ?? null,
      ({ thread }) => thread,
    ),
    names("kind", false, kindName, ({ kind }) => kind),
    names(
      "signal",
      true,
      (id) => (id === 0 ? null : signalName(id)),
      ({ signal }) => signal,
    ),
    { name: "value", type: "INT64", nullable: false, data: ({ value }) => wide(value) },
    small("extra"),
    site("flow"),
    site("label"),
    site("layer"),
    site("context"),
    ...STATE_COLUMNS.map(state),
    names(
      "detail",
      true,
      (id) => texts[id] ?? "",
      ({ detail }) => detail,
    ),
  ];
  if (made.some(({ name }, i) => name !== NAMED_COLUMNS[i])) throw new Error("the columns are not those of the other exporters");
  return made;
}

const TWO_32 = 2 ** 32;

/** The same whole numbers in 64 bits, made from two halves: a BigInt for each would cost more than the rest. */
function wide(values: Float64Array): BigInt64Array {
  const made = new BigInt64Array(values.length);
  const halves = new Int32Array(made.buffer);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    // Both are taken modulo 2^32 as they are stored.
    halves[2 * i] = value % TWO_32;
    halves[2 * i + 1] = Math.floor(value / TWO_32);
  }
  return made;
}
