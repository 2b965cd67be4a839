import fs from "node:fs";
import { type Message, MessageReader, tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Block,
  COLUMN_NAMES,
  COLUMNS,
  type ColumnName,
  newBlock,
  type Source,
  STATE_COLUMNS,
  type StateColumn,
  transitionAt,
} from "../../engine/block.ts";
import { KIND_COUNT, KINDS } from "../../engine/transition.ts";
import { openTransitions } from "../../recorder/arrow/read.ts";
import { createArrowWriter } from "../../recorder/arrow/write.ts";
import { COLUMN_MEANING } from "../../recorder/format/columns.ts";
import { FORMAT_VERSION } from "../../recorder/format/version.ts";
import { rowsSource, syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** Values each column may hold in a valid trace with 3 threads, 40 sites and 3 texts. */
const RANGES: Readonly<Record<ColumnName, fc.Arbitrary<number>>> = {
  time: fc.maxSafeNat(),
  thread: fc.nat(2),
  site: fc.nat(39),
  kind: fc.nat(KIND_COUNT - 1),
  signal: fc.nat(255),
  value: fc.maxSafeInteger(),
  extra: fc.integer(),
  depth: fc.nat(65_535),
  cssa: fc.nat(255),
  preempt: fc.integer({ min: -32_768, max: 32_767 }),
  pending: fc.nat(65_535),
  detail: fc.nat(2),
};
const rowArbitrary = fc.record(RANGES);

function blockOf(rows: readonly Record<ColumnName, number>[], seq0: number): Block {
  const block = newBlock(Math.max(1, rows.length));
  rows.forEach((row, i) => {
    for (const name of COLUMN_NAMES) block[name][i] = row[name];
  });
  return Object.assign(block, { n: rows.length, seq0 });
}

const lists = (): Source => ({
  ...syntheticSource(),
  threads: ["a", "b", "c"].map((name, tid) => ({ name, pid: 1, tid, internal: tid === 2 })),
  texts: ["", "\u0000\n", "\u{1f600} \ud800"],
  decisions: [{ seq: 0, point: "schedule", choice: 2 }],
});

const END = { reason: "finished", interrupted: false, quality: [] } as const;

describe("block to file to block", () => {
  test("any values, any cut", () => {
    fc.assert(
      fc.property(fc.array(fc.array(rowArbitrary, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const path = fresh("any.arrow");
        const writer = createArrowWriter(path, lists(), testInfo());
        let seq = 0;
        for (const part of parts) {
          writer.put(blockOf(part, seq));
          seq += part.length;
        }
        const end = writer.finish(END);
        expect(writer.bytes).toBe(fs.statSync(path).size);
        const reader = openTransitions(path);
        expect([reader.rows, reader.complete, reader.lostBytes, reader.stopped]).toEqual([seq, true, 0, ""]);
        expect(reader.end).toEqual(end);
        const rows = reader.batches.flatMap((_, i) => {
          const block = reader.readBlock(i);
          return Array.from({ length: block.n }, (_, row) => transitionAt(block, row));
        });
        expect(rows).toEqual(parts.flat().map((row, i) => ({ ...row, value: row.value + 0, seq: i })));
        reader.close();
        fs.rmSync(path);
      }),
      { numRuns: 40 },
    );
  });

  test("the lists, the header and the keyframes come back", () => {
    const path = fresh("lists.arrow");
    const source = syntheticSource({ rows: 3000, blockRows: 1024 });
    const writer = createArrowWriter(path, source, testInfo());
    source.run(3000, writer);
    source.flush(writer);
    writer.finish(END);
    const reader = openTransitions(path);
    expect(reader.info).toEqual(testInfo());
    expect(reader.sites).toEqual(source.sites);
    expect(reader.threads).toEqual(source.threads);
    expect(reader.texts).toEqual(source.texts);
    expect([...reader.decisions()]).toEqual(source.decisions);
    expect(reader.batches.map((b) => [b.seq0, b.rows])).toEqual([
      [0, 1024],
      [1024, 1024],
      [2048, 952],
    ]);
    expect(JSON.parse(String(reader.keyframe(1)))).toMatchObject({ seq: 2048 });
    expect([0, 1023, 1024, 2999, 3000, -1].map((seq) => reader.batchOf(seq))).toEqual([0, 0, 1, 2, -1, -1]);
    reader.close();
  });

  test("a block is used again", () => {
    const path = fresh("reuse.arrow");
    const source = syntheticSource({ rows: 2500, blockRows: 1000 });
    const writer = createArrowWriter(path, source, testInfo());
    source.run(2500, writer);
    source.flush(writer);
    writer.finish(END);
    const reader = openTransitions(path);
    const block = reader.readBlock(0);
    const last = reader.readBlock(2, block);
    expect(last).toBe(block);
    expect(block).toMatchObject({ seq0: 2000, n: 500 });
    expect(reader.readBlock(1, last)).toBe(block);
    expect(block).toMatchObject({ seq0: 1000, n: 1000 });
    expect(block.time.length).toBe(1000);
    reader.close();
  });
});

describe("other readers", () => {
  const written = () => {
    const path = fresh("other.arrow");
    const source = syntheticSource({ rows: 5000, blockRows: 2048 });
    const writer = createArrowWriter(path, source, testInfo());
    source.run(5000, writer);
    source.flush(writer);
    writer.finish(END);
    return path;
  };

  test("apache-arrow reads the same through the footer", () => {
    const path = written();
    const table = tableFromIPC(fs.readFileSync(path));
    const reader = openTransitions(path);
    expect(table.numRows).toBe(5000);
    expect(table.schema.fields.map((f) => f.name)).toEqual(COLUMN_NAMES);
    for (const field of table.schema.fields) expect(field.metadata.get("meaning")).toBe(COLUMN_MEANING[field.name as ColumnName]);
    expect(JSON.parse(table.schema.metadata.get("eintr") ?? "")).toMatchObject({ format: FORMAT_VERSION, kinds: KINDS, absent: [] });
    for (const name of COLUMN_NAMES) {
      const ours = reader.batches.flatMap((_, i) => [...reader.readBlock(i)[name]]);
      const theirs = Array.from(table.getChild(name) ?? [], Number);
      expect(theirs, name).toEqual(ours);
    }
    reader.close();
  });

  test("columns of state that the source does not have are NULL, the others are as they were", () => {
    const path = fresh("absent.arrow");
    const absent: StateColumn[] = ["cssa", "pending"];
    // Full blocks of eight rows are written in one piece; the last one has three.
    const source = rowsSource(
      Array.from({ length: 19 }, (_, i) => ({ k: "step" as const, value: i, depth: 1 + i, preempt: 1 - i })),
      {},
      8,
    );
    const writer = createArrowWriter(path, { ...source, absent }, testInfo());
    source.run(19, writer);
    source.flush(writer);
    writer.finish(END);
    const table = tableFromIPC(fs.readFileSync(path));
    for (const field of table.schema.fields) {
      expect(field.nullable, field.name).toBe((STATE_COLUMNS as readonly string[]).includes(field.name));
      expect(table.getChild(field.name)?.nullCount, field.name).toBe((absent as string[]).includes(field.name) ? 19 : 0);
    }
    expect(Array.from(table.getChild("cssa") ?? [])).toEqual(new Array(19).fill(null));
    expect(Array.from(table.getChild("preempt") ?? [], Number)).toEqual(Array.from({ length: 19 }, (_, i) => 1 - i));
    const reader = openTransitions(path);
    expect(reader.absent).toEqual(absent);
    const rows = reader.batches.flatMap((_, i) => {
      const block = reader.readBlock(i);
      return Array.from({ length: block.n }, (_, row) => [block.cssa[row], block.value[row], block.depth[row]]);
    });
    expect(rows).toEqual(Array.from({ length: 19 }, (_, i) => [0, i, 1 + i]));
    reader.close();
  });

  test("the stream part is whole without the footer: schema, batches, end", () => {
    const bytes = fs.readFileSync(written());
    const reader = new MessageReader(bytes.subarray(8));
    const types: number[] = [];
    for (let message: Message | null = reader.readMessage(); message !== null; message = reader.readMessage()) {
      types.push(message.headerType);
      reader.readMessageBody(message.bodyLength);
    }
    // Schema, three batches of rows, the closing one.
    expect(types).toEqual([1, 3, 3, 3, 3]);
  });

  test("column types are those of the block", () => {
    const table = tableFromIPC(fs.readFileSync(written()));
    for (const field of table.schema.fields) {
      const array = COLUMNS[field.name as ColumnName];
      expect(String(field.type)).toBe(array.name.replace("Array", ""));
    }
  });
});

test("blocks must follow each other", () => {
  const writer = createArrowWriter(fresh("gap.arrow"), lists(), testInfo());
  const block = newBlock(1);
  expect(() => writer.put(Object.assign(block, { n: 1, seq0: 5 }))).toThrow("block starts at seq 5, expected 0");
  writer.abandon();
});
