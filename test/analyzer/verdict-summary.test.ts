/** What is read of a stored verdict without its differences says the same as the whole verdict. */

import { expect, test } from "vitest";
import { type Difference, storedSummary, storedVerdict, summaryOf } from "../../analyzer/index.ts";
import { summaryLines, verdictLines } from "../../tui/present/verdict.ts";
import { sessions } from "../support/replay.ts";

const session = sessions();

const difference = (
  kind: Difference["kind"],
  what: string,
  results: readonly [number | null, number | null],
  weight = "differs",
): Difference => ({
  kind,
  weight: weight as Difference["weight"],
  thread: "main",
  what,
  line: null,
  one: { seq: 10, text: String(results[0]), result: results[0] },
  other: { seq: 12, text: String(results[1]), result: results[1] },
});

const NOSYS = -38;
const DETAILS = [
  difference("siginfo", "handler of SIGINT", [null, null]),
  difference("mask", "handler of SIGINT", [null, null]),
  difference("result", "sysinfo()", [NOSYS, 0]),
  difference("result", "sysinfo()", [NOSYS, 0]),
  difference("result", "memfd_create()", [0, NOSYS]),
];
const OTHERS = [
  // A call that has to do with signals is a cause like any other.
  difference("result", "signalfd(3)", [NOSYS, 3]),
  difference("result", "read(pipe, 64)", [0, -4]),
  difference("result", "poll(pipe)", [0, 1], "timing"),
  difference("call", "getpid()", [null, 7], "cut"),
];

test.each([
  ["details before the cause", [...DETAILS, ...OTHERS]],
  ["details alone", DETAILS],
  ["a missing call alone", DETAILS.slice(2, 3)],
  ["nothing that differs", OTHERS.slice(2)],
  ["nothing", []],
])("of %s", async (_, differences) => {
  const { trace } = await session("initialisation");
  const record = { other: "native-linux", compared: 20, omitted: 0, beyond: 1, notices: [] };
  const outcomes = storedVerdict(trace)?.outcomes ?? [
    {
      subject: "run" as const,
      name: "graphene-sgx",
      thread: null,
      how: "exited",
      text: "main exits with status 0",
      seq: 9,
      otherHow: null,
      otherText: null,
      comparedSeq: null,
    },
  ];
  const cause = summaryOf({ ...record, log: null, outcomes, differences, cause: undefined }).first;
  trace.replaceVerdict({ ...record, outcomes, differences, cause });
  const whole = storedVerdict(trace) ?? expect.fail("stored");
  const summary = storedSummary(trace) ?? expect.fail("stored");
  expect(summary).toEqual(summaryOf(whole));
  expect(summaryLines(summary)).toEqual(verdictLines(whole));
});
