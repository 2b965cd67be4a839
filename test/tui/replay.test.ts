/** The replay's commands and panes, without a terminal. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { KIND, kindName } from "../../engine/index.ts";
import { alignGently } from "../../tui/replay/aligning.ts";
import { jump, sql } from "../../tui/replay/going.ts";
import { COMMANDS, keyTable, matching } from "../../tui/replay/keys.ts";
import { PANES } from "../../tui/replay/panes/index.ts";
import { findingsOf, type World } from "../../tui/replay/world.ts";
import { sessionOf, worlds } from "../support/replay.ts";

const world = worlds();

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
    const s = sessionOf(w, { seq: 46 });
    // lock(cur.lock) is entered at 46 and left at 50.
    await s.press("U");
    expect(w.rows.at(46)?.depth).toBeGreaterThan(w.rows.at(s.state().seq)?.depth ?? 99);
    expect(s.state().seq).toBe(45);
    await s.press("j", "u");
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
    const s = sessionOf(await world("sigsuspend-lock", { stack: "graphene-linux" }), { width: 120, height: 40, seq: 150 });
    await s.press("4");
    expect(s.screen()).toMatch(/>main +[alpuhALPUH ]+/);
  });

  test("the flow, with the step stood on", async () => {
    const s = sessionOf(await world("lost-interrupted-error"), { seq: 89 });
    await s.press("5");
    expect(s.screen()).toContain("_DkTerminateSighandler  (untrusted-pal, reference 2.2, 2.3)");
    expect(s.screen()).toMatch(/> +3 +update normal-context registers/);
  });

  test("a trace of a real run says why it has no state", async () => {
    const w = await world("lost-interrupted-error");
    const none = "this trace was imported from a real run: there is no machine to look into";
    const imported: World = { ...w, machines: { at: () => ({ none }), title: "" } };
    expect(sessionOf(imported).screen()).toContain(none.slice(0, 60));
  });

  test("folding leaves less and keeps the place", async () => {
    const s = sessionOf(await world("lost-interrupted-error"), { seq: 117, height: 40 });
    const steps = (): number => (s.screen().match(/^.{0,2} *\d+ {2}(?:app|libos|pal|u-pal|host)/gm) ?? []).length;
    const before = s.screen();
    expect(steps()).toBeGreaterThan(10);
    await s.press("z");
    expect(s.screen()).not.toBe(before);
    expect(s.screen()).toMatch(/► *117/);
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

describe("the key table", () => {
  test("no key stands for two commands, every command has a text", () => {
    const keys = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { text, name } of COMMANDS) expect(text.length, name).toBeGreaterThan(3);
    expect(new Set(COMMANDS.map((command) => command.name)).size).toBe(COMMANDS.length);
  });

  test("the README has it", () => {
    expect(readFileSync(new URL("../../README.md", import.meta.url), "utf8")).toContain(keyTable());
  });

  test("the help lists every key, the palette finds by words", async () => {
    const w = await world("initialisation");
    const s = sessionOf(w, { width: 200, height: 60 });
    await s.press("?");
    for (const { text, keys } of COMMANDS)
      expect(s.screen()).toContain(text.startsWith("pane: ") ? `  ${keys[0]} ${text.slice(6)}  ` : text);
    for (const { title } of PANES) expect(s.screen()).toContain(title.slice(0, 60));
    expect(matching("signal back").map((command) => command.name)).toContain("signal-back");
    expect(KIND["app.call"]).toBeGreaterThan(0);
  });

  test("the help scrolls line by line and page by page, and no further than its end; other keys only close it", async () => {
    const s = sessionOf(await world("initialisation"), { width: 80, height: 23 });
    await s.type("?");
    expect(s.screen()).toMatch(/lines 1 to 17 of/);
    await s.type("jjk");
    expect(s.screen()).toMatch(/lines 2 to 18 of/);
    await s.type("          ");
    expect(s.screen()).toContain("the second line: jump");
    await s.type("kk");
    expect(s.screen()).not.toContain("the second line: jump");
    await s.type("q");
    expect(s.state()).toMatchObject({ overlay: null, seq: 0 });
    await s.type("?J");
    expect(s.state()).toMatchObject({ overlay: null, seq: 0 });
  });

  test("too small a terminal is told so", async () => {
    const s = sessionOf(await world("initialisation"), { width: 40, height: 10 });
    expect(s.screen()).toContain("this terminal is 40x11;");
    expect(s.screen().split("\n")).toHaveLength(10);
  });
});
