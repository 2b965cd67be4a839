/** Calls of two runs in pairs, and a trace run again. */

import { describe, expect, test } from "vitest";
import { ExperimentError, firstDifferingRow, pairUp, runOf, type Seen, withDecision } from "../../analyzer/index.ts";
import type { StackName } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
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
