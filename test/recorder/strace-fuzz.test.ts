/** Logs that nobody wrote: random lines of strace's forms, real logs taken apart. Each is a scenario that runs, or an error with a place. */

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boot, STACK_NAMES } from "../../engine/index.ts";
import { looksLikeStrace, StraceError } from "../../recorder/import/strace/index.ts";
import { NOWHERE } from "../support/run-scenario.ts";
import { importText, type Log } from "../support/strace-log.ts";

const FOLDER = new URL("logs/", import.meta.url);
const LOGS = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".strace"))
  .map((name) => readFileSync(new URL(name, FOLDER), "utf8").trimEnd().split("\n"));

/** Rows run on each stack: enough to meet every operation of a small log. */
const ROWS = 20_000;

/** The importer's promise. Null when the text is no log. */
function importOrRefuse(text: string): Log | null {
  looksLikeStrace(text);
  try {
    return importText(text, "fuzz.strace");
  } catch (error) {
    if (!(error instanceof StraceError)) throw error;
    expect(error.message).toMatch(/^fuzz\.strace:\d+: .+; record with: strace /);
    return null;
  }
}

function runs(log: Log | null): void {
  if (log === null) return;
  for (const stack of STACK_NAMES) {
    const run = boot({ stack, scenario: log.parsed });
    run.run(ROWS, NOWHERE);
    run.flush(NOWHERE);
  }
}

const pid = fc.integer({ min: 5, max: 8 });
const signal = fc.constantFrom("SIGINT", "SIGUSR1", "SIGCHLD", "SIGALRM", "SIGSEGV", "SIGKILL", "SIGTSTP", "SIGCONT", "SIGPIPE", "SIGRT_3");
const set = fc.constantFrom("[]", "[INT USR1]", "~[]", "~[RTMIN RT_1]", "[CHLD ALRM]", "NULL");
const number = fc.oneof(
  fc.integer({ min: -5, max: 9 }).map(String),
  fc.constantFrom("0x0", "0xffffffffffffffff", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "?"),
);
const answer = fc.oneof(
  { weight: 4, arbitrary: number },
  fc.constantFrom(
    "-1 EINTR (Interrupted system call)",
    "-1 EAGAIN (Resource temporarily unavailable)",
    "-1 ECHILD (No child processes)",
    "-1 ETIMEDOUT (Connection timed out)",
    "-1 EWHATEVER (no such error)",
    "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
    "? ERESTARTNOHAND (To be restarted if no handler)",
    "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
  ),
);
const duration = fc.oneof(
  { weight: 5, arbitrary: fc.nat(5_000_000).map((us) => ` <${(us / 1e6).toFixed(6)}>`) },
  fc.constantFrom("", " <999999999.999999>"),
);
const time = fc.constantFrom("{tv_sec=0, tv_nsec=1000000}", "{tv_sec=0, tv_usec=500}", "{tv_sec=999999999999, tv_nsec=0}", "NULL", "{}");
const timer = fc.tuple(time, time).map(([value, interval]) => `{it_interval=${interval}, it_value=${value}}`);
const flags = fc.constantFrom("SA_RESTORER", "SA_RESTORER|SA_RESTART", "SA_RESETHAND|SA_NODEFER", "SA_SIGINFO|0x4");
const handler = fc.constantFrom("0x1", "0x2", "SIG_DFL", "SIG_IGN");

/** Calls that mean something to the importer, and some that do not. */
const call = fc.oneof(
  fc.constantFrom(
    "read(0, 0x1, 8)",
    'write(1, "x", 1)',
    "poll([], 1, 5)",
    "epoll_wait(3, [], 8, -1)",
    "accept(3, NULL, NULL)",
    "openat(1)",
    "x()",
  ),
  fc.constantFrom(
    "pause()",
    "getpid()",
    "sched_yield()",
    "alarm(0)",
    "alarm(1)",
    "exit(3)",
    "exit_group(300)",
    "restart_syscall(<...>)",
    "rt_sigpending([])",
  ),
  fc.constantFrom(
    "clone(flags=SIGCHLD)",
    "clone(flags=CLONE_VM|CLONE_THREAD)",
    "vfork()",
    'execve("./x", [], NULL)',
    "setsid()",
    "setpgid(0, 5)",
  ),
  fc.constantFrom("rt_sigreturn({mask=[]})", "rt_sigreturn({mask=[INT]})", "wait4(-1, NULL, 0, NULL)", "wait4(6, NULL, WNOHANG, NULL)"),
  fc.constantFrom("waitid(P_ALL, 0, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6}, WEXITED, NULL)", "constructor(1)", "toString()"),
  set.map((mask) => `rt_sigsuspend(${mask}, 8)`),
  fc
    .tuple(fc.constantFrom("SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"), set)
    .map(([how, mask]) => `rt_sigprocmask(${how}, ${mask}, NULL, 8)`),
  fc
    .tuple(signal, handler, set, flags)
    .map(([of, to, mask, flag]) => `rt_sigaction(${of}, {sa_handler=${to}, sa_mask=${mask}, sa_flags=${flag}}, NULL, 8)`),
  fc.tuple(fc.constantFrom("5", "6", "0", "-1", "-5"), signal).map(([target, what]) => `kill(${target}, ${what})`),
  fc.tuple(pid, pid, signal).map(([group, target, what]) => `tgkill(${group}, ${target}, ${what})`),
  fc.tuple(fc.constantFrom("ITIMER_REAL", "ITIMER_PROF"), timer).map(([which, value]) => `setitimer(${which}, ${value}, NULL)`),
  time.map((span) => `nanosleep(${span}, NULL)`),
  fc.tuple(fc.constantFrom("0", "TIMER_ABSTIME"), time).map(([how, span]) => `clock_nanosleep(CLOCK_MONOTONIC, ${how}, ${span}, NULL)`),
  fc.tuple(set, time).map(([mask, span]) => `ppoll([], 0, ${span}, ${mask}, 8)`),
  fc
    .tuple(fc.constantFrom("FUTEX_WAIT_PRIVATE", "FUTEX_WAIT_BITSET", "FUTEX_WAKE"), time)
    .map(([what, span]) => `futex(0x1, ${what}, 1, ${span})`),
  fc.constantFrom("sigaltstack({ss_sp=0x1, ss_flags=0, ss_size=99999999999}, NULL)", "sigaltstack({ss_flags=SS_DISABLE, ss_size=0}, NULL)"),
);
const code = fc.constantFrom("SI_USER", "SI_TKILL", "SI_KERNEL", "SEGV_MAPERR", "FPE_INTDIV", "CLD_EXITED", "CLD_STOPPED", "SI_TIMER");
const content = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(call, answer, duration).map(([what, result, took]) => `${what} = ${result}${took}`) },
  { weight: 2, arbitrary: call.map((what) => `${what.slice(0, -1)} <unfinished ...>`) },
  {
    weight: 2,
    arbitrary: fc.tuple(call, answer, duration).map(([what, result, took]) => `<... ${what.split("(")[0]} resumed>) = ${result}${took}`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(signal, code, pid)
      .map(([what, why, from]) => `--- ${what} {si_signo=${what}, si_code=${why}, si_pid=${from}, si_addr=0x9} ---`),
  },
  fc.constantFrom(
    "--- stopped by SIGTSTP ---",
    "+++ exited with 0 +++",
    "+++ exited with 999 +++",
    "+++ killed by SIGKILL +++",
    "+++ killed by SIGINT +++",
  ),
  fc.constantFrom("+++ superseded by execve in pid 6 +++", "strace: Process 7 attached", "noise", ""),
);
const prefix = fc.oneof(
  { weight: 8, arbitrary: pid.map((id) => `${id} `) },
  pid.map((id) => `[pid     ${id}] `),
  fc.constant(""),
);
/** Steps of the clock, ns, a few of them wild. */
const step = fc.oneof({ weight: 20, arbitrary: fc.nat(3_000_000) }, fc.constantFrom(-1e9, 4e17));

const logText = fc.array(fc.tuple(prefix, step, content), { minLength: 1, maxLength: 60 }).map((lines) => {
  let now = 0;
  return lines
    .map(([who, by, what]) => {
      now += by;
      return `${who}${(1_700_000_000 + now / 1e9).toFixed(6)} ${what}\n`;
    })
    .join("");
});

/** A few lines of a real log dropped, doubled, exchanged, or given to another thread. */
const takenApart = fc
  .tuple(
    fc.nat(),
    fc.array(fc.tuple(fc.constantFrom("drop", "double", "swap", "pid", "number"), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 }),
  )
  .map(([which, changes]) => {
    const lines = [...(LOGS[which % LOGS.length] ?? [])];
    for (const [how, a, b] of changes) {
      const i = a % lines.length;
      const j = b % lines.length;
      const [here = "", there = ""] = [lines[i], lines[j]];
      if (how === "drop") lines.splice(i, 1 + (b % 5));
      else if (how === "double") lines.splice(i, 0, here);
      else if (how === "swap") [lines[i], lines[j]] = [there, here];
      else if (how === "pid") lines[i] = here.replace(/^\d+/, there.split(" ")[0] ?? "1");
      else lines[i] = here.replace(/= -?\d+/, `= ${b - 2 ** 30}`);
      if (lines.length === 0) break;
    }
    return lines.join("\n");
  });

/** `npm run torture -- logs` tries many more. */
const TIMES = process.env.EINTR_TORTURE === undefined ? 1 : 50;

/** A call that is under way for years: longer than a scenario can say. */
const YEARS = `5 1700000000.000000 rt_sigaction(SIGINT, NULL, NULL, 8 <unfinished ...>
5 2100000000.000000 +++ killed by SIGKILL +++
`;

describe("whatever the log", () => {
  test("any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void importOrRefuse(text)),
      { numRuns: 150 * TIMES },
    );
  });

  test("any characters behind a good beginning", () => {
    const beginning = "5 1700000000.000000 ";
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 60 }), { maxLength: 10 }), (lines) => {
        importOrRefuse(lines.map((line) => `${beginning}${line}\n`).join(""));
      }),
      { numRuns: 150 * TIMES },
    );
  });

  test("random lines of strace's forms", () => {
    fc.assert(
      fc.property(logText, (text) => runs(importOrRefuse(text))),
      { numRuns: 200 * TIMES, examples: [[YEARS]] },
    );
  });

  test("real logs taken apart", () => {
    fc.assert(
      fc.property(takenApart, (text) => runs(importOrRefuse(text))),
      { numRuns: 40 * TIMES },
    );
  });
});

test("time and memory are linear in the log", () => {
  // What grows with the square of any of these would not come back within the test's time.
  const many = 20_000;
  const head = '5 1700000000.000000 execve("./x", [], NULL) = 0 <0.000010>\n';
  const repeat = (line: (i: number) => string) => head + Array.from({ length: many }, (_, i) => `${line(i)}\n`).join("");
  const at = (i: number) => (1_700_000_000 + i / 1000).toFixed(6);
  const logs = [
    repeat((i) => `5 ${at(i)} close(3) = 0 <0.000010>`),
    repeat((i) => `5 ${at(i)} --- SIGWINCH {si_signo=SIGWINCH, si_code=SI_KERNEL} ---`),
    repeat((i) => `6 ${at(i)} +++ exited with 0 +++`),
    repeat((i) => `${i + 10} ${at(i)} fork( <unfinished ...>`),
    repeat(
      (i) =>
        `5 ${at(i)} fork() = ${i + 10} <0.000010>\n${i + 10} ${at(i)} +++ exited with 0 +++\n5 ${at(i)} --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=${i + 10}} ---`,
    ),
    repeat(
      (i) =>
        `5 ${at(i)} rt_sigaction(SIGINT, {sa_handler=0x1, sa_mask=[], sa_flags=0}, NULL, 8) = 0\n5 ${at(i)} --- SIGINT {si_signo=SIGINT, si_code=SI_USER, si_pid=1} ---`,
    ),
  ];
  for (const log of logs) expect(importText(log).lines).toBeGreaterThan(many);
});
