/** A trace that was killed at any byte, and files from strangers. */

import fs from "node:fs";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { COLUMN_NAMES, COLUMNS, transitionAt } from "../../engine/block.ts";
import { openTransitions, type TransitionReader } from "../../recorder/arrow/read.ts";
import { ARROW_NAME, DB_NAME, FORMAT_VERSION, openTrace, record, TraceError } from "../../recorder/index.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const ROWS = 3000;
let bytes: Buffer;
let whole: unknown[];
let ends: number[];

const rowsOf = (reader: TransitionReader): unknown[] =>
  reader.batches.flatMap((_, i) => {
    const block = reader.readBlock(i);
    return Array.from({ length: block.n }, (_, row) => transitionAt(block, row));
  });

beforeAll(async () => {
  const dir = fresh("whole.trace");
  await record(syntheticSource({ rows: ROWS, blockRows: 256, seed: 3 }), dir, testInfo());
  bytes = fs.readFileSync(`${dir}/${ARROW_NAME}`);
  const reader = openTransitions(`${dir}/${ARROW_NAME}`);
  whole = rowsOf(reader);
  ends = reader.batches.map((b) => b.metadataOffset + b.metadataLength + b.bodyLength);
  reader.close();
});

/** A trace folder whose Arrow file is these bytes. */
function traceOf(content: Uint8Array): string {
  const dir = fresh("cut.trace");
  fs.mkdirSync(dir);
  fs.writeFileSync(`${dir}/${ARROW_NAME}`, content);
  return dir;
}

/** Open what is left after `length` bytes: every whole batch, row by row, or a TraceError when not even a schema is. */
function expectCut(length: number): void {
  const dir = traceOf(bytes.subarray(0, length));
  const path = `${dir}/${ARROW_NAME}`;
  const survived = ends.filter((end) => end <= length).length;
  let reader: TransitionReader;
  try {
    reader = openTransitions(path);
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    expect(survived).toBe(0);
    fs.rmSync(dir, { recursive: true });
    return;
  }
  expect(reader.batches.length).toBe(survived);
  expect(rowsOf(reader)).toEqual(whole.slice(0, Math.min(ROWS, survived * 256)));
  if (!reader.complete) {
    const usable = ends[survived - 1];
    if (usable !== undefined) expect(reader.lostBytes).toBe(length - usable);
    expect(reader.stopped).not.toBe("");
  }
  reader.close();
  fs.rmSync(dir, { recursive: true });
}

describe("killed at any byte", () => {
  test("around every boundary of a batch", () => {
    for (const end of ends) for (const delta of [-9, -8, -4, -1, 0, 1, 4, 8, 12]) expectCut(end + delta);
  });

  test("at random places", () => {
    fc.assert(fc.property(fc.nat(bytes.length), expectCut), { numRuns: 120 });
  });

  test("the database is built from what is left, and says so", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: ends[0] ?? 0, max: bytes.length - 1 }), async (length) => {
        const dir = traceOf(bytes.subarray(0, length));
        const reasons: string[] = [];
        const trace = await openTrace(dir, { onRebuild: (why) => reasons.push(why) });
        expect(reasons).toEqual(["there is no database yet"]);
        const db = new Sqlite(trace.db, { readonly: true });
        expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
        expect(db.pragma("foreign_key_check")).toEqual([]);
        expect(db.prepare("SELECT * FROM transition").all()).toEqual(whole.slice(0, trace.transitions.rows));
        const run = {
          transitions: trace.transitions.rows,
          complete: trace.complete ? 1 : 0,
          reason: trace.complete ? "finished" : "killed",
        };
        expect(db.prepare("SELECT * FROM run").get()).toMatchObject(run);
        const counted = db.prepare("SELECT count FROM quality WHERE name = 'bytes-lost'").pluck().get();
        expect(counted).toBe(trace.complete ? undefined : trace.transitions.lostBytes);
        db.close();
        trace.close();
        expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
        fs.rmSync(dir, { recursive: true });
      }),
      { numRuns: 20 },
    );
  });

  test("the database is rebuilt when it is older, broken or of another form; not when it fits", async () => {
    const dir = traceOf(bytes.subarray(0, ends[4]));
    const reasons: string[] = [];
    const open = async () => (await openTrace(dir, { onRebuild: (why) => reasons.push(why) })).close();
    await open();
    await open();
    fs.writeFileSync(`${dir}/${ARROW_NAME}`, bytes);
    await open();
    fs.writeFileSync(`${dir}/${DB_NAME}`, "this is no database, but it is long enough to look like one".repeat(20));
    await open();
    const db = new Sqlite(`${dir}/${DB_NAME}`);
    db.pragma("user_version = 0");
    db.close();
    await open();
    fs.writeFileSync(`${dir}/${DB_NAME}.999999999.tmp`, "left by a killed process");
    fs.rmSync(`${dir}/${DB_NAME}`);
    await open();
    expect(reasons).toEqual([
      "there is no database yet",
      "the database does not belong to these transitions",
      "the database cannot be read (file is not a database)",
      "the database has another form",
      "there is no database yet",
    ]);
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
  });
});

describe("a trace", () => {
  test("gives rows and keyframes by seq", async () => {
    const dir = traceOf(bytes);
    const trace = await openTrace(dir);
    const blocks = Array.from(trace.rows(300, 800), (block) => [block.seq0, block.n]);
    expect(blocks).toEqual([
      [256, 256],
      [512, 256],
      [768, 256],
    ]);
    expect(Array.from(trace.rows(), (block) => block.n).reduce((a, b) => a + b)).toBe(ROWS);
    expect([...trace.rows(ROWS)]).toEqual([]);
    const keyframes = [0, 254, 255, 256, 511, 1e9].map((seq) => trace.keyframeBefore(seq)?.seq ?? null);
    expect(keyframes).toEqual([null, null, 255, 255, 511, ROWS - 1]);
    expect(JSON.parse(trace.keyframeBefore(600)?.state ?? "")).toMatchObject({ seq: 512 });
    trace.close();
  });
});

describe("files from strangers", () => {
  const expectTraceError = async (content: Uint8Array, message: RegExp) => {
    const dir = traceOf(content);
    const failure = await openTrace(dir).then(
      (trace) => trace.close(),
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(TraceError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).toContain(`${dir}/${ARROW_NAME}`);
  };
  const edited = (edit: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(bytes);
    edit(copy);
    return copy;
  };
  /** Replace a text in the schema by one of the same length. */
  const retold = (from: string, to: string) => edited((copy) => void copy.write(to, copy.indexOf(from), "latin1"));

  test("no trace at all", async () => {
    await expect(openTrace(fresh("absent.trace"))).rejects.toThrow(/cannot be opened \(ENOENT.*Give the folder of a recorded trace/);
    await expectTraceError(Buffer.from(""), /this is not an Arrow file/);
    await expectTraceError(Buffer.from("<html>"), /this is not an Arrow file/);
    await expectTraceError(Buffer.from("ARROW1\0\0"), /expected the schema, but the file ends/);
  });

  test("lying lengths", async () => {
    for (const length of [-1, 2 ** 31 - 1, 1 << 20, 4]) {
      await expectTraceError(
        edited((copy) => void copy.writeInt32LE(length, 12)),
        /expected the schema, but/,
      );
    }
  });

  test("another schema, another vocabulary, a newer format, metadata that is no JSON", async () => {
    await expectTraceError(retold("cssa", "cssb"), /its columns are \[.*cssb uint8.*expected \[/);
    await expectTraceError(retold('"host.syscall.enter"', '"host.syscall.ENTER"'), /kind 11 is 'host.syscall.ENTER', unknown here/);
    const format = `{"format":${FORMAT_VERSION},`;
    await expectTraceError(retold(format, '{"format":9,'), new RegExp(`format 9 is newer than ${FORMAT_VERSION}`));
    await expectTraceError(
      retold(format, '{"format":1,'),
      new RegExp(`format 1 is from before the first release, 3 to ${FORMAT_VERSION} are known`),
    );
    await expectTraceError(retold(format, format.replace("{", "[")), /metadata is not JSON/);
    await expectTraceError(retold('"origin":"imported"', '"origin":"invented"'), /metadata run\.origin/);
    await expectTraceError(retold('"absent":[]', '"absent":{}'), /metadata absent: expected a list/);
  });

  /** Change row 5 of a column of batch 2. */
  const damaged = (column: string, value: number) =>
    edited((copy) => {
      const dir = traceOf(bytes);
      const reader = openTransitions(`${dir}/${ARROW_NAME}`);
      const batch = reader.batches[2];
      reader.close();
      if (batch === undefined) throw new Error("no batch 2");
      // Columns follow each other in order, each padded to 8 bytes.
      let at = batch.metadataOffset + batch.metadataLength;
      const widths = COLUMN_NAMES.map((name) => COLUMNS[name].BYTES_PER_ELEMENT);
      for (const [i, name] of COLUMN_NAMES.entries()) {
        const width = widths[i] ?? 0;
        if (name === column) {
          if (width === 8) copy.writeDoubleLE(value, at + 5 * width);
          else copy.writeUIntLE(value, at + 5 * width, width);
          return;
        }
        at += (256 * width + 7) & ~7;
      }
    });

  test.each(["kind", "thread", "site", "detail"])("an id without a row in %s names batch and row", async (column) => {
    await expectTraceError(
      damaged(column, 200 + (column === "kind" ? 0 : 20_000)),
      new RegExp(`\\(batch 2, row 5, seq 517\\): ${column} 2\\d+ does not exist, expected less than \\d+`),
    );
  });

  test.each([-1.5e300, 2 ** 53, 0.5, Number.NaN, Number.NEGATIVE_INFINITY])("%s is no exact integer", async (value) => {
    await expectTraceError(damaged("value", value), /\(batch 2, row 5, seq 517\): value is .*Expected integers below 2\^53/);
  });

  test("a value changed after recording is noticed by the digest", async () => {
    const trace = await openTrace(traceOf(damaged("depth", 77)));
    const db = new Sqlite(trace.db, { readonly: true });
    expect(db.prepare("SELECT severity FROM quality WHERE name = 'digest-differs'").pluck().get()).toBe("error");
    db.close();
    trace.close();
  });

  test("random bytes anywhere: a TraceError or a readable trace", () => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), with: fc.uint8Array({ minLength: 1, maxLength: 16 }) });
    // Headers are few among the bytes of rows: aim at them half of the time.
    const early = fc.record({ at: fc.nat(20_000), with: fc.uint8Array({ minLength: 1, maxLength: 16 }) });
    fc.assert(
      fc.property(fc.array(fc.oneof(change, early), { minLength: 1, maxLength: 4 }), (changes) => {
        const copy = Buffer.from(bytes);
        for (const { at, with: to } of changes) copy.set(to.subarray(0, copy.length - at), at);
        const dir = traceOf(copy);
        try {
          const reader = openTransitions(`${dir}/${ARROW_NAME}`);
          try {
            rowsOf(reader);
          } finally {
            reader.close();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TraceError);
        }
        fs.rmSync(dir, { recursive: true });
      }),
      { numRuns: 300 },
    );
  });

  test("random files", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const dir = traceOf(Buffer.concat([Buffer.from("ARROW1\0\0\xff\xff\xff\xff", "latin1"), tail]));
        expect(() => openTransitions(`${dir}/${ARROW_NAME}`)).toThrow(TraceError);
        fs.rmSync(dir, { recursive: true });
      }),
      { numRuns: 200 },
    );
  });
});
