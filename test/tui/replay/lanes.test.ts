/** The lanes: zoom, pan, the axis, a signal's way between them, clicks, and long runs from the tables. */

import { describe, expect, test } from "vitest";
import { KIND } from "../../../engine/index.ts";
import { onMouse } from "../../../tui/replay/input/input.ts";
import { axisText, roundUp } from "../../../tui/replay/lanes/axis.ts";
import { columnSeqs, seqAt } from "../../../tui/replay/lanes/columns.ts";
import { codeOf, layerOf, NOTHING, WAITS } from "../../../tui/replay/lanes/lane.ts";
import { columnOf, lanesOf } from "../../../tui/replay/lanes/lanes-of.ts";
import { countOverview, overviewLanes } from "../../../tui/replay/lanes/overview.ts";
import { lengthOf, panned, placeOf, rescaled, shownInterval, WHOLE_RUN, zoomed } from "../../../tui/replay/lanes/view.ts";
import { chosenPanel } from "../../../tui/replay/screen/layout.ts";
import { playerOf, seqOf, sessions } from "../../support/replay.ts";

const session = sessions();

describe("the axis", () => {
  test("ticks stand at round places, in time or transitions", () => {
    expect([1, 3, 20, 21, 700].map(roundUp)).toEqual([1, 5, 20, 50, 1000]);
    expect(axisText("steps", { from: 0, span: 100 }, 50, true)).toBe("+0-----------------------+50----------------------");
    expect(axisText("time", { from: 1_000_000, span: 2_000_000 }, 50, false)).toMatch(/^┬1 ms─+┬2 ms─+$/);
    expect(axisText("time", { from: 5_000_100, span: 200 }, 60, false)).toContain("┬5,000,100 ns");
    for (const columns of [10, 33]) expect(axisText("time", { from: 7, span: 1e12 }, columns, false)).toHaveLength(columns);
  });

  test("each column begins at the first transition at or after its place", async () => {
    const w = await session("nested");
    const interval = { from: 100_000, span: 300_000 };
    const edges = columnSeqs(w, "time", interval, 40);
    for (const [i, edge] of edges.entries()) {
      const place = 100_000 + (i * 300_000) / 40;
      expect(w.rows.at(edge)?.time ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(place);
      if (edge > 0) expect(w.rows.at(edge - 1)?.time).toBeLessThan(place);
    }
    expect([seqAt(w, "time", -5), seqAt(w, "time", 1e15), seqAt(w, "steps", 7.2)]).toEqual([0, w.rows.count, 8]);
  });
});

describe("the interval", () => {
  test("from the whole run to an AEX and back", async () => {
    const w = await session("async-in-enclave");
    const seq = Array.from({ length: w.rows.count }, (_, at) => at).find((at) => w.rows.at(at)?.kind === KIND["sgx.aex"]) ?? 0;
    const s = playerOf(w, { width: 200, height: 59, seq });
    await s.press("4");
    const whole = s.screen();
    for (let i = 0; i < 30; i += 1) await s.press("i");
    const { from, span } = shownInterval(w, s.state().lanes, seq);
    expect(span).toBe(100);
    expect(placeOf(w, "time", seq)).toBeGreaterThanOrEqual(from);
    expect(placeOf(w, "time", seq)).toBeLessThan(from + span);
    await s.press("Z");
    expect(s.screen()).toBe(whole);
  });

  test("zooming keeps its place, panning keeps its length, both stay on the axis; a step takes it along again", async () => {
    const w = await session("nested");
    const seq = 500;
    const near = zoomed(w, zoomed(w, WHOLE_RUN, seq, 1), seq, 1);
    const length = lengthOf(w, "time");
    expect(near.interval?.span).toBeCloseTo(length / 4, -1);
    const far = panned(w, panned(w, near, seq, 1, 5), seq, 1, 5);
    expect(far.interval).toEqual({ from: length - length / 4, span: length / 4 });
    expect(shownInterval(w, far, seq)).toEqual(far.interval);
    const followed = shownInterval(w, far, seq + 1);
    expect(placeOf(w, "time", seq + 1)).toBeGreaterThanOrEqual(followed.from);
    expect(placeOf(w, "time", seq + 1)).toBeLessThan(followed.from + followed.span);
    expect(panned(w, WHOLE_RUN, seq, 1)).toBe(WHOLE_RUN);
    const steps = rescaled(w, near, seq, (place) => seqAt(w, "time", place));
    expect(steps.scale).toBe("steps");
    expect(shownInterval(w, steps, seq).from).toBe(seqAt(w, "time", near.interval?.from ?? -1));
  });
});

describe("cells", () => {
  test("a letter a transition at the nearest, waits where the thread is blocked, nothing of what others do", async () => {
    const w = await session("w6-kill-fanout");
    const lanes = lanesOf(w, "steps", { from: 1000, span: 400 }, 400);
    for (let seq = 1000; seq < 1400; seq += 1) {
      const row = w.rows.at(seq) ?? expect.fail("there is a row");
      const site = w.trace.sites[row.site] ?? expect.fail("with a site");
      expect(columnOf(lanes, seq)).toBe(seq - 1000);
      for (const [thread, { cells }] of lanes.lanes) {
        const code = cells[seq - 1000] as number;
        if (thread === row.thread) expect(code).toBe(codeOf(site.layer, site.context === "signal"));
        else expect([NOTHING, WAITS]).toContain(code);
      }
    }
    const blocked = [...lanes.lanes.values()].some(({ cells }) => cells.includes(WAITS));
    expect(blocked).toBe(true);
  });

  test("calls and handlers lie under their thread, the enclave's stays too", async () => {
    const w = await session("nested");
    const { lanes } = lanesOf(w, "steps", { from: 0, span: w.rows.count }, w.rows.count);
    const main = lanes.get(0) ?? expect.fail("main has a lane");
    const handlers = main.slices.filter(({ what }) => what === "handler");
    expect(handlers.map(({ text }) => text).sort()).toEqual(["SIGINT", "SIGTERM"]);
    for (const { from, to } of main.slices) {
      expect(w.rows.at(from)?.kind).toBe(
        main.slices.find((one) => one.from === from)?.what === "call" ? KIND["app.call"] : KIND["app.handler.enter"],
      );
      expect(to).toBeGreaterThan(from);
    }
    for (const [i, inside] of main.inside.entries())
      if (w.rows.at(i)?.thread === 0 && layerOf(main.cells[i] as number) === "app") expect(inside).toBe(1);
  });

  test("a long run is drawn from the tables, when these are counted", async () => {
    const w = await session("server", { rows: 60_000 });
    const edges = columnSeqs(w, "steps", { from: 0, span: w.rows.count }, 100);
    expect(overviewLanes(w, edges)).toBeNull();
    const stop = new AbortController();
    stop.abort();
    await countOverview({ ...w, trace: { ...w.trace, ask: (...args) => w.trace.ask(...args) } }, stop.signal);
    expect(overviewLanes(w, edges)).toBeNull();
    await countOverview(w, new AbortController().signal);
    const lanes = overviewLanes(w, edges) ?? expect.fail("counted");
    const handlers = new Set(
      w.trace.ask("SELECT thread, seq FROM handler").map(([thread, seq]) => `${thread} ${Math.floor(Number(seq) / 600)}`),
    );
    const drawn = new Set([...lanes].flatMap(([thread, { slices }]) => slices.map(({ from }) => `${thread} ${from}`)));
    expect(handlers.size).toBeGreaterThan(10);
    // Bins are finer than columns and need not end where these do: one column beside is allowed.
    for (const place of handlers) {
      const [thread, column] = place.split(" ").map(Number) as [number, number];
      expect(
        [column - 1, column, column + 1].some((one) => drawn.has(`${thread} ${one}`)),
        place,
      ).toBe(true);
    }
  });
});

test("who waits goes on to wait when data comes for others", async () => {
  const w = await session("server", { rows: 22_000 });
  const cellsAfter = (from: number): number[] => {
    const [first] = w.trace.ask("SELECT seq FROM transitions WHERE label = 'data arrives from outside' AND seq > ? LIMIT 1", from)[0] ?? [];
    const time = w.rows.at(Number(first))?.time ?? 0;
    const main = lanesOf(w, "time", { from: time, span: 100_000 }, 50).lanes.get(0)?.cells ?? expect.fail("main");
    return [...main.slice(5)];
  };
  expect(cellsAfter(5000)).toEqual(Array.from({ length: 45 }, () => WAITS));
  // Too long ago to be looked for: the tables know.
  expect(cellsAfter(16_000)).toEqual(Array.from({ length: 45 }, () => NOTHING));
  await countOverview(w, new AbortController().signal);
  expect(cellsAfter(16_000)).toEqual(Array.from({ length: 45 }, () => WAITS));
});

describe("a thread that is over", () => {
  const TEXT = `
name: over
title: Threads that are over before the run is
source: made for this test
main:
  - fork: child
  - wait4: { child: child }
  - fork: victim
  - compute: 100us
  - kill: { process: victim, signal: SIGKILL }
  - loop: { times: 300, do: [gettime] }
programs:
  child: [{ clone: sleeper }, { compute: 50us }, { exit-group: { status: 3 } }]
  sleeper: [{ nanosleep: 10s }]
  victim: [{ nanosleep: 10s }]
`;
  const threadIn = (w: Awaited<ReturnType<typeof session>>, name: string): number => w.trace.threads.findIndex((one) => one.name === name);

  test("does not wait until the end of the run: not after its process left, nor after a signal killed it", async () => {
    const w = await session("over", { text: TEXT, stack: "native-linux" });
    await countOverview(w, new AbortController().signal);
    const edges = columnSeqs(w, "steps", { from: 0, span: w.rows.count }, 100);
    const lanes = overviewLanes(w, edges) ?? expect.fail("counted");
    for (const name of ["child", "sleeper", "victim"]) {
      const cells = lanes.get(threadIn(w, name))?.cells ?? expect.fail(name);
      expect([...cells.slice(60)], name).toEqual(Array.from({ length: 40 }, () => NOTHING));
    }
    const main = lanes.get(threadIn(w, "main"))?.cells ?? expect.fail("main");
    expect([...main.slice(60)]).not.toContain(NOTHING);
  });

  test("its last call ends with it, at any zoom", async () => {
    const w = await session("over", { text: TEXT, stack: "native-linux" });
    const columns = 100;
    const { lanes } = lanesOf(w, "steps", { from: 0, span: w.rows.count }, columns);
    const slices = lanes.get(threadIn(w, "sleeper"))?.slices ?? expect.fail("sleeper");
    expect(slices).toHaveLength(1);
    expect(slices[0]?.text).toMatch(/^nanosleep/);
    expect(slices[0]?.to).toBeLessThan(columns / 2);
  });
});

describe("the signal's way", () => {
  test("goes from the sender's lane to that of the handler", async () => {
    const w = await session("w6-kill-fanout");
    const seq = seqOf(w, "host tgkill: tgkill: the signal is generated");
    const s = playerOf(w, { width: 200, height: 59, seq });
    await s.press("f", "4");
    const hops = (s.state().signalPath?.hops ?? []).map((hop) => w.rows.at(hop.seq)?.thread);
    expect(new Set(hops).size).toBeGreaterThan(1);
    for (let i = 0; i < 6; i += 1) await s.press("i");
    expect(s.screen()).toMatch(/[┐┘◆]/);
  });
});

describe("the mouse", () => {
  test("a click goes to the thread's transition there, the wheel zooms, dragging pans, letting go ends it", async () => {
    const w = await session("w6-kill-fanout");
    const s = playerOf(w, { width: 200, height: 59, seq: 1693 });
    await s.press("4", "i", "i");
    const panel = chosenPanel(s.state());
    const lines = s.screen().split("\n");
    const line = lines.findIndex((text, i) => i > panel.top && text.startsWith(" idle "));
    const column = [...(lines[line] ?? "")].findIndex((character, i) => i > 20 && character !== " " && character !== "·");
    await onMouse(s.context, { what: "press", line, column });
    expect(w.trace.threads[s.state().thread]?.name).toBe("idle");
    const { from, span } = shownInterval(w, s.state().lanes, s.state().seq);
    await onMouse(s.context, { what: "drag", line, column: column + 30 });
    expect(shownInterval(w, s.state().lanes, s.state().seq).from).toBeLessThan(from);
    await onMouse(s.context, { what: "release", line, column: column + 30 });
    expect(s.state().lanesHeld).toBeNull();
    await onMouse(s.context, { what: "wheel-up", line, column });
    expect(shownInterval(w, s.state().lanes, s.state().seq).span).toBe(span / 2);
  });
});
