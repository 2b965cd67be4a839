/** The verdict as commands tell it: what happened comes first, exit codes, diff, and the tables. */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

function fileOf(name: string, text: string): string {
  const file = fresh(name);
  writeFileSync(file, text);
  return file;
}

async function recorded(what: string, stack: string, ...more: string[]): Promise<{ dir: string; lines: string[]; code: number }> {
  const dir = fresh("a.trace");
  const { code, talk } = await eintr(["record", what, "--stack", stack, "-o", dir, ...more]);
  return { dir, lines: talk.split("\n"), code };
}

const PING_PONG = `
name: ping-pong
title: Two processes answer each other's signal, fifty times
main:
  - sigaction: { signal: SIGUSR1, handler: answer }
  - fork: partner
  - loop: { times: 50, do: [pause] }
  - exit-group
programs:
  partner:
    - sigaction: { signal: SIGUSR1, handler: nothing }
    - loop: { times: 50, do: [{ kill: { process: parent, signal: SIGUSR1 } }, pause] }
handlers:
  answer: [{ kill: { process: partner, signal: SIGUSR1 } }]
  nothing: [{ compute: 1us }]
limit: { time: 5s, transitions: 200000 }
`;

const FAULTY_HANDLER = `
name: faulty-handler
title: The handler of a timer's signal faults
main:
  - sigaction: { signal: SIGALRM, handler: tick }
  - sigaction: { signal: SIGSEGV, handler: segv }
  - alarm: 1s
  - compute: 2s
  - exit-group
handlers:
  tick: [{ fault: memory }]
  segv: [skip-fault]
limit: { time: 5s, transitions: 60000 }
`;

/** docker stop: SIGTERM for a server with a second thread. */
const STOPPED = `
50 1700000000.000100 execve("./srv", ["./srv"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 clone(child_stack=0x7f02, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, parent_tid=[51], tls=0x7f02, child_tidptr=0x7f02) = 51 <0.000200>
51 1700000000.001400 futex(0x7f10, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
50 1700000000.001500 accept(3,  <unfinished ...>
50 1700000000.501500 <... accept resumed>0x7ff, [16]) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.500000>
50 1700000000.501600 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---
51 1700000000.501700 <... futex resumed>) = ? <unavailable>
51 1700000000.501750 +++ killed by SIGTERM +++
50 1700000000.501800 +++ killed by SIGTERM +++
`.trimStart();

describe("record says what happened in its first two lines, and analyze exits with 1", () => {
  test.each([
    [
      "a pause that no alarm ends",
      "w12-pause-alarm",
      "graphene-linux",
      /^graphene-linux: main waits for ever in pause\(\) \(.*nobody is left who could wake it\)/,
      /^first difference from Linux alone: seq \d+ {2}main {2}pause\(\): never returns, on Linux -EINTR/,
    ],
    [
      "two processes that wait for each other",
      fileOf("ping-pong.yaml", PING_PONG),
      "graphene-linux",
      /^graphene-linux: main waits for ever in pause\(\) .*; 2 processes in all$/,
      /^first difference from Linux alone: seq \d+ {2}main {2}pause\(\): never returns, on Linux -EINTR; and \d+ that follow/,
    ],
    [
      "a fault in a handler that comes round for ever",
      fileOf("faulty-handler.yaml", FAULTY_HANDLER),
      "graphene-sgx",
      /^graphene-sgx: main is in a livelock in handler of SIGALRM \(the same \d+ steps come round/,
      /^first difference from Linux alone: on Linux seq \d+ {2}main {2}handler of SIGSEGV: does not run, on Linux runs in the handler of SIGALRM/,
    ],
    [
      "a server that docker stops",
      fileOf("stopped.strace", STOPPED),
      "graphene-sgx",
      /^graphene-sgx: main never ends: thread-51 waits for ever in futex_wait\(\)/,
      /^first difference from Linux alone: .*process main in accept\(\) on fd 3: never ends: .*, on Linux is killed by SIGTERM/,
    ],
  ])("%s", async (_, what, stack, first, second) => {
    const { dir, lines, code } = await recorded(what, stack);
    expect(code).toBe(0);
    expect(lines[0]).toMatch(first);
    expect(lines[1]).toMatch(second);
    const { code: analyzed, out, talk } = await eintr(["analyze", dir, "--fail-on", "critical"]);
    expect(analyzed).toBe(1);
    expect(out.split("\n").slice(0, 2)).toEqual(lines.slice(0, 2));
    expect(talk).toMatch(/\d+ rules ran: /);
  });

  test("children are ended by signals every day: the first process's end comes first; what a process does not live to see is no difference", async () => {
    const log = fileOf(
      "killed-child.strace",
      `
50 1700000000.000100 execve("./p", ["./p"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1) = 51 <0.000200>
50 1700000000.001300 wait4(51,  <unfinished ...>
51 1700000000.001400 getpid() = 51 <0.000005>
51 1700000000.001500 kill(51, SIGTERM) = 0 <0.000010>
51 1700000000.001550 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=51, si_uid=0} ---
51 1700000000.001600 +++ killed by SIGTERM +++
50 1700000000.001700 <... wait4 resumed>[{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 51 <0.000400>
50 1700000000.001800 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=51, si_uid=0, si_status=SIGTERM, si_utime=0, si_stime=0} ---
50 1700000000.001900 exit_group(9) = ?
50 1700000000.002000 +++ exited with 9 +++
`.trimStart(),
    );
    const { lines } = await recorded(log, "native-linux");
    expect(lines[0]).toBe("native-linux: main exits with status 9; process-51 is killed by SIGTERM; 2 processes in all");
    expect(lines.join("\n")).not.toContain("log-differs-from-native");
  });

  test("nor is one that a handler leaves: by a jump, by another program, by an end", async () => {
    const act = (handler: string) => `{sa_handler=${handler}, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f}`;
    const usr1 = (pid: number) => `--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=${pid}, si_uid=0} ---`;
    const log = fileOf(
      "left.strace",
      `
50 1700000000.000100 execve("./p", ["./p"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 rt_sigaction(SIGUSR1, ${act("0x401")}, NULL, 8) = 0 <0.000010>
50 1700000000.001100 tgkill(50, 50, SIGUSR1) = 0 <0.000010>
50 1700000000.001150 ${usr1(50)}
50 1700000000.001200 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0 <0.000010>
50 1700000000.001300 rt_sigaction(SIGUSR1, ${act("0x402")}, {sa_handler=0x401, sa_mask=[], sa_flags=0}, 8) = 0 <0.000010>
50 1700000000.001400 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1) = 51 <0.000100>
50 1700000000.001600 wait4(51,  <unfinished ...>
51 1700000000.002000 tgkill(51, 51, SIGUSR1) = 0 <0.000010>
51 1700000000.002050 ${usr1(51)}
51 1700000000.002100 execve("./q", ["./q"], 0xffd8 /* 22 vars */) = 0 <0.000300>
51 1700000000.002500 getppid() = 50 <0.000010>
51 1700000000.002600 exit_group(3) = ?
51 1700000000.002700 +++ exited with 3 +++
50 1700000000.002800 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 51 <0.001200>
50 1700000000.002900 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=51, si_uid=0, si_status=3, si_utime=0, si_stime=0} ---
50 1700000000.003000 tgkill(50, 50, SIGUSR1) = 0 <0.000010>
50 1700000000.003050 ${usr1(50)}
50 1700000000.003100 exit_group(9) = ?
50 1700000000.003200 +++ exited with 9 +++
`.trimStart(),
    );
    const { lines } = await recorded(log, "native-linux");
    expect(lines[0]).toBe("native-linux: main exits with status 9; 2 processes in all");
    expect(lines.join("\n")).not.toContain("log-differs-from-native");
  });

  test("a thread that has called exit is over, wherever a library OS keeps it", async () => {
    const log = fileOf(
      "leader.strace",
      `
50 1700000000.000100 execve("./p", ["./p"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1) = 51 <0.000100>
50 1700000000.001200 nanosleep({tv_sec=0, tv_nsec=50000000},  <unfinished ...>
51 1700000000.002000 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD) = 52 <0.000100>
52 1700000000.002200 nanosleep({tv_sec=9, tv_nsec=0},  <unfinished ...>
51 1700000000.010000 exit(0) = ?
50 1700000000.051300 <... nanosleep resumed>NULL) = 0 <0.050100>
50 1700000000.051400 kill(51, SIGKILL) = 0 <0.000010>
52 1700000000.051500 <... nanosleep resumed> <unfinished ...>) = ?
52 1700000000.051600 +++ killed by SIGKILL +++
51 1700000000.051700 +++ killed by SIGKILL +++
50 1700000000.051800 wait4(51, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 51 <0.000010>
50 1700000000.051900 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=51, si_uid=0, si_status=SIGKILL, si_utime=0, si_stime=0} ---
50 1700000000.052000 exit_group(0) = ?
50 1700000000.052100 +++ exited with 0 +++
`.trimStart(),
    );
    const { lines } = await recorded(log, "gramine-linux");
    expect(lines[0]).toContain("process-51 is killed by SIGKILL");
    expect(lines.join("\n")).not.toContain("in exit(0)");
  });

  test("nobody sees what a call wrote in which its thread was killed", async () => {
    const log = fileOf(
      "sleeper.strace",
      `
50 1700000000.000100 execve("./p", ["./p"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5, tv_nsec=0}, {tv_sec=4, tv_nsec=900000000}) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.100000>
50 1700000000.101100 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---
50 1700000000.101200 +++ killed by SIGINT +++
`.trimStart(),
    );
    const { lines } = await recorded(log, "gramine-linux");
    expect(lines[0]).toContain("main is killed by SIGINT");
    expect(lines.join("\n")).not.toContain("remaining");
  });

  test("eintr's own Linux is compared with the log: the first call that differs is named with its line", async () => {
    const log = fileOf(
      "odd.strace",
      `
50 1700000000.000100 execve("./p", ["./p"], 0xffd8 /* 22 vars */) = 0 <0.000300>
50 1700000000.001000 rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0 <0.000010>
50 1700000000.001100 rt_sigtimedwait([USR1], NULL, {tv_sec=0, tv_nsec=0}, 8) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>
50 1700000000.001150 sigaltstack({ss_sp=0x7f, ss_flags=0, ss_size=100}, NULL) = 0 <0.000010>
50 1700000000.001200 exit_group(0) = ?
50 1700000000.001300 +++ exited with 0 +++
`.trimStart(),
    );
    const { lines } = await recorded(log, "native-linux");
    expect(lines.join("\n")).toMatch(
      /notice: log-differs-from-native: 1 \(the log says otherwise than eintr's Linux, first \S*odd\.strace:4: sigaltstack\(.*\) = 0, which gives -ENOMEM there; /,
    );
  });

  test("a run that is as on Linux is told as that, and exits with 0", async () => {
    const quiet = fileOf("quiet.yaml", "name: quiet\ntitle: nothing comes\nmain: [getpid, { nanosleep: 1ms }, exit-group]\n");
    const { dir, lines, code } = await recorded(quiet, "graphene-sgx", "--fail-on-difference");
    expect(code).toBe(0);
    expect(lines[0]).toBe("graphene-sgx: main exits with status 0");
    expect(lines[1]).toBe("the application sees the same as on Linux alone: 3 calls and handlers compared");
    for (const command of ["analyze", "diff"]) expect((await eintr([command, dir])).code).toBe(0);
  });
});

test("record --fail-on-difference exits with 1", async () => {
  expect((await recorded("lost-interrupted-error", "graphene-sgx", "--fail-on-difference")).code).toBe(1);
  expect((await recorded("lost-interrupted-error", "native-linux", "--fail-on-difference")).code).toBe(0);
});

describe("diff", () => {
  test("of a trace with itself finds nothing, of another stack the same from both sides", async () => {
    const { dir: sgx } = await recorded("lost-interrupted-error", "graphene-sgx");
    const { dir: native } = await recorded("lost-interrupted-error", "native-linux");
    const itself = await eintr(["diff", sgx, sgx, "--format", "json"]);
    expect(itself.code).toBe(0);
    expect(JSON.parse(itself.out)).toMatchObject({ same: true, differences: [], first: null });
    const json = async (...args: string[]) => {
      const { out, code } = await eintr(["diff", ...args, "--format", "json"]);
      expect(code).toBe(1);
      return JSON.parse(out) as { differences: { one: unknown; other: unknown; kind: string }[] };
    };
    const forth = await json(sgx, native);
    const back = await json(native, sgx);
    expect(forth.differences.map(({ kind }) => kind)).toContain("result");
    expect(back.differences.map(({ one, other, ...rest }) => ({ ...rest, one: other, other: one }))).toEqual(forth.differences);
    // Without the other one the oracle is: the same run.
    expect((await json(sgx)).differences).toEqual(forth.differences);
  });

  test("leaves out what it is told to", async () => {
    const { dir } = await recorded("lost-interrupted-error", "graphene-sgx");
    const all = await eintr(["diff", dir]);
    expect(all.out).toContain("read(pipe, 64): 0, on Linux -EINTR");
    const rest = await eintr(["diff", dir, "--ignore", "call:read", "--ignore", "kind:mask"]);
    expect(rest).toMatchObject({ code: 0 });
    expect(rest.out).toContain("the application sees the same");
    expect((await eintr(["diff", dir, "--ignore", "thread:main"])).code).toBe(0);
    expect((await eintr(["diff", dir, "--ignore", "kind:masks"])).talk).toContain('no kind "masks"; did you mean "mask"?');
    expect(await eintr(["diff", dir, "--ignore", "read"])).toMatchObject({ code: 2, talk: expect.stringContaining("expected call:NAME") });
  });

  test("compares traces of other scenarios: threads by name, numbers in texts apart", async () => {
    const program = (bytes: number, more: string): string =>
      `name: p${bytes}\ntitle: reads\nmain: [{ sigaction: { signal: SIGINT, handler: h } }, { write: { to: p, bytes: 9 } }, { read: { from: p, bytes: ${bytes} } }${more}, exit-group]\nhandlers: { h: [{ compute: 1us }] }\n`;
    const { dir: one } = await recorded(fileOf("p.yaml", program(3, "")), "native-linux");
    const { dir: other } = await recorded(fileOf("q.yaml", program(4, ", getpid")), "native-linux");
    const { code, out } = await eintr(["diff", one, other, "--all"]);
    expect(code).toBe(1);
    expect(out).toContain(`first difference from ${other}: seq `);
    expect(out).toMatch(/ {2}main {2}read\(p, 3\): 3, there 4; and 1 that follows/);
    expect(out).toMatch(/getpid\(\): is not called, there 1/);
  });
});

describe("the tables", () => {
  test("hold what record told, and what the view says of calls agrees with it", async () => {
    const { dir } = await recorded("w12-pause-alarm", "graphene-linux");
    const ask = async (sql: string): Promise<unknown> => JSON.parse((await eintr(["query", dir, sql, "--format", "json"])).out);
    expect(await ask("SELECT subject, how, other, other_how FROM outcome WHERE subject = 'run'")).toEqual([
      { subject: "run", how: "stuck", other: "native-linux", other_how: "exited" },
    ]);
    expect(await ask("SELECT kind, weight, what, there FROM difference WHERE kind NOT IN ('mask', 'siginfo') ORDER BY id LIMIT 1")).toEqual(
      [{ kind: "never-returns", weight: "differs", what: "pause()", there: "-EINTR" }],
    );
    expect(await ask("SELECT call, result, native FROM syscalls WHERE native IS NOT result")).toEqual([
      { call: "pause()", result: null, native: -4 },
    ]);
  });

  test("are made again with the database", async () => {
    const { dir } = await recorded("lost-interrupted-error", "graphene-sgx");
    const before = await eintr(["query", dir, "SELECT * FROM difference"]);
    const { rmSync } = await import("node:fs");
    rmSync(`${dir}/trace.db`);
    expect((await eintr(["query", dir, "SELECT * FROM difference"])).out).toBe(before.out);
  });
});

describe("a case on two stacks", () => {
  test("is run for the time of the command, and told as two traces of it are", async () => {
    const { code, out, talk } = await eintr(["diff", "lost-interrupted-error", "--stack", "graphene-sgx,graphene-linux"]);
    expect(code).toBe(1);
    const lines = out.split("\n");
    expect(lines.slice(0, 2)).toEqual(["graphene-sgx: main exits with status 0", "graphene-linux: main exits with status 0"]);
    expect(lines[2]).toMatch(/^first difference from graphene-linux: seq \d+ {2}main {2}read\(pipe, 64\): 0, on graphene-linux -EINTR$/);
    expect(talk).toContain("step through it: eintr replay lost-interrupted-error --stack graphene-sgx,graphene-linux\n");
    const [one, other] = [
      await recorded("lost-interrupted-error", "graphene-sgx"),
      await recorded("lost-interrupted-error", "graphene-linux"),
    ];
    const traces = await eintr(["diff", one.dir, other.dir, "--format", "json"]);
    const stacks = await eintr(["diff", "lost-interrupted-error", "--stack", "graphene-sgx,graphene-linux", "--format", "json"]);
    expect(JSON.parse(stacks.out)).toEqual(JSON.parse(traces.out));
  });

  test("or on one, beside Linux alone", async () => {
    const { code, out } = await eintr(["diff", "lost-interrupted-error", "--stack", "graphene-linux", "--ignore", "kind:mask"]);
    expect([code, out.split("\n")[2]]).toEqual([0, "the application sees the same as on Linux alone: 4 calls and handlers compared"]);
  });

  test("what cannot be meant is said, with what to do", async () => {
    const { dir } = await recorded("lost-interrupted-error", "graphene-sgx");
    const said = async (...args: string[]): Promise<string> => {
      const { code, talk } = await eintr(["diff", ...args]);
      expect(code).toBe(2);
      return talk;
    };
    expect(await said(dir, "--stack", "gramine-sgx")).toContain(`eintr rerun ${dir} --stack gramine-sgx compares it`);
    expect(await said("nested", dir, "--stack", "gramine-sgx")).toContain("leave one of them out");
    expect(await said("nested", "--stack", "native-linux,graphene-sgx,gramine-sgx")).toContain("eintr compare nested");
  });
});
