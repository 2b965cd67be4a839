/** All built-in scenarios on all stacks: what is found, and that it agrees with a slow, plain reading of the reference. */

import { describe, expect, it } from "vitest";
import { FIX_NAMES, type RunOptions, STACK_NAMES } from "../../engine/index.ts";
import { BUILT_IN, LOST, ofRule, type Row, rowAt, type Watched, watch, YIELD } from "./support.ts";

/** [lost codes, spurious yields] on graphene-linux and graphene-sgx; scenarios not listed have none, and so has native-linux. */
const EXPECTED: Readonly<Record<string, { linux: readonly [number, number]; sgx: readonly [number, number] }>> = {
  alarm: { linux: [0, 1], sgx: [0, 1] },
  // Linux PAL: both events are delivered at the end of the PAL call, nothing is pending in the LibOS.
  "async-in-pal": { linux: [0, 0], sgx: [1, 0] },
  "async-outside-enclave": { linux: [0, 0], sgx: [1, 0] },
  "lost-interrupted-error": { linux: [0, 0], sgx: [1, 0] },
  nested: { linux: [0, 1], sgx: [0, 1] },
  resume: { linux: [0, 1], sgx: [0, 1] },
  "sigsuspend-flag": { linux: [0, 1], sgx: [0, 1] },
  "spurious-yield": { linux: [0, 2], sgx: [0, 2] },
  "w1-read-killed": { linux: [0, 2], sgx: [1, 1] },
  "w1-read-stale": { linux: [0, 0], sgx: [1, 0] },
  "w11-restart": { linux: [0, 0], sgx: [1, 0] },
  // pause returns 0 under SGX, but it never asks pal_errno: that is pause-never-returns (3.2).
  "w12-pause-alarm": { linux: [0, 1], sgx: [0, 1] },
  "w6-kill-fanout": { linux: [0, 3], sgx: [0, 3] },
  "w7-burst-blocked": { linux: [0, 5], sgx: [0, 5] },
  "w9-accept-sigchld": { linux: [0, 1], sgx: [1, 1] },
};

const SMALL = BUILT_IN.filter((name) => name !== "server");

describe.each(SMALL)("%s", (name) => {
  for (const stack of STACK_NAMES) {
    it(`on ${stack}`, () => {
      const expected = stack === "native-linux" ? [0, 0] : (EXPECTED[name]?.[stack === "graphene-sgx" ? "sgx" : "linux"] ?? [0, 0]);
      const w = watch(name, stack);
      expect([ofRule(w, LOST).length, ofRule(w, YIELD).length]).toEqual(expected);
      check(w);
      const mended = watch(name, stack, { fixes: FIX_NAMES });
      expect(mended.findings).toEqual([]);
      check(mended);
    });
  }
});

describe("server, for 60,000 transitions", () => {
  for (const stack of STACK_NAMES) {
    it(`on ${stack}`, () => {
      const w = watch("server", stack, { rows: 60_000 });
      expect(ofRule(w, LOST).length > 0).toBe(stack === "graphene-sgx");
      expect(ofRule(w, YIELD).length > 0).toBe(stack !== "native-linux");
      check(w);
      expect(watch("server", stack, { rows: 60_000, fixes: FIX_NAMES }).findings).toEqual([]);
    });
  }
});

describe("under other schedules", () => {
  const SEEDS = Array.from({ length: 6 }, (_, i) => 7919 * (i + 1));
  it.each(SEEDS)("seed %i: all scenarios agree with the plain reading", (seed) => {
    for (const name of BUILT_IN) {
      for (const stack of STACK_NAMES) {
        const options: Partial<RunOptions> = { seed, scheduler: "seeded" };
        check(watch(name, stack, { ...options, rows: 20_000 }), `${name} on ${stack}, seed ${seed}`);
      }
    }
  });
});

/** The findings are those of the plain reading, and each is well made. */
function check(w: Watched, where = ""): void {
  const seqs = (rule: string, kind: string): number[] =>
    ofRule(w, rule)
      .map((f) => f.evidence.find((e) => rowAt(w, e.seq).name === kind)?.seq ?? -1)
      .sort((a, b) => a - b);
  expect(w.omitted.size, where).toBe(0);
  expect(seqs(LOST, "pal.call.abandon"), where).toEqual(plainlyLost(w.rows));
  expect(seqs(YIELD, "thread.yield"), where).toEqual(plainlySpurious(w.rows));
  for (const finding of w.findings) {
    const all = finding.evidence.map((e) => e.seq);
    expect(all, where).toEqual([...new Set(all)].sort((a, b) => a - b));
    expect([finding.firstSeq, finding.lastSeq], where).toEqual([all[0], all.at(-1)]);
    const rows = all.map((seq) => rowAt(w, seq));
    const event = rows.find((row) => row.name === "pal.event.inject" || row.name === "pal.event.overwrite")?.extra;
    // The signal may have been sent from anywhere; all else is the thread's own.
    for (const row of rows)
      expect(row.name === "host.signal.generate" ? row.extra === event : row.thread === finding.thread, where).toBe(true);
    expect(finding.costNs, where).toBeGreaterThan(0);
    expect(finding.costNs, where).toBe(plainCost(w.rows, finding.rule, rows));
    expect(
      finding.evidence.every((e) => e.caption !== ""),
      where,
    ).toBe(true);
    expect(finding.fingerprint, where).toMatch(/^[0-9a-f]{12}$/);
  }
}

function plainCost(rows: readonly Row[], rule: string, evidence: readonly Row[]): number {
  const timeOf = (...names: string[]): number => evidence.find((row) => names.includes(row.name))?.time ?? Number.NaN;
  // A yield after which the thread never came back counts up to itself.
  if (rule === YIELD) return (evidence.at(-1)?.time ?? Number.NaN) - timeOf("pal.call.enter");
  const inject = evidence.find((row) => row.name === "pal.event.inject" || row.name === "pal.event.overwrite");
  const upcall = rows.find(
    (row) => row.seq > (inject?.seq ?? 0) && row.name === "libos.upcall.enter" && row.value !== 7 && row.extra === inject?.extra,
  );
  return (upcall?.time ?? Number.NaN) - (inject?.time ?? Number.NaN);
}

/** 3.1 sgx-interrupted-code-lost, "Evidence", row by row; the calls that answer with -PAL_ERRNO are those of 2.20. */
function plainlyLost(rows: readonly Row[]): number[] {
  return rows.filter((row) => row.name === "pal.call.abandon" && isLost(ofThread(rows, row.thread), row)).map((row) => row.seq);
}

function isLost(own: readonly Row[], abandoned: Row): boolean {
  const at = own.indexOf(abandoned);
  let open = 1;
  let start = at;
  while (start > 0 && open > 0) {
    start -= 1;
    const name = own[start]?.name;
    if (name === "pal.call.leave" || name === "pal.call.abandon") open += 1;
    if (name === "pal.call.enter") open -= 1;
  }
  const entered = own[start];
  if (entered === undefined || !/^shim_do_(read|write|accept|futex_wait|call)$/.test(entered.at.flow)) return false;
  if (own.slice(start, at).some((row) => row.name === "libos.upcall.enter" && row.value === 7)) return false;
  if (entered.value !== abandoned.value) return false;
  // What the LibOS asks for is what the PAL call left, or what another failure has made of it since.
  const asked = own.findIndex((row, i) => i > at && row.depth === abandoned.depth && row.at.label.includes("-PAL_ERRNO"));
  if (own.slice(at, asked).some((row) => row.name === "libos.upcall.enter" && row.value === 7)) return false;
  let calls = 1;
  for (const row of own.slice(at)) {
    if (row.name === "libos.syscall.enter") calls += 1;
    if (row.name === "libos.syscall.exit") calls -= 1;
    if (calls === 0) return row.value !== -4;
  }
  return false;
}

/** Yields whose PAL call was made by `__handle_signal` itself. */
function plainlySpurious(rows: readonly Row[]): number[] {
  return rows.filter((row) => row.name === "thread.yield" && isOfScan(ofThread(rows, row.thread), row)).map((row) => row.seq);
}

function isOfScan(own: readonly Row[], yielded: Row): boolean {
  const asked = own.findLast((row) => row.seq < yielded.seq && row.name === "pal.call.enter");
  return asked?.at.flow === "__handle_signal";
}

const byThread = new WeakMap<readonly Row[], readonly Row[][]>();

function ofThread(rows: readonly Row[], thread: number): readonly Row[] {
  let lists = byThread.get(rows);
  if (lists === undefined) {
    const fresh: Row[][] = [];
    for (const row of rows) {
      fresh[row.thread] ??= [];
      fresh[row.thread]?.push(row);
    }
    lists = fresh;
    byThread.set(rows, lists);
  }
  return lists[thread] ?? [];
}
