/** A trace run again. */

import { describe, expect, test } from "vitest";
import { ExperimentError, firstDifferingRow, runOf, withDecision } from "../../analyzer/index.ts";
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
