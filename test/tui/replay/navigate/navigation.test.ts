/** Ways through a trace: to callers, differences, threads, rows of SQL; by palette and mouse; and what is known of findings. */

import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { RULES } from "../../../../analyzer/catalogue.ts";
import { HOPS } from "../../../../engine/index.ts";
import { TraceError } from "../../../../recorder/index.ts";
import { paint } from "../../../../tui/present/style.ts";
import { nextDifference } from "../../../../tui/replay/compare/position.ts";
import { matching } from "../../../../tui/replay/input/commands.ts";
import { onMouse, onTick } from "../../../../tui/replay/input/input.ts";
import { sql } from "../../../../tui/replay/navigate/navigation.ts";
import { layoutOf } from "../../../../tui/replay/screen/layout.ts";
import { findingsOf, openSession, type ReplaySession } from "../../../../tui/replay/session.ts";
import { playerOf, recordScenario, seqOf, sessions } from "../../../support/replay.ts";
import { tempPaths } from "../../../support/temp-dir.ts";

const fresh = tempPaths();
const session = sessions();
const LOST = "lost-interrupted-error";
const TOY = "toy";
const SMALL = { width: 80, height: 23 };

describe("to the caller", () => {
  test("the call of the function, then the call around that", async () => {
    const w = await session(TOY);
    const call = seqOf(w, "suspend_upcall: lock(cur.lock)");
    const s = playerOf(w, { seq: call + 2 });
    const label = (): string => w.trace.sites[w.rows.at(s.state().seq)?.site ?? -1]?.label ?? "";
    await s.press("U");
    expect([s.state().seq, label()]).toEqual([call, "lock(cur.lock)"]);
    const depths = [w.rows.at(call)?.depth ?? 0];
    for (let seq = call; seq > 0; ) {
      await s.press("U");
      if (s.state().seq === seq) break;
      expect(s.state().seq).toBeLessThan(seq);
      seq = s.state().seq;
      const { depth = 0 } = w.rows.at(seq) ?? {};
      expect(depth).toBeLessThan(depths[0] ?? 0);
      depths.unshift(depth);
    }
    expect(s.state().message).toBe("this is the outermost function");
  });
});

describe("differences", () => {
  test("each place where one shows is come to, there and back", async () => {
    const w = await session("w6-kill-fanout", { other: await session("w6-kill-fanout", { stack: "native-linux" }) });
    const walked = (direction: 1 | -1): number[] => {
      const seqs: number[] = [];
      for (let at = direction === 1 ? -1 : w.rows.count; ; ) {
        const found = nextDifference(w, at, direction);
        if (found === null) return seqs;
        expect(direction * (found.seq - at)).toBeGreaterThan(0);
        seqs.push((at = found.seq));
      }
    };
    const there = walked(1);
    expect(there.length).toBeGreaterThan(3);
    expect(walked(-1)).toEqual(there.toReversed());
  });

  test("where a run was cut, what is missing is not said not to happen", async () => {
    const w = await session("server", { rows: 3000, other: await session("server", { rows: 1500 }) });
    const screen = playerOf(w, { width: 120, height: 60, pane: "compare", seq: 2900 }).screen();
    expect(screen).toContain("not recorded");
    expect(screen).not.toContain("does not happen");
  });
});

test("every thread has its lane where there is room, the one of the timeline always", async () => {
  const w = await session("server", { rows: 3000 });
  const names = w.trace.threads.map(({ name }) => name);
  const large = playerOf(w, { width: 120, height: 60, pane: "lanes", seq: 2900 }).screen();
  for (const name of names) expect(large).toMatch(new RegExp(`^[> ]${name} `, "m"));
  names.forEach((name, thread) => {
    expect(playerOf(w, { ...SMALL, pane: "lanes", seq: 2900, thread }).screen()).toMatch(new RegExp(`^>${name} `, "m"));
  });
});

test("a row of signals leads to its first hop that there was", async () => {
  const w = await session("w6-kill-fanout");
  const rest = "FROM signals WHERE generated IS NULL ORDER BY id LIMIT 1";
  const [hops = []] = w.trace.ask(`SELECT ${HOPS.join(", ")} ${rest}`);
  const at = hops.findIndex((seq) => seq !== null);
  expect(at).toBeGreaterThan(0);
  const s = playerOf(w, SMALL);
  await sql(s.context, `SELECT * ${rest}`);
  await s.press("enter");
  expect(s.state()).toMatchObject({ seq: hops[at], message: `here is the row's ${HOPS[at]}` });
});

test.each(["follow", "sql", "thread", "quit", "next", "copy", "end"])("the palette takes %s for the command of that name", (name) => {
  expect(matching(name)[0]?.name).toBe(name);
});

describe("the mouse", () => {
  test.each([
    [SMALL.width, SMALL.height],
    [200, 59],
  ])("at %ix%i: a tab opens its pane, the wheel over a pane scrolls it, elsewhere it steps", async (width, height) => {
    const seq = 40;
    const s = playerOf(await session(TOY), { width, height, seq, pane: "state" });
    const { tabs: place, timeline } = layoutOf({ width, height });
    const { left: sideLeft, top: sideTop } = place;
    const tabs = s.screen().split("\n")[sideTop]?.slice(sideLeft) ?? "";
    const over = { column: sideLeft + 5, line: sideTop + 3 };
    const before = s.screen();
    await onMouse(s.context, { what: "wheel-down", ...over });
    expect(s.state().seq).toBe(seq);
    if (height < 50) expect(s.screen()).not.toBe(before);
    await onMouse(s.context, { what: "wheel-down", column: 5, line: 2 + timeline.height - 1 });
    expect(s.state().seq).toBe(seq + 1);
    await onMouse(s.context, { what: "press", column: sideLeft + tabs.indexOf("3 findings") + 2, line: sideTop });
    expect(s.state().pane).toBe("findings");
    await onMouse(s.context, { what: "other", column: 5, line: 5 });
    expect(s.state().seq).toBe(seq + 1);
  });
});

test("play that looks far is stopped by the keys of play and by Esc, and does not begin again", async () => {
  const made = await session(TOY);
  const { count } = made.rows;
  const far: ReplaySession = {
    ...made,
    rows: { ...made.rows, find: (from, direction) => ({ goOnAt: (from + direction + count) % count }) },
  };
  for (const key of [" ", "\u001b", "\u007f"]) {
    const s = playerOf(far, { seq: 20, playing: 1 });
    const ticked = onTick(s.context, 3);
    expect(s.state().busy).toBe(true);
    await s.type(key);
    await ticked;
    expect(s.state()).toMatchObject({ playing: 0, busy: false, message: "stopped", seq: 20 });
  }
});

describe("findings", () => {
  test("what only some rules looked through is looked through by all", async () => {
    const trace = await recordScenario(LOST, fresh("some.trace"));
    const [rule] = RULES.filter(({ id }) => id !== "sgx-interrupted-code-lost");
    trace.replaceFindings([], [{ rule: rule?.id ?? "", findings: 0, costNs: 0, omitted: 0 }]);
    const w = openSession(trace, { paint: paint(false), ascii: false }, null);
    expect(w.stored).toBeNull();
    expect((await findingsOf(w)).map((finding) => finding.rule)).toContain("sgx-interrupted-code-lost");
    trace.close();
  });

  test("those that are only counted are told", async () => {
    const trace = await recordScenario(LOST, fresh("many.trace"));
    const rule = RULES[0]?.id ?? "";
    const finding = { rule, severity: "low", title: "t", thread: 0, firstSeq: 1, lastSeq: 5, costNs: 1, fingerprint: "f", evidence: [] };
    trace.replaceFindings(
      [finding],
      RULES.map(({ id }) => ({ rule: id, findings: id === rule ? 6 : 0, costNs: 0, omitted: id === rule ? 5 : 0 })),
    );
    const w = openSession(trace, { paint: paint(false), ascii: false }, null);
    expect(playerOf(w, { ...SMALL, pane: "findings" }).screen()).toContain("5 more, like others, are only counted; Enter or } begins");
    trace.close();
  });

  test("a database that lacks a table is told with its file, and what to do", async () => {
    const dir = fresh("lacks.trace");
    const trace = await recordScenario(LOST, dir);
    // Behind the back of who has it open: on opening it would have been made anew.
    const database = new Sqlite(`${dir}/trace.db`);
    database.pragma("foreign_keys = OFF");
    database.exec("DROP TABLE analysis");
    database.close();
    expect(() => openSession(trace, { paint: paint(false), ascii: false }, null)).toThrow(TraceError);
    expect(() => trace.ask("SELECT * FROM analysis")).toThrow(/trace\.db.*cannot be asked \(no such table: analysis\).*Remove it/s);
    trace.close();
  });
});
