/**
 * A column of state that came with a later format: here `pending`, with a format after today's. The file of today's format is written by
 * a recorder that does not have the column yet, and read by one that has.
 */

import { rmSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { STACKS, STATE_COLUMNS } from "../../engine/index.ts";
import { FORMAT_VERSION, SINCE } from "../../recorder/format/version.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const VERSION = "../../recorder/format/version.ts";
const NEXT = FORMAT_VERSION + 1;

afterEach(() => {
  vi.doUnmock(VERSION);
  vi.resetModules();
});

/** The recorder and the analyzer at that version of the format. */
async function at(version: number) {
  vi.resetModules();
  vi.doMock(VERSION, async (original) => ({ ...(await original<object>()), FORMAT_VERSION: version, SINCE: { ...SINCE, pending: NEXT } }));
  const [recorder, analyzer, { recordScenario }] = await Promise.all([
    import("../../recorder/index.ts"),
    import("../../analyzer/index.ts"),
    import("../support/replay.ts"),
  ]);
  return { ...recorder, ...analyzer, recordScenario };
}

/** Those that the stack does not have, and those and `pending`. */
const { columns } = STACKS["graphene-linux"];
const NOT_THERE = STATE_COLUMNS.filter((name) => name !== "depth" && columns[name] === null);
const BEFORE = [...NOT_THERE, "pending"];
const CELLS = "SELECT count(*), sum(value), sum(depth), sum(preempt), count(pending), sum(pending) FROM transitions";

test("is NULL in files of the format before it, which open, keep their digest and run again without a difference", async () => {
  const dir = fresh("before.trace");
  (await (await at(FORMAT_VERSION)).recordScenario("lost-interrupted-error", dir, { stack: "graphene-linux" })).close();
  // Its database is not the matter: it is made of the rows.
  rmSync(path.join(dir, "trace.db"));

  const now = await at(NEXT);
  const later = await now.recordScenario("lost-interrupted-error", fresh("now.trace"), { stack: "graphene-linux" });
  const [rows, value, depth, preempt, known, pending] = later.ask(CELLS)[0] ?? [];
  expect([later.transitions.format, later.absent, known, Number(pending) > 0]).toEqual([NEXT, NOT_THERE, rows, true]);

  const trace = await now.openTrace(dir);
  expect([trace.transitions.format, trace.absent]).toEqual([FORMAT_VERSION, BEFORE]);
  expect(trace.ask(CELLS)).toEqual([[rows, value, depth, preempt, 0, null]]);
  expect(trace.ask("SELECT count(*) FROM quality WHERE severity = 'error'")).toEqual([[0]]);
  expect(trace.transitions.end?.digest).not.toBe(later.transitions.end?.digest);
  expect(await now.firstDifferingRow(trace, now.runOf(trace), () => true)).toBeNull();
  for (const open of [trace, later]) open.close();
});
