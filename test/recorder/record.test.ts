import fs from "node:fs";
import Sqlite from "better-sqlite3";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Block, newBlock, type Source } from "../../engine/block.ts";
import { createArrowWriter } from "../../recorder/arrow/write.ts";
import { MAX_METADATA_BYTES } from "../../recorder/format/metadata.ts";
import { ARROW_NAME, createDigest, DB_NAME, FORMAT_VERSION, openTrace, record, TraceError } from "../../recorder/index.ts";
import { rowsSource, syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
afterEach(() => void vi.restoreAllMocks());

const runRow = (dir: string) => {
  const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
  try {
    return db.prepare("SELECT * FROM run").get();
  } finally {
    db.close();
  }
};

describe("digest", () => {
  const run = async (blockRows: number, seed = 1, rows = 20_000) => {
    const dir = fresh("digest.trace");
    const { sealed, end } = await record(syntheticSource({ rows, seed, blockRows }), dir, testInfo());
    expect(sealed?.digest).toBe(end.digest);
    expect(runRow(dir)).toMatchObject({ digest: end.digest, transitions: rows });
    return end.digest;
  };

  test("is the same however the rows were cut", async () => {
    const whole = await run(16_384);
    expect(whole).toMatch(/^[0-9a-f]{64}$/);
    for (const rows of [1000, 4096, 7]) expect(await run(rows)).toBe(whole);
  });

  test("differs for other rows and fewer rows", async () => {
    expect(new Set([await run(16_384), await run(16_384, 2), await run(16_384, 1, 19_999)]).size).toBe(3);
  });

  test("needs no file", async () => {
    const digest = createDigest(FORMAT_VERSION);
    const source = syntheticSource({ rows: 20_000 });
    source.run(20_000, digest);
    source.flush(digest);
    expect(digest.finish(source.texts, source.threads)).toBe(await run(16_384));
  });

  test("sees a changed text", () => {
    const of = (texts: string[]) => {
      const digest = createDigest(FORMAT_VERSION);
      const block: Block = newBlock(1);
      block.n = 1;
      digest.put(block);
      return digest.finish(texts, []);
    };
    expect(of(["", "a"])).not.toBe(of(["", "b"]));
  });
});

describe("the folder", () => {
  test("is not overwritten, unless forced", async () => {
    const dir = fresh("a.trace");
    await record(syntheticSource({ rows: 100 }), dir, testInfo());
    await expect(record(syntheticSource({ rows: 200 }), dir, testInfo())).rejects.toThrow(`${dir}: a trace is there already`);
    await record(syntheticSource({ rows: 200 }), dir, testInfo(), { force: true });
    expect(runRow(dir)).toMatchObject({ transitions: 200 });
  });

  test("of somebody else is left alone", async () => {
    const dir = fresh("mine");
    fs.mkdirSync(dir);
    fs.writeFileSync(`${dir}/notes`, "");
    await expect(record(syntheticSource({ rows: 100 }), dir, testInfo())).rejects.toThrow("the folder is not empty");
    expect(fs.readdirSync(dir)).toEqual(["notes"]);
  });

  test("that cannot be made gives one clear error", async () => {
    const file = fresh("file");
    fs.writeFileSync(file, "");
    await expect(record(syntheticSource(), `${file}/x.trace`, testInfo())).rejects.toThrow(
      /the folder cannot be made \((?:ENOTDIR|EEXIST)\)/,
    );
  });

  test("holds the two files and nothing else", async () => {
    const dir = fresh("two.trace");
    await record(syntheticSource({ rows: 100_000 }), dir, testInfo());
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
  });

  test("keeps the trace that was to be replaced when nothing comes in its place", async () => {
    const dir = fresh("kept.trace");
    await record(syntheticSource({ rows: 100 }), dir, testInfo());
    const before = fs.readFileSync(`${dir}/${ARROW_NAME}`);
    const failing: Source = { ...syntheticSource(), run: () => expect.fail("it broke") };
    await expect(record(failing, dir, testInfo(), { force: true })).rejects.toThrow("it broke");
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
    expect(fs.readFileSync(`${dir}/${ARROW_NAME}`).equals(before)).toBe(true);
    expect(runRow(dir)).toMatchObject({ transitions: 100 });
  });

  test("has the trace that a killed recording had set aside, until there is a new one", async () => {
    const dir = fresh("aside.trace");
    await record(syntheticSource({ rows: 100 }), dir, testInfo());
    const killed = (): void => {
      fs.mkdirSync(`${dir}/.eintr-replaced`);
      for (const file of [ARROW_NAME, DB_NAME]) fs.renameSync(`${dir}/${file}`, `${dir}/.eintr-replaced/${file}`);
      fs.writeFileSync(`${dir}/${ARROW_NAME}`, "ARROW1");
    };
    killed();
    const failing: Source = { ...syntheticSource(), run: () => expect.fail("it broke") };
    await expect(record(failing, dir, testInfo(), { force: true })).rejects.toThrow("it broke");
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
    expect(runRow(dir)).toMatchObject({ transitions: 100 });
    killed();
    await record(syntheticSource({ rows: 200 }), dir, testInfo(), { force: true });
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
    expect(runRow(dir)).toMatchObject({ transitions: 200 });
  });

  test("keeps its trace when somebody stops the recording at once", async () => {
    const dir = fresh("stopped.trace");
    await record(syntheticSource({ rows: 100 }), dir, testInfo());
    const stopped = record(syntheticSource({ rows: 200 }), dir, testInfo(), { force: true, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow("interrupted, nothing was recorded");
    expect(runRow(dir)).toMatchObject({ transitions: 100 });
  });

  test("of somebody else is left alone, also when forced", async () => {
    const dir = fresh("theirs");
    fs.mkdirSync(`${dir}/.eintr-replaced`, { recursive: true });
    fs.writeFileSync(`${dir}/.eintr-replaced/notes`, "");
    await record(syntheticSource({ rows: 100 }), dir, testInfo(), { force: true });
    expect(fs.readdirSync(dir).sort()).toEqual([".eintr-replaced", DB_NAME, ARROW_NAME].sort());
    expect(fs.readdirSync(`${dir}/.eintr-replaced`)).toEqual(["notes"]);
  });

  test("is removed when the source fails before its first row, kept when later", async () => {
    const failing = (after: number): Source => {
      const source = syntheticSource({ rows: 10_000, blockRows: 100 });
      return {
        ...source,
        run(rows, sink) {
          source.run(Math.min(rows, after), sink);
          return fail();
        },
      };
    };
    const fail = (): never => {
      throw new Error("the machine broke");
    };
    const dir = fresh("broken.trace");
    await expect(record(failing(0), dir, testInfo())).rejects.toThrow("the machine broke");
    expect(fs.existsSync(dir)).toBe(false);
    await expect(record(failing(250), dir, testInfo())).rejects.toThrow("the machine broke");
    const trace = await openTrace(dir);
    expect([trace.transitions.rows, trace.complete]).toEqual([200, false]);
    trace.close();
  });
});

describe("the end", () => {
  test("of the run, of the rows, of the time", async () => {
    const dir = fresh("end.trace");
    const reasons = [];
    for (const options of [{}, { rows: 5000 }, { stopAtNs: 1000 }]) {
      const { end } = await record(syntheticSource({ rows: 50_000 }), dir, testInfo(), { ...options, force: true });
      reasons.push([end.reason, end.finished, end.interrupted]);
      if (end.reason === "row-limit") expect(end.rows).toBe(5000);
      if (end.reason === "time-limit") expect(end.rows).toBeLessThan(50_000);
    }
    expect(reasons).toEqual([
      ["finished", true, false],
      ["row-limit", false, false],
      ["time-limit", false, false],
    ]);
  });

  test.each([
    ["and has its database when that is made in time", new AbortController().signal, []],
    ["and gets its database from who opens it when time was short", AbortSignal.abort(), ["there is no database yet"]],
  ] as const)("by abort is clean, %s", async (_, patience, made) => {
    // How long the database may take is not a matter of how busy the machine of this test is.
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(patience);
    const dir = fresh("abort.trace");
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    const { end } = await record(syntheticSource({ rows: 1e9 }), dir, testInfo(), { signal: abort.signal, onProgress });
    vi.restoreAllMocks();
    expect(end).toMatchObject({ reason: "aborted", finished: false, interrupted: true });
    const reasons: string[] = [];
    const trace = await openTrace(dir, { onRebuild: (why) => void reasons.push(why) });
    expect(reasons).toEqual(made);
    expect(trace.complete).toBe(true);
    expect(trace.transitions.rows).toBe(end.rows);
    trace.close();
  });

  test("an empty run is a trace too", async () => {
    const dir = fresh("empty.trace");
    await record(rowsSource([]), dir, testInfo());
    const trace = await openTrace(dir);
    expect([trace.transitions.rows, trace.complete, trace.keyframeBefore(5), [...trace.rows()]]).toEqual([0, true, null, []]);
    trace.close();
  });

  test("quality counters of the source are kept", async () => {
    const dir = fresh("quality.trace");
    const counter = { name: "line-skipped", count: 3, severity: "data-loss", advice: "see line 7" } as const;
    await record(syntheticSource({ rows: 10 }), dir, testInfo(), { quality: () => [counter] });
    const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
    expect(db.prepare("SELECT * FROM quality WHERE name = 'line-skipped'").get()).toEqual(counter);
    db.close();
  });
});

describe("a full disk", () => {
  /** Writes of the Arrow file beyond `room` bytes fail, the last one partly done. */
  const fillUp = (room: number) => {
    const real = fs.writevSync;
    let left = room;
    vi.spyOn(fs, "writevSync").mockImplementation((fd, chunks) => {
      const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      if (left === 0) throw Object.assign(new Error("ENOSPC: no space left on device, writev"), { code: "ENOSPC" });
      const bytes = Buffer.concat(chunks as Uint8Array[]).subarray(0, Math.min(left, total));
      left -= bytes.length;
      return real(fd, [bytes]);
    });
  };

  test("ends with a clear error and a readable trace", async () => {
    const dir = fresh("full.trace");
    fillUp(300_000);
    const failure = await record(syntheticSource({ rows: 100_000, blockRows: 1024 }), dir, testInfo()).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TraceError);
    expect(String(failure)).toMatch(new RegExp(`${ARROW_NAME} \\(byte \\d+\\): no space is left to write to \\(ENOSPC\\)`));
    vi.restoreAllMocks();
    const trace = await openTrace(dir);
    expect(trace.transitions.rows).toBeGreaterThan(1024);
    expect(trace.transitions.rows % 1024).toBe(0);
    expect([trace.complete, trace.transitions.lostBytes]).toEqual([false, 0]);
    trace.close();
  });

  test("before the first row leaves nothing", async () => {
    const dir = fresh("full.trace");
    fillUp(100);
    await expect(record(syntheticSource({ rows: 100 }), dir, testInfo())).rejects.toThrow("no space is left");
    expect(fs.existsSync(dir)).toBe(false);
  });

  test("short writes alone do no harm", async () => {
    const real = fs.writevSync;
    vi.spyOn(fs, "writevSync").mockImplementation((fd, chunks) => real(fd, [Buffer.concat(chunks as Uint8Array[]).subarray(0, 10_000)]));
    const dir = fresh("short.trace");
    const { end } = await record(syntheticSource({ rows: 5000 }), dir, testInfo());
    vi.restoreAllMocks();
    const trace = await openTrace(dir);
    expect([trace.complete, trace.transitions.rows]).toEqual([true, end.rows]);
    trace.close();
  });
});

describe("what its own reader would refuse", () => {
  // Texts of one letter cost no memory until somebody looks at their bytes.
  const tooLong = "x".repeat(MAX_METADATA_BYTES);

  test("is not begun: a scenario that does not fit the header", async () => {
    const dir = fresh("long.trace");
    const failure = await record(syntheticSource({ rows: 10 }), dir, { ...testInfo(), scenarioText: tooLong }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TraceError);
    expect(String(failure)).toMatch(/a scenario of 268435456 characters is too long to be kept with its trace.*shorten the scenario/);
    expect(fs.existsSync(dir)).toBe(false);
    fs.mkdirSync(dir);
    expect(() => createArrowWriter(`${dir}/${ARROW_NAME}`, syntheticSource(), { ...testInfo(), scenarioText: tooLong })).toThrow(
      TraceError,
    );
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  test("is not gone on with: a state that does not fit a batch", async () => {
    const dir = fresh("state.trace");
    const inner = syntheticSource({ rows: 300, blockRows: 100 });
    let states = 0;
    const source: Source = { ...inner, keyframe: () => (++states === 3 ? tooLong : inner.keyframe()) };
    const failure = await record(source, dir, testInfo()).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TraceError);
    expect(String(failure)).toMatch(
      /\(byte \d+\): the state of the run of a batch: \d+ bytes, expected at most \d+\. The trace holds everything up to here/,
    );
    const trace = await openTrace(dir);
    expect([trace.transitions.rows, trace.complete, trace.transitions.lostBytes]).toEqual([200, false, 0]);
    trace.close();
  });
});

test("a slow source is flushed by time", async () => {
  const dir = fresh("slow.trace");
  const inner = syntheticSource({ rows: 100 });
  let clock = 1_000_000;
  vi.spyOn(Date, "now").mockImplementation(() => clock);
  const source: Source = {
    ...inner,
    run(_, sink) {
      clock += 600;
      return inner.run(10, sink);
    },
  };
  await record(source, dir, testInfo());
  vi.restoreAllMocks();
  const trace = await openTrace(dir);
  // Ten rows each 0.6 s of the clock: a block every second call.
  expect(trace.transitions.batches.map((b) => b.rows)).toEqual([20, 20, 20, 20, 20]);
  trace.close();
});

test("findings are replaced as a whole", async () => {
  const dir = fresh("findings.trace");
  await record(syntheticSource({ rows: 100 }), dir, testInfo());
  const trace = await openTrace(dir);
  const finding = (rule: string) => ({
    rule,
    severity: "error",
    title: "t",
    thread: 0,
    firstSeq: 1,
    lastSeq: 5,
    costNs: 10,
    fingerprint: "f",
    evidence: [
      { seq: 1, caption: "here" },
      { seq: 5, caption: "there" },
    ],
  });
  trace.replaceFindings([finding("a"), finding("b")]);
  trace.replaceFindings([{ ...finding("c"), thread: null }]);
  expect(() => trace.replaceFindings([finding("d"), { ...finding("e"), firstSeq: 1e6 }])).toThrow(
    /findings cannot be written \(FOREIGN KEY/,
  );
  const db = new Sqlite(trace.db, { readonly: true });
  expect(db.prepare("SELECT rule, thread FROM finding").raw().all()).toEqual([["c", null]]);
  expect(db.prepare("SELECT position, seq, caption FROM evidence").raw().all()).toEqual([
    [0, 1, "here"],
    [1, 5, "there"],
  ]);
  db.close();
  trace.close();
});

test.each([1, 1_000_000, 4_000_000])("a limit of %i bytes ends it with that block", async (bytes) => {
  const dir = fresh("sized.trace");
  const { end, sealed } = await record(syntheticSource({ rows: 1e9 }), dir, testInfo(), { bytes });
  expect(end).toMatchObject({ reason: "row-limit", interrupted: false });
  expect(sealed?.rows).toBe(end.rows);
  const { size } = fs.statSync(`${dir}/${ARROW_NAME}`);
  expect(size).toBeGreaterThanOrEqual(bytes);
  // A block of rows, what stands beside it, and the closing facts.
  expect(size).toBeLessThan(bytes + 3_000_000);
});
