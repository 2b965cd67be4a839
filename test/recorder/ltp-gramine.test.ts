/**
 * The programs of the Linux Test Project beside what Gramine says of them in its own list (libos/test/ltp/ltp.cfg at ff71d7afe; reference 5.2,
 * 5.3): each log of Linux is run on gramine-linux. What Gramine runs must have no difference from Linux that the program could see, and where it
 * has one, its reason is here. What Gramine skips because it lacks it must have one, unless the reason is none of a signal's.
 * Every fourth is run in a usual test, all of them with EINTR_UPDATE=1 (which writes the golden) or EINTR_ALL=1.
 */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Difference } from "../../analyzer/index.ts";
import { GRAMINE_LINUX } from "../support/gramine.ts";
import { entriesOf, LTP_LOGS, ltpOutcome } from "../support/ltp.ts";
import { tempPaths } from "../support/temp-dir.ts";

const GOLDEN = new URL("../golden/ltp-gramine.txt", import.meta.url);
const UPDATE = process.env.EINTR_UPDATE === "1";
const ALL = UPDATE || process.env.EINTR_ALL === "1";
const temp = tempPaths();

/** What Gramine does not run, in short why. A star is any ending. */
const SKIPPED: Readonly<Record<string, string>> = {
  clone08: "no CLONE_PARENT",
  clone09: "no CLONE_NEWNET",
  epoll_pwait01: "reads /proc/1/stat",
  fork05: "for i386",
  fork10: "the child has a file offset of its own",
  futex_wait03: "fails at times",
  futex_wake04: "reads /sys/kernel/mm/hugepages",
  getitimer01: "only ITIMER_REAL",
  kill05: "no shared memory (shmget)",
  kill06: "no process groups",
  kill08: "no process groups",
  pause01: "futexes in memory shared between processes",
  pause02: "reads /proc/PID/stat",
  "pidfd_send_signal*": "no pidfd_send_signal",
  pipe02: "no reason given",
  pipe12: "no F_GETPIPE_SZ",
  pipe2_02: "no reason given",
  pipe2_04: "no F_SETPIPE_SZ",
  rt_sigqueueinfo01: "no rt_sigqueueinfo",
  rt_tgsigqueueinfo01: "no rt_tgsigqueueinfo",
  sighold02: "no reason given",
  signal01: "reads /proc/PID/stat",
  signalfd01: "no signalfd",
  sigpending02: "shared mappings",
  tgkill02: "no RLIMIT_SIGPENDING",
  "timer_create*": "no timer_create",
  "timer_delete*": "no timer_delete",
  timer_getoverrun01: "no timer_getoverrun",
  "timer_settime*": "no timer_settime",
  vfork01: "no getresuid",
  waitid02: "no WSTOPPED, WCONTINUED",
  waitpid06: "futexes in memory shared between processes",
  waitpid07: "futexes in memory shared between processes",
  waitpid08: "futexes in memory shared between processes",
  waitpid10: "futexes in memory shared between processes",
  waitpid11: "futexes in memory shared between processes",
  waitpid12: "futexes in memory shared between processes",
  write04: "no reason given",
};

/** The log is of a later version of the program than theirs (inferred: it asks for more). */
const LATER = "the program is a later one, which asks for a call that Gramine lacks; it says so and goes on";
/** LTP took its waitid02, which they skip, apart into more programs later. */
const STOPS = "a part of what was waitid02: no WSTOPPED, WCONTINUED";
/** What Gramine runs, and is otherwise here. */
const WHY: Readonly<Record<string, string>> = {
  accept03: LATER,
  clone11: LATER,
  epoll_pwait02: LATER,
  epoll_pwait05: LATER,
  epoll_pwait06: LATER,
  futex_waitv01: LATER,
  futex_waitv03: LATER,
  rt_sigqueueinfo02: LATER,
  setitimer01: "the program is a later one, which tries the virtual timers as well: -ENOSYS",
  pipe11: "only its first part must pass there; two children end in the other order",
  signal04: "under strace seven of thirty kill() found the one before still pending; here the kills come more slowly, and each is handled",
  signal05: "under strace eight of thirty-two kill() found the one before still pending; here the kills come more slowly",
  waitid07: STOPS,
  waitid08: STOPS,
  sigwaitinfo01: "the parent sends SIGTERM to a child that is about to end, and here it comes first",
};

/** Where Gramine skips the program for what eintr has in its log only as results, or does not look at, nothing is otherwise. */
const NOT_OF_SIGNALS =
  /^(?:no CLONE|for i386|the child has|fails at times|reads \/|futexes in|no reason given|no [FR][A-Z]*_|no WSTOPPED|no process groups|no getresuid|no shared|shared)/;

const patternOf = (name: string): RegExp => new RegExp(`^${name.replace("*", ".*")}$`);
const skipped = (log: string): string | undefined => Object.entries(SKIPPED).find(([name]) => patternOf(name).test(log))?.[1];

/**
 * What every program of LTP meets and does not mind: rseq and capget are not there; LTP's last kill of its group is answered with -ENOSYS for
 * -ESRCH; `timeout`, which runs the program, sees its wait interrupted (B9) and waits again; who sent a timer's signal; and whether a core was
 * written, which the shell of the log had forbidden.
 */
const HARMLESS = /^(?:rseq|capget|getresuid|getresgid|kill\(self, nobody)/;
function matters({ what, one, other }: Difference): boolean {
  if (HARMLESS.test(what) || /^si_(?:code|pid) /.test(one.text)) return false;
  if ((what === "wait4()" && one.text === "-EINTR") || (what === "wait4(WNOHANG)" && other.text === "-ECHILD")) return false;
  const status = (text: string): number => Number(/^wait status (\d+)$/.exec(text)?.[1] ?? Number.NaN) & 0x7f;
  return !(one.text.startsWith("wait status") && status(one.text) === status(other.text));
}

function lineOf(log: string, outcome: string): string {
  const reason = skipped(log);
  const why = WHY[log];
  return [
    `${log.padEnd(21)} ${reason === undefined ? "runs" : `skipped: ${reason}`}`,
    `${" ".repeat(22)}${outcome}`,
    ...(why === undefined ? [] : [`${" ".repeat(22)}(${why})`]),
  ].join("\n");
}

describe("programs of LTP on gramine-linux", () => {
  test("are as the golden says", async () => {
    const run = ALL ? LTP_LOGS : LTP_LOGS.filter((_, i) => i % 4 === 0);
    const lines: string[] = [];
    for (const log of run) lines.push(lineOf(log, await ltpOutcome(log, { stack: GRAMINE_LINUX, matters, temp })));
    if (UPDATE) writeFileSync(GOLDEN, `${lines.join("\n")}\n`);
    const wanted = entriesOf(GOLDEN);
    expect(lines).toEqual(wanted.filter((line) => run.includes(line.split(" ")[0] ?? "")));
  }, 120_000);

  test("the golden has each log; what Gramine runs agrees or has a reason, and nothing else has one", () => {
    const lines = entriesOf(GOLDEN);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(LTP_LOGS);
    const differ = lines.filter((line) => !line.includes(" skipped: ") && !/\n {22}agrees$/.test(line));
    expect(differ.map((line) => line.split(" ")[0])).toEqual(LTP_LOGS.filter((log) => WHY[log] !== undefined));
  });

  test("what Gramine skips for a call that it lacks is otherwise here, too", () => {
    const agree = entriesOf(GOLDEN).filter((line) => /skipped:/.test(line) && /\n {22}agrees/.test(line));
    expect(agree.map((line) => skipped(line.split(" ")[0] ?? "") ?? "").filter((reason) => !NOT_OF_SIGNALS.test(reason))).toEqual([]);
  });
});
