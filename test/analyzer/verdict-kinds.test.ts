/** Each kind of difference, in rows written by hand. */

import { describe, expect, test } from "vitest";
import { firstOf } from "../../analyzer/index.ts";
import { E } from "../../engine/index.ts";
import {
  arrives,
  began,
  call,
  differences,
  exits,
  type Hand,
  type HandRow,
  handler,
  MAIN,
  observedRows,
  told,
} from "../support/verdict.ts";

const SIGINT = 2;
const SIGTERM = 15;
const LATE = 1_000_000_000;

const compared = async (one: readonly HandRow[], other: readonly HandRow[], of: Hand = {}, ofOther: Hand = of): Promise<string[]> =>
  told(await differences(observedRows(one, of), observedRows(other, { name: "b", ...ofOther })));

describe("calls", () => {
  test("the same ones are no difference", async () => {
    const rows = [...call("read(pipe)", 1), ...call("getpid()", 1), ...exits()];
    expect(await compared(rows, rows)).toEqual([]);
  });

  test("another result", async () => {
    expect(await compared([...call("read(pipe)", 0), ...exits()], [...call("read(pipe)", E.INTR), ...exits()])).toEqual([
      "result differs read(pipe): 0 | -EINTR",
    ]);
  });

  test("a call that one run alone makes, among those of both", async () => {
    const one = [...call("read(pipe)", 1), ...call("pause()", E.INTR), ...call("getpid()", 1), ...exits()];
    const other = [...call("read(pipe)", 1), ...call("getpid()", 1), ...call("write(pipe)", 3), ...exits()];
    expect(await compared(one, other)).toEqual([
      "call differs pause(): -EINTR | is not called",
      "call differs write(pipe): is not called | 3",
    ]);
  });

  test("what it writes besides its result; times that differ by what transitions cost are the same", async () => {
    const rows = (status: number, left: number): HandRow[] => [
      began("wait4()"),
      { k: "app.output", value: status, extra: 1 },
      { k: "app.output", value: left, extra: 2 },
      { k: "app.return", value: 7 },
      ...exits(),
    ];
    expect(await compared(rows(256, 5_000_000), rows(15, 5_004_000))).toEqual(["output differs wait4(): wait status 256 | wait status 15"]);
    expect(await compared(rows(0, 0), rows(0, 5_000_000))).toEqual(["output differs wait4(): remaining ns 0 | remaining ns 5000000"]);
  });

  test("one that never returns", async () => {
    const one = [began("pause()")];
    const other = [...call("pause()", E.INTR), ...exits()];
    expect(await compared(one, other)).toEqual([
      "never-returns differs pause(): never returns | -EINTR",
      expect.stringMatching(/^process-end differs process main: never ends: main waits for ever in pause\(\).* \| exits with status 0$/),
    ]);
  });

  test("one that is left by siglongjmp", async () => {
    const one = [began("read(pipe)"), { k: "app.handler.enter", signal: SIGINT, depth: 5 } as const, longjmp, ...exits()];
    const other = [began("read(pipe)"), ...handler(SIGINT, 0), { k: "app.return" as const, value: E.INTR }, ...exits()];
    expect(await compared(one, other)).toEqual([
      "left differs handler of SIGINT: is left by siglongjmp | returns",
      "left differs read(pipe): is dropped: what it was called from is over | -EINTR",
    ]);
  });
  const longjmp: HandRow = { k: "app.handler.longjmp", signal: SIGINT, depth: 1 };
});

describe("a time-out", () => {
  const polls = (ns: number, result = 0): HandRow[] => [
    { ...began("poll(pipe)"), time: 0 },
    { k: "app.return", value: result, time: ns },
    ...later(exits(), 2 * LATE),
  ];

  test("that is over much sooner is told with both times", async () => {
    expect(await compared(polls(1_000_000), polls(1_000_000_000))).toEqual(["time-out differs poll(pipe): 0 after 1 ms | 0 after 1 s"]);
  });

  test("that begins anew half way is told, too", async () => {
    expect(await compared(polls(700_000_000), polls(500_000_000))).toEqual([
      "time-out differs poll(pipe): 0 after 700 ms | 0 after 500 ms",
    ]);
  });

  test("that differs by what transitions cost is the same", async () => {
    expect(await compared(polls(150_000), polls(10))).toEqual([]);
    expect(await compared(polls(1_100_000_000), polls(1_000_000_000))).toEqual([]);
  });

  test("is none where the call was answered", async () => {
    expect(await compared(polls(1_000_000, 1), polls(1_000_000_000, 1))).toEqual([]);
  });
});

describe("which one is told first", () => {
  const first = async (one: readonly HandRow[], other: readonly HandRow[]): Promise<string | undefined> =>
    firstOf({ differences: await differences(observedRows(one), observedRows(other, { name: "b" })) })?.what;

  test("not a missing call that programs make while they start", async () => {
    const run = (result: number, read: number): HandRow[] => [...call("newfstatat()", result), ...call("read(pipe)", read), ...exits()];
    expect(await first(run(E.NOSYS, 0), run(0, 1))).toBe("read(pipe)");
    expect(await first(run(E.NOSYS, 1), run(0, 1))).toBe("newfstatat()");
  });

  test("but a missing call that has to do with signals", async () => {
    const run = (result: number, read: number): HandRow[] => [...call("signalfd()", result), ...call("read(pipe)", read), ...exits()];
    expect(await first(run(E.NOSYS, 0), run(3, 1))).toBe("signalfd()");
  });

  test("a thread's death in the PAL, before the calls that it does not make", async () => {
    // Another thread stays, so that the process does not end with it.
    const threads = [MAIN, { name: "stays", pid: 1, tid: 2, internal: false }];
    const begin = [...call("read(pipe)", 1), began("pause()", { thread: 1 })];
    const one = observedRows([...begin, { k: "thread.exit", value: 2 }], { threads });
    const other = observedRows([...begin, ...call("getpid()", 1), { k: "thread.exit" }], { threads, name: "b" });
    expect(told(await differences(one, other))).toEqual([
      "thread-end differs thread main: dies in the PAL | exits",
      "call differs getpid(): is not called | 1",
    ]);
  });
});

describe("where two runs part inside a call", () => {
  /** The handler runs twice in the call of the one run; in the other the call is over after the first. */
  const waits = [
    began("read(pipe)"),
    ...handler(SIGINT, 0),
    ...later(handler(SIGINT, 0), 900),
    ...later(call("read(pipe)", 1).slice(1), 2000),
  ];
  const isLeft = (after: number): HandRow[] => [
    began("read(pipe)"),
    ...handler(SIGINT, 0),
    ...later(call("read(pipe)", E.INTR).slice(1), after),
    ...later(exits(), 3000),
  ];

  test("the return comes first when it came sooner", async () => {
    expect(await compared(isLeft(50), [...waits, ...later(exits(), 3000)])).toEqual([
      "result differs read(pipe): -EINTR | 1",
      "handler differs handler of SIGINT: does not run | runs in read(pipe)",
    ]);
  });

  test("the handler comes first when it came sooner", async () => {
    expect(await compared(isLeft(2000), [...waits, ...later(exits(), 3000)])).toEqual([
      "handler differs handler of SIGINT: does not run | runs in read(pipe)",
      "result differs read(pipe): -EINTR | 1",
    ]);
  });
});

/** Rows that come at `time`, ns. */
function later(rows: readonly HandRow[], time: number): HandRow[] {
  return rows.map((row, i) => ({ ...row, time: time + i }));
}

describe("ids", () => {
  const child = (pid: number) => ({ name: "child", pid, tid: pid, internal: false });
  const rows = (pid: number): HandRow[] => [
    ...call("fork(child)", pid),
    { k: "process.start", thread: 1 },
    ...exits(1),
    ...call("wait4()", pid),
    ...exits(),
  ];
  test("of processes are matched, not compared", async () => {
    expect(await compared(rows(2), rows(77), { threads: [MAIN, child(2)] }, { threads: [MAIN, child(77)] })).toEqual([]);
  });

  test("of another child are a difference", async () => {
    const two = (first: number, second: number, reaped: number): HandRow[] => [
      ...call("fork(child)", first),
      ...call("fork(child)", second),
      { k: "process.start", thread: 1 },
      ...exits(1),
      { k: "process.start", thread: 2 },
      ...exits(2),
      ...call("wait4()", reaped),
      ...exits(),
    ];
    const threads = (a: number, b: number) => ({ threads: [MAIN, child(a), { ...child(b), name: "child#2" }] });
    expect(await compared(two(2, 3, 2), two(10, 20, 10), threads(2, 3), threads(10, 20))).toEqual([]);
    expect(await compared(two(2, 3, 3), two(10, 20, 10), threads(2, 3), threads(10, 20))).toEqual(["result differs wait4(): 3 | 10"]);
  });

  test("descriptors are as good as others", async () => {
    expect(await compared([...call("open(a)", 3), ...exits()], [...call("open(a)", 9), ...exits()])).toEqual([]);
    expect(await compared([...call("open(a)", 3), ...exits()], [...call("open(a)", -2), ...exits()])).toHaveLength(1);
  });
});

describe("handlers", () => {
  test("one that does not run", async () => {
    const one = [began("pause()"), { k: "app.return" as const, value: E.INTR }, ...call("getpid()", 1), ...exits()];
    const other = [
      began("pause()"),
      ...handler(SIGINT, 0),
      { k: "app.return" as const, value: E.INTR },
      ...call("getpid()", 1),
      ...exits(),
    ];
    expect(await compared(one, other)).toEqual(["handler differs handler of SIGINT: does not run | runs in pause()"]);
  });

  /** The signal is sent while the first call waits; the handler runs in it, or after it. */
  const early = (sent: "in" | "after"): HandRow[] => [
    began("read(pipe)"),
    ...(sent === "in" ? [arrives(SIGINT, 1)] : []),
    ...handler(SIGINT, 1),
    { k: "app.return", value: 1, time: LATE },
    { k: "app.return", value: 0, time: LATE },
    ...call("getpid()", 1, { time: LATE }),
  ];
  const late = (sent: "in" | "after"): HandRow[] => [
    began("read(pipe)"),
    ...(sent === "in" ? [arrives(SIGINT, 1)] : []),
    { k: "app.return", value: 1, time: LATE },
    ...(sent === "after" ? [arrives(SIGINT, 1)] : []),
    ...handler(SIGINT, 1),
    ...call("getpid()", 1, { time: LATE }),
  ];

  test("one that runs late, for a signal that was sent at the same place", async () => {
    expect(await compared(late("in"), early("in"))).toEqual([
      "handler-place differs handler of SIGINT: runs after read(pipe) | runs in read(pipe)",
    ]);
  });

  test("one that runs elsewhere because its signal came elsewhere is a matter of timing", async () => {
    expect(await compared(late("after"), early("in"))).toEqual([
      "handler-place timing handler of SIGINT: runs after read(pipe) | runs in read(pipe)",
    ]);
  });

  test("and so is the call that such a signal interrupts", async () => {
    const one = [
      began("pause()"),
      { k: "app.return" as const, value: 0, time: LATE },
      arrives(SIGINT, 1),
      ...handler(SIGINT, 1),
      ...exits(),
    ];
    const other = [
      began("pause()"),
      arrives(SIGINT, 1),
      ...handler(SIGINT, 1),
      { k: "app.return" as const, value: E.INTR, time: LATE },
      ...exits(),
    ];
    expect(await compared(one, other)).toEqual([
      "result timing pause(): 0 | -EINTR",
      "handler-place timing handler of SIGINT: runs after pause() | runs in pause()",
    ]);
  });

  test("one for a signal that came from outside in one run only", async () => {
    const one = [
      ...call("read(pipe)", 1),
      arrives(SIGINT, 1),
      ...handler(SIGINT, 1),
      arrives(SIGINT, 2),
      ...handler(SIGINT, 2),
      ...exits(),
    ];
    const other = [...call("read(pipe)", 1), arrives(SIGINT, 1), ...handler(SIGINT, 1), ...exits()];
    expect(await compared(one, other)).toEqual(["handler timing handler of SIGINT: runs after read(pipe) | does not run"]);
  });

  test("in another order", async () => {
    const sent = [arrives(SIGINT, 1), arrives(SIGTERM, 2)];
    const one = [...call("getpid()", 1), ...sent, ...handler(SIGTERM, 2), ...handler(SIGINT, 1), ...exits()];
    const other = [...call("getpid()", 1), ...sent, ...handler(SIGINT, 1), ...handler(SIGTERM, 2), ...exits()];
    expect(await compared(one, other)).toEqual([
      "handler-order differs handlers after getpid(): the handler of SIGTERM runs before the handler of SIGINT | the handler of SIGINT runs before the handler of SIGTERM",
    ]);
  });

  test("given another siginfo or mask; the sender is matched", async () => {
    const rows = (code: number, mask: number): HandRow[] => [
      ...handler(SIGINT, 1, [
        { k: "app.siginfo", signal: SIGINT, value: code, extra: 1 },
        { k: "app.mask", value: mask },
      ]),
      ...exits(),
    ];
    expect(await compared(rows(0, 2), rows(0, 2))).toEqual([]);
    expect(await compared(rows(128, 0), rows(0, 2))).toEqual([
      "siginfo differs handler of SIGINT: si_code 128 | si_code 0",
      "mask differs handler of SIGINT: mask {} | mask {SIGINT}",
    ]);
  });
});

describe("ends", () => {
  test("of a process: another status, a signal, an assertion", async () => {
    const dies = (why: number, value: number, signal = 0): HandRow[] => [
      ...call("getpid()", 1),
      { k: "thread.exit", value: why === 0 ? 0 : 1 },
      { k: "process.exit", value, extra: why, signal },
    ];
    expect(await compared(dies(0, 1), dies(0, 0))).toEqual(["process-end differs process main: exits with status 1 | exits with status 0"]);
    expect(await compared(dies(3, -5), dies(0, 0))).toEqual([
      "process-end differs process main: dies of an assertion of the LibOS | exits with status 0",
    ]);
    expect(await compared(dies(2, 0, SIGTERM), dies(1, -SIGTERM, SIGTERM))).toEqual([]);
    expect(await compared(dies(1, -SIGINT, SIGINT), dies(1, -SIGTERM, SIGTERM))).toEqual([
      "process-end differs process main: is killed by SIGINT | is killed by SIGTERM",
    ]);
  });

  test("by a fault of its own come where they come: what one run lacks before it is missing there", async () => {
    const dies = (how: HandRow[], before: HandRow[]): HandRow[] => [
      ...call("getpid()", 1),
      ...before,
      ...how,
      { k: "thread.exit", value: 1 },
      { k: "process.exit", value: -SIGTERM, extra: 1, signal: SIGTERM },
    ];
    const ran = handler(SIGINT, 0);
    expect(await compared(dies([{ k: "app.fault" }], []), dies([{ k: "app.fault" }], ran))).toEqual([
      "handler differs handler of SIGINT: does not run | runs after getpid()",
    ]);
    expect(await compared(dies([], []), dies([], ran))).toEqual(["handler cut handler of SIGINT: does not run | runs after getpid()"]);
  });

  test("of a thread that dies in the PAL, and of one that is not there", async () => {
    const worker = { name: "worker", pid: 1, tid: 2, internal: false };
    const rows = (how: number): HandRow[] => [
      ...call("getpid()", 1),
      { k: "thread.start", thread: 1 },
      { k: "thread.exit", thread: 1, value: how },
      ...exits(),
    ];
    const threads = { threads: [MAIN, worker] };
    expect(await compared(rows(2), rows(0), threads)).toEqual(["thread-end differs thread worker: dies in the PAL | exits"]);
    expect(await compared([...call("getpid()", 1), ...exits()], rows(0), { threads: [MAIN] }, threads)).toEqual([
      "thread differs thread worker: is not there | starts",
    ]);
  });
});

describe("a run that was cut", () => {
  const cut: Hand = { ending: "row-limit" };
  const goesOn = [...call("read(pipe)", 1), ...call("write(pipe)", 1), ...call("getpid()", 1)];

  test("lacks what it did not come to, which is told as that", async () => {
    expect(await compared([...call("read(pipe)", 1), began("write(pipe)")], goesOn, cut)).toEqual([
      "never-returns cut write(pipe): had not returned when the run ended | 1",
      "call cut getpid(): is not called | 1",
    ]);
  });

  test("is to blame for what it had plenty of time for", async () => {
    const slow = [...call("read(pipe)", 1), began("write(pipe)"), { k: "step" as const, time: LATE }];
    expect(await compared(slow, goesOn, cut)).toEqual([
      "never-returns differs write(pipe): had not returned when the run ended | 1",
      "call differs getpid(): is not called | 1",
    ]);
  });

  test("is to blame for what it went past", async () => {
    expect(await compared([...call("read(pipe)", 1), ...call("getpid()", 1)], goesOn, cut)).toEqual([
      "call differs write(pipe): is not called | 1",
    ]);
  });
});
