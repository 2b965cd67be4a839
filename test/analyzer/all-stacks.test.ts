/**
 * The built-in cases, the public reports and the logs of real programs run on every stack that there is: nothing throws, no law of the
 * machine is broken, and no run is endless that is not so in the source.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { observeRun } from "../../analyzer/index.ts";
import { boot, checkInvariants, type FixName, ScenarioError, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { builtInCase, type ScenarioCase } from "../../tui/case.ts";
import { listScenarios } from "../../tui/scenarios.ts";
import { caseOf, casesIn } from "../support/cases-table.ts";
import { tempPaths } from "../support/temp-dir.ts";

/** Endless runs are watched for so many transitions: their laps are short. Those that are not known to be endless may take more. */
const ROWS = 30_000;
/** What ends on Linux ends within these. */
const NATIVE_ROWS = 200_000;
const MORE_ROWS = 2_000_000;
const temp = tempPaths();
const here = (name: string): string => path.resolve(import.meta.dirname, "..", name);
/** Logs in a form that is not read: golden/cases has the words with which they are refused. */
const REFUSED = readFileSync(here("golden/cases/reports.txt"), "utf8");

/** Why runs have no end in the source although the same case has one on Linux alone (sections of the reference; errata). */
const ENDLESS: Readonly<Record<string, readonly string[]>> = {
  "pause sleeps for a millisecond again and again until a sleep returns 0, which an interrupted one on the Linux PAL never does (2.18)": [
    "stop-flag graphene-linux",
    "w12-pause-alarm graphene-linux",
    "c20-ping-pong.yaml graphene-linux",
    "pause-sgx.yaml graphene-linux",
    "F10-leader-exits-first.strace graphene-linux",
    "F13-longjmp-without-mask.strace graphene-linux",
    "F13b-longjmp-record-fails.strace graphene-linux",
    "F18-signal-inside-handler.strace graphene-linux",
    "b04_sigterm_starved.strace.gz graphene-linux",
    "b04_sigterm_starved.yaml graphene-linux",
    "s08_alarm_pause.strace.gz graphene-linux",
    "s08_alarm_pause.yaml graphene-linux",
    "s25_restart_classes.strace.gz graphene-linux",
    "s25_restart_classes.yaml graphene-linux",
  ],
  "the reader's signal was lost, and the async helper without an entry turns every millisecond for ever (2.19)": [
    "python-handlers.strace.gz graphene-sgx",
  ],
  "setitimer never signals, and the program pauses for it (2.19)": [
    "s09_setitimer.strace.gz graphene-linux",
    "s09_setitimer.strace.gz graphene-sgx",
    "s09_setitimer.yaml graphene-linux",
    "s09_setitimer.yaml graphene-sgx",
  ],
  "kill of the own group does not leave the process (A7), and the children pause on": [
    "F14-wait-order.strace graphene-linux",
    "F14-wait-order.strace graphene-sgx",
  ],
  "a fault while preempt is up is put into the ring, and its instruction is made again (2.12, 3.2 sync-signal-deferred-livelock)": [
    "w5-longjmp graphene-sgx",
    "c35-handler-faults.yaml graphene-linux",
    "c35-handler-faults.yaml graphene-sgx",
    "fault-in-handler.yaml graphene-linux",
    "fault-in-handler.yaml graphene-sgx",
    "s06_segv_longjmp.strace.gz graphene-sgx",
    "s06_segv_longjmp.yaml graphene-sgx",
    "s18_fpe_ill.strace.gz graphene-sgx",
    "s18_fpe_ill.yaml graphene-linux",
  ],
  "a bad pointer faults in the LibOS's own probe, which has no address to go by under SGX (2.11)": [
    "bad-pointer graphene-sgx",
    "b12_oldset_readonly.strace.gz graphene-sgx",
    "b12_oldset_readonly.yaml graphene-sgx",
  ],
  "the handler is a call on whatever stack there is, and returns to the instruction that faults for want of one (2.12)": [
    "b23b_frame_bad_stack_direct.strace.gz graphene-sgx",
  ],
  "without sys.enable_sigterm_injection the host's SIGTERM is dropped, and the program polls on (4.4 d1)": [
    "c43-python-http.yaml gramine-linux",
    "c43-python-http.yaml gramine-sgx",
  ],
  "a signal that finds the thread in the LibOS or the PAL is not kept, and the program polls on (pr347.md c2)": [
    "c43-python-http.yaml graphene-pr347",
  ],
  "a flood of signals at the exit pointer fills the signal stack, and the enclave's entry loops (4.4 s6)": [
    "c19-sigcont-flood.yaml gramine-sgx",
  ],
  "a time-out of a futex becomes TRYAGAIN, which is taken for another value and waited for again (golden/cases/README.md)": [
    "futex-sig.yaml graphene-sgx",
  ],
};

/**
 * Switches of a stack that end what is endless in many cases: a blocked signal that is pending spins at the end of the next system call
 * (pr347.md c4), and pause as above. A run that ends with them is endless for that.
 */
const MENDED: Readonly<Partial<Record<StackName, readonly FixName[]>>> = {
  "graphene-pr347": ["pr347-blocked-pending-spins", "pause-never-returns"],
};

const known = Object.values(ENDLESS)
  .flat()
  .filter((run) => STACK_NAMES.some((stack) => run.endsWith(` ${stack}`)));
const endless: string[] = [];

/** Runs the case; whether it is endless, null when it names a place of another stack. */
async function endlessOn(what: ScenarioCase, stack: StackName, rows = MORE_ROWS, fixes: readonly FixName[] = []): Promise<boolean | null> {
  try {
    const run = boot({ stack, scenario: what.scenario, fixes });
    const seen = await observeRun(run, { name: stack, program: what.text }, { rows, untilNs: Number.POSITIVE_INFINITY }, {});
    expect(checkInvariants(run.cpu)).toEqual([]);
    return seen?.ends.run !== "finished" || seen.ends.threads.some(({ how }) => how === "livelock");
  } catch (error) {
    if (error instanceof ScenarioError) return null;
    throw error;
  }
}

async function onAll(file: string, what: ScenarioCase): Promise<void> {
  // What does not end there needs not end anywhere.
  if ((await endlessOn(what, "native-linux", NATIVE_ROWS)) !== false) return ranAll(what);
  for (const stack of STACK_NAMES) {
    const run = `${file} ${stack}`;
    const fixes = MENDED[stack];
    const rows = fixes !== undefined || known.includes(run) ? ROWS : MORE_ROWS;
    if ((await endlessOn(what, stack, rows)) !== true) continue;
    if (fixes === undefined || (await endlessOn(what, stack, known.includes(run) ? ROWS : MORE_ROWS, fixes)) === true) endless.push(run);
  }
}

async function ranAll(what: ScenarioCase): Promise<void> {
  for (const stack of STACK_NAMES) await endlessOn(what, stack, ROWS);
}

test.each(listScenarios().map(({ name }) => name))("%s", (name) => onAll(name, builtInCase(name)));

/** The many logs of LTP are alike: every sixteenth is run (all with EINTR_TORTURE=1), and each that is known to be endless somewhere. */
const isRun = (folder: string, file: string, index: number): boolean =>
  folder !== "ltp" || process.env.EINTR_TORTURE !== undefined || index % 16 === 0 || known.some((run) => run.startsWith(`${file} `));

describe.each(["reports", "fidelity", "use", "oracle", "gramine", "ltp"])("%s", (folder) => {
  const where = here(`fixtures/${folder}`);
  const files = casesIn(where).filter((file) => !REFUSED.includes(`${file}\n  refused:`));
  test.each(files.filter((file, i) => isRun(folder, file, i)))("%s", async (file) => {
    await onAll(file, await caseOf(where, file, temp));
  });
});

test("those that are endless are those that are so in the source", () => {
  expect([...endless].sort()).toEqual([...known].sort());
});
