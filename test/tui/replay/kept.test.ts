/** Bookmarks, notes, conditions, sizes and the place are kept beside the trace; whatever else the file holds is left out. */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NOTES_NAME } from "../../../recorder/index.ts";
import { keptOf, loadKept, saveKept } from "../../../tui/replay/kept.ts";
import { DEFAULT_SIZES } from "../../../tui/replay/screen/sizes.ts";
import { playerOf, recordScenario, sessionOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();

test("what is saved comes back", async () => {
  const w = await sessionOf("toy", fresh("kept.trace"));
  const s = playerOf(w, { seq: 20, pane: "lanes", sizes: { ...DEFAULT_SIZES, upper: 0.7, strip: 0.3 } });
  await s.type("aan empty 'note' \u0007with <signs>\rm&cssa = 0\r");
  s.context.dispatch({ type: "go", seq: 41, thread: 0 });
  saveKept(w.trace, s.state());
  const { bookmarks, notes, sizes } = s.state();
  expect(loadKept(w.trace)).toEqual({
    seq: 41,
    thread: 0,
    pane: "lanes",
    sizes,
    bookmarks,
    notes,
    conditions: [{ text: "cssa = 0", enabled: true, hits: 0 }],
  });
  saveKept(w.trace, { ...s.state(), seq: 5 });
  expect(loadKept(w.trace).seq).toBe(5);
  w.trace.close();
});

test("a new recording in the folder takes the notes of the old one along", async () => {
  const dir = fresh("again.trace");
  const trace = await recordScenario("toy", dir);
  saveKept(trace, playerOf(await sessionOf("toy", fresh("other.trace")), { bookmarks: [3] }).state());
  trace.close();
  expect(loadKept(trace).bookmarks).toEqual([3]);
  const { eintr } = await import("../../support/command-line.ts");
  await eintr(["record", "initialisation", "-o", dir, "--force"]);
  expect(loadKept(trace)).toEqual({});
});

const OURS = { format: 1, transitions: 100 };

test.each<[string, unknown, object]>([
  ["no object", 7, {}],
  ["another format", { format: 2, transitions: 100, seq: 3 }, {}],
  ["of another trace", { format: 1, transitions: 99, seq: 3 }, {}],
  [
    "places that are not in the trace",
    { ...OURS, seq: 100, thread: 0, bookmarks: [{ seq: -1 }, { seq: 1.5 }, { seq: "3" }, null] },
    { bookmarks: [] },
  ],
  ["a pane that is none", { ...OURS, pane: "constructor" }, { bookmarks: [] }],
  ["sizes that are none", { ...OURS, sizes: { high: 9, wide: "x", upper: null, strip: -1 } }, { sizes: DEFAULT_SIZES }],
  ["a note that is no text", { ...OURS, bookmarks: [{ seq: 4, note: { a: 1 } }] }, { bookmarks: [4], notes: {} }],
  ["a long note", { ...OURS, bookmarks: [{ seq: 4, note: "x".repeat(9000) }] }, { notes: { 4: "x".repeat(500) } }],
  ["very many bookmarks", { ...OURS, bookmarks: Array.from({ length: 9000 }, () => ({ seq: 4 })) }, { bookmarks: [4] }],
  [
    "a long condition",
    { ...OURS, conditions: [{ text: "x".repeat(400), enabled: true }, { text: "cssa = 1" }] },
    {
      conditions: [{ text: "cssa = 1", enabled: false, hits: 0 }],
    },
  ],
])("%s", (_, value, kept) => {
  const found = keptOf(value, 100, 2);
  expect(found).toMatchObject(kept);
  expect(found).not.toHaveProperty("seq");
  expect(found).not.toHaveProperty("pane");
});

test("a file that is none, is too large or is a link, is not read", async () => {
  const trace = await recordScenario("toy", fresh("odd.trace"));
  const file = path.join(trace.dir, NOTES_NAME);
  expect(loadKept(trace)).toEqual({});
  writeFileSync(file, "{");
  expect(loadKept(trace)).toEqual({});
  writeFileSync(file, JSON.stringify({ ...OURS, transitions: trace.transitions.rows, more: "x".repeat(2 ** 20) }));
  expect(loadKept(trace)).toEqual({});
  const other = await recordScenario("toy", fresh("link.trace"));
  writeFileSync(`${trace.dir}/real.json`, JSON.stringify({ ...OURS, transitions: other.transitions.rows }));
  symlinkSync(`${trace.dir}/real.json`, path.join(other.dir, NOTES_NAME));
  expect(loadKept(other)).toEqual({});
  // What is saved stands beside the trace, and not where a stranger's link leads.
  saveKept(other, playerOf(await sessionOf("toy", fresh("state.trace")), { bookmarks: [7] }).state());
  expect(readFileSync(`${trace.dir}/real.json`, "utf8")).not.toContain("bookmarks");
  expect(loadKept(other).bookmarks).toEqual([7]);
  trace.close();
  other.close();
});

test("a folder that cannot be written to is an error of its own, and nothing half written stays", async () => {
  const trace = await recordScenario("toy", fresh("blocked.trace"));
  mkdirSync(path.join(trace.dir, NOTES_NAME));
  const state = playerOf(await sessionOf("toy", fresh("blocked-state.trace"))).state();
  expect(() => saveKept(trace, state)).toThrow(/EISDIR|ENOTEMPTY|EEXIST|directory/);
  expect(loadKept(trace)).toEqual({});
  trace.close();
});
