/** Conditions, who set a value, what a result is made of. */

import { describe, expect, test } from "vitest";
import { KIND, kindName, signalNumber } from "../../../../engine/index.ts";
import { ConditionError, conditionOf } from "../../../../tui/replay/navigate/condition.ts";
import type { ReplaySession } from "../../../../tui/replay/session.ts";
import { playerOf, seqOf, sessions } from "../../../support/replay.ts";

const session = sessions();

/** Seqs where it holds. */
function holds(w: ReplaySession, text: string): number[] {
  const test = conditionOf(text, w.trace);
  return Array.from({ length: w.rows.count }, (_, seq) => seq).filter((seq) => {
    const place = w.rows.block(seq);
    return place !== null && test(place.block, place.row);
  });
}

/** Seqs that SQL finds. */
const asked = (w: ReplaySession, where: string): number[] =>
  w.trace.ask(`SELECT seq FROM transitions WHERE ${where} ORDER BY seq`).map(([seq]) => Number(seq));

describe("a condition", () => {
  test.each([
    ["cssa > 0 && preempt > 0", "cssa > 0 AND preempt > 0"],
    ["signal = SIGINT and layer = libos", "signal = 'SIGINT' AND layer = 'libos'"],
    ["signal = int or signal = 15", "signal IN ('SIGINT', 'SIGTERM')"],
    ["not (kind = step or kind != 'app.return') ", "kind = 'app.return'"],
    ["value = -EINTR", "value = -4"],
    ["flow ~ sighandler", "flow LIKE '%sighandler%'"],
    ['label like "%wait%kernel%"', "label LIKE '%wait%kernel%'"],
    ["time >= 100us && time < 0.2ms", "time_ns >= 100000 AND time_ns < 200000"],
    ["context = signal AND ! layer = host", "context = 'signal' AND layer <> 'host'"],
    ["depth<=2 or seq<>5 and seq==6", "depth <= 2 OR (seq <> 5 AND seq = 6)"],
    ["thread != main", "thread <> 'main'"],
    ["signal != SIGINT", "signal <> 'SIGINT'"],
  ])("%s", async (condition, sql) => {
    const w = await session("nested");
    expect(holds(w, condition)).toEqual(asked(w, sql));
  });

  test.each([
    ["csaa > 1", 'at character 1: expected a field, found "csaa"; did you mean "cssa"?'],
    ["cssa", "at the end: expected = != < <= > >= ~ or like after cssa"],
    ["cssa >", "at the end: expected what cssa is compared with"],
    ["cssa > one", 'at character 7: cssa is a number; "one" is none here'],
    ["layer > libos", "at character 8: layer is a name"],
    ["layer = libs", 'at character 8: no layer "libs" in this trace; did you mean "libos"?'],
    ["(cssa = 1", 'at the end: expected ")"'],
    ["cssa = 1 preempt = 0", "at character 9: expected and, or, or the end"],
    ["cssa = 1 @ 2", "at character 9: expected and, or, or the end"],
    [`${"(".repeat(30)}cssa = 1`, "parentheses"],
    ["x".repeat(400), "at most 300 characters"],
  ])("%s is none", async (text, why) => {
    const w = await session("nested");
    expect(() => conditionOf(text, w.trace)).toThrow(ConditionError);
    expect(() => conditionOf(text, w.trace)).toThrow(why);
  });
});

describe("stopping", () => {
  test("forwards, backwards, with hits; off it stops nowhere, taken away it is gone", async () => {
    const w = await session("nested");
    const all = holds(w, "kind = app.handler.enter");
    const s = playerOf(w, { width: 120, height: 40 });
    await s.type("&kind = app.handler.enter\r");
    expect(s.state().seq).toBe(all[0]);
    expect(s.state().message).toBe("stopped: kind = app.handler.enter");
    await s.type("r");
    expect(s.state().seq).toBe(all[1]);
    await s.type("r");
    expect(s.state().message).toBe("no condition holds further on");
    await s.type(">RR8");
    expect(s.state().seq).toBe(all[0]);
    expect(s.screen()).toContain("stop  kind = app.handler.enter  (4 stops so");
    await s.type("\r");
    expect(s.screen()).toContain("off   kind = app.handler.enter");
    await s.type("r");
    expect(s.state().message).toContain("no condition to stop at");
    await s.type("x");
    expect(s.state().conditions).toEqual([]);
    await s.type("&cssa > 5\r");
    expect(s.state().message).toBe('"cssa > 5" holds nowhere in this trace');
    await s.type("&nonsense\r");
    expect(s.state().message).toContain('expected a field, found "nonsense"');
    expect(s.state().conditions).toHaveLength(1);
  });
});

describe("who set this?", () => {
  test("goes to the last change of the chosen line, and says what it was before", async () => {
    const w = await session("toy");
    const seq = seqOf(w, "suspend_upcall: take the next pending one");
    const s = playerOf(w, { width: 120, height: 40, seq });
    await s.type("1");
    for (let i = 0; i < 20 && !(s.state().picked.state ?? "").includes("pending"); i += 1) await s.press(".");
    const text = (at: number): string => {
      const player = playerOf(w, { width: 120, height: 50, seq: at });
      return /LibOS pending.*/.exec(player.screen())?.[0].trim() ?? "";
    };
    expect(s.screen()).toMatch(/>LibOS pending/);
    const before = seqOf(w, "suspend_upcall: deliver_signal");
    s.context.dispatch({ type: "go", seq: seq - 1, thread: 0 });
    await s.type("W");
    expect(s.state().seq).toBe(before);
    expect(text(before)).not.toBe(text(before - 1));
    expect(s.state().message).toMatch(/^set here: before it was "LibOS pending/);
    s.context.dispatch({ type: "go", seq: before - 1, thread: 0 });
    await s.type("W");
    expect(s.state().seq).toBeLessThan(before);
  });

  test("without a chosen line it says how to choose one", async () => {
    const s = playerOf(await session("toy"), { seq: 20 });
    await s.type("W");
    expect(s.state().message).toContain("first choose a line of the state");
  });
});

describe("what a result is made of", () => {
  test("from the lost error's 0 to the wrong turn, and from there to what brought the event", async () => {
    const w = await session("lost-interrupted-error");
    const end = w.firstDifference?.seq ?? seqOf(w, "libc read: back in the application");
    const s = playerOf(w, { seq: end, thread: 0 });
    const road: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      await s.press("p");
      road.push(kindName(w.rows.at(s.state().seq)?.kind ?? -1));
      if (s.state().message.startsWith("this is where")) break;
    }
    expect(road.slice(0, 3)).toEqual(["libos.syscall.exit", "pal.errno.read", "pal.call.abandon"]);
    const wrong = w.stored?.[0]?.evidence.find(({ caption }) => caption.startsWith("the wrong turn"))?.seq ?? 0;
    await s.press("end");
    s.context.dispatch({ type: "go", seq: end, thread: 0 });
    await s.press("p", "p", "p");
    expect(s.state().seq).toBeLessThanOrEqual(wrong);
    expect(s.state().message).toContain("p goes on");
    s.context.dispatch({ type: "go", seq: wrong + 1, thread: 0 });
    while (s.state().seq !== wrong) await s.press("p");
    expect(s.state().message).toMatch(/^made here, and this is the wrong turn of finding 1, high: /);
    expect(signalNumber("SIGINT")).toBe(2);
    expect(w.rows.at(end)?.kind).toBe(KIND["app.return"]);
  });
});

test("within a call, where nothing gives a result, it begins at what the call returns", async () => {
  const w = await session("lost-interrupted-error");
  const end = seqOf(w, "libc read: back in the application");
  const s = playerOf(w, { seq: seqOf(w, "pipe_read: DkStreamRead"), thread: 0 });
  await s.press("p");
  expect(s.state()).toMatchObject({ seq: end, message: expect.stringMatching(/^the result of this call: .* = 0; p goes/) });
});

describe("bookmarks and notes", () => {
  test("a note is written, listed, gone to, changed and taken away", async () => {
    const s = playerOf(await session("toy"), { width: 120, height: 40, seq: 20 });
    await s.type("athe lock is taken here\r>8");
    expect(s.screen()).toContain("mark  seq 20  the lock is taken here");
    await s.type("\r");
    expect(s.state()).toMatchObject({ seq: 20, message: "note: the lock is taken here" });
    expect(s.screen()).toContain("▲ note: the lock is taken here");
    await s.type("a again\r");
    expect(s.state().notes).toEqual({ 20: "the lock is taken here again" });
    await s.type("x");
    expect(s.state()).toMatchObject({ bookmarks: [], notes: {} });
  });
});

describe("rows that are hidden", () => {
  test("are left out of the timeline and of steps, but never the row that is stood on; an empty line shows all", async () => {
    const w = await session("nested");
    const s = playerOf(w, { width: 100, height: 40, seq: 500 });
    await s.type("!kind = branch or kind = return\r");
    const kinds = (): string[] => [...new Set(s.context.onScreen())].map((seq) => kindName(w.rows.at(seq)?.kind ?? -1));
    for (let i = 0; i < 30; i += 1) {
      await s.type("j");
      const here = kindName(w.rows.at(s.state().seq)?.kind ?? -1);
      expect(["branch", "return"]).not.toContain(here);
      expect(kinds()).not.toContain("branch");
    }
    await s.type("!\u0015nonsense\r");
    expect(s.state().message).toContain('expected a field, found "');
    await s.type("!\u0015\r");
    expect(s.state()).toMatchObject({ hide: "", message: "all rows are shown" });
    expect(kinds()).toContain("branch");
  });
});
