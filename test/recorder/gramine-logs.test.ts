/**
 * Logs of Gramine and Graphene themselves. Real ones of today (`fixtures/gramine-logs`, of the programs whose strace logs are in
 * `fixtures/gramine`) are counted beside a reading of the test's own; the other eras are written in the forms of the reference, section 6.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { gramine } from "../../recorder/import/gramine/index.ts";
import { callLabel } from "../../recorder/import/gramine/labels.ts";
import { importerFor } from "../../recorder/import/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const LOGS = fileURLToPath(new URL("../fixtures/gramine-logs/", import.meta.url));
const STRACES = fileURLToPath(new URL("../fixtures/gramine/", import.meta.url));
const NAMES = readdirSync(LOGS).map((file) => file.replace(/\.gramine\.log\.gz$/, ""));

async function recorded(file: string): Promise<{ dir: string; talk: string }> {
  const dir = fresh("log.trace");
  const { talk, code } = await eintr(["record", file, "-o", dir]);
  expect(code, talk).toBe(0);
  return { dir, talk };
}

async function asked(dir: string, ...questions: string[]): Promise<unknown[][][]> {
  const trace = await openTrace(dir);
  const answers = questions.map((question) => trace.ask(question));
  trace.close();
  return answers;
}

const written = (text: string): string => {
  const file = fresh("a.log");
  writeFileSync(file, text);
  return file;
};

test("at least twenty-five real logs", () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(25);
});

test("a log of the level debug has no calls, though it tells of ends: it is refused with the level to take", async () => {
  const text = gunzipSync(readFileSync(`${LOGS}${NAMES[0]}.gramine.log.gz`)).toString("utf8");
  const quiet = written(text.replace(/^.*\] trace: .*\n/gm, ""));
  const dir = fresh("quiet.trace");
  const { talk, code } = await eintr(["record", quiet, "-o", dir]);
  expect([code, talk]).toEqual([2, expect.stringMatching(/no system call in this log .*loader\.log_level = "trace"/)]);
  expect(existsSync(dir)).toBe(false);
});

test("two runs in one log are told of", async () => {
  const text = gunzipSync(readFileSync(`${LOGS}${NAMES[0]}.gramine.log.gz`)).toString("utf8");
  const { talk } = await recorded(written(text + text));
  expect(talk).toContain("data-loss: gramine.runs: 1 (");
});

test.each([
  ["poll", "0x7ff0, 1, 500", "poll(500000000)"],
  ["poll", "0, 0, -1", "poll()"],
  ["epoll_wait", "5, 0x7ff0, 1024, 20", "epoll_wait(5, 20000000)"],
  ["nanosleep", "[1,500000000], 0", "nanosleep(1500000000)"],
  ["alarm", "3600", "alarm(3600000000000)"],
  ["futex", "0x7ff0, FUTEX_PRIVATE|FUTEX_WAIT, 2, 0, 0, 0", "futex_wait()"],
])("times are told in ns, as in a scenario: %s(%s)", (name, args, label) => {
  expect(callLabel(name, args)).toBe(label);
});

describe.each(NAMES)("%s", (name) => {
  const file = `${LOGS}${name}.gramine.log.gz`;
  // A message of another process may stand in the middle of a line: only whole lines are counted.
  const text = gunzipSync(readFileSync(file)).toString("utf8");
  const count = (pattern: RegExp): number => [...text.matchAll(pattern)].length;

  test("is read whole: calls, results, handlers, threads", async () => {
    const { dir, talk } = await recorded(file);
    expect(talk).not.toContain("gramine.stray");
    const threads = new Set([...text.matchAll(/\[P(\d+:T\d+):\w+\] trace: ----/g)].map(([, thread]) => thread));
    const [calls, handlers, tids, results] = await asked(
      dir,
      "SELECT count(*) FROM transitions WHERE kind = 'app.call'",
      "SELECT count(*) FROM transitions WHERE kind = 'app.handler.enter'",
      "SELECT count(*) FROM thread WHERE internal = 0",
      "SELECT count(*) FROM syscalls WHERE result IS NOT NULL",
    );
    const begun =
      count(/\] trace: ---- (?!return from |rt_sigreturn)\w+\(/g) +
      count(/debug: ---- \w+ \(returning/g) +
      count(/Unsupported system call/g);
    const again = count(/return from \w+\(\.\.\.\) = -51[2-6]/g);
    expect(Number(calls?.[0]?.[0])).toBeLessThanOrEqual(begun);
    expect(Number(calls?.[0]?.[0])).toBeGreaterThanOrEqual(begun - again);
    expect(handlers).toEqual([[count(/Created sigframe for sig/g)]]);
    expect(tids).toEqual([[threads.size]]);
    // Of all but those that end a thread, or in which the log ends.
    expect(Number(results?.[0]?.[0])).toBeGreaterThan(Number(calls?.[0]?.[0]) - 2 * threads.size - 1);
  });
});

describe("beside a run of the same program's strace log", () => {
  async function differences(name: string): Promise<{ code: number; out: string }> {
    const log = await recorded(`${LOGS}${name}.gramine.log.gz`);
    const run = fresh("run.trace");
    await eintr(["record", `${STRACES}${name}.strace.gz`, "--stack", "native-linux", "-o", run]);
    return eintr(["diff", log.dir, run, "--all"]);
  }

  test("what went as on Linux is the same", async () => {
    const { code, out } = await differences("s07_sigchld_wait");
    expect([code, out]).toEqual([0, expect.stringMatching(/the application sees the same as in .*: \d+ calls and handlers compared/)]);
  });

  test.each([
    ["b08_mask_replaced", /handler of SIGUSR2 .*: runs in the handler of SIGUSR1, in kill\(1, SIGUSR2\), there does not run/],
    ["b09_wait4_eintr", /wait4\(2, 0, 0\) .*: -EINTR, there 2/],
    ["b10_ignored_ends_sleep", /nanosleep\(.*: -EINTR, there 0/],
    ["b16_futex_restart", /futex_wait\(.*: -ETIMEDOUT, there -EINTR/],
    ["b19_zombie_ignored", /wait4\(2, 0, 0\) .*: 2, there -ECHILD/],
    ["s10b_ppoll_pending_forever", /poll\(.*: 0, there -EINTR/],
  ])("%s: what Gramine did otherwise is a difference, with its line", async (name, difference) => {
    const { code, out } = await differences(name);
    expect(code).toBe(1);
    expect(out).toMatch(difference);
    expect(out).toMatch(/\(line \d+ of the log\)/);
  });
});

describe("commands on such a trace", () => {
  test("analyze, show, query and diff with itself", async () => {
    const { dir } = await recorded(`${LOGS}s03_sigsuspend.gramine.log.gz`);
    expect((await eintr(["analyze", dir])).code).toBe(0);
    expect((await eintr(["show", dir, "--all"])).out).toContain("handler of SIGUSR1");
    const { out } = await eintr(["query", dir, "SELECT signal, thread, outcome FROM signals"]);
    expect(out.match(/handled/g)).toHaveLength(3);
    expect((await eintr(["diff", dir, dir])).code).toBe(0);
    expect((await eintr(["export", dir, "--format", "jsonl"])).out.split("\n").length).toBeGreaterThan(100);
  });
});

/** The same story in the words of each era: a read that a signal from another thread ends, its handler, a call in it. */
const ERAS: Readonly<Record<string, string>> = {
  E1: `[P00017] shim loaded at 0x80b000000, ready to initialize
[    41] ---- shim_rt_sigaction(SIGUSR1,0x7ff0,0x0,8) = 0
[    41] ---- shim_clone(CLONE_VM|CLONE_THREAD,0x7ff1,0x7ff2,0x7ff3,0x7ff4) ...
[    42] ---- shim_gettid() = 42
[    41] ---- return from shim_clone(...) = 42
[    41] ---- shim_read(0,0x7fff10,0x40) ...
[    42] Thread 41 killed by signal 10
[    42] signal_logs[9]: head=0, tail=1 (counter = 1)
[    42] ---- shim_tgkill(41,41,SIGUSR1) = 0
[    41] ---- return from shim_read(...) = -4
[    41] signal_logs[9]: head=1, tail=1
[    41] SIGUSR1 handled
[    41] run signal handler 0x401136 (10, 0x7ff3a0, 0x7ff420)
[    41] ---- shim_getpid() = 41
[    41] __enable_preempt: shim_signal.c:702
[    41] ---- shim_exit_group (returning 1)
`,
  E2: `[41:prog] ---- shim_rt_sigaction([SIGUSR1],0x7ff0,0x0,8) = 0
[41:prog] ---- shim_clone(CLONE_VM|CLONE_THREAD,0x7ff1,0x7ff2,0x7ff3,0x7ff4) ...
[42:prog] ---- shim_gettid() = 42
[41:prog] ---- return from shim_clone(...) = 42
[41:prog] ---- shim_read(0,0x7fff10,0x40) ...
[42:prog] ---- shim_tgkill(41,41,[SIGUSR1]) = 0
[41:prog] ---- return from shim_read(...) = -4
[41:prog] run signal handler 0x401136 (10, 0x7ff3a0, 0x7ff420)
[41:prog] ---- shim_getpid() = 41
[41:prog] __enable_preempt: shim_signal.c:702
[41:prog] ---- shim_exit_group (returning 1)
`,
  E2b: `[P41:T41:prog] ---- shim_rt_sigaction([SIGUSR1],0x7ff0,0x0,8) = 0
[P41:T41:prog] ---- shim_clone(CLONE_VM|CLONE_THREAD,0x7ff1,0x7ff2,0x7ff3,0x7ff4) ...
[P41:T42:prog] ---- shim_gettid() = 42
[P41:T41:prog] ---- return from shim_clone(...) = 42
[P41:i2:prog] async event trigger at 1600000002000000
[P41:T41:prog] ---- shim_read(0,0x7fff10,0x40) ...
[P41:T42:prog] ---- shim_tgkill(41,41,[SIGUSR1]) = 0
[P41:T41:prog] ---- return from shim_read(...) = -4
[P41:T41:prog] run signal handler 0x401136 (10, 0x7ff3a0, 0x7ff420)
[P41:T41:prog] ---- shim_getpid() = 41
[P41:T41:prog] __enable_preempt: shim_signal.c:702
[P41:T41:prog] ---- shim_exit_group (returning 1)
`,
  E3: era("[P41:T41:prog] ", "[P41:T42:prog] ", "shim_"),
  E4: era("[P41:T41:prog] ", "[P41:T42:prog] ", "shim_", "[P41:shim] debug: Async worker thread started\n"),
  E5: era("[P41:T41:prog] ", "[P41:T42:prog] ", "", "[P41:libos] debug: Async worker thread started\n"),
  E6: era("(libos_parser.c:1609:buf_write_all) [P41:T41:prog] ", "(libos_parser.c:1609:buf_write_all) [P41:T42:prog] ", ""),
};

/** From 2021 on: levels, spaces between arguments, a frame that is told of. */
function era(main: string, other: string, shim: string, more = ""): string {
  return `${more}${main}trace: ---- ${shim}rt_sigaction([SIGUSR1], 0x7ff0, 0x0, 0x8) = 0x0
${main}trace: ---- ${shim}clone(CLONE_VM|CLONE_THREAD, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4) ...
${other}trace: ---- ${shim}gettid() = 0x2a
${main}trace: ---- return from ${shim}clone(...) = 0x2a
${main}trace: ---- ${shim}read(0, 0x7fff10, 0x40) ...
${other}trace: ---- ${shim}tgkill(41, 41, [SIGUSR1]) = 0x0
${main}trace: ---- return from ${shim}read(...) = -512
${main}debug: Created sigframe for sig: 10 at 0x7f20 (handler: 0x401136, restorer: 0x7f44)
${main}trace: ---- ${shim}getpid() = 0x29
${main}trace: ---- ${shim}rt_sigreturn()
${main}debug: ---- ${shim}exit_group (returning 1)
${main}debug: process 41 exited with status 1
`;
}

describe.each(Object.entries(ERAS))("era %s", (era, log) => {
  test("is known, and tells the same story", async () => {
    expect(importerFor(Buffer.from(log))?.id).toBe("gramine");
    const { dir, talk } = await recorded(written(log));
    const [threads, calls, signals] = await asked(
      dir,
      "SELECT name, pid, tid FROM thread WHERE internal = 0 ORDER BY id",
      "SELECT thread, call, result FROM syscalls ORDER BY seq",
      "SELECT signal, thread, outcome, appended IS NOT NULL FROM signals",
    );
    expect(threads).toEqual([
      ["main", 41, 41],
      ["thread-42", 41, 42],
    ]);
    expect(calls?.map(([thread, call, result]) => `${thread} ${String(call).split("(")[0]} ${result}`)).toEqual([
      "main sigaction 0",
      "main clone 42",
      "thread-42 gettid 42",
      "main read -4",
      "thread-42 tgkill 0",
      "main getpid 41",
      "main exit_group null",
    ]);
    expect(signals).toEqual([["SIGUSR1", "main", "handled", 1]]);
    if (era >= "E3") expect(talk).toContain("main exits with status 1");
  });
});

test("an internal fault ends the process: since 2021, when the message has a level", async () => {
  const call = "trace: ---- getpid() = 0x1\n";
  const fault = "Internal memory fault at 0x10 (libos_do at x.c, libsysdb.so+0x65334, VMID = 1, TID = 1)";
  const today = await recorded(written(`[P1:T1:app] ${call}[P1:T1:app] error: ${fault}\n`));
  const former = await recorded(written(`[P1:T1:app] ---- shim_getpid() = 1\n[P1:T1:app] ${fault}\n`));
  const question = "SELECT kind, value, extra FROM transitions WHERE kind IN ('libos.fault', 'process.exit')";
  expect(await asked(today.dir, question)).toEqual([
    [
      ["libos.fault", 0, 0],
      ["process.exit", 1, 4],
    ],
  ]);
  expect(today.talk).toContain("main dies of an internal fault of the LibOS");
  expect(await asked(former.dir, question)).toEqual([[["libos.fault", 0, 0]]]);
});

test("a log without system calls is refused with the setting that writes them", async () => {
  const { code, talk } = await eintr([
    "record",
    written("[P1:T1:app] debug: LibOS loaded\n[P1:libos] debug: Async worker thread started\n"),
    "-o",
    fresh("x.trace"),
  ]);
  expect([code, talk]).toEqual([2, expect.stringMatching(/no system call in this log .*loader\.log_level = "trace"/)]);
});

test("any cut or garbled log is read or refused in words", async () => {
  const text = gunzipSync(readFileSync(`${LOGS}s07_sigchld_wait.gramine.log.gz`)).toString("utf8");
  for (let i = 0; i < 200; i += 1) {
    const at = Math.floor((i * text.length) / 200);
    const garbled = `${text.slice(0, at)}${text.slice(at + (i % 97))}`;
    const imported = await gramine.read(parts(garbled), "a.log");
    if (imported.is !== "transitions") return expect.fail("it tells what happened");
    while (await imported.source.run(1000, { put: () => {} })) imported.source.flush({ put: () => {} });
    expect(imported.source.threads.length).toBeGreaterThan(0);
  }
});

async function* parts(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}
