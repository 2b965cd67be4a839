/** Threads that interleave: counted beside the rows of one, or all in one timeline. */

import { expect, test } from "vitest";
import { displayWidth } from "../../../../tui/present/safe.ts";
import { playerOf, seqOf, sessions } from "../../../support/replay.ts";

const session = sessions();

/** There main and a thread of its process take steps in turn. */
const IN_TURN = "__handle_signal: free(signal)";

test("the timeline of one thread has no line for the others' steps: their number stands beside the next row", async () => {
  const w = await session("w6-kill-fanout");
  const s = playerOf(w, { width: 100, height: 39, seq: seqOf(w, IN_TURN), thread: 2 });
  expect(s.screen()).not.toContain("of other threads");
  const shown = [...new Set(s.context.onScreen())];
  for (const [i, seq] of shown.entries()) {
    const between = i === 0 ? 0 : seq - (shown[i - 1] ?? 0) - 1;
    if (between > 0) expect(s.screen()).toMatch(new RegExp(`^[► ] *${seq}  ┄${between} `, "m"));
  }
  expect(shown.some((seq, i) => i > 0 && seq - (shown[i - 1] ?? 0) > 1)).toBe(true);
});

test("all threads in one timeline: every transition has a row, in the column of its thread", async () => {
  const w = await session("w6-kill-fanout");
  const s = playerOf(w, { width: 160, height: 30, seq: seqOf(w, IN_TURN) });
  await s.press("V");
  const shown = s.context.onScreen();
  expect(shown).toEqual(Array.from(shown, (_, i) => (shown[0] ?? 0) + i));
  const lines = s.screen().split("\n");
  const heading = lines.find((line) => line.includes("seq  ")) ?? "";
  for (const seq of shown) {
    const row = w.rows.at(seq) ?? expect.fail("there is a row");
    const name = w.trace.threads[row.thread]?.name ?? "";
    const line = lines.find((text) => new RegExp(`^[► ] *${seq}  `).test(text)) ?? "";
    const column = heading.search(new RegExp(` ${name}( |$)`)) + 1;
    expect(line.slice(column, column + 1), line).toMatch(/[█▓▒░▂]/);
  }
  await s.press("j");
  expect(s.state().seq).toBe(seqOf(w, IN_TURN) + 1);
  await s.press("V");
  expect(s.state().merged).toBe(false);
});

test("more threads than columns: the busiest have one, the others share the last with their names", async () => {
  const w = await session("server", { rows: 30_000 });
  for (const seq of [1000, 9000, 29_000]) {
    const s = playerOf(w, { width: 60, height: 30, seq, merged: true });
    for (const line of s.screen().split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(60);
  }
  const places = Array.from({ length: 300 }, (_, i) => i * 100);
  expect(places.some((seq) => playerOf(w, { width: 60, height: 59, seq, merged: true }).screen().includes(" others"))).toBe(true);
});
