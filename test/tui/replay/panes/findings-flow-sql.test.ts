/** The panes of findings, of a flow and of SQL: what they show, and that they fit. */

import { describe, expect, test, vi } from "vitest";
import { displayWidth } from "../../../../tui/present/safe.ts";
import { sql } from "../../../../tui/replay/navigate/navigation.ts";
import { findingsPane } from "../../../../tui/replay/panes/findings.ts";
import { flowPane } from "../../../../tui/replay/panes/flow.ts";
import { isTooLongToAnalyze, type ReplaySession } from "../../../../tui/replay/session.ts";
import { initialState, type ReplayState, startState } from "../../../../tui/replay/state.ts";
import { playerOf, seqOf, sessions } from "../../../support/replay.ts";

const session = sessions();
const LOST = "toy";
const SMALL = { width: 80, height: 23 };
const LARGE = { width: 200, height: 59 };

describe("findings, flow, SQL", () => {
  test("a finding has its interval, and stands where it begins on the minimap", async () => {
    const w = await session(LOST);
    const s = playerOf(w, { ...SMALL, pane: "findings" });
    const { firstSeq = 0, lastSeq = 0 } = w.stored?.[0] ?? {};
    expect(s.screen()).toMatch(
      new RegExp(`seq ${firstSeq} to ${lastSeq} +high +read\\(pipe, 64\\) returns 0 instead of -EINTR after SIGINT`),
    );
    const map = s.screen().split("\n")[1] ?? "";
    const share = (map.indexOf("!") - 7) / (80 - 12);
    expect(Math.abs(share - firstSeq / w.rows.count)).toBeLessThan(0.03);
  });

  test("texts are wrapped where there is room, and cut where there is none", async () => {
    const w = await session(LOST);
    const s: ReplayState = { ...initialState(80, 23), findings: w.stored ?? [], seq: seqOf(w, "toy_sighandler: update") };
    const title = w.stored?.[0]?.title ?? "";
    expect(
      findingsPane
        .lines(w, s, 50, 20)
        .map((line) => line.trim())
        .join(" "),
    ).toContain(title);
    expect(findingsPane.lines(w, s, 50, 2)[0]).toContain("…");
    const flow = (height: number): string => flowPane.lines(w, s, 40, height).join("\n");
    expect(flow(60).split("\n").slice(1).join("\n")).not.toContain("…");
    expect(flow(4)).toContain("…");
    for (const height of [4, 60]) for (const line of flow(height).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(40);
  });

  test("a long trace that nobody analyzed is not said to have no findings", async () => {
    const made = await session(LOST);
    const long = (rows: number): ReplaySession => ({ ...made, stored: null, rows: { ...made.rows, count: rows } });
    const words = (rows: number): string => findingsPane.lines(long(rows), startState(long(rows), 80, 23), 50, 20).join(" ");
    expect(words(2_000_001)).toContain("not all rules looked through it yet");
    expect(isTooLongToAnalyze(long(2_000_001))).toBe(true);
    expect(words(2_000_000)).not.toContain("not all rules looked through it yet");
    expect(isTooLongToAnalyze(long(2_000_000))).toBe(false);
  });

  test("a row wider than the pane is told cell by cell, where there is room", async () => {
    const w = await session(LOST);
    const wide = "SELECT seq, flow, label, 'a' AS one, 'b' AS two, 'the last cell' AS last, kind FROM transitions ORDER BY seq";
    const large = playerOf(w, { ...LARGE, width: 112 });
    await sql(large.context, wide);
    await large.press(".");
    expect(large.screen()).toMatch(/^seq: 1 *$/m);
    expect(large.screen()).toContain("last: the last cell");
    const small = playerOf(w, SMALL);
    await sql(small.context, wide);
    expect(small.screen()).not.toContain("last: ");
    await sql(large.context, "SELECT seq FROM transitions ORDER BY seq");
    expect(large.screen()).not.toMatch(/^seq: /m);
  });

  test("what is too wide is cut, a number never; the columns that are not there are seen sideways", async () => {
    const s = playerOf(await session(LOST), SMALL);
    await sql(s.context, `SELECT ${"1234567890123456 AS n, 'a text of some length' AS text, ".repeat(4)} 3 AS last`);
    const columns = (): string[] => (/^> (.*)$/m.exec(s.screen())?.[1] ?? "").trim().split(/ {2,}/);
    expect(s.screen()).toMatch(/: 1 row, columns 1 to 5 of 9 \(A D sideways/);
    expect(columns()).toEqual(["1234567890123456", "a text of …", "1234567890123456", "a text of …", "1234567890123456"]);
    await s.type("DDDD");
    expect(columns().at(-1)).toBe("3");
    expect(s.screen()).toContain("columns 5 to 9 of 9");
  });

  test("the pane opens with its line: letters begin a statement, other keys are meant for the questions, Esc leaves it", async () => {
    const s = playerOf(await session(LOST), SMALL);
    await s.type("6");
    await s.type("\u001b[B");
    expect(s.state()).toMatchObject({ prompt: "sql", picked: { recipe: 1 } });
    await s.type("select seq as q FROM transitions WHERE seq = 7");
    await s.type("\r");
    await vi.waitFor(() => expect(s.screen()).toMatch(/^> 7 *$/m));
    expect(s.state()).toMatchObject({ prompt: null, seq: 0 });
    // With rows below them letters are keys again; Q has the questions, and the line with them.
    await s.type("Q7");
    expect(s.state()).toMatchObject({ prompt: null, pane: "compare" });
    await s.type("6");
    await s.type("\u001b");
    await s.type("j");
    expect(s.state()).toMatchObject({ prompt: null, pane: "sql", seq: 1 });
    await s.type("6");
    await s.type("\r");
    await vi.waitFor(() => expect(s.screen()).toContain("delays: "));
  });
});
