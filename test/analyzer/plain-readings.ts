/**
 * A slow, plain reading of the reference for a rule: where it must find something, and what that costs. It shares no code with the
 * rules. A rule whose logic is more than a look at one row has an entry here.
 */

import type { KindName } from "../../engine/index.ts";
import { LOST, type Row, YIELD } from "./support.ts";

export interface PlainReading {
  /** Kind of the row that tells one finding from another: it is among the evidence. */
  readonly kind: KindName;
  /** Seqs of those rows, in order. */
  readonly places: (rows: readonly Row[]) => number[];
  /** Virtual ns wasted, from the evidence's rows. */
  readonly cost: (rows: readonly Row[], evidence: readonly Row[]) => number;
}

export const PLAIN_READINGS: Readonly<Record<string, PlainReading>> = {
  [LOST]: { kind: "pal.call.abandon", places: plainlyLost, cost: untilUpcall },
  [YIELD]: { kind: "thread.yield", places: plainlySpurious, cost: ofYield },
};

const timeOf = (rows: readonly Row[], name: KindName): number => rows.find((row) => row.name === name)?.time ?? Number.NaN;

/** A yield after which the thread never came back counts up to itself. */
function ofYield(_: readonly Row[], evidence: readonly Row[]): number {
  return (evidence.at(-1)?.time ?? Number.NaN) - timeOf(evidence, "pal.call.enter");
}

function untilUpcall(rows: readonly Row[], evidence: readonly Row[]): number {
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

/** The functions that answer with -PAL_ERRNO (2.20). */
const ASKS = /^(shim_do_(accept|futex_wait|call)|(pipe|socket)_(read|write)|chroot_(read|write) \(device\))$/;

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
  if (entered === undefined || !ASKS.test(entered.at.flow)) return false;
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
