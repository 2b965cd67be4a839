/** Other tracers' texts, in each one's own form: one story, of a read that SIGINT ends, its handler, and a read that is made again. */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { STATE_COLUMNS } from "../../engine/index.ts";
import { importerFor } from "../../recorder/import/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { FTRACE, GVISOR, PERF, PERF_NAMED, TRACE_CMD } from "../support/other-tracers.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

async function recorded(text: string): Promise<{ dir: string; talk: string }> {
  const file = fresh("log.txt");
  writeFileSync(file, text);
  const dir = fresh("log.trace");
  const { code, talk } = await eintr(["record", file, "-o", dir]);
  expect(code, talk).toBe(0);
  return { dir, talk };
}

describe.each([
  ["perf", "perf", PERF],
  ["perf with an event for each call", "perf", PERF_NAMED],
  ["ftrace", "ftrace", FTRACE],
  ["trace-cmd report", "ftrace", TRACE_CMD],
  ["gvisor", "gvisor", GVISOR],
])("%s", (_, id, text) => {
  test("is known", () => {
    expect(importerFor(Buffer.from(text))?.id).toBe(id);
    expect(
      importerFor(
        Buffer.from(
          text
            .split("\n")
            .map((line) => `> ${line}`)
            .join("\n"),
        ),
      )?.id,
    ).toBe(id);
  });

  test("tells calls with their results and times, and the road of the signal", async () => {
    const { dir } = await recorded(text);
    const trace = await openTrace(dir);
    expect(
      trace
        .ask("SELECT thread, call, result, duration_ns FROM syscalls ORDER BY seq")
        .map(([thread, call, ...rest]) => [thread, String(call).split("(")[0], ...rest]),
    ).toEqual([
      ["main", "read", -4, 20_300_000],
      ["main", "getpid", id === "gvisor" ? 2 : 812, expect.anything()],
      ["main", "write", 6, expect.anything()],
    ]);
    expect(trace.ask("SELECT signal, outcome, generated IS NOT NULL, delivered IS NOT NULL, delay_ns FROM signals")).toEqual([
      ["SIGINT", "handled", 1, 1, 100_000],
    ]);
    expect([trace.info.origin, trace.info.clock, trace.absent]).toEqual([
      "imported",
      "monotonic",
      STATE_COLUMNS.filter((name) => name !== "depth"),
    ]);
    trace.close();
  });

  test("is analyzed, shown, exported and laid beside itself", async () => {
    const { dir } = await recorded(text);
    expect((await eintr(["analyze", dir])).code).toBeLessThan(2);
    expect((await eintr(["show", dir, "--all"])).out).toContain("handler of SIGINT");
    expect((await eintr(["export", dir, "--format", "chrome"])).out).toContain("read");
    expect((await eintr(["diff", dir, dir])).code).toBe(0);
  });
});

test("a call that SA_RESTART makes again is one call", async () => {
  const again = PERF.replace("NR 1 (1, 7ffe0000, 6, 0, 0, 0)", "NR 0 (3, 7ffe0000, 40, 0, 0, 0)").replace("NR 1 = 6", "NR 0 = 6");
  const { dir } = await recorded(again);
  const trace = await openTrace(dir);
  expect(trace.ask("SELECT result FROM syscalls WHERE call LIKE 'read%'")).toEqual([[6]]);
  trace.close();
});

test("events of other kinds alone are refused with what to record", async () => {
  const file = fresh("sched.txt");
  writeFileSync(
    file,
    "prog  812 [001] 1000.000100: sched:sched_switch: prev_comm=a\nprog  812 [001] 1000.000200: sched:sched_switch: prev_comm=b\n",
  );
  const { code, talk } = await eintr(["record", file, "-o", fresh("x.trace")]);
  expect([code, talk]).toEqual([2, expect.stringMatching(/none of its events is a system call or a signal; record with: perf record/)]);
});
