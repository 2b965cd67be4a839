/** Two runs side by side, and a trace run again. */

import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compareRuns, ExperimentError, firstDifferingRow, pairUp, runOf, withDecision } from "../../analyzer/index.ts";
import type { StackName } from "../../engine/index.ts";
import { openTrace, type Seen, type Trace } from "../../recorder/index.ts";
import { recordScenario } from "../support/replay.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

async function withTrace<T>(
  name: string,
  use: (trace: Trace) => Promise<T>,
  options: { rows?: number; stack?: StackName } = {},
): Promise<T> {
  const trace = await recordScenario(name, fresh(`${name}.trace`), options);
  try {
    return await use(trace);
  } finally {
    trace.close();
  }
}

describe("a comparison", () => {
  test("of whole runs tells the call that a fix gives back", () =>
    withTrace("lost-interrupted-error", async (trace) => {
      const fixed = runOf(trace, { fixes: ["sgx-interrupted-code-lost"] });
      const found = await compareRuns(runOf(trace), fixed, { rows: trace.transitions.rows });
      expect(found).toMatchObject({ whole: true, differences: [{ thread: "main", before: "0", after: "-EINTR" }] });
    }));

  test("of a run that was cut says nothing of what comes after the cut", () =>
    withTrace(
      "server",
      async (trace) => {
        const native = runOf(trace, { stack: "native-linux" });
        const found = await compareRuns(runOf(trace), native, { rows: trace.transitions.rows });
        expect(found?.whole).toBe(false);
        expect(found?.compared).toBeGreaterThan(100);
        for (const { before, after } of found?.differences ?? []) expect(`${before} ${after}`).not.toMatch(/does not happen|never returns/);
      },
      { rows: 60_000 },
    ));

  test("ends when it is told to", () =>
    withTrace(
      "server",
      async (trace) => {
        const stop = new AbortController();
        const onProgress = () => stop.abort();
        expect(await compareRuns(runOf(trace), runOf(trace), { rows: 1e6, signal: stop.signal, onProgress })).toBeNull();
      },
      { rows: 60_000 },
    ));

  test("is empty for two equal runs, cut or not", async () => {
    for (const rows of [undefined, 500]) {
      const options = rows === undefined ? {} : { rows };
      const found = await withTrace(
        "nested",
        (trace) => compareRuns(runOf(trace), runOf(trace), { rows: trace.transitions.rows }),
        options,
      );
      expect(found?.differences).toEqual([]);
    }
  });
});

describe("pairs", () => {
  const seen = (seq: number, result: number | null): Seen => ({
    seq,
    thread: "main",
    what: "read()",
    handler: false,
    result,
    endSeq: null,
  });
  const differs = (one: Seen | undefined, other: Seen | undefined, whole: boolean): boolean | undefined =>
    pairUp(new Map(one && [["k", one]]), new Map(other && [["k", other]]), whole)[0]?.differs;

  test.each([
    [seen(1, 0), seen(1, 0), false, false],
    [seen(1, 0), seen(2, -4), true, true],
    [seen(1, null), seen(2, -4), true, false],
    [seen(1, 0), undefined, true, false],
    [undefined, seen(1, 0), true, false],
  ])("%o against %o", (one, other, whole, cut) => {
    expect([differs(one, other, true), differs(one, other, false)]).toEqual([whole, cut]);
  });
});

describe("a rerun", () => {
  test("finds nothing, or the first row that another decision changes", () =>
    withTrace("async-in-enclave", async (trace) => {
      expect(await firstDifferingRow(trace, runOf(trace), () => true)).toBeNull();
      // The signal comes by an asynchronous exit; put off by one step, another row stands there.
      const seq = Number(trace.ask("SELECT min(seq) FROM transitions WHERE kind = 'sgx.aex'")[0]?.[0]);
      const decisions = withDecision(trace.decisions, `${seq}:arrive=1`);
      const found = await firstDifferingRow(trace, runOf(trace, { decisions }), () => true);
      expect(found).toMatchObject({ seq, recorded: { seq }, again: { seq } });
      expect(found?.columns).toContain("kind");
    }));

  test("is refused in words for a trace of an unknown stack", () =>
    withTrace("nested", async (trace) => {
      const odd: Trace = { ...trace, info: { ...trace.info, stack: "plan9", eintr: "9.9" } };
      expect(() => runOf(odd)).toThrow(ExperimentError);
      expect(() => runOf(odd)).toThrow(/nested\.trace: recorded by eintr 9\.9 with the stack "plan9", unknown here/);
    }));
});

test("native results come with the database, whoever builds it", async () => {
  const dir = fresh("natives.trace");
  (await recordScenario("lost-interrupted-error", dir)).close();
  const natives = (): unknown => {
    const trace = openTrace(dir);
    try {
      return trace.ask("SELECT result, native FROM syscall WHERE native IS NOT result");
    } finally {
      trace.close();
    }
  };
  const before = natives();
  expect(before).toEqual([[0, -4]]);
  rmSync(`${dir}/trace.db`);
  expect(natives()).toEqual(before);
});
