/** No pane is empty: where a trace has nothing of a pane's kind, the pane has the nearest thing, or how to get it. Two unrelated traces. */

import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openTrace } from "../../../../recorder/index.ts";
import { paint } from "../../../../tui/present/style.ts";
import { pairsOf } from "../../../../tui/replay/compare/alignment.ts";
import { opening } from "../../../../tui/replay/navigate/opening.ts";
import { PANES } from "../../../../tui/replay/panes/index.ts";
import { isTooLongToAnalyze, openSession, type ReplaySession } from "../../../../tui/replay/session.ts";
import { startState } from "../../../../tui/replay/state.ts";
import { eintr } from "../../../support/command-line.ts";
import { playerOf, seqOf, sessions } from "../../../support/replay.ts";
import { tempPaths } from "../../../support/temp-dir.ts";

const session = sessions();
const fresh = tempPaths();
const SMALL = { width: 80, height: 23 };

/** Lines of the chosen pane of a small screen. */
const paneOf = (screen: string): string[] => {
  const lines = screen.split("\n");
  return lines.slice(lines.findIndex((line) => /\[\d \w+\]/.test(line)) + 1, -3).filter((line) => line.trim() !== "");
};

describe("a log of a library OS", () => {
  const dir = fresh("log.trace");
  const LOG = fileURLToPath(new URL("../../../fixtures/gramine-logs/s26_two_signals_one_read.gramine.log.gz", import.meta.url));
  beforeAll(async () => void (await eintr(["record", LOG, "-o", dir])));

  async function opened(): Promise<ReplaySession> {
    const trace = await openTrace(dir);
    onTestFinished(() => trace.close());
    return openSession(trace, { paint: paint(false), ascii: false }, null);
  }

  test("its rows tell the state: the call, the handler that runs, signals on their way, other threads", async () => {
    const w = await opened();
    const seq = seqOf(w, "the log: handler of SIGUSR1");
    const s = playerOf(w, { width: 120, height: 39, seq, pane: "state" });
    expect(s.screen()).toMatch(/in read\(3, 0x1\) since seq \d+/);
    expect(s.screen()).toContain(`* the handler of SIGUSR1 runs since seq ${seq}`);
    expect(s.screen()).toMatch(/signals on their way: SIGUSR1 \(seq \d+\)/);
    expect(s.screen()).toMatch(/thread-2: in nanosleep/);
    await s.press("j", "j");
    expect(s.screen()).toContain("no handler runs");
  });

  test("its signals stand in the pane of signals, though the log does not tell when the kernel had them", async () => {
    const w = await opened();
    expect(playerOf(w, { ...SMALL, pane: "signal" }).screen()).toMatch(/\d+ {2}SIGUSR1 to main: handled/);
    expect(w.density.some((count) => count > 0)).toBe(true);
  });

  test("one flow has no name before each step", async () => {
    expect(playerOf(await opened(), { ...SMALL, seq: 20 }).screen()).not.toContain("the log: ");
  });

  test("no pane is empty, and how it ended is told", async () => {
    const w = await opened();
    for (const { id } of PANES) expect(paneOf(playerOf(w, { ...SMALL, pane: id }).screen()), id).not.toEqual([]);
    expect(playerOf(w, { ...SMALL, ...opening(w, []) }).screen()).toContain("gramine: main exits with status 0, where its recording ends");
  });
});

test("a run without signals: what the program asked for, and how to get one", async () => {
  const none = playerOf(await session("initialisation"), { ...SMALL, pane: "signal" }).screen();
  expect(none).toContain("no signal is sent in this run; the program asks for none, either");
  expect(none).toContain("eintr replay lost-interrupted-error");
  const text = "name: quiet\ntitle: quiet\nmain:\n  - sigaction: { signal: SIGINT, handler: h }\nhandlers:\n  h: []\n";
  const quiet = playerOf(await session("quiet", { text }), { ...SMALL, pane: "signal" }).screen();
  expect(quiet).toMatch(/\d+ {2}sigaction\(SIGINT, h\) {2}\[= 0\]/);
});

test("differences from Linux alone are gone to without another run", async () => {
  const dir = fresh("judged.trace");
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
  const trace = await openTrace(dir);
  onTestFinished(() => trace.close());
  const s = playerOf(openSession(trace, { paint: paint(false), ascii: false }, null), SMALL);
  await s.press(")");
  expect(s.state().message).toBe("handler of SIGINT: mask {}, on Linux mask {SIGINT}");
  await s.press(")");
  expect(s.state().message).toBe("read(pipe, 64): 0, on Linux -EINTR");
  await s.press(")");
  expect(s.state().message).toContain("no difference from Linux alone further on");
});

test("a long trace is looked through when it is asked for, and the findings stay", async () => {
  const w = { ...(await session("lost-interrupted-error")), stored: null };
  const long = { ...w, rows: { ...w.rows, count: 2_000_001 } };
  expect(isTooLongToAnalyze(long)).toBe(true);
  const s = playerOf(long, { ...startState(long, 80, 23), pane: "findings" });
  expect(s.screen()).toContain("Enter has them do it");
  await s.press("enter");
  expect(s.state().looked).toBe(true);
  expect(s.state().message).toMatch(/^\d+ findings?: 1 high.*; kept with the trace; Enter tells the worst$/);
  const lost = "FROM finding f JOIN evidence e ON e.finding = f.id WHERE f.rule = 'sgx-interrupted-code-lost' AND e.turn = 1";
  expect(w.trace.ask(`SELECT substr(e.caption, 1, 14) ${lost}`)).toEqual([["the wrong turn"]]);
});

test("a key that means nothing says so", async () => {
  const s = playerOf(await session("toy"), SMALL);
  await s.type("d");
  expect(s.state().message).toBe("d means nothing here: ? lists the keys, : finds a command");
});

describe("two unrelated traces", () => {
  const both = async (): Promise<ReplaySession> =>
    session("lost-interrupted-error", { other: await session("nested", { stack: "gramine-linux" }) });

  test("calls are paired by what they are, as eintr diff does; what one run lacks stands where it would have been", async () => {
    const w = await both();
    const told = pairsOf(w).map(({ what, one, other, difference }) => [what, one?.text ?? "-", other?.text ?? "-", difference !== null]);
    expect(told).toEqual([
      ["sigaction(SIGTERM, on-sigterm)", "-", "0", true],
      ["sigaction(SIGINT, on-sigint)", "0", "0", false],
      ["getpid()", "-", "1", true],
      ["read(pipe, 64)", "0", "-", true],
      ["handler of SIGINT", "runs", "-", false],
      ["exit_group(0)", "never returns", "-", true],
    ]);
  });

  test("it opens at the first difference, in words; ) and ( go through all of them", async () => {
    const w = await both();
    const s = playerOf(w, { width: 160, height: 40, ...opening(w, w.stored ?? []) });
    expect(s.screen()).toContain("4 differences, the first: sigaction(SIGTERM, on-sigterm): is not called here, 0 there");
    expect(s.screen()).toContain("this run: lost-interrupted-error on graphene-sgx; the other: nested on gramine-linux");
    const told: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      await s.press(")");
      told.push(s.state().message);
    }
    expect(told[0]).toBe("getpid(): is not called here, 1 there");
    expect(told[1]).toBe("read(pipe, 64): 0 here, is not called there");
    expect(told[2]).toContain("exit_group(0): ");
    await s.press("(");
    expect(s.state().message).toBe(told[1]);
  });

  test("differences can be left out and taken in again", async () => {
    const s = playerOf(await both(), { ...SMALL, pane: "compare" });
    await s.type("#call:getpid kind:handler\r");
    expect(s.state()).toMatchObject({ ignored: "call:getpid kind:handler", message: "3 differences without call:getpid, kind:handler" });
    await s.type("#\u0015nonsense\r");
    expect(s.state().message).toContain("expected call:NAME, thread:NAME or kind:NAME");
    await s.type("#\u0015\r");
    expect(s.state()).toMatchObject({ ignored: "", message: "4 differences in all" });
  });
});
