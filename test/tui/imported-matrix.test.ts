/** Recordings of what happened (logs of library OSes and of other tracers) in every command: each works or says why it has no meaning. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { STATE_COLUMNS } from "../../engine/index.ts";
import { EXPORTERS, openTrace } from "../../recorder/index.ts";
import { DOCUMENTS } from "../../tui/documents/index.ts";
import { paint } from "../../tui/present/style.ts";
import { alignCalls } from "../../tui/replay/compare/alignment.ts";
import { openSession } from "../../tui/replay/session.ts";
import { eintr } from "../support/command-line.ts";
import { FTRACE, GVISOR, PERF } from "../support/other-tracers.ts";
import { analyzed, playerOf } from "../support/replay.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const fixture = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)));

const KINDS: readonly (readonly [kind: string, bytes: Buffer])[] = [
  ["gramine", gunzipSync(fixture("gramine-logs/s01_read_eintr.gramine.log.gz"))],
  ["graphene", fixture("reports/M11-graphene-E1.log")],
  ["perf", Buffer.from(PERF)],
  ["ftrace", Buffer.from(FTRACE)],
  ["gvisor", Buffer.from(GVISOR)],
  ["sgx-perf", fixture("reports/M15-sgxperf.db")],
];

/** Commands that answer; `DIR` is the trace, `OUT` a new file. */
const ANSWERS: readonly string[] = [
  "analyze DIR",
  "analyze DIR --format json",
  "analyze DIR --format sarif",
  "analyze DIR --format markdown",
  "analyze DIR --format junit",
  "show DIR",
  "show DIR --all --ascii",
  "show DIR --around 1",
  "show DIR --format json",
  "show DIR --format mermaid",
  "show DIR --format svg",
  "show DIR --format markdown",
  "diff DIR",
  "diff DIR DIR",
  "diff DIR --all --format json",
  "report DIR -o OUT.html",
  "pack DIR -o OUT.trace.tgz",
];
/** What has no meaning for a recording of what happened: refused in one sentence. */
const REFUSED: readonly string[] = ["rerun DIR", "case DIR", "compare DIR", "record DIR -o OUT.trace"];

const run = (words: string, dir: string) => eintr(words.split(" ").map((word) => word.replace("DIR", dir).replace("OUT", fresh("out"))));

describe.each(KINDS)("%s", (kind, bytes) => {
  const dir = fresh(`${kind}.trace`);
  beforeAll(async () => {
    const file = fresh(kind);
    writeFileSync(file, bytes);
    const { code, talk } = await eintr(["record", file, "-o", dir]);
    expect(code, talk).toBe(0);
  });

  test.each(ANSWERS)("%s", async (words) => {
    const { code, out, talk } = await run(words, dir);
    expect(code, talk).toBeLessThan(2);
    expect(out + talk).not.toBe("");
    expect(out).not.toMatch(/undefined|NaN/);
  });

  test.each([...EXPORTERS, ...DOCUMENTS].map(({ id }) => id))("export --format %s", async (format) => {
    const file = fresh(`out.${format}`);
    const { code, talk } = await eintr(["export", dir, "--format", format, "-o", file]);
    // A picture is one of a finding or a difference, and there may be none.
    if (code === 2) expect(talk).toContain("there is neither a finding nor a difference to draw");
    else expect([code, existsSync(file)], talk).toEqual([0, true]);
  });

  test.each(REFUSED)("%s is refused with the reason", async (words) => {
    const { code, talk } = await run(words, dir);
    expect(code).toBe(2);
    expect(talk).toMatch(/imported from a real run|is a trace, which was recorded already/);
  });

  test("what it does not know is null, and depths are of its threads", async () => {
    const trace = await openTrace(dir);
    const [known] = trace.ask(`SELECT ${STATE_COLUMNS.map((name) => `count(${name})`).join(", ")}, count(*) FROM transitions`);
    const rows = known?.at(-1);
    expect(known?.slice(0, -1)).toEqual(STATE_COLUMNS.map((name) => (trace.absent.includes(name) ? 0 : rows)));
    expect(trace.absent).toContain("cssa");
    // Handlers run in signal context, and deeper than what they interrupt.
    const handlers = trace.ask("SELECT context, depth > 1 FROM transitions WHERE kind = 'app.handler.enter'");
    expect(handlers.every(([context, deeper]) => context === "signal" && deeper === 1)).toBe(true);
    trace.close();
    expect((await eintr(["show", dir])).out).not.toContain("CSSA");
  });

  test("replay", async () => {
    const trace = await openTrace(dir);
    const session = openSession(trace, { paint: paint(false), ascii: false }, null);
    await alignCalls(session, new AbortController().signal, () => undefined);
    const player = playerOf(await analyzed(session));
    await player.press(..."12345781VVecj<".split(""));
    expect(player.screen()).toContain("seq 0 of");
    expect(player.screen()).toContain("imported from a real run");
    trace.close();
  });
});

/** One of each reader. */
describe.each(KINDS.filter(([kind]) => ["gramine", "perf", "gvisor"].includes(kind)))("%s, from a stranger", (kind, bytes) => {
  const text = bytes.toString("latin1");
  const half = text.slice(0, Math.floor(text.length / 2));
  test.each([
    ["cut in the middle", half],
    ["with escapes and markup in its texts", text.replace(/prog|shim|libos|\[1\]/g, "\u001b[2J<script>\u0007$&\u0000")],
    [
      "with numbers that no column holds",
      text
        .replace(/= -?\d+/g, "= 99999999999999999999")
        .replace(/sig=2|signal 2/g, "$&000000000")
        .replace(/812|\[P?1\b|2: {3}2/g, "$&00000000000"),
    ],
    ["with a line of a megabyte", `${half}${"x".repeat(1 << 20)}\n${text}`],
    ["backwards", text.split("\n").reverse().join("\n")],
  ])("%s", async (_, changed) => {
    const file = fresh(kind);
    writeFileSync(file, Buffer.from(changed, "latin1"));
    const dir = fresh("strange.trace");
    const { code, talk } = await eintr(["record", file, "-o", dir]);
    expect([0, 2]).toContain(code);
    const said = [talk];
    if (code === 0)
      for (const words of ["diff DIR", "show DIR --all", "export DIR --format chrome"]) {
        const ran = await run(words, dir);
        expect(ran.code, ran.talk).toBeLessThan(2);
        said.push(ran.talk, words.startsWith("export") ? "" : ran.out);
      }
    // None of them may reach a terminal.
    expect(said.join("\n")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]| at file:/);
  });
});
