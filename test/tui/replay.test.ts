/** The replay's commands and panes, without a terminal. */

import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { kindName } from "../../engine/index.ts";
import { openTrace, record } from "../../recorder/index.ts";
import { paint } from "../../tui/present/style.ts";
import { alignGently } from "../../tui/replay/aligning.ts";
import { jump, sql } from "../../tui/replay/going.ts";
import { findingsOf, openWorld, type World } from "../../tui/replay/world.ts";
import { eintr } from "../support/command-line.ts";
import { sessionOf, worlds } from "../support/replay.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const world = worlds();
const fresh = tempPaths();

/** A trace folder as the replay opens it, until the end of the test. */
function opened(dir: string): World {
  const trace = openTrace(dir);
  onTestFinished(() => trace.close());
  return openWorld(trace, { paint: paint(false), ascii: false }, null);
}

const kindAt = (w: World, seq: number): string => kindName(w.rows.at(seq)?.kind ?? -1);

describe("time", () => {
  test("step forward and back along the thread", async () => {
    const s = sessionOf(await world("lost-interrupted-error"));
    await s.press("j", "j", "j");
    expect(s.state().seq).toBe(3);
    await s.press("k", "k");
    expect(s.state().seq).toBe(1);
    await s.press("home", "k");
    expect(s.state()).toMatchObject({ seq: 0, message: "nothing before" });
    await s.press("end", "j");
    expect(s.state()).toMatchObject({ seq: 192, message: "nothing further on" });
  });

  test("over a function, out of it, and back to its caller", async () => {
    const w = await world("lost-interrupted-error");
    const s = sessionOf(w, { seq: 48 });
    // lock(cur.lock) is entered at 46 and left at 50.
    await s.press("U");
    expect(s.state().seq).toBe(46);
    await s.press("u");
    expect([kindAt(w, s.state().seq), s.state().seq]).toEqual(["return", 50]);
    await s.press("O");
    expect(s.state().seq).toBe(45);
    await s.press("o");
    expect(s.state().seq).toBe(50);
  });

  test("by system call and by enclave entry, there and back the same places", async () => {
    const w = await world("lost-interrupted-error");
    for (const [forward, back, kinds] of [
      ["c", "C", ["app.call", "app.return"]],
      ["e", "E", ["sgx.eenter", "sgx.eexit", "sgx.aex", "sgx.eresume"]],
    ] as const) {
      const s = sessionOf(w);
      const seen: number[] = [];
      for (let i = 0; i < 4; i += 1) {
        await s.press(forward);
        expect(kinds).toContain(kindAt(w, s.state().seq));
        seen.push(s.state().seq);
      }
      const again: number[] = [];
      for (let i = 0; i < 3; i += 1) {
        await s.press(back);
        again.push(s.state().seq);
      }
      expect(again).toEqual(seen.slice(0, 3).reverse());
    }
  });

  test("jump to a seq, a share, a time; what is none says what was expected", async () => {
    const w = await world("lost-interrupted-error");
    const s = sessionOf(w);
    jump(s.context, "89");
    expect(s.state().seq).toBe(89);
    jump(s.context, "50%");
    expect(s.state().seq).toBe(96);
    jump(s.context, "101.6us");
    expect(w.rows.at(s.state().seq)?.time).toBeGreaterThanOrEqual(101_600);
    expect(w.rows.at(s.state().seq - 1)?.time).toBeLessThan(101_600);
    jump(s.context, "999999999");
    expect(s.state().seq).toBe(192);
    jump(s.context, "over there");
    expect(s.state().message).toContain('"over there" is no place');
  });

  test("search: regular expressions, plain text, kinds, signals", async () => {
    const w = await world("lost-interrupted-error");
    const s = sessionOf(w);
    for (const [text, seq] of [
      ["deliver_signal\\(", 117],
      ["sgx.eexit", 77],
      ["get_frame(uc)", 102],
      ["^host read", 81],
    ] as const) {
      s.context.dispatch({ type: "go", seq: 0, thread: 0 });
      s.context.dispatch({ type: "search", text });
      await s.press("n");
      expect(s.state().seq, text).toBe(seq);
    }
    s.context.dispatch({ type: "search", text: "(a+)+$" });
    await s.press("n");
    expect(s.state().message).toBe('no match for "(a+)+$"; searched as plain text: repeats of groups and of repeats are not tried');
  });

  test("bookmarks", async () => {
    const s = sessionOf(await world("lost-interrupted-error"), { seq: 20 });
    await s.press("m", "j", "j", "j", "m", '"');
    expect(s.state().seq).toBe(20);
    await s.press("'");
    expect(s.state().seq).toBe(23);
    expect(s.screen()).toContain("bookmark");
    await s.press("m", '"', "'");
    expect(s.state()).toMatchObject({ seq: 20, bookmarks: [20], message: "nothing further on" });
  });
});

describe("stories", () => {
  test("the lost error: the finding, its evidence, the wrong turn", async () => {
    const s = sessionOf(await world("lost-interrupted-error"));
    await s.press("}");
    expect(s.screen()).toContain("read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
    while (!s.state().message.startsWith("the wrong turn")) {
      const before = s.state().seq;
      await s.press("enter");
      expect(s.state().seq).toBeGreaterThan(before);
    }
    expect(s.screen()).toMatch(/► *160 +pal .*update registers with event\.frame registers, RAX = 0/);
  });

  test("the findings come when the rules are done; until then the pane and the keys say that they are looked for", async () => {
    const w: World = { ...(await world("lost-interrupted-error")), stored: null };
    const s = sessionOf(w, { pane: "findings" });
    expect(s.screen()).toContain("the rules are looking through the trace");
    await s.press("}");
    expect(s.state().message).toBe("the rules are still looking");
    s.context.dispatch({ type: "say", message: "" });
    s.context.dispatch({ type: "found", findings: await findingsOf(w) });
    expect(s.screen()).toContain("Ctrl-C during read from a pipe, and the error that gets lost");
    expect(s.screen()).toContain("! Enter tells how: read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
    await s.press("enter", "enter");
    expect(s.screen()).toMatch(/evidence 2 of \d/);
    await s.press("b", "b");
    expect(s.state().message).toBe("the story begins here");
  });

  test("follow a nested SIGINT through the layers", async () => {
    const w = await world("nested");
    const s = sessionOf(w);
    s.context.dispatch({ type: "search", text: "SIGINT" });
    await s.press("end", "[", "f");
    const signal = s.state().signal ?? 0;
    expect(s.state().road).toMatchObject({ name: "SIGINT", outcome: "handled" });
    const hops: string[] = [];
    await s.press("home");
    for (;;) {
      await s.press("]");
      if (s.state().message === "nothing further on") break;
      expect(w.rows.at(s.state().seq)?.extra).toBe(signal);
      hops.push(kindAt(w, s.state().seq));
    }
    expect(hops[0]).toBe("host.signal.generate");
    for (const kind of [
      "host.signal.deliver",
      "libos.upcall.enter",
      "libos.signal.append",
      "libos.signal.fetch",
      "app.handler.enter",
      "app.handler.return",
    ])
      expect(hops).toContain(kind);
    expect(hops.indexOf("libos.signal.append")).toBeLessThan(hops.indexOf("libos.signal.fetch"));
  });

  test("back across an AEX: CSSA and the SSA frame are as they were", async () => {
    const w = await world("async-in-enclave");
    const s = sessionOf(w, { width: 120, height: 40 });
    s.context.dispatch({ type: "search", text: "sgx.aex" });
    await s.press("n");
    expect(kindAt(w, s.state().seq)).toBe("sgx.aex");
    const after = s.screen();
    expect(after).toContain("* outside the enclave  CSSA 1 of 2");
    expect(after).toMatch(/\* SSA\[0\] RAX/);
    await s.press("K");
    expect(s.screen()).toContain("inside the enclave  CSSA 0 of 2");
    await s.press("J");
    expect(s.screen()).toBe(after);
  });

  test("a deadlocked sigsuspend: who waits for which lock, and who holds it", async () => {
    const s = sessionOf(await world("sigsuspend-lock", { stack: "graphene-linux" }), { width: 120, height: 50 });
    await s.press("end");
    const screens: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      screens.push(s.screen());
      await s.press("t");
    }
    expect(screens.join("\n")).toMatch(/sender .*blocked for/);
    expect(screens.join("\n")).toMatch(/locks .*held by main/);
  });

  test("compare with the fix: the same call, another answer", async () => {
    const other = await world("lost-interrupted-error", { fixes: ["sgx-interrupted-code-lost"] });
    const s = sessionOf(await world("lost-interrupted-error", { other }), { width: 120, height: 50 });
    await s.press(")");
    expect(s.state()).toMatchObject({ seq: 169, pane: "compare" });
    expect(s.screen()).toMatch(/! +67 +main +read\(pipe, 64\) +0 +-EINTR/);
    expect(s.screen()).toContain("graphene-sgx + sgx-interrupted-code-lost  seq 172");
    await s.press(")");
    expect(s.state().message).toBe("no difference further on");
  });

  test("two runs are laid side by side before they are shown: with progress, and until somebody stops it", async () => {
    const other = await world("lost-interrupted-error", { fixes: ["sgx-interrupted-code-lost"] });
    const both = await world("lost-interrupted-error", { other });
    const told: [number, number][] = [];
    const stop = new AbortController();
    const stopped = alignGently(both, stop.signal, (...progress) => told.push(progress));
    stop.abort();
    expect(await stopped).toBe(false);
    expect(await alignGently(both, new AbortController().signal, (...progress) => told.push(progress))).toBe(true);
    const total = both.rows.count + other.rows.count;
    expect(told).toEqual([
      [both.rows.count, total],
      [both.rows.count, total],
      [total, total],
    ]);
    expect(await alignGently(other, stop.signal, () => expect.fail("nothing to lay beside"))).toBe(true);
  });

  test("SQL, and from a row of the result to its transition", async () => {
    const s = sessionOf(await world("lost-interrupted-error"));
    await sql(s.context, "SELECT seq, flow FROM transitions WHERE kind = 'app.return' ORDER BY seq");
    expect(s.screen()).toContain("libc sigaction");
    await s.press(".", "enter");
    expect(s.state().seq).toBe(169);
    await sql(s.context, "SELECT 1 FROM nowhere");
    expect(s.state().message).toContain("no such table: nowhere");
    await sql(s.context, "DELETE FROM finding");
    expect(s.state().message).toContain("only read");
  });
});

describe("panes", () => {
  test("lanes show every thread around now, signal context in capitals", async () => {
    const w = await world("w6-kill-fanout", { stack: "graphene-linux" });
    const [width, seq] = [139, 478];
    const s = sessionOf(w, { width, height: 40, seq });
    await s.press("4", "t");
    const lines = s.screen().split("\n");
    const pointer = lines.findIndex((line) => line.trim() === "v now");
    const now = lines[pointer]?.indexOf("v") ?? -1;
    const lanes = lines.slice(pointer + 1, pointer + 1 + w.trace.threads.length);
    const begin = ">idle#2        ".length;
    expect(lanes.map((lane) => lane.slice(0, begin).trimEnd())).toEqual([" main", ">idle", " idle#2", " idle#3"]);
    expect(lines[pointer + 1 + lanes.length]).toContain("capitals: signal context");
    const wanted = lanes.map(() => "");
    for (let column = begin; column < width; column += 1) {
      const row = w.rows.at(seq + column - now) ?? expect.fail("the trace goes on beyond what is shown");
      const site = w.trace.sites[row.site] ?? expect.fail("each row has a site");
      const letter = site.layer.charAt(0);
      for (const thread of lanes.keys())
        wanted[thread] += thread !== row.thread ? " " : site.context === "signal" ? letter.toUpperCase() : letter;
    }
    expect(lanes.map((lane) => lane.slice(begin))).toEqual(wanted);
    // The place was chosen so that each thread is there, and each that gets a signal is seen in signal context.
    expect(wanted.map((lane) => [/[a-z]/.test(lane), /[A-Z]/.test(lane)])).toEqual([
      [true, false],
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  test("the flow, with the step stood on", async () => {
    const s = sessionOf(await world("lost-interrupted-error"), { seq: 89 });
    await s.press("5");
    expect(s.screen()).toContain("_DkTerminateSighandler  (untrusted-pal, reference 2.2, 2.3)");
    expect(s.screen()).toMatch(/> +3 +update normal-context registers/);
  });

  test("a trace of a real run says why it has no state", async () => {
    const dir = fresh("imported.trace");
    await record(syntheticSource({ rows: 1000 }), dir, testInfo());
    const w = opened(dir);
    expect(w.trace.info.origin).toBe("imported");
    const why = "this trace was imported from a real run: there is no machine to look into";
    const s = sessionOf(w);
    for (const key of ["home", "J", "end"]) {
      await s.press(key);
      expect(s.screen()).toContain(why);
    }
    expect(s.state().seq).toBe(999);
    expect(w.machines.title).toBe("");
  });

  test("what is made of a strace log is emulated: it has states", async () => {
    const dir = fresh("log.trace");
    const log = fileURLToPath(new URL("../recorder/logs/read-sigint.strace", import.meta.url));
    expect(await eintr(["record", log, "--stack", "graphene-sgx", "-o", dir])).toMatchObject({ code: 0 });
    const s = sessionOf(opened(dir));
    expect(s.screen()).toContain("read-sigint, from a strace log");
    s.context.dispatch({ type: "search", text: "sgx.eexit" });
    await s.press("end", "N");
    expect(s.screen()).toContain("* outside the enclave  CSSA 0 of 2");
  });

  test("folding leaves less and keeps the place", async () => {
    const w = await world("lost-interrupted-error");
    const s = sessionOf(w, { seq: 117, height: 40 });
    const steps = (): number[] => [...new Set(s.context.onScreen())];
    /** What of the interval on the screen is not shown. */
    const leftOut = (): number[] => {
      const shown = new Set(steps());
      const [first, last] = [Math.min(...shown), Math.max(...shown)];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((seq) => !shown.has(seq));
    };
    const before = s.screen();
    expect(steps().length).toBeGreaterThan(10);
    expect(leftOut()).toEqual([]);
    await s.press("z");
    expect(s.screen()).toMatch(/^► *117 /m);
    expect(s.state()).toMatchObject({ seq: 117, thread: 0 });
    const kinds = new Set(leftOut().map((seq) => kindAt(w, seq)));
    expect([...kinds].sort()).toEqual(["branch", "lock", "return", "step", "unlock"]);
    expect(steps().filter((seq) => ["branch", "return"].includes(kindAt(w, seq)))).toEqual([]);
    // lock(cur.lock) is entered at 127 and left at 131: it is one line.
    expect(s.screen()).toMatch(/^ *127 .*lock\(cur\.lock\) +\[…4\]/m);
    expect(leftOut()).toEqual(expect.arrayContaining([128, 129, 130, 131]));
    // A branch that is stood on stays.
    expect(leftOut()).toContain(118);
    await s.press("j");
    expect(s.screen()).toMatch(/^► *118 /m);
    await s.press("k", "z");
    s.context.dispatch({ type: "say", message: "" });
    expect(s.screen()).toBe(before);
  });

  test("copies the interval as text, Markdown, Mermaid", async () => {
    const s = sessionOf(await world("lost-interrupted-error"), { seq: 89, height: 60 });
    await s.press("y");
    expect(s.copied()).toContain("Signal context");
    await s.press("Y");
    expect(s.copied()).toMatch(/^```\n(?:.*\n)*```\n$/);
    await s.press("M");
    expect(s.copied()).toMatch(/^sequenceDiagram\n/);
    expect(s.copied()).toContain("->>host: ");
  });
});
