/** The SGX leaves and the asynchronous exit: what each leaves behind, and what it costs (reference, 1.3). */

import { describe, expect, it } from "vitest";
import { boot, COSTS, type KindName } from "../../engine/index.ts";
import { builtIn, collect, runScenario } from "../support/run-scenario.ts";

describe("time", () => {
  const { rows } = runScenario("async-in-enclave", "graphene-sgx");
  it.each(["sgx.eenter", "sgx.eexit", "sgx.aex", "sgx.eresume", "host.signal.deliver", "host.sigreturn"] as const)(
    "%s takes what the table of costs says, until the thread's next row",
    (kind: KindName) => {
      const gaps = rows.flatMap((row, i) => {
        const next = rows[i + 1];
        return row.what === kind && next !== undefined && next.who === row.who ? [next.time - row.time] : [];
      });
      expect(gaps.length).toBeGreaterThan(0);
      expect(new Set(gaps)).toEqual(new Set([COSTS[kind]?.ns]));
    },
  );
});

describe("SSA", () => {
  it("an AEX fills the frame of CSSA, and ERESUME leaves it free", () => {
    const run = boot({ stack: "graphene-sgx", scenario: builtIn("async-in-enclave") });
    const seen: string[] = [];
    for (;;) {
      const [row] = collect(run, 1).rows;
      if (row === undefined) break;
      if (row.what !== "sgx.aex" && row.what !== "sgx.eresume") continue;
      const { cssa, ssa } = run.machine.threads[row.thread]?.sgx ?? expect.fail("the thread is there");
      seen.push(`${row.what} CSSA ${cssa}: ${ssa.map((frame) => (frame === null ? "free" : "used")).join(" ")}`);
    }
    expect(seen).toEqual(["sgx.aex CSSA 1: used free", "sgx.eresume CSSA 0: free free"]);
  });
});
