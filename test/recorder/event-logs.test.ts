/** Other tracers' texts, in each one's own form: one story, of a read that SIGINT ends, its handler, and a read that is made again. */

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { STATE_COLUMNS } from "../../engine/index.ts";
import { ftraceLine, gvisorLine, perfLine } from "../../recorder/import/events/line.ts";
import { importerFor } from "../../recorder/import/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { FTRACE, GVISOR, GVISOR_JSON, GVISOR_OLD, PERF, PERF_NAMED, TRACE_CMD } from "../support/other-tracers.ts";
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
  ["gvisor's JSON", "gvisor", GVISOR_JSON],
  ["an older gvisor", "gvisor", GVISOR_OLD],
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

/** Recorded on Linux 6.18 with perf 6.1: a thread named "my worker: 1/2", a child "kid [x]" that SIGTERM ends, reads that SIGALRM ends and makes again. */
const worker = (name: string): string =>
  gunzipSync(readFileSync(new URL(`../fixtures/tracers/worker-${name}.txt.gz`, import.meta.url))).toString();

describe.each(["perf", "perf-without-cpu", "ftrace"])("a recording of a real program: %s", (name) => {
  test("names with blanks and numbers are names; a fatal signal is the one that was sent; what was cut and made again is told", async () => {
    const { dir, talk } = await recorded(worker(name));
    const trace = await openTrace(dir);
    expect(trace.threads).toHaveLength(4);
    expect(
      trace.ask(
        "SELECT signal, outcome, count(*) FROM signals WHERE signal IN ('SIGALRM', 'SIGKILL', 'SIGTERM', 'SIGUSR1', 'SIGUSR2') GROUP BY 1, 2 ORDER BY 1",
      ),
    ).toEqual([
      ["SIGALRM", "handled", 2],
      ["SIGTERM", "host default", 1],
      ["SIGUSR1", "handled", 1],
      ["SIGUSR2", "ignored", 1],
    ]);
    expect(
      trace.ask(
        "SELECT call, result FROM syscalls WHERE call IN ('read(3)', 'poll(200000000)', 'pause(0)') AND result != 832 ORDER BY seq",
      ),
    ).toEqual([
      ["poll(200000000)", -4],
      ["pause(0)", -4],
      ["read(3)", -4],
      ["read(3)", 1],
    ]);
    expect(talk).toContain(`${name.split("-")[0]}.unplaced: 3 (`);
    expect(talk).not.toContain("foreign");
    trace.close();
  });
});

test("distances in place of times are told", async () => {
  const times = ["0.000000", "0.020300", "0.000100"];
  let i = 0;
  const { talk } = await recorded(PERF.replace(/\d+\.\d{6}:/g, () => `${times[i++ % 3]}:`));
  expect(talk).toMatch(/notice: perf\.back: \d+ \(.*--deltatime/);
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

test("times of gvisor's JSON go on over the years", () => {
  const at = (time: string): number =>
    gvisorLine(`{"msg":"[   2:   2] sh E getpid()","level":"info","time":"${time}"}`)?.time ?? Number.NaN;
  // 173e10 ms since 1970: once in 115 days such a number comes round.
  expect(at("2024-10-27T03:33:20.001000000Z") - at("2024-10-27T03:33:19.999000000Z")).toBeCloseTo(2e6, -2);
  expect(at("2025-01-01T00:00:00.000500000Z") - at("2024-12-31T23:59:59.999500000Z")).toBeCloseTo(1e6, -2);
});

test.each([
  [perfLine, "prog 8 [0] 1.0: syscalls:sys_enter_read: fd: 0x00000003, buf: 0x7ffc1234, count: 0x00000200", "fd: 3, count: 512"],
  [ftraceLine, "prog-8 [000] ..... 1.0: sys_read(fd: 3, buf: 7ffc1234, count: 200)", "fd: 3, count: 512"],
  [gvisorLine, 'I1128 12:00:01.000001 1 s.go:1] [ 1: 1] sh E write(0x1 pipe:[4], 0x7f0012 "a, b", 0x4)', "1, 4"],
  [
    gvisorLine,
    "I1128 12:00:01.000001 1 s.go:1] [ 1: 1] sh E rt_sigaction(SIGINT, 0x7f0012 {Handler: 0x5, Mask: 0x0}, null, 0x8)",
    "SIGINT, 8",
  ],
  [gvisorLine, "I1128 12:00:01.000001 1 s.go:1] [ 1: 1] sh E poll(0x7f0012 {3: POLLIN}, 0x1, 0x1388)", "5000000000"],
  [gvisorLine, "I1128 12:00:01.000001 1 s.go:1] [ 1: 1] sh E epoll_wait(0x3 anon:[2], 0x7f0012, 0x400, 0xffffffffffffffff)", "3"],
  [gvisorLine, "I1128 12:00:01.000001 1 s.go:1] [ 1: 1] sh E nanosleep(0x7f0012 {sec=1 nsec=500}, null)", "1000000500"],
  [perfLine, "prog 8 [0] 1.0: raw_syscalls:sys_enter: NR 7 (7ffc1234, 1, 1388, 0, 0, 0)", "5000000000"],
  [perfLine, "prog 8 [0] 1.0: raw_syscalls:sys_enter: NR 7 (7ffc1234, 1, ffffffff, 0, 0, 0)", ""],
])("small numbers, signals, and times in ns are told of arguments: %#", (parse, line, args) => {
  expect(parse(line)?.what).toMatchObject({ is: "enter", args });
});
