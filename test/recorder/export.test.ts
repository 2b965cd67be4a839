/** Exporters: what other programs get is what the database says, a block at a time. */

import { existsSync, readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
import { beforeAll, describe, expect, test } from "vitest";
import { STATE_COLUMNS } from "../../engine/index.ts";
import { EXPORTERS, openTrace, record, type Trace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { recordScenario } from "../support/replay.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";
import "../support/toy-exporter.ts";

const fresh = tempPaths();
/** A synthetic run in blocks of 512; a run of the engine without cssa, preempt and pending. */
let synthetic: string;
let native: string;

beforeAll(async () => {
  synthetic = fresh("synthetic.trace");
  await record(syntheticSource({ rows: 3000, blockRows: 512 }), synthetic, testInfo());
  native = fresh("native.trace");
  (await recordScenario("nested", native, { stack: "native-linux" })).close();
});

/** All that an exporter writes, in pieces. */
async function exported(trace: Trace, id: string): Promise<(string | Uint8Array)[]> {
  const pieces: (string | Uint8Array)[] = [];
  const exporter = EXPORTERS.find((one) => one.id === id);
  await exporter?.write(trace, async (piece) => void pieces.push(piece));
  return pieces;
}

async function withTrace<T>(dir: string, act: (trace: Trace) => Promise<T>): Promise<T> {
  const trace = await openTrace(dir);
  try {
    return await act(trace);
  } finally {
    trace.close();
  }
}

const rowsOf = (trace: Trace) => trace.ask("SELECT * FROM transitions ORDER BY seq");
const both = test.each([["synthetic"], ["native"]]);
const dirOf = (name: string) => (name === "native" ? native : synthetic);

both("jsonl of the %s trace: an object for each transition, as the view has it", (name) =>
  withTrace(dirOf(name), async (trace) => {
    const text = (await exported(trace, "jsonl")).join("");
    const objects = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map((object) => Object.values(object))).toEqual(rowsOf(trace));
  }),
);

both("csv of the %s trace: the same as text, NULL empty", (name) =>
  withTrace(dirOf(name), async (trace) => {
    const [head, ...lines] = (await exported(trace, "csv")).join("").trimEnd().split("\n");
    expect(head).toMatch(new RegExp(`^seq,time_ns,thread,.*,${STATE_COLUMNS},detail$`));
    expect(lines).toEqual(
      rowsOf(trace).map((row) =>
        row
          .map((cell) => String(cell ?? ""))
          .map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
          .join(","),
      ),
    );
  }),
);

both("arrow of the %s trace: a stream of the same rows, names as dictionaries", (name) =>
  withTrace(dirOf(name), async (trace) => {
    const table = tableFromIPC(Buffer.concat((await exported(trace, "arrow")) as Uint8Array[]));
    const names = [
      "seq",
      "time_ns",
      "thread",
      "kind",
      "signal",
      "value",
      "extra",
      "flow",
      "label",
      "layer",
      "context",
      ...STATE_COLUMNS,
      "detail",
    ];
    expect(table.batches).toHaveLength(trace.transitions.batches.length);
    const rows = Array.from({ length: table.numRows }, (_, i) => names.map((column) => table.getChild(column)?.get(i)));
    // A dictionary has an empty name where there is no signal.
    expect(rows).toEqual(rowsOf(trace).map((row) => row.with(4, row[4] ?? "")));
  }),
);

test("chrome: a slice for each call with its time, whether it returned or not; a mark for each row of a signal", () =>
  withTrace(native, async (trace) => {
    const { traceEvents: events } = JSON.parse((await exported(trace, "chrome")).join("")) as { traceEvents: Record<string, unknown>[] };
    const slices = events.filter(({ ph, name }) => ph === "X" && !String(name).startsWith("handler"));
    const found = slices.map(({ ts, dur, name, args }) => [
      (args as { seq: number }).seq,
      name,
      Math.round(Number(ts) * 1000),
      Math.round(Number(dur) * 1000),
    ]);
    const calls = trace.ask("SELECT seq, call, time_ns, duration_ns FROM syscalls ORDER BY seq");
    const [{ time } = { time: 0 }] = trace.ask("SELECT max(time_ns) FROM transitions").map(([last]) => ({ time: Number(last) }));
    expect(found.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
      calls.map(([seq, call, begun, took]) => [seq, call, begun, took ?? time - Number(begun)]),
    );
    const handlers = events.filter(({ ph, name }) => ph === "X" && String(name).startsWith("handler"));
    expect(handlers).toHaveLength(Number(trace.ask("SELECT count(*) FROM handler")[0]?.[0]));
    expect(handlers.length).toBeGreaterThan(0);
    const arrows = events.filter(({ ph }) => ph === "f").map(({ id }) => id);
    expect(arrows).toEqual(trace.ask("SELECT id FROM signals WHERE handled IS NOT NULL ORDER BY handled").map(([id]) => id));
  }));

test("goes on only when what it wrote was taken, and keeps a block at most", () =>
  withTrace(synthetic, async (trace) => {
    const blocks = trace.transitions.batches.length;
    for (const { id, write } of EXPORTERS) {
      let pending = 0;
      let calls = 0;
      await write(trace, async () => {
        expect(pending, id).toBe(0);
        pending += 1;
        calls += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
        pending -= 1;
      });
      if (id !== "toy") expect(calls, id).toBeGreaterThanOrEqual(blocks);
      await expect(
        write(trace, async () => {
          throw new Error("no space");
        }),
      ).rejects.toThrow("no space");
    }
  }));

describe("eintr export", () => {
  test("writes to stdout, or to a file that was not there", async () => {
    const { out, code } = await eintr(["export", native, "--format", "toy"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^process\.start 1\n/)]);
    const file = fresh("rows.txt");
    expect(await eintr(["export", native, "--format", "toy", "-o", file])).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(file, "utf8")).toBe(out);
    const again = await eintr(["export", native, "--format", "csv", "-o", file]);
    expect([again.code, again.talk]).toEqual([2, expect.stringContaining("exists; --force replaces it")]);
    expect((await eintr(["export", native, "--format", "csv", "-o", file, "--force"])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toMatch(/^seq,time_ns/);
  });

  test("does not write bytes to a terminal, nor to a place that is none", async () => {
    const bytes = await eintr(["export", native, "--format", "arrow"]);
    expect([bytes.code, bytes.talk]).toEqual([2, expect.stringContaining("arrow is no text: name a file with -o")]);
    const nowhere = await eintr(["export", native, "--format", "csv", "-o", `${fresh("nowhere")}/a.csv`]);
    expect([nowhere.code, nowhere.talk]).toEqual([2, expect.stringContaining("cannot be written (ENOENT)")]);
    const unknown = await eintr(["export", native, "--format", "xml"]);
    expect([unknown.code, unknown.talk]).toEqual([2, expect.stringContaining("--format: expected one of csv, jsonl,")]);
  });

  test("leaves no half of a file after Ctrl-C", async () => {
    const stop = new AbortController();
    const file = fresh("half.csv");
    stop.abort();
    const { code } = await eintr(["export", native, "--format", "csv", "-o", file], { signal: stop.signal });
    expect([code, existsSync(file)]).toEqual([130, false]);
  });
});
