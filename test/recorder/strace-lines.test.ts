/** One line at a time: strace's line forms, arguments, and whether a text is a log at all. */

import { describe, expect, test } from "vitest";
import { field, flagsOf, signalSet, splitArgs, timeSpan, wholeNumber } from "../../recorder/import/strace/args.ts";
import { looksLikeStrace, StraceError, straceToScenario } from "../../recorder/import/strace/index.ts";
import { parseLine } from "../../recorder/import/strace/lines.ts";
import { logOf } from "../support/strace-log.ts";

const content = (text: string) => parseLine(`1234 1700000000.000001 ${text}`).content;
const result = (value: number | null, duration: number | null = null, restart = "") => ({ value, duration, restart, coarse: false });

describe("the beginning of a line", () => {
  const call = "close(3) = 0 <0.000010>";
  test.each([
    [`1234 1700000000.000001 ${call}`, 1234, { seconds: 1_700_000_000, ns: 1000, clock: "epoch", coarse: false }],
    [`12345  1700000000.5 ${call}`, 12_345, { seconds: 1_700_000_000, ns: 500_000_000, clock: "epoch", coarse: true }],
    [`[pid  1234] 1700000000.000001 ${call}`, 1234, { seconds: 1_700_000_000, ns: 1000, clock: "epoch", coarse: false }],
    [`1234<bash> 1700000000.000001 ${call}`, 1234, { seconds: 1_700_000_000, ns: 1000, clock: "epoch", coarse: false }],
    [`1700000000.000001 ${call}`, null, { seconds: 1_700_000_000, ns: 1000, clock: "epoch", coarse: false }],
    [`1234 01:02:03.000004 ${call}`, 1234, { seconds: 3723, ns: 4000, clock: "day", coarse: false }],
    [`1234 01:02:03 ${call}`, 1234, { seconds: 3723, ns: 0, clock: "day", coarse: true }],
    [`1234 1700000000.000001 [00007f12ab] [   3] ${call}`, 1234, { seconds: 1_700_000_000, ns: 1000, clock: "epoch", coarse: false }],
    [call, null, null],
  ])("%s", (text, pid, stamp) => {
    expect(parseLine(text)).toEqual({ pid, stamp, content: { form: "call", name: "close", args: "3", result: result(0, 10_000) } });
  });
});

describe("calls", () => {
  test.each([
    ["close(3)                = 0 <0.000010>", "close", "3", result(0, 10_000)],
    ["getpid() = 7", "getpid", "", result(7)],
    ['write(1, "a, b) = 5\\n", 9) = 9 <1.500000>', "write", '1, "a, b) = 5\\n", 9', result(9, 1_500_000_000)],
    ['open("x", 0) = -1 ENOENT (No such file or directory) <0.000010>', "open", '"x", 0', result(-2, 10_000)],
    ["mmap(NULL, 1) = 0x7f0000001000 <0.000010>", "mmap", "NULL, 1", result(0x7f00_0000_1000, 10_000)],
    ["mmap(NULL, 1) = 0xffffffffffffffda", "mmap", "NULL, 1", result(-38)],
    ["poll([{fd=3}], 1, 5) = 1 ([{fd=3, revents=POLLIN}]) <0.2>", "poll", "[{fd=3}], 1, 5", { ...result(1, 200_000_000), coarse: true }],
    ["openat(AT_FDCWD</a>, 0) = 3</tmp/x = y> <0.000001>", "openat", "AT_FDCWD</a>, 0", result(3, 1000)],
    ["exit_group(3) = ?", "exit_group", "3", result(null)],
    [
      "read(0, 0x1, 5) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <2.000000>",
      "read",
      "0, 0x1, 5",
      result(null, 2e9, "ERESTARTSYS"),
    ],
    ["pause() = ? ERESTARTNOHAND (To be restarted if no handler)", "pause", "", result(null, null, "ERESTARTNOHAND")],
    ["futex(0x1, FUTEX_WAIT, 2, NULL <unfinished ...>) = ?", "futex", "0x1, FUTEX_WAIT, 2, NULL", result(null)],
    ["x(1) = -1 (errno 600)", "x", "1", result(-1)],
    ["rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)", "rt_sigreturn", "{mask=[]}", result(-4)],
    [
      "restart_syscall(<... resuming interrupted nanosleep ...>) = 0",
      "restart_syscall",
      "<... resuming interrupted nanosleep ...>",
      result(0),
    ],
  ])("%s", (text, name, args, expected) => {
    expect(content(text)).toEqual({ form: "call", name, args, result: expected });
  });

  test("in two lines", () => {
    expect(content("read(0,  <unfinished ...>")).toEqual({ form: "begin", name: "read", args: "0, " });
    expect(content('<... read resumed>"x", 1) = 1 <0.000100>')).toEqual({
      form: "end",
      name: "read",
      args: '"x", 1',
      result: result(1, 100_000),
    });
    expect(content("<... wait4 resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)")).toEqual({
      form: "end",
      name: "wait4",
      args: "",
      result: result(null, null, "ERESTARTSYS"),
    });
  });

  test.each(["read(0, ", "read", "read(0) =", "read(0) = x", "= 3", "<... read resumed>, 5", "(3) = 4"])("%s is none", (text) => {
    expect(content(text)).toEqual({ form: "other" });
  });
});

describe("signals and ends", () => {
  test.each([
    ["--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---", { form: "signal", signal: 2, info: "{si_signo=SIGINT, si_code=SI_KERNEL}" }],
    ["--- SIGRT_2 {si_signo=SIGRT_2} ---", { form: "signal", signal: 34, info: "{si_signo=SIGRT_2}" }],
    ["--- stopped by SIGTSTP ---", { form: "stopped" }],
    ["+++ exited with 3 +++", { form: "exited", status: 3 }],
    ["+++ killed by SIGKILL +++", { form: "killed", signal: 9 }],
    ["+++ killed by SIGSEGV (core dumped) +++", { form: "killed", signal: 11 }],
    ["+++ superseded by execve in pid 77 +++", { form: "superseded", by: 77 }],
    ["strace: Process 77 attached", { form: "attached", pid: 77 }],
    ["--- SIGNONE {} ---", { form: "other" }],
    ["--- SIGINT", { form: "other" }],
    ["+++ exited", { form: "other" }],
    ["   ", { form: "empty" }],
    ["hello", { form: "other" }],
  ])("%s", (text, expected) => {
    expect(content(text)).toEqual(expected);
  });
});

describe("arguments", () => {
  test("are split outside strings and brackets", () => {
    expect(splitArgs('1, "a,\\"b", {x=1, y=[2, 3]}, f(4, 5)')).toEqual(["1", '"a,\\"b"', "{x=1, y=[2, 3]}", "f(4, 5)"]);
    expect(splitArgs("")).toEqual([]);
    expect(splitArgs("a,")).toEqual(["a", ""]);
  });

  test("fields, numbers, times, flags", () => {
    expect(field("{a=1, b={c=2, a=3}}", "b")).toBe("{c=2, a=3}");
    expect(field("{a=1}", "c")).toBe("");
    expect(wholeNumber("3</dev/tty>")).toBe(3);
    expect(wholeNumber("0x10")).toBe(null);
    expect(timeSpan("{tv_sec=1, tv_nsec=500}")).toBe(1_000_000_500);
    expect(timeSpan("{tv_sec=0, tv_usec=5}")).toBe(5000);
    expect(timeSpan("NULL")).toBe(null);
    expect(flagsOf("A|B")).toEqual(["A", "B"]);
  });

  test("sets of signals", () => {
    expect(signalSet("[]")).toEqual([]);
    expect(signalSet("[INT RT_1]")).toEqual([2, 33]);
    expect(signalSet("~[]")).toHaveLength(64);
    expect(signalSet("~[RTMIN RT_1]")).not.toContain(32);
    expect(signalSet("NULL")).toBe(null);
  });
});

describe("a text is a log", () => {
  const log = "1234 1700000000.000001 close(3) = 0\n";
  test.each([
    ["a log", log, true],
    ["with noise between", `hello\n${log}${log}`, true],
    ["without time stamps", "close(3) = 0\n", true],
    ["cut in its first line", "1234 1700000000.000001 read(3, ", false],
    ["a scenario", "name: x\ntitle: y\nmain:\n  - pause\n", false],
    ["JSON", '{"name": "x"}', false],
    ["nothing", "", false],
    ["mostly something else", `a\nb\nc\n${log}`, false],
  ])("%s", (_, text, expected) => {
    expect(looksLikeStrace(text)).toBe(expected);
  });
});

describe("what is no usable log says what to do", () => {
  const failing = (text: string): string => {
    try {
      straceToScenario(text, "a.strace");
    } catch (error) {
      expect(error).toBeInstanceOf(StraceError);
      return (error as Error).message;
    }
    return "no error";
  };

  test("no line of strace", () => {
    expect(failing("hello\nworld\n")).toMatch(
      /^a\.strace:2: no line of strace up to here; expected .* record with: strace -f -ttt -T -o FILE PROGRAM$/,
    );
    expect(failing("")).toMatch(/^a\.strace:1: no line/);
  });

  test("no time stamps", () => {
    expect(failing("hello\nclose(3) = 0\n")).toMatch(
      /^a\.strace:2: no time stamps \(.*\); expected seconds\.microseconds .*strace -f -ttt -T/,
    );
  });

  test("two kinds of time stamps", () => {
    expect(failing("1 1700000000.000000 close(3) = 0\n1 0.000123 close(4) = 0\n")).toMatch(
      /^a\.strace:2: a time stamp of another kind than those before/,
    );
  });

  test("a log needs no more than one line", () => {
    expect(failing(logOf("7 0 close(3) = 0 <0.000010>"))).toBe("no error");
  });
});
