/** Arrow files made to mislead: numbers that no column holds, lengths that nothing accounts for, damage anywhere. */

import fs from "node:fs";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { newBlock, type Source } from "../../engine/block.ts";
import { parseMessage } from "../../recorder/arrow/message.ts";
import { type BatchEntry, openTransitions } from "../../recorder/arrow/read.ts";
import { createArrowWriter } from "../../recorder/arrow/write.ts";
import { ARROW_NAME, DB_NAME, openTrace, type RunInfo, record, TraceError } from "../../recorder/index.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** A trace folder whose Arrow file is these bytes. */
function traceOf(content: Uint8Array): string {
  const dir = fresh("strange.trace");
  fs.mkdirSync(dir);
  fs.writeFileSync(`${dir}/${ARROW_NAME}`, content);
  return dir;
}

/** What is in the database of the trace: rows, and why it is not whole. */
async function sealed(dir: string): Promise<{ rows: unknown; lost: unknown }> {
  const trace = await openTrace(dir);
  try {
    const [[rows] = []] = trace.ask("SELECT count(*) FROM transition");
    const [[lost] = []] = trace.ask("SELECT advice FROM quality WHERE name = 'bytes-lost'");
    return { rows, lost };
  } finally {
    trace.close();
  }
}

describe("numbers in the metadata", () => {
  /** A closed trace of one row with these lists. The writer takes what its source gives. */
  const written = (lists: Partial<Source> = {}, info: Partial<RunInfo> = {}, time = 7): string => {
    const dir = fresh("numbers.trace");
    fs.mkdirSync(dir);
    const writer = createArrowWriter(`${dir}/${ARROW_NAME}`, { ...syntheticSource(), ...lists }, { ...testInfo(), ...info });
    const block = Object.assign(newBlock(1), { n: 1 });
    block.time[0] = time;
    writer.put(block);
    writer.finish({ reason: "finished", interrupted: false, quality: [] });
    return dir;
  };
  const thread = (ids: { pid?: number; tid?: number }) => ({ threads: [{ name: "t", pid: 1, tid: 1, internal: false, ...ids }] });
  const decision = (numbers: { seq?: number; choice?: number }) => ({ decisions: [{ seq: 0, point: "thread", choice: 1, ...numbers }] });

  test.each([
    [1.5, "a whole number, found 1.5"],
    [-1, "at least 0, found -1"],
    [2 ** 53, "at most 9007199254740991, found 9007199254740992"],
  ])("a seed of %s is refused", async (seed, expected) => {
    const dir = written({}, { seed });
    const refusal = new RegExp(`${ARROW_NAME} \\(byte 8\\): metadata run\\.seed: expected ${expected}\\. Record it again`);
    await expect(openTrace(dir)).rejects.toThrow(TraceError);
    await expect(openTrace(dir)).rejects.toThrow(refusal);
    expect(fs.readdirSync(dir)).toEqual([ARROW_NAME]);
  });

  test.each<[string, Partial<Source>]>([
    ["threads.0.tid: expected a whole number, found 1.5", thread({ tid: 1.5 })],
    ["threads.0.tid: expected at most 4294967295, found 4294967296", thread({ tid: 2 ** 32 })],
    ["threads.0.pid: expected at least 0, found -1", thread({ pid: -1 })],
  ])("%s: the trace ends before this batch", async (problem, lists) => {
    const { rows, lost } = await sealed(written(lists));
    expect(rows).toBe(0);
    expect(lost).toMatch(/\(batch 0, byte \d+\): metadata /);
    expect(lost).toContain(`: metadata ${problem}.`);
  });

  test.each<[string, Partial<Source>]>([
    ["0.seq: expected a whole number, found 0.5", decision({ seq: 0.5 })],
    ["0.choice: expected at least 0, found -1", decision({ choice: -1 })],
    ["0.choice: expected at most 9007199254740991, found 1e+300", decision({ choice: 1e300 })],
  ])("of a decision, %s: the rows are there, the decisions are refused", async (problem, lists) => {
    const trace = await openTrace(written(lists));
    const told = `metadata ${problem}. Record it again`;
    expect(trace.ask("SELECT count(*) FROM transition")).toEqual([[1]]);
    expect(trace.ask("SELECT count(*) FROM decision")).toEqual([[0]]);
    expect(trace.ask("SELECT severity FROM quality WHERE name = 'decisions-lost'")).toEqual([["data-loss"]]);
    expect(() => trace.decisions).toThrow(TraceError);
    expect(() => trace.decisions).toThrow(/\(decisions at byte \d+\)/);
    expect(() => trace.decisions).toThrow(told);
    trace.close();
  });

  test("a time of the end that is no integer ends the trace before its closing facts", () => {
    const reader = openTransitions(`${written({}, {}, 0.5)}/${ARROW_NAME}`);
    expect([reader.rows, reader.complete]).toEqual([1, false]);
    expect(reader.stopped).toMatch(/\(batch 1, byte \d+\): metadata end\.time: expected a whole number, found 0\.5/);
    reader.close();
  });

  test("internal threads have ids from 2^31 on", async () => {
    const trace = await openTrace(written(thread({ pid: 4_194_304, tid: 2 ** 32 - 1 })));
    expect(trace.ask("SELECT pid, tid FROM thread")).toEqual([[4_194_304, 2 ** 32 - 1]]);
    trace.close();
  });

  test("of a million wrong entries the first is told", async () => {
    const texts = new Array<string>(1_000_000).fill(0 as unknown as string, 5000).fill("", 0, 5000);
    expect((await sealed(written({ texts }))).lost).toContain("metadata texts.5000: expected string, found 0.");
  });
});

describe("lengths", () => {
  let bytes: Buffer;
  let batches: readonly BatchEntry[];

  beforeAll(async () => {
    const dir = fresh("whole.trace");
    await record(syntheticSource({ rows: 1000, blockRows: 256 }), dir, testInfo());
    bytes = fs.readFileSync(`${dir}/${ARROW_NAME}`);
    const reader = openTransitions(`${dir}/${ARROW_NAME}`);
    batches = reader.batches;
    reader.close();
  });

  const batchAt = (index: number): BatchEntry => {
    const batch = batches[index];
    if (batch === undefined) throw new Error(`no batch ${index}`);
    return batch;
  };

  /** The file with another body length in the header of batch 2. */
  const withBodyLength = (length: number): Buffer => {
    const { metadataOffset, metadataLength, bodyLength } = batchAt(2);
    for (let at = 0; at + 8 <= metadataLength; at += 4) {
      const copy = Buffer.from(bytes);
      const header = copy.subarray(metadataOffset, metadataOffset + metadataLength);
      if (header.readBigInt64LE(at) !== BigInt(bodyLength)) continue;
      header.writeBigInt64LE(BigInt(length), at);
      // Other lengths in the header may be the same number.
      if (parseMessage(header).bodyLength === length) return copy;
    }
    throw new Error("no body length found");
  };

  /** The file with `more` zeros between the header before `offset` and what follows it, as a part of that header. */
  const withLongHeader = (metadataOffset: number, metadataLength: number, more: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy.writeInt32LE(metadataLength + more, metadataOffset - 4);
    const end = metadataOffset + metadataLength;
    return Buffer.concat([copy.subarray(0, end), Buffer.alloc(more), copy.subarray(end)]);
  };

  test("a body that is longer than its rows, in a file with a hole as long", async () => {
    const dir = traceOf(withBodyLength(2 ** 35));
    fs.truncateSync(`${dir}/${ARROW_NAME}`, 2 ** 36);
    const { rows, lost } = await sealed(dir);
    expect(rows).toBe(512);
    expect(lost).toMatch(/\(batch 2, byte \d+\): a body of 34359738368 bytes, expected at most \d+ for 256 rows/);
  });

  test("a body filled up to multiples of 64 is none of that", async () => {
    const { bodyLength, metadataOffset, metadataLength } = batchAt(2);
    const end = metadataOffset + metadataLength + bodyLength;
    const filled = withBodyLength(bodyLength + 64);
    expect(await sealed(traceOf(Buffer.concat([filled.subarray(0, end), Buffer.alloc(64), filled.subarray(end)])))).toEqual({
      rows: 1000,
      lost: undefined,
    });
  });

  test("a header that is longer than what is in it", async () => {
    const { metadataOffset, metadataLength } = batchAt(2);
    const { rows, lost } = await sealed(traceOf(withLongHeader(metadataOffset, metadataLength, 2 ** 21)));
    expect(rows).toBe(512);
    expect(lost).toMatch(/\(batch 2, byte \d+\): a header of \d+ bytes, expected at most \d+ for what is in it/);
    const schema = withLongHeader(16, bytes.readInt32LE(12), 2 ** 21);
    await expect(openTrace(traceOf(schema))).rejects.toThrow(/\(byte 8\): a header of \d+ bytes, expected at most \d+/);
  });

  test("decisions that are longer than any batch makes", async () => {
    const index = batches.findIndex(({ decisions }) => decisions !== null);
    const { metadataOffset, metadataLength, decisions, seq0 } = batchAt(index);
    const long = withLongHeader(metadataOffset, metadataLength, 2 ** 25);
    long.writeUInt32LE(2 ** 25, (decisions?.offset ?? 0) - 4);
    const { rows, lost } = await sealed(traceOf(long));
    expect(rows).toBe(seq0);
    expect(lost).toMatch(/\(batch \d+, byte \d+\): the decisions of a batch: 33554432 bytes, expected at most 16777216/);
  });

  test("a state as long as may be is not read with the rows", async () => {
    const dir = fresh("state.trace");
    const inner = syntheticSource({ rows: 300, blockRows: 100 });
    await record({ ...inner, keyframe: () => "x".repeat(2 ** 24) }, dir, testInfo());
    const reader = openTransitions(`${dir}/${ARROW_NAME}`);
    const [{ metadataLength, headLength } = batchAt(0)] = reader.batches;
    expect(metadataLength).toBeGreaterThan(2 ** 24);
    expect(headLength).toBeLessThan(2 ** 14);
    const block = reader.readBlock(0);
    expect([block.n, block.time.buffer.byteLength < 2 ** 16]).toEqual([100, true]);
    expect(reader.keyframe(0)?.length).toBe(2 ** 24);
    reader.close();
  });

  test("of the beginning of a header, names and tables are there whole, or it is not understood", () => {
    const { metadataOffset, metadataLength } = batchAt(2);
    const header = Buffer.from(bytes.subarray(metadataOffset, metadataOffset + metadataLength));
    // A key as far behind as a file from elsewhere may have it.
    const key = header.indexOf("eintr\0") - 4;
    const moved = metadataLength - 16;
    header.copy(header, moved, key, key + 10);
    let place = 0;
    while (place < key && place + header.readUInt32LE(place) !== key) place += 4;
    header.writeUInt32LE(moved - place, place);
    const whole = parseMessage(header);
    expect([...whole.metadata.keys()]).toContain("eintr");
    for (let length = 0; length < moved + 9; length++) {
      expect(() => parseMessage(header.subarray(0, length), metadataLength), `of ${length} bytes`).toThrow(RangeError);
    }
    expect(parseMessage(header.subarray(0, moved + 9), metadataLength)).toEqual(whole);
  });

  test("a file that becomes shorter while it is read", () => {
    const dir = traceOf(bytes);
    const reader = openTransitions(`${dir}/${ARROW_NAME}`);
    fs.truncateSync(`${dir}/${ARROW_NAME}`, batchAt(2).metadataOffset + 8);
    expect(reader.readBlock(1).n).toBe(256);
    expect(() => reader.readBlock(2)).toThrow(/\(batch 2\): the file became shorter while it was open/);
    expect(() => reader.keyframe(2)).toThrow(/\(keyframe of batch 2\): the file became shorter/);
    reader.close();
  });

  test("a folder instead of the file", async () => {
    const dir = fresh("folder.trace");
    fs.mkdirSync(`${dir}/${ARROW_NAME}`, { recursive: true });
    await expect(openTrace(dir)).rejects.toThrow(TraceError);
    await expect(openTrace(dir)).rejects.toThrow(/this is a folder, expected a regular file\. Give the folder of a recorded trace/);
  });
});

describe("damage", () => {
  /** Bytes put in the place of others. */
  type Change = { readonly at: number; readonly to: Uint8Array };
  /** Values as rows and lengths have them. */
  const ODD = [0, 1, -1, 0.5, 4096, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 48, -(2 ** 48), 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, 1e300];
  /** What may stand in the place of a number; cut to its length. */
  const WORDS = ["-99999999", "1.5000000", "9e9999999", "999999999", "null     ", '"       "', "[[[[[[[[["];

  function changesOf(bytes: Buffer): fc.Arbitrary<Change> {
    const last = bytes.length - 1;
    const found = bytes.toString("latin1").matchAll(/(?<=[:,[])\d{2,}(?=[,}\]])/g);
    const numbers = Array.from(found, ({ index, 0: text }) => ({ at: index, length: text.length }));
    const inJson = fc
      .tuple(fc.constantFrom(...numbers), fc.constantFrom(...WORDS))
      .map(([{ at, length }, word]) => ({ at, to: Buffer.from(word.slice(0, length)) }));
    return fc.oneof(
      { arbitrary: inJson, weight: 3 },
      fc.record({ at: fc.nat(last), to: fc.uint8Array({ minLength: 1, maxLength: 16 }) }),
      fc.tuple(fc.nat(last >> 3), fc.constantFrom(...ODD)).map(([n, v]) => ({ at: 8 * n, to: new Uint8Array(Float64Array.of(v).buffer) })),
      fc.tuple(fc.nat(last >> 2), fc.constantFrom(...ODD)).map(([n, v]) => ({ at: 4 * n, to: new Uint8Array(Int32Array.of(v).buffer) })),
    );
  }

  /** Open the trace, and so make its database. */
  async function seal(dir: string): Promise<void> {
    try {
      const trace = await openTrace(dir);
      const db = new Sqlite(trace.db, { readonly: true });
      expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
      expect(db.pragma("foreign_key_check")).toEqual([]);
      expect(db.prepare("SELECT count(*) FROM transition").pluck().get()).toBe(trace.transitions.rows);
      db.close();
      trace.close();
      expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
      expect(fs.readdirSync(dir)).toEqual([ARROW_NAME]);
    }
  }

  test("anywhere: a TraceError, or a database that SQLite finds whole with the rows that are readable", async () => {
    const dir = fresh("damaged.trace");
    // Decisions enough that numbers of the metadata are hit, too.
    const decisions = Array.from({ length: 50 }, (_, i) => ({ seq: 100 + i, point: "thread", choice: 10 + i }));
    await record({ ...syntheticSource({ rows: 500, blockRows: 64, seed: 3 }), decisions }, dir, { ...testInfo(), seed: 123_456 });
    const bytes = fs.readFileSync(`${dir}/${ARROW_NAME}`);
    await fc.assert(
      fc.asyncProperty(fc.array(changesOf(bytes), { minLength: 1, maxLength: 3 }), async (changes) => {
        const copy = Buffer.from(bytes);
        for (const { at, to } of changes) copy.set(to.subarray(0, copy.length - at), at);
        fs.writeFileSync(`${dir}/${ARROW_NAME}`, copy);
        fs.rmSync(`${dir}/${DB_NAME}`, { force: true });
        await seal(dir);
      }),
      { numRuns: 40 },
    );
  });
});
