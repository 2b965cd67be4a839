/**
 * The programs of the Linux Test Project that Graphene of 2019 had on its lists (LibOS/shim/test/apps/ltp/{PASSED,BLOCKED,FLAKY} at ceb7897320;
 * reference 5.2), as far as there are logs of them: each log of Linux is run on both stacks. What passed there must have no difference from Linux
 * that the program could see, or its reason is here: the logs are of the LTP of today, whose programs ask for more.
 * Every eighth is run in a usual test, all of them with EINTR_UPDATE=1 (which writes the golden) or EINTR_ALL=1.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Difference } from "../../analyzer/index.ts";
import { entriesOf, LTP, LTP_LOGS, ltpOutcome, withoutConfiguration } from "../support/ltp.ts";
import { tempPaths } from "../support/temp-dir.ts";

const GOLDEN = new URL("../golden/ltp-graphene.txt", import.meta.url);
const UPDATE = process.env.EINTR_UPDATE === "1";
const ALL = UPDATE || process.env.EINTR_ALL === "1";
const STACKS = ["graphene-linux", "graphene-sgx"] as const;
/** Transitions after which an endless run is cut; waitpid01 has a child for each number of a signal. */
const rowsOf = (log: string): number => (log === "waitpid01" ? 500_000 : 60_000);
const temp = tempPaths();

/** Those whose every part passed, and those of which only some parts did. */
const PASSED: readonly string[] = (
  "accept01 alarm02 alarm03 alarm06 clone01 clone04 clone06 clone07 connect01 exit02 exit_group01 fork04 futex_wait01 futex_wait_bitset01 " +
  "futex_wake01 kill03 pipe01 pipe05 pipe10 poll01 readv01 readv02 rt_sigaction01 rt_sigsuspend01 setitimer01 signal02 signal04 signal05 " +
  "sigsuspend01 vfork02 wait01 waitpid01 write02"
).split(" ");
const IN_PART: Readonly<Record<string, string>> = { getitimer01: "passed 1, 3, 5", sigpending02: "passed 1" };
const BLOCKED: readonly string[] =
  "epoll_pwait01 fork08 kill06 kill08 rt_sigaction02 rt_sigprocmask02 rt_sigqueueinfo01 setitimer02 sighold02 signal01 waitid02".split(" ");
const FLAKY: readonly string[] = ["futex_wait03"];

function statusOf(log: string): string | undefined {
  if (PASSED.includes(log)) return log === "kill03" ? "passed (flaky: segfault at times)" : "passed";
  if (BLOCKED.includes(log)) return "blocked: not run";
  return IN_PART[log] ?? (FLAKY.includes(log) ? "flaky" : undefined);
}

/** The log is of a later version of the program than theirs (inferred: it asks for more). */
const LATER = "the program is a later one, which";
const NO_TIMEOUT =
  "under SGX a wait for an event never times out: ETIMEDOUT becomes TRYAGAIN (pal_linux_error.h), for which _DkEventWaitTimeout waits again (db_events.c)";
const KEPT = "under strace some of LTP's signals found the one before still pending; here each is queued, and handled";
const WHY: Readonly<Record<string, string>> = {
  alarm06: `${LATER} sleeps with clock_nanosleep, and looks at what is left of the alarm`,
  exit_group01: `${LATER} has threads: those that exit_group ends by SIGKILL end the process with status 0`,
  futex_wait01: NO_TIMEOUT,
  futex_wait_bitset01: NO_TIMEOUT,
  getitimer01: "only ITIMER_REAL, as its other parts, which were not asked for, would show",
  setitimer01: `${LATER} waits for the signals: only ITIMER_REAL is there, and it gives no signal (W8)`,
  signal04: KEPT,
  signal05: KEPT,
  sigpending02: "only the first part passed; pending signals are handled by their numbers here, on Linux the last is entered first",
  waitpid01: `${LATER} ends a child by each number: those without a default action that ends a thread are ignored`,
};

/** Calls of today's libc and of LTP's own start that Graphene of 2019 does not have; both go on without. */
const HARMLESS = /^(?:newfstatat|prlimit64|getrandom|rseq|capget|msync|statfs)\(/;
/** What no program of these asks for: its mask in a handler, who sent a signal, and what was left of LTP's own alarm of two minutes. */
const UNSEEN = /^(?:mask |si_)/;

function matters({ what, one, other }: Difference): boolean {
  if (HARMLESS.test(what) || UNSEEN.test(one.text)) return false;
  return !(what.startsWith("alarm(") && Number(one.text) > 100 && Number(other.text) > 100);
}

async function entryOf(log: string): Promise<string> {
  const file = temp(`${log}.strace`);
  writeFileSync(file, withoutConfiguration(gunzipSync(readFileSync(`${LTP}${log}.strace.gz`)).toString()));
  const lines: string[] = [];
  for (const stack of STACKS)
    lines.push(`  ${stack.padEnd(15)} ${await ltpOutcome(log, { stack, matters, rows: rowsOf(log), temp }, file)}`);
  const why = WHY[log];
  return [`${log}: ${statusOf(log)}`, ...lines, ...(why === undefined ? [] : [`  (${why})`])].join("\n");
}

const LISTED = LTP_LOGS.filter((log) => statusOf(log) !== undefined);
const nameOf = (entry: string): string => entry.slice(0, entry.indexOf(":"));
const agrees = (entry: string): boolean => entry.split("\n").filter((line) => line.endsWith(" agrees")).length === STACKS.length;

describe("programs of LTP on Graphene of 2019", () => {
  test("are as the golden says", async () => {
    const run = ALL ? LISTED : LISTED.filter((_, i) => i % 8 === 0);
    const entries: string[] = [];
    for (const log of run) entries.push(await entryOf(log));
    if (UPDATE) writeFileSync(GOLDEN, `${entries.join("\n")}\n`);
    expect(entries).toEqual(entriesOf(GOLDEN).filter((entry) => run.includes(nameOf(entry))));
  }, 120_000);

  test("the golden has each log of the lists; what passed there agrees or has a reason, and nothing else has one", () => {
    const entries = entriesOf(GOLDEN);
    expect(entries.map(nameOf)).toEqual(LISTED);
    const differ = entries.filter((entry) => PASSED.includes(nameOf(entry)) && !agrees(entry)).map(nameOf);
    expect([...differ, ...Object.keys(IN_PART)].filter((log) => WHY[log] === undefined)).toEqual([]);
    expect(Object.keys(WHY).filter((log) => entries.filter(agrees).map(nameOf).includes(log))).toEqual([]);
  });
});
