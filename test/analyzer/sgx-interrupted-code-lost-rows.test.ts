/** Reference 3.1 `sgx-interrupted-code-lost` on rows made by hand: each condition alone decides. */

import { describe, expect, it } from "vitest";
import { analyzeRows, madeUp, watch } from "./support.ts";

const SGX = "graphene-sgx";

describe("row by row", () => {
  const { run } = watch("initialisation", SGX);
  const site = (flow: string): number => run.sites.findIndex((known) => known.flow === flow);
  const dk = run.sites.findIndex((known) => known.flow === "shim_do_accept" && known.label.startsWith("DkStreamWaitForClient"));
  const CALL = { name: "app.call", depth: 5, site: site("program main") } as const;
  const ENTER = { name: "pal.call.enter", depth: 8, site: dk, value: 0 } as const;
  const INJECT = { name: "pal.event.inject", depth: 13, signal: 15, value: 4, extra: 7 } as const;
  const EENTER = { name: "sgx.eenter", depth: 13, extra: -13 } as const;
  const UPCALL = { name: "libos.upcall.enter", depth: 13, value: 4, extra: 7 } as const;
  const ABANDON = { name: "pal.call.abandon", depth: 7, value: 0, extra: 7 } as const;
  const EXIT = { name: "libos.syscall.exit", depth: 5, value: 0 } as const;
  const RETURN = { name: "app.return", depth: 4, value: 0 } as const;
  const found = (...rows: Parameters<typeof madeUp>[0][number][]) => analyzeRows(madeUp(rows), run, 3).findings;
  const seqs = (...rows: Parameters<typeof madeUp>[0][number][]): number[][] => found(...rows).map((f) => f.evidence.map((e) => e.seq));

  it("the bug itself", () => {
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, ABANDON, EXIT, RETURN)).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
  });

  it("is silent when pal_errno differs at the end, whoever changed it", () => {
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, { ...ABANDON, value: 19 }, EXIT, RETURN)).toEqual([]);
  });

  it("is silent when the PAL call was left for another event than the one that interrupted it", () => {
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, { ...ABANDON, extra: 8 }, EXIT, RETURN)).toEqual([]);
  });

  it("is silent when the code did not reach the enclave, or the thread is another", () => {
    expect(seqs(CALL, ENTER, INJECT, { ...EENTER, extra: 0 }, UPCALL, ABANDON, EXIT, RETURN)).toEqual([]);
    expect(seqs({ ...CALL, thread: 1 }, { ...ENTER, thread: 1 }, INJECT, EENTER, UPCALL, ABANDON, EXIT, RETURN)).toEqual([]);
  });

  it("takes no other signal's handler for that of the event", () => {
    const other = { name: "app.handler.enter", depth: 11, signal: 10, extra: 6 } as const;
    const own = { ...other, signal: 15, extra: 7 };
    const findings = found(CALL, ENTER, INJECT, EENTER, UPCALL, ABANDON, other, own, EXIT, RETURN);
    expect(findings.map((f) => f.title.endsWith("after SIGTERM"))).toEqual([true]);
    expect(findings[0]?.evidence.map((e) => e.seq)).toEqual([1, 2, 3, 4, 5, 7, 8, 9]);
  });

  it("tells of a call whose way out of the LibOS is the last thing known", () => {
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, ABANDON, EXIT)).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, ABANDON)).toEqual([]);
    expect(seqs(CALL, ENTER, INJECT, EENTER, UPCALL, ABANDON, EXIT, { name: "thread.exit", depth: 5 }, RETURN)).toEqual([
      [1, 2, 3, 4, 5, 6],
    ]);
  });
});
