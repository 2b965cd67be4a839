/** The replay's commands and panes, without a terminal. */

import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { kindName } from "../../../engine/index.ts";
import { openTrace, record } from "../../../recorder/index.ts";
import { paint } from "../../../tui/present/style.ts";
import { alignCalls, pairsOf } from "../../../tui/replay/compare/alignment.ts";
import { jump, sql } from "../../../tui/replay/navigate/navigation.ts";
import { findingsOf, openSession, type ReplaySession } from "../../../tui/replay/session.ts";
import { eintr } from "../../support/command-line.ts";
import { playerOf, seqOf, sessions } from "../../support/replay.ts";
import { rowsSource, syntheticSource, testInfo } from "../../support/synthetic-source.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const session = sessions();
const fresh = tempPaths();

/** A trace folder as the replay opens it, until the end of the test. */
async function opened(dir: string): Promise<ReplaySession> {
  const trace = await openTrace(dir);
  onTestFinished(() => trace.close());
  return openSession(trace, { paint: paint(false), ascii: false }, null);
}

const kindAt = (w: ReplaySession, seq: number): string => kindName(w.rows.at(seq)?.kind ?? -1);

describe("time", () => {
  test("step forward and back along the thread", async () => {
    const w = await session("toy");
    const s = playerOf(w);
    await s.press("j", "j", "j");
    expect(s.state().seq).toBe(3);
    await s.press("k", "k");
    expect(s.state().seq).toBe(1);
    await s.press("home", "k");
    expect(s.state()).toMatchObject({ seq: 0, message: "nothing before" });
    await s.press("end", "j");
    expect(s.state()).toMatchObject({ seq: w.rows.count - 1, message: "nothing further on" });
  });

  test("over a function, out of it, and back to its caller", async () => {
    const w = await session("toy");
    const call = seqOf(w, "suspend_upcall: lock(cur.lock)");
    const back = seqOf(w, "lock: return", 2);
    const s = playerOf(w, { seq: back - 1 });
    await s.press("U");
    expect(s.state().seq).toBe(call);
    await s.press("u");
    expect([kindAt(w, s.state().seq), s.state().seq]).toEqual(["return", back]);
    await s.press("O");
    expect(s.state().seq).toBe(call - 1);
    await s.press("o");
    expect(s.state().seq).toBe(back);
  });

  test("by system call and by enclave entry, there and back the same places", async () => {
    const w = await session("toy-aex");
    for (const [forward, back, kinds] of [
      ["c", "C", ["app.call", "app.return"]],
      ["e", "E", ["sgx.eenter", "sgx.eexit", "sgx.aex", "sgx.eresume"]],
    ] as const) {
      const s = playerOf(w);
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
    const w = await session("toy");
    const s = playerOf(w);
    jump(s.context, "17");
    expect(s.state().seq).toBe(17);
    jump(s.context, "50%");
    expect(s.state().seq).toBe(Math.round((w.rows.count - 1) / 2));
    jump(s.context, "103.3us");
    expect(w.rows.at(s.state().seq)?.time).toBeGreaterThanOrEqual(103_300);
    expect(w.rows.at(s.state().seq - 1)?.time).toBeLessThan(103_300);
    jump(s.context, "999999999");
    expect(s.state().seq).toBe(w.rows.count - 1);
    jump(s.context, "over there");
    expect(s.state().message).toContain('"over there" is no place');
  });

  test("search: regular expressions, plain text, kinds, signals", async () => {
    const w = await session("toy");
    const s = playerOf(w);
    for (const [text, place] of [
      ["deliver_signal\\(", "suspend_upcall: deliver_signal(signal)"],
      ["sgx.eexit", "sgx_ocall: EEXIT"],
      ["sgx_ocall(OCALL_READ)", "DkStreamRead: sgx_ocall"],
      ["^sys_read", "sys_read: read: enter"],
    ] as const) {
      s.context.dispatch({ type: "go", seq: 0, thread: 0 });
      s.context.dispatch({ type: "search", text });
      await s.press("n");
      expect(s.state().seq, text).toBe(seqOf(w, place));
    }
    s.context.dispatch({ type: "search", text: "(a+)+$" });
    await s.press("n");
    expect(s.state().message).toBe('no match for "(a+)+$"; searched as plain text: repeats of groups and of repeats are not tried');
  });

  test("bookmarks", async () => {
    const s = playerOf(await session("toy"), { seq: 20 });
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
    const s = playerOf(await session("lost-interrupted-error"));
    await s.press("}");
    expect(s.screen()).toContain("read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
    while (!s.state().message.startsWith("the wrong turn")) {
      const before = s.state().seq;
      await s.press("enter");
      expect(s.state().seq).toBeGreaterThan(before);
    }
    expect(s.screen()).toMatch(/► *\d+ +pal .*update registers with event\.frame registers, RAX = 0/);
  });

  test("the findings come when the rules are done; until then the pane and the keys say that they are looked for", async () => {
    const w: ReplaySession = { ...(await session("lost-interrupted-error")), stored: null };
    const s = playerOf(w, { pane: "findings" });
    expect(s.screen()).toContain("the rules are looking through the trace");
    await s.press("}");
    expect(s.state().message).toBe("the rules are still looking");
    s.context.dispatch({ type: "say", message: "" });
    s.context.dispatch({ type: "found", findings: await findingsOf(w) });
    expect(s.screen()).toContain("Ctrl-C during read from a pipe, and the error that gets lost");
    expect(s.screen()).toMatch(
      /! Enter tells (?:how|the worst of \d+ findings): read\(pipe, 64\) returns 0 instead of -EINTR after SIGINT/,
    );
    await s.press("enter", "enter");
    expect(s.screen()).toMatch(/evidence 2 of \d/);
    await s.press("b", "b");
    expect(s.state().message).toBe("the walkthrough begins here");
  });

  test("follow a nested SIGINT through the layers", async () => {
    const w = await session("nested");
    const s = playerOf(w);
    s.context.dispatch({ type: "search", text: "SIGINT" });
    await s.press("end", "[", "f");
    const signal = s.state().signal ?? 0;
    expect(s.state().signalPath).toMatchObject({ name: "SIGINT", outcome: "handled" });
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
    const w = await session("async-in-enclave");
    const s = playerOf(w, { width: 120, height: 40 });
    s.context.dispatch({ type: "search", text: "sgx.aex" });
    await s.press("n");
    expect(kindAt(w, s.state().seq)).toBe("sgx.aex");
    s.context.dispatch({ type: "say", message: "" });
    const after = s.screen();
    expect(after).toContain("* outside the enclave  CSSA 1 of 2");
    expect(after).toMatch(/\* SSA\[0\] RAX/);
    await s.press("K");
    expect(s.screen()).toContain("inside the enclave  CSSA 0 of 2");
    await s.press("J");
    expect(s.screen()).toBe(after);
  });

  test("a deadlocked sigsuspend: who waits for which lock, and who holds it", async () => {
    const s = playerOf(await session("sigsuspend-lock", { stack: "graphene-linux" }), { width: 120, height: 50 });
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
    const other = await session("toy", { fixes: ["sgx-interrupted-code-lost"] });
    const w = await session("toy", { other });
    const s = playerOf(w, { width: 120, height: 50 });
    const back = "libc read: back in the application";
    await s.press(")");
    expect(s.state()).toMatchObject({ seq: seqOf(w, back), pane: "compare" });
    expect(s.screen()).toMatch(new RegExp(`! +${seqOf(w, "program: read")} +main +read\\(pipe, 64\\) +0 +-EINTR`));
    expect(s.screen()).toContain(`toy-sgx + sgx-interrupted-code-lost  seq ${seqOf(other, back)}`);
    await s.press(")");
    expect(s.state().message).toBe("no difference further on");
  });

  test("two runs are laid side by side before they are shown: with progress, and until somebody stops it", async () => {
    const [one, two] = [await session("toy"), await session("toy", { fixes: ["sgx-interrupted-code-lost"] })];
    const other = await opened(two.trace.dir);
    const both = { ...(await opened(one.trace.dir)), other };
    expect(pairsOf(both)).toEqual([]);
    const told: [number, number][] = [];
    const stop = new AbortController();
    const stopped = alignCalls(both, stop.signal, (...progress) => told.push(progress));
    stop.abort();
    expect(await stopped).toBe(false);
    expect(await alignCalls(both, new AbortController().signal, (...progress) => told.push(progress))).toBe(true);
    const total = both.rows.count + other.rows.count;
    expect(told).toEqual([
      [both.rows.count, total],
      [both.rows.count, total],
      [total, total],
    ]);
    expect(pairsOf(both)).not.toEqual([]);
    expect(await alignCalls(other, stop.signal, () => expect.fail("nothing to lay beside"))).toBe(true);
  });

  test("SQL, and from a row of the result to its transition", async () => {
    const w = await session("toy");
    const s = playerOf(w);
    await sql(s.context, "SELECT seq, flow FROM transitions WHERE kind = 'app.return' ORDER BY seq");
    expect(s.screen()).toContain("libc sigaction");
    await s.press(".", "enter");
    expect(s.state().seq).toBe(seqOf(w, "libc read: back in the application"));
    await sql(s.context, "SELECT 1 FROM nowhere");
    expect(s.state().message).toContain("no such table: nowhere");
    await sql(s.context, "DELETE FROM finding");
    expect(s.state().message).toContain("only read");
  });
});

describe("panes", () => {
  test("lanes show every thread, as near as can be a letter a transition, signal context in capitals", async () => {
    const names = ["main", "idle", "idle#2", "a name that is long"];
    const threads = names.map((name, i) => ({ name, pid: 1, tid: i + 1, internal: false }));
    const rows = Array.from({ length: 400 }, (_, i) => ({ k: "step" as const, thread: i % names.length, site: (i * 7 + (i >> 3)) % 40 }));
    const dir = fresh("lanes.trace");
    await record(rowsSource(rows, { threads }), dir, testInfo());
    const w = { ...(await opened(dir)), ascii: true };
    const [width, seq] = [109, 200];
    const columns = width - ">idle#2        ".length;
    const first = seq - 40;
    const lanesView = { scale: "steps", interval: { from: first, span: columns }, pinned: null } as const;
    const s = playerOf(w, { width, height: 40, seq, lanes: lanesView });
    await s.press("4", "t");
    const lines = s.screen().split("\n");
    const pointer = lines.findIndex((line) => line.trim() === "v" && line.includes(" v"));
    expect(lines[pointer]?.indexOf("v")).toBe(width - columns + seq - first);
    const lanes = lines.slice(pointer + 1).filter((line) => /^[ >](?:main|idle|a name)/.test(line));
    const begin = ">idle#2        ".length;
    expect(lanes.map((lane) => lane.slice(0, begin).trimEnd())).toEqual([" main", ">idle", " idle#2", " a name that …"]);
    expect(lines.slice(pointer + 1).join("\n")).toContain("capitals: signal context");
    const expected = lanes.map(() => "");
    for (let column = begin; column < width; column += 1) {
      const row = w.rows.at(first + column - begin) ?? expect.fail("the trace goes on beyond what is shown");
      const site = w.trace.sites[row.site] ?? expect.fail("each row has a site");
      const letter = site.layer.charAt(0);
      for (const thread of lanes.keys())
        expected[thread] += thread !== row.thread ? " " : site.context === "signal" ? letter.toUpperCase() : letter;
    }
    expect(lanes.map((lane) => lane.slice(begin))).toEqual(expected);
    for (const lane of expected) expect([/[a-z]/.test(lane), /[A-Z]/.test(lane)]).toEqual([true, true]);
  });

  test("the flow, with the step stood on", async () => {
    const w = await session("toy");
    const s = playerOf(w, { seq: seqOf(w, "toy_sighandler: update") });
    await s.press("5");
    expect(s.screen()).toContain("toy_sighandler  (untrusted-pal, reference toy 1)");
    expect(s.screen()).toMatch(/> +2 +update normal-context registers/);
  });

  test("a trace of a real run says why it has no state", async () => {
    const dir = fresh("imported.trace");
    await record(syntheticSource({ rows: 1000 }), dir, testInfo());
    const w = await opened(dir);
    expect(w.trace.info.origin).toBe("imported");
    const why = "imported from a real run: its rows tell this; masks, locks and registers they do not tell";
    const s = playerOf(w);
    for (const key of ["home", "J", "end"]) {
      await s.press(key);
      expect(s.screen()).toContain(why);
    }
    expect(s.state().seq).toBe(999);
    expect(w.machines.title).toBe("");
  });

  test("what is made of a strace log is emulated: it has states", async () => {
    const dir = fresh("log.trace");
    const log = fileURLToPath(new URL("../../recorder/logs/read-sigint.strace", import.meta.url));
    expect(await eintr(["record", log, "--stack", "graphene-sgx", "-o", dir])).toMatchObject({ code: 0 });
    const s = playerOf(await opened(dir));
    expect(s.screen()).toContain("read-sigint, from a strace log");
    s.context.dispatch({ type: "search", text: "sgx.eexit" });
    await s.press("end", "N");
    expect(s.screen()).toContain("* outside the enclave  CSSA 0 of 2");
  });

  test("folding leaves less and keeps the place", async () => {
    const w = await session("toy");
    const here = seqOf(w, "suspend_upcall: deliver_signal");
    const s = playerOf(w, { seq: here, height: 40 });
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
    expect(s.screen()).toMatch(new RegExp(`^► *${here} `, "m"));
    expect(s.state()).toMatchObject({ seq: here, thread: 0 });
    const kinds = new Set(leftOut().map((seq) => kindAt(w, seq)));
    expect([...kinds].sort()).toEqual(["branch", "lock", "return", "step", "unlock"]);
    expect(steps().filter((seq) => ["branch", "return"].includes(kindAt(w, seq)))).toEqual([]);
    // A small function is one line.
    const lock = seqOf(w, "suspend_upcall: lock(cur.lock)");
    expect(s.screen()).toMatch(new RegExp(`^ *${lock} .*lock\\(cur\\.lock\\) +\\[…3\\]`, "m"));
    expect(leftOut()).toEqual(expect.arrayContaining([lock + 1, lock + 2, lock + 3]));
    // A branch that is stood on stays.
    const branch = seqOf(w, "suspend_upcall: is none pending?");
    expect(leftOut()).toContain(branch);
    s.context.dispatch({ type: "go", seq: branch, thread: 0 });
    expect(s.screen()).toMatch(new RegExp(`^► *${branch} `, "m"));
    s.context.dispatch({ type: "go", seq: here, thread: 0 });
    await s.press("z");
    s.context.dispatch({ type: "say", message: "" });
    expect(s.screen()).toBe(before);
  });

  test("copies the interval as text, Markdown, Mermaid", async () => {
    const w = await session("toy");
    const s = playerOf(w, { seq: seqOf(w, "toy_sighandler: update"), height: 60 });
    await s.press("y");
    expect(s.copied()).toContain("Signal context");
    await s.press("Y");
    expect(s.copied()).toMatch(/^```\n(?:.*\n)*```\n$/);
    await s.press("M");
    expect(s.copied()).toMatch(/^sequenceDiagram\n/);
    expect(s.copied()).toContain("->>host: ");
  });
});
