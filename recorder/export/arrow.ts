/** An Arrow stream with names: thread, kind, flow and the like are dictionaries, so that a data frame needs no joins. */

import type { DataType } from "apache-arrow";
import { type Block, COLUMN_NAMES, COLUMNS, type ColumnName, KINDS, type Site, type StateColumn, signalName } from "../../engine/index.ts";
import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";

/** The column `signal` has numbers below. */
const SIGNAL_NUMBERS = 256;

/** A column whose values are names: `indices` gives, for a block, the place of each row's name in `names`. */
interface Named {
  readonly name: string;
  readonly names: readonly string[];
  readonly indices: (block: Block) => Uint32Array;
}

const SITE_TEXTS = ["flow", "label", "layer", "context"] as const satisfies readonly (keyof Site)[];

function namedColumns({ threads, sites, texts }: Trace): Named[] {
  const ofSite = SITE_TEXTS.map((member): Named => {
    const names = [...new Set(sites.map((site) => site[member]))];
    const places = new Map(names.map((name, place) => [name, place]));
    const bySite = Uint32Array.from(sites, (site) => places.get(site[member]) ?? 0);
    return { name: member, names, indices: ({ site, n }) => Uint32Array.from(site.subarray(0, n), (id) => bySite[id] as number) };
  });
  return [
    { name: "thread", names: threads.map(({ name }) => name), indices: ({ thread, n }) => thread.slice(0, n) },
    { name: "kind", names: KINDS.map(({ name }) => name), indices: ({ kind, n }) => Uint32Array.from(kind.subarray(0, n)) },
    {
      name: "signal",
      names: Array.from({ length: SIGNAL_NUMBERS }, (_, number) => (number === 0 ? "" : signalName(number))),
      indices: ({ signal, n }) => Uint32Array.from(signal.subarray(0, n)),
    },
    ...ofSite,
    { name: "detail", names: texts.length === 0 ? [""] : texts, indices: ({ detail, n }) => detail.slice(0, n) },
  ];
}

/** Columns that stay numbers. */
const NUMBERS = COLUMN_NAMES.filter((name) => !["thread", "site", "kind", "signal", "detail"].includes(name));

const isAbsent = (trace: Trace, name: ColumnName): boolean => trace.absent.includes(name as StateColumn);

export const arrow: Exporter = {
  id: "arrow",
  extension: ".arrows",
  text: "an Arrow stream, names as dictionaries; for data frames",
  binary: true,
  async write(trace, sink) {
    const lib = await import("apache-arrow");
    const {
      AsyncByteQueue,
      Data,
      Dictionary,
      Field,
      Float64,
      makeData,
      RecordBatch,
      RecordBatchStreamWriter,
      Schema,
      Struct,
      Uint32,
      Utf8,
    } = lib;
    const typeOf = (name: ColumnName): DataType => {
      switch (COLUMNS[name]) {
        case Int32Array:
          return new lib.Int32();
        case Int16Array:
          return new lib.Int16();
        case Uint16Array:
          return new lib.Uint16();
        case Uint8Array:
          return new lib.Uint8();
        default:
          return new Float64();
      }
    };
    const named = namedColumns(trace).map(({ name, names, indices }, id) => ({
      name,
      indices,
      type: new Dictionary(new Utf8(), new Uint32(), id),
      dictionary: lib.vectorFromArray(names, new Utf8()),
    }));
    const fields = [
      new Field("seq", new Float64(), false),
      ...NUMBERS.map((name) => new Field(name === "time" ? "time_ns" : name, typeOf(name), isAbsent(trace, name))),
      ...named.map(({ name, type }) => new Field(name, type, false)),
    ];
    const schema = new Schema(fields);

    /** The columns are copies: the block's memory is used for the next one. */
    const batchOf = (block: Block) => {
      const { n: length, seq0 } = block;
      const numbers = NUMBERS.map((name) => {
        const values = block[name].slice(0, length);
        if (!isAbsent(trace, name)) return new Data(typeOf(name), 0, length, 0, [undefined, values]);
        return new Data(typeOf(name), 0, length, length, [undefined, values, new Uint8Array(Math.ceil(length / 8))]);
      });
      const names = named.map(({ indices, type, dictionary }) => makeData({ type, length, data: indices(block), dictionary }));
      const seqs = makeData({ type: new Float64(), length, data: Float64Array.from({ length }, (_, i) => seq0 + i) });
      return new RecordBatch(schema, makeData({ type: new Struct(fields), length, children: [seqs, ...numbers, ...names] }));
    };

    const pieces: Uint8Array[] = [];
    class Pieces extends AsyncByteQueue {
      override write(piece: Uint8Array): void {
        if (piece.byteLength > 0) pieces.push(piece.slice());
      }
    }
    const writer = new RecordBatchStreamWriter();
    writer.reset(new Pieces(), schema);
    const handOver = async (): Promise<void> => {
      for (const piece of pieces.splice(0)) await sink(piece);
    };
    for (const block of trace.rows()) {
      writer.write(batchOf(block));
      await handOver();
    }
    writer.finish();
    await handOver();
  },
};
