/** What the replay's panes and timelines tell one who sees them for the first time. */

import { describe, expect, test } from "vitest";
import { observeTrace } from "../../../../analyzer/index.ts";
import { displayWidth } from "../../../../tui/present/safe.ts";
import { drawRows } from "../../../../tui/present/two-column.ts";
import { ALIGNED_ROWS, alignCalls, onlySites, pairsOf } from "../../../../tui/replay/compare/alignment.ts";
import { MAX_ALIGNED_ROWS } from "../../../../tui/replay/compare/divergence.ts";
import { alignedSeq } from "../../../../tui/replay/compare/position.ts";
import { sql } from "../../../../tui/replay/navigate/navigation.ts";
import { linesOf } from "../../../../tui/replay/panes/state.ts";
import type { ReplaySession } from "../../../../tui/replay/session.ts";
import { initialState } from "../../../../tui/replay/state.ts";
import { playerOf, seqOf, sessions } from "../../../support/replay.ts";
import { TOY, TOY_TEXT } from "../../../support/toy-stack.ts";

const session = sessions();

const LOST = "toy";
const LONG_NAME = "a-name-that-is-long-enough";
const FIX = "sgx-interrupted-code-lost";
/** A terminal of 80x24, without the line that Ink needs. */
const SMALL = { width: 80, height: 23 };
const LARGE = { width: 200, height: 59 };

/** The last place before the run with the fix makes steps of its own, the first one after, and the end of the call that differs. */
const PARTED = "_DkHandleExternalEvent: find the PAL call";
const AFTER = "_DkHandleExternalEvent: upcall";
const BACK = "libc read: back in the application";

const withFix = async (): Promise<ReplaySession> => session(LOST, { other: await session(LOST, { fixes: [FIX] }) });

describe("compare", () => {
  test("columns have short names, the whole ones stand above", async () => {
    const w = await withFix();
    const seq = seqOf(w, PARTED);
    const small = playerOf(w, { ...SMALL, seq, pane: "compare" }).screen();
    expect(small).toMatch(/seq +thread +call +this run +with the fix/);
    expect(small).toContain(` toy-sgx + ${FIX}  seq ${seq}`);
    expect(playerOf(w, { ...LARGE, seq, pane: "compare" }).screen()).toContain(`this run: toy-sgx; with the fix: toy-sgx + ${FIX}`);
    const linux = await session("initialisation", { other: await session("initialisation", { stack: "graphene-linux" }) });
    expect(playerOf(linux, { ...SMALL, pane: "compare" }).screen()).toMatch(/call +this run +graphene-linux/);
    const less = await session(LOST, { fixes: [FIX], other: await session(LOST) });
    expect(playerOf(less, { ...SMALL, pane: "compare" }).screen()).toMatch(/call +this run +the other/);
  });

  test("where the roads of the differing call part; steps that only one run makes have a sign", async () => {
    const w = await withFix();
    const seq = seqOf(w, PARTED);
    const screen = playerOf(w, { ...LARGE, seq, pane: "compare" }).screen();
    const words = screen.replaceAll(/\s*\n.*│ /g, " ");
    expect(words).toContain(`the runs diverge after seq ${seq}; here: upcall`);
    expect(words).toContain("there: keep the code");
    expect(screen).toMatch(new RegExp(` ${seq + 1}\\+ pal +│ .*keep the code`));
    expect(screen.match(/ \d+\+ /g)?.map((sign) => sign.trim())).toEqual([1, 2, 3].map((n) => `${seq + n}+`));
  });

  test("the other run goes along step by step, also after a detour of its own", async () => {
    const w = await withFix();
    const at = (seq: number): object | null => alignedSeq(w, { ...initialState(80, 23), seq });
    const [parted, after, back] = [PARTED, AFTER, BACK].map((place) => seqOf(w, place)) as [number, number, number];
    for (const seq of [0, 20, parted]) expect(at(seq)).toMatchObject({ seq, waits: null });
    for (const seq of [after, back]) expect(at(seq)).toMatchObject({ seq: seq + 3, waits: null });
  });

  test("where this run is on a detour, the other one waits and says why", async () => {
    const w = await session(LOST, { fixes: [FIX], other: await session(LOST) });
    const seq = seqOf(w, "_DkRaiseFailure: pal_errno");
    const parted = seqOf(w, PARTED);
    const s = playerOf(w, { ...SMALL, seq, pane: "compare" });
    expect(alignedSeq(w, s.state())).toMatchObject({ seq: parted, waits: "diverged" });
    expect(s.screen()).toContain(` toy-sgx  seq ${parted}  (waits: the runs diverged)`);
    expect(s.screen()).toMatch(new RegExp(`►\\s+${seq}- pal`));
    await s.press("j", "j");
    expect(s.screen()).not.toContain("(waits");
  });

  test("beyond what is looked through without a call, the other one stands still and says why", async () => {
    const text = "name: busy\ntitle: busy\nmain:\n  - loop: {times: 6000, do: [compute: 1us, vectors: live]}\n  - getpid\n";
    const w = await session("busy", { text, other: await session("busy", { text, fixes: [FIX] }) });
    const call = pairsOf(w).find(({ what }) => what.includes("getpid"))?.one?.seq ?? expect.fail("there is a call");
    expect(call).toBeGreaterThan(MAX_ALIGNED_ROWS + 2000);
    const at = (seq: number): object | null => alignedSeq(w, { ...initialState(80, 23), seq });
    expect(at(MAX_ALIGNED_ROWS - 1)).toMatchObject({ seq: MAX_ALIGNED_ROWS - 1, waits: null });
    expect(at(call - 1)).toMatchObject({ seq: MAX_ALIGNED_ROWS - 1, waits: "far" });
    expect(at(call)).toMatchObject({ seq: call, waits: null });
    expect(playerOf(w, { ...SMALL, seq: call - 1, pane: "compare" }).screen()).toContain("(stands still)");
    expect(playerOf(w, { ...SMALL, seq: call, pane: "compare" }).screen()).not.toContain("stands still");
  });

  test("of which one is long: their begins are laid side by side, and it is said how far", async () => {
    const made = await withFix();
    const other = made.other ?? expect.fail("there is another run");
    const w = { ...made, other: { ...other, rows: { ...other.rows, count: ALIGNED_ROWS + 1 } } };
    await alignCalls(w, new AbortController().signal, () => undefined);
    expect(pairsOf(w)).toEqual(pairsOf(made));
    expect(onlySites(w, w.other)).toEqual({ here: new Set(), there: new Set() });
    const s = playerOf(w, { ...LARGE, pane: "compare" });
    expect(s.screen().replaceAll(/\s+/g, " ")).toContain("aligned up to seq 3,000,000 only: eintr diff compares all of two traces");
    await s.press("end", ")");
    expect(s.state().message).toBe("no difference further on in what is aligned; ( goes to the others");
  });

  test("of which one is observed as far as asked: what comes later is not said to be missing", async () => {
    const made = await withFix();
    const signal = new AbortController().signal;
    const whole = await observeTrace(made.trace, "", { signal });
    const part = await observeTrace(made.trace, "", { signal }, undefined, 10);
    expect(whole?.ends.run).toBe("finished");
    expect(part?.ends.run).toBe("row-limit");
  });

  test("two stacks: every place is drawn, within the screen", async () => {
    const w = await session("nested", { other: await session("nested", { stack: "native-linux" }) });
    for (let seq = 0; seq < w.rows.count; seq += 7) {
      const screen = playerOf(w, { ...SMALL, seq, pane: "compare" }).screen();
      expect(screen, `seq ${seq}`).not.toContain("this cannot be shown");
      for (const line of screen.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    }
  });

  test("without another run: the fixes and stacks there are, the one that mends what was found first; Enter runs it so", async () => {
    const s = playerOf(await session("lost-interrupted-error"), { width: 120, height: 45, pane: "compare" });
    expect(s.screen()).toMatch(new RegExp(`^> with the fix {2}${FIX} {2}mends what was found`, "m"));
    expect(s.screen()).toMatch(/^ {2}on the stack {2}native-linux {2}/m);
    await s.press("enter");
    expect(s.state()).toMatchObject({ compared: true, pane: "compare", message: "side by side; ) and ( go from difference to difference" });
    expect(s.context.session.other?.trace.info.fixes).toEqual([FIX]);
    await s.press(")");
    expect(s.screen()).toMatch(/! +\d+ +main +read\(pipe, 64\) +0 +-EINTR/);
  });

  test("stacks stand before fixes that mend something else, also in a small pane, and what is not shown is counted", async () => {
    const s = playerOf(await session("lost-interrupted-error"), { ...SMALL, pane: "compare" });
    expect(s.screen()).toMatch(new RegExp(`^> with the fix {2}${FIX}.*\n {2}on the stack {2}native-linux`, "m"));
    expect(s.screen()).toMatch(/^ {2}1 of \d+: \. and , choose$/m);
  });

  test("of two runs that fare alike it is said", async () => {
    const s = playerOf(await session("lost-interrupted-error"), { ...SMALL, pane: "compare" });
    await s.type("@spurious-yield-per-pending\r");
    expect(s.state().message).toBe("side by side: the application sees the same in both runs");
    expect(s.screen()).toContain("no difference: the application sees the same in both runs");
  });

  test("where the same step is made in another context, the two are told apart", async () => {
    const w = await session("lost-interrupted-error", { other: await session("lost-interrupted-error", { stack: "native-linux" }) });
    const screen = playerOf(w, { ...LARGE, seq: seqOf(w, "handler on-sigint: on-sigint()"), pane: "compare" }).screen();
    expect(screen.replaceAll(/\s*\n/g, " ")).toContain(
      "here: on-sigint() in handler on-sigint, in the normal context; there: on-sigint() in handler on-sigint, in signal context",
    );
  });

  test("another one can be typed: a stack, the folder of a trace; what is neither is told", async () => {
    const w = await session("nested");
    const s = playerOf(w, { width: 160, height: 45, pane: "compare" });
    await s.type("@native-linux\r");
    expect(s.context.session.other?.trace.info.stack).toBe("native-linux");
    await s.type(`@${w.trace.dir}\r`);
    expect(s.context.session.other?.trace.info.stack).toBe("graphene-sgx");
    await s.type("@no-such-thing\r");
    expect(s.state().message).toMatch(/^no-such-thing: no stack, no fix and no trace folder of that name; known are: /);
    await s.type("@gramine-sxg\r");
    expect(s.state().message).toMatch(/; did you mean "gramine-sgx"\?$/);
    // Two timelines beside each other.
    expect(s.screen()).toMatch(/seq +layer Normal context.*│.*seq +layer Normal context/);
  });

  test("a trace of a real run has nothing to be run otherwise", async () => {
    const w = await session(LOST);
    const s = playerOf({ ...w, trace: { ...w.trace, info: { ...w.trace.info, origin: "imported" } } }, { ...SMALL, pane: "compare" });
    // The traces of the other tests lie beside it.
    expect(s.screen()).toContain("this trace cannot be run again; Enter lays it beside another one");
    expect(s.screen()).toMatch(/^> beside trace {2}.*toy\.trace/m);
    await s.press("enter");
    expect(s.state()).toMatchObject({ compared: true, message: "side by side; ) and ( go from difference to difference" });
  });
});

describe("signal", () => {
  test("where the signal is now, and what becomes of it", async () => {
    const w = await session(LOST);
    const s = playerOf(w, { ...SMALL, seq: seqOf(w, "suspend_upcall: lock(cur.lock)") });
    await s.press("f");
    expect(s.screen()).toContain("SIGINT, signal 1, now: on its way up to the LibOS (main); in the end: handled");
    await s.press("home");
    expect(s.screen()).toContain("SIGINT, signal 1, now: not there yet; in the end: handled");
    await s.press("end");
    expect(s.screen()).toMatch(/now: (over|in the application's handler) \(main\)/);
  });

  test("what is hidden is counted, scrolling shows it, the hop stood at is seen", async () => {
    const w = await session(LOST);
    const s = playerOf(w, { ...SMALL, seq: seqOf(w, "suspend_upcall: lock(cur.lock)") });
    await s.press("f");
    const hops = s.state().signalPath?.hops ?? [];
    expect(hops.length).toBeGreaterThan(4);
    for (const { seq, name } of hops) {
      s.context.dispatch({ type: "go", seq, thread: 0 });
      expect(s.screen()).toMatch(new RegExp(`> +${seq} +${name}`));
    }
    const isSeen = (index: number): boolean => s.screen().includes(` ${hops[index]?.seq}  ${hops[index]?.name}`);
    expect(s.screen()).toContain(`... ${hops.length - 4} more above, 0 below (ctrl-d, ctrl-u)`);
    expect(isSeen(0)).toBe(false);
    await s.press("ctrl-d", "ctrl-d", "ctrl-u");
    expect(isSeen(0)).toBe(true);
    await s.press("home");
    expect(isSeen(hops.length - 1)).toBe(false);
    await s.press("ctrl-u", "ctrl-u", "ctrl-d");
    expect(isSeen(hops.length - 1)).toBe(true);
  });

  test("long texts are wrapped where there is room", async () => {
    const w = await session(LOST);
    const s = playerOf(w, { ...LARGE, seq: seqOf(w, "suspend_upcall: lock(cur.lock)") });
    await s.press("f");
    const pane = s.screen().slice(0, s.screen().indexOf("─ 1 state "));
    expect(pane).not.toContain("…");
    expect(pane).toContain("x is past");
  });
});

describe("the first line", () => {
  test("the case's name is cut before the stack and the thread", async () => {
    const w = await session(LONG_NAME, { stack: TOY, text: TOY_TEXT.replace("toy", LONG_NAME) });
    const seq = seqOf(w, "suspend_upcall: lock(cur.lock)");
    const last = w.rows.count - 1;
    const s = playerOf(w, { ...SMALL, seq });
    const first = (): string => s.screen().split("\n")[0] ?? "";
    expect(first()).toContain(` ${LONG_NAME} on toy-sgx  thread main `);
    await s.press("f");
    expect(first()).toContain(`… on toy-sgx  thread main  signal 1  seq ${seq} of ${last}`);
    s.context.dispatch({ type: "play", direction: 1 });
    expect(first()).toMatch(new RegExp(`^ a-.*… on toy-sgx.* {2}thread main {2}playing \\d+/s {2}signal 1 {2}seq ${seq} of ${last}`));
    expect(displayWidth(first())).toBe(80);
  });
});

describe("hints", () => {
  test("the findings pane says what Enter does, and the line below does not repeat it", async () => {
    const s = playerOf(await session(LOST), SMALL);
    await s.press("enter");
    const [finding] = s.state().findings;
    expect(s.screen()).toContain(`evidence 1 of ${finding?.evidence.length}: Enter goes on`);
    expect(s.screen().split(finding?.title ?? "?")).toHaveLength(2);
    expect(s.screen()).not.toContain("Enter goes on with it");
    await s.press("1");
    s.context.dispatch({ type: "say", message: "" });
    expect(s.screen()).toContain(`walkthrough of: ${finding?.title}`);
    expect(s.screen()).toContain(`1 of ${finding?.evidence.length}: Enter goes on`);
  });

  test("at the end of the story: it is the end", async () => {
    const s = playerOf(await session(LOST), SMALL);
    await s.press("enter");
    const count = s.state().findings[0]?.evidence.length ?? 0;
    for (let i = 1; i < count; i += 1) await s.press("enter");
    expect(s.screen()).toContain(`evidence ${count} of ${count}, the end: Enter twice begins again`);
    await s.press("enter");
    expect(s.screen()).toContain(`evidence ${count} of ${count}, the end: Enter begins again`);
    await s.press("enter");
    expect(s.state().evidence).toBe(0);
  });

  test("in SQL Enter jumps: nothing else is said of it", async () => {
    const s = playerOf(await session(LOST), SMALL);
    await s.press("enter");
    await sql(s.context, "SELECT seq FROM transitions ORDER BY seq");
    expect(s.screen()).toContain("Enter jumps");
    expect(s.screen()).not.toMatch(/Enter (goes|tells|begins)/);
  });
});

describe("timeline", () => {
  test("calls further out than the first bar are counted in the heading", async () => {
    const w = await session(LOST);
    const seq = seqOf(w, "on-sigint: on-sigint()");
    expect(playerOf(w, { ...SMALL, seq }).screen()).toMatch(/Normal context \(\+\d+ outer\) +Signal context/);
    expect(playerOf(w, { width: 200, height: 25, seq }).screen()).toMatch(/Normal context \(\d+ outer calls not drawn\) +Signal context/);
    expect(playerOf(w, { width: 60, height: 23, seq }).screen()).toMatch(/Normal context( \+\d)? +Signal context/);
    expect(playerOf(w, { ...SMALL, seq: 0 }).screen()).toMatch(/Normal context +Signal context/);
  });

  test("the same row's bars and what is not drawn are the same depth on each screen", async () => {
    const w = await session(LOST);
    const depths = new Set<number>();
    const hiddens = new Set<number>();
    for (let seq = 50; seq < w.rows.count; seq += 1) {
      const screen = playerOf(w, { ...SMALL, seq }).screen();
      const hidden = Number(/\(\+(\d+) outer\)/.exec(screen)?.[1] ?? 0);
      const bars = /^.{8}app {3}((?:│ )*)on-sigint: on-sigint\(\)/m.exec(screen)?.[1];
      if (bars === undefined) continue;
      hiddens.add(hidden);
      depths.add(hidden + bars.length / 2);
    }
    expect(hiddens.size).toBeGreaterThan(1);
    expect(depths.size).toBe(1);
  });

  test("seqs of eight digits are whole, with their pointer and sign, and apart from the layer", async () => {
    const w = await session(LOST);
    const first = w.rows.at(seqOf(w, PARTED)) ?? expect.fail("there is a row");
    const rows = [12_345_678, 12_345_679].map((seq) => ({ row: { ...first, seq }, level: 0, folded: 0, others: 0 }));
    const [one, two] = drawRows(rows, {
      sites: w.trace.sites,
      width: 80,
      paint: w.paint,
      ascii: false,
      sgx: w.sgx,
      absent: [],
      eventName: w.shown.events.name,
      lastSeq: 19_999_999,
      marks: new Map(),
      cursor: 12_345_678,
      only: { sites: new Set([first.site]), sign: "+" },
    });
    expect(one?.text).toMatch(/^►12345678\+ pal /);
    expect(two?.text).toMatch(/^ 12345679\+ pal /);
    for (const line of [one, two]) expect(displayWidth(line?.text ?? "")).toBeLessThanOrEqual(80);
  });

  test("the enclave's bar goes on beside a note, and a note leaves a cell free", async () => {
    const w = await session(LOST);
    const place = seqOf(w, PARTED);
    for (const sgx of [true, false]) {
      const rows = [w.rows.at(place), w.rows.at(place + 1)].flatMap((row) => (row === null ? [] : [row]));
      const lines = drawRows(
        rows.map((row) => ({ row, level: row.depth, folded: 0, others: row === rows[1] ? 3 : 0 })),
        {
          sites: w.trace.sites,
          width: 80,
          paint: w.paint,
          ascii: false,
          sgx,
          absent: [],
          eventName: w.shown.events.name,
          lastSeq: w.rows.count - 1,
          marks: new Map([[place, "a long note ".repeat(20)]]),
        },
      );
      const beside = lines.filter(({ text }) => /long note|of other threads/.test(text));
      expect(beside.length).toBeGreaterThan(4);
      for (const { text } of beside) {
        expect(text.endsWith(" ┃")).toBe(sgx);
        expect(displayWidth(text)).toBeLessThan(80);
      }
    }
  });
});

describe("state", () => {
  test("what matters on a signal's road is seen in a small pane", async () => {
    const w = await session(LOST);
    const s = playerOf(w, { ...SMALL, seq: seqOf(w, "_DkHandleExternalEvent: RAX = 0") });
    for (const text of ["pal_errno 0", "RAX 0", "preempt", "LibOS pending", "inside the enclave  CSSA 0"])
      expect(s.screen()).toContain(text);
    expect(s.screen()).toMatch(/\* +pal_errno 0 +RAX 0/);
  });

  test("a thread that runs waits for nothing", async () => {
    const w = await session("sigsuspend-lock", { stack: "graphene-linux" });
    const texts = new Set<string>();
    for (let seq = 0; seq < w.rows.count; seq += 3) {
      const state = w.machines.at(seq);
      if ("none" in state) throw new Error(state.none);
      for (const thread of w.trace.threads.keys()) texts.add(linesOf(w, state, thread)[0]?.text ?? "");
    }
    const all = [...texts];
    expect(all.some((text) => / blocked for /.test(text))).toBe(true);
    expect(all.filter((text) => / run\b.+/.test(text))).toEqual([]);
  });
});
