/** The promise of determinism (design, section 3): the same (stack, fixes, scenario, decisions) gives the same transitions. */

import { describe, expect, it } from "vitest";
import {
  boot,
  COLUMN_NAMES,
  checkInvariants,
  copyTree,
  FIX_NAMES,
  type FixName,
  firstDifference,
  type Run,
  type RunOptions,
  type Scenario,
  STACK_NAMES,
  type StackName,
  stacksKnowing,
} from "../../engine/index.ts";
import { SIG } from "../../engine/signals.ts";
import { createDigest, FORMAT_VERSION } from "../../recorder/index.ts";
import { defaultAction, SAME_NUMBER, THREE_PENDING, TWO_PENDING } from "../support/pr347-scenarios.ts";
import { randomScenario } from "../support/random-scenario.ts";
import {
  BUILT_IN,
  builtIn,
  columnsOf,
  count,
  endOf,
  handled,
  NOWHERE,
  on,
  resultOf,
  rowsOf,
  runProgram,
  runScenario,
  scenarioOf,
} from "../support/run-scenario.ts";

/** Long enough for all but the endless ones to end. */
const ROWS = 10_000;

/** Digest of what a run still does, handing over `step` rows at a time. */
function digestOf(run: Run, step = ROWS): string {
  const digest = createDigest(FORMAT_VERSION);
  for (let rows = 0; rows < ROWS && run.run(Math.min(step, ROWS - rows), digest); rows += step) run.flush(digest);
  run.flush(digest);
  return digest.finish(run.texts, run.threads);
}

const CELLS = BUILT_IN.flatMap((name) => STACK_NAMES.map((stack): [string, StackName] => [name, stack]));

describe("the same run twice", () => {
  it.each(CELLS)("%s on %s", (name, stack) => {
    const options: RunOptions = { stack, scenario: builtIn(name), scheduler: "seeded", seed: 7 };
    expect(digestOf(boot(options))).toBe(digestOf(boot(options)));
  });

  it("is another run with another seed, and the scenario's seed is the default", () => {
    const scenario = builtIn("server");
    const of = (seed?: number): string =>
      digestOf(boot({ stack: "graphene-sgx", scenario, scheduler: "seeded", ...(seed !== undefined && { seed }) }));
    expect(of(1)).not.toBe(of(2));
    expect(of()).toBe(of(scenario.seed));
  });

  it("does not depend on what ran before in this program", () => {
    const alone = digestOf(boot({ stack: "graphene-linux", scenario: builtIn("nested") }));
    for (const name of BUILT_IN.slice(0, 8)) digestOf(boot({ stack: "graphene-linux", scenario: builtIn(name) }));
    expect(digestOf(boot({ stack: "graphene-linux", scenario: builtIn("nested") }))).toBe(alone);
  });
});

describe("a run cut into pieces", () => {
  it.each(CELLS.filter(([name]) => !["server", "w12-pause-alarm", "w5-longjmp"].includes(name)))(
    "%s on %s: one row at a time",
    (name, stack) => {
      const options: RunOptions = { stack, scenario: builtIn(name) };
      expect(digestOf(boot(options), 1)).toBe(digestOf(boot(options)));
    },
  );

  it.each(STACK_NAMES)("server on %s: pieces of 1, 7, 1000 and more than a block", (stack) => {
    const options: RunOptions = { stack, scenario: builtIn("server"), scheduler: "seeded" };
    const whole = digestOf(boot(options));
    for (const step of [1, 7, 1000, 16_385]) expect(digestOf(boot(options), step), `${step} rows at a time`).toBe(whole);
  });

  it("counts its rows exactly and numbers them without gaps", () => {
    const run = boot({ stack: "graphene-sgx", scenario: builtIn("server") });
    let next = 0;
    for (const rows of [1, 2, 16_383, 16_384, 16_385, 5]) {
      const before = run.machine.seq;
      run.run(rows, { put: (block) => check(block.seq0, block.n) });
      run.flush({ put: (block) => check(block.seq0, block.n) });
      expect(run.machine.seq).toBe(before + rows);
    }
    expect(next).toBe(run.machine.seq);
    function check(seq0: number, n: number): void {
      expect(seq0).toBe(next);
      next += n;
    }
  });
});

describe("a keyframe", () => {
  const plain = (value: unknown): boolean => {
    if (value === null || typeof value === "string" || typeof value === "boolean") return true;
    if (typeof value === "number") return Number.isSafeInteger(value);
    if (Array.isArray(value)) return value.every(plain) && Object.keys(value).length === value.length;
    return typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(plain);
  };

  it.each(CELLS)("of %s on %s is plain data that JSON holds without loss", (name, stack) => {
    const run = boot({ stack, scenario: builtIn(name), scheduler: "seeded" });
    for (const rows of [0, 50, 37, 100, 1000]) {
      run.run(rows, NOWHERE);
      run.flush(NOWHERE);
      expect(plain(run.machine)).toBe(true);
      const { lists, ...machine } = JSON.parse(run.keyframe());
      expect(lists).toEqual({ threads: run.threads.length, texts: run.texts.length, decisions: run.decisions.length });
      expect(firstDifference(run.machine, machine)).toBe("");
      expect(firstDifference(run.machine, copyTree(run.machine))).toBe("");
    }
  });

  it.each(STACK_NAMES)("is a place to go on from, anywhere in the server on %s", (stack) => {
    const options: RunOptions = { stack, scenario: builtIn("server"), scheduler: "seeded" };
    const run = boot(options);
    for (const rows of [1, 100, 1000, 3001, 2000]) {
      run.run(rows, NOWHERE);
      run.flush(NOWHERE);
      const again = boot(options, run.keyframe(), run);
      expect(columnsOf(again, 500).time).toEqual(columnsOf(run.clone(), 500).time);
      expect(again.machine.seq).toBe(run.machine.seq + 500);
    }
  });

  it("shares nothing: the copy runs on, the original stays", () => {
    const run = boot({ stack: "graphene-sgx", scenario: builtIn("server") });
    run.run(5000, NOWHERE);
    run.flush(NOWHERE);
    const before = run.keyframe();
    run.clone().run(5000, NOWHERE);
    expect(run.keyframe()).toBe(before);
  });

  it("of a run that does not end stays small: threads and processes that are over are forgotten", () => {
    const scenario = scenarioOf({
      main: [{ loop: { do: [{ fork: "child" }, { wait4: { child: "child" } }, { clone: "child" }, { nanosleep: "1ms" }] } }],
      programs: { child: ["getpid"] },
    });
    for (const stack of STACK_NAMES) {
      const run = boot({ stack, scenario });
      run.run(20_000, NOWHERE);
      const { length } = run.keyframe().replaceAll("null,", "");
      run.run(60_000, NOWHERE);
      expect(run.keyframe().replaceAll("null,", "").length, stack).toBeLessThan(2 * length);
    }
  });
});

describe("decisions", () => {
  it.each(STACK_NAMES)("are all a run needs: server on %s", (stack) => {
    const options: RunOptions = { stack, scenario: builtIn("server"), scheduler: "seeded", seed: 3 };
    const run = boot(options);
    const digest = digestOf(run);
    expect(run.decisions.length).toBeGreaterThan(100);
    expect(digestOf(boot({ ...options, scheduler: "recorded", seed: 99, decisions: run.decisions }))).toBe(digest);
    expect(digestOf(boot({ ...options, scheduler: "recorded", decisions: [] }))).not.toBe(digest);
  });

  it("none: a scripted run without random plans makes no choice", () => {
    for (const name of BUILT_IN.filter((known) => known !== "server")) {
      for (const stack of STACK_NAMES) {
        const run = boot({ stack, scenario: builtIn(name) });
        run.run(ROWS, NOWHERE);
        expect(run.decisions, `${name} on ${stack}`).toEqual([]);
      }
    }
  });

  it("one left out changes the run from there on, not before", () => {
    const options: RunOptions = { stack: "graphene-linux", scenario: randomScenario(5, "graphene-linux"), scheduler: "seeded" };
    const run = boot(options);
    const whole = columnsOf(run);
    const at = run.decisions.findIndex((decision) => decision.seq > 200 && decision.point === "thread");
    const left = run.decisions[at]?.seq ?? 0;
    expect(left).toBeGreaterThan(200);
    const other = columnsOf(boot({ ...options, scheduler: "recorded", decisions: run.decisions.toSpliced(at, 1) }));
    for (const name of COLUMN_NAMES) expect(other[name].subarray(0, left), name).toEqual(whole[name].subarray(0, left));
    expect(other.thread[left]).not.toBe(whole.thread[left]);
  });
});

type Shows = string | Scenario;

/** The scenario that shows each fix of the 2019 stacks and of those near them, and what changes on it: [stack, what is looked at, without, with]. */
const FIXED: Readonly<
  Record<string, readonly [Shows, StackName, (name: Shows, stack: StackName, fixes: FixName[]) => string, string, string]>
> = {
  "sgx-interrupted-code-lost": [
    "lost-interrupted-error",
    "graphene-sgx",
    (n, s, fixes) => resultOf(runScenario(n, s, { fixes }), "read"),
    "0",
    "-EINTR",
  ],
  "spurious-yield-per-pending": [
    "spurious-yield",
    "graphene-linux",
    (n, s, fixes) => `${count(runScenario(n, s, { fixes }), "thread.yield")} yields`,
    "2 yields",
    "0 yields",
  ],
  "async-list-redundant-cancel": [
    "async-list-cancel",
    "graphene-linux",
    (n, s, fixes) =>
      `${resultOf(runScenario(n, s, { fixes }), "nanosleep")}, ${count(runScenario(n, s, { fixes }), "app.handler.enter")} handlers`,
    "0, 0 handlers",
    "-EINTR, 1 handlers",
  ],
  "suspend-on-signal-dead-flag": [
    "sigsuspend-flag",
    "graphene-sgx",
    (n, s, fixes) => String(rowsOf(runScenario(n, s, { fixes }), { where: "suspend_on_signal := true" }).length),
    "1",
    "0",
  ],
  "signal-delayed-breaks-preempt-assert": [
    "w3-delayed-bit",
    "graphene-sgx",
    (n, s, fixes) =>
      `${count(runScenario(n, s, { fixes }), "libos.assert")} assert, ${count(runScenario(n, s, { fixes }), "app.handler.enter")} handlers`,
    "1 assert, 1 handlers",
    "0 assert, 2 handlers",
  ],
  "sigsuspend-ignores-pending": [
    "w2-sigsuspend-pending",
    "graphene-linux",
    (n, s, fixes) => resultOf(runScenario(n, s, { fixes }), "sigsuspend"),
    "never returns",
    "-EINTR",
  ],
  "sigsuspend-sleeps-with-thread-lock": [
    "sigsuspend-lock",
    "graphene-sgx",
    (n, s, fixes) =>
      `${resultOf(runScenario(n, s, { fixes }), "sigsuspend")}, ${resultOf(runScenario(n, s, { fixes }), "tgkill", "sender")}`,
    "never returns, never returns",
    "-EINTR, 0",
  ],
  "wakeup-lost-before-block": [
    "a signal at each moment around the sleep of a futex wait",
    "graphene-linux",
    (_, s, fixes) => `${lostWakeUps(s, fixes) > 0 ? "some" : "no"} wake-up is lost`,
    "some wake-up is lost",
    "no wake-up is lost",
  ],
  "pause-never-returns": [
    "w12-pause-alarm",
    "graphene-sgx",
    (n, s, fixes) => resultOf(runScenario(n, s, { fixes }), "pause"),
    "0",
    "-EINTR",
  ],
  "sgx-nested-host-signal": [
    "int-and-term",
    "graphene-sgx",
    (n, s, fixes) => `${count(runScenario(n, s, { fixes }), "app.handler.enter")} handlers`,
    "0 handlers",
    // The other one is the helper's now, which drops it (3.2 host-signal-eaten-by-helper).
    "1 handlers",
  ],
  "default-action-table-wrong": [
    "default-action",
    "graphene-linux",
    (n, s, fixes) => endOf(runScenario(n, s, { fixes })),
    "exit",
    "killed",
  ],
  "pr347-lost-in-libos": [
    "lost-interrupted-error",
    "graphene-pr347",
    (n, s, fixes) => handled(runScenario(n, s, { fixes })).join(" "),
    "",
    "SIGINT",
  ],
  "pr347-same-number-drop": [
    SAME_NUMBER,
    "graphene-pr347",
    (n, s, fixes) => handled(runScenario(n, s, { fixes })).join(" "),
    "SIGTERM",
    "SIGTERM SIGTERM",
  ],
  "pr347-blocked-pending-spins": [
    "w7-burst-blocked",
    "graphene-pr347",
    (n, s, fixes) => endOf(runScenario(n, s, { fixes, rows: ROWS })),
    "endless",
    "exit",
  ],
  "pr347-default-action-as-handler": [
    defaultAction({ compute: "3ms" }),
    "graphene-pr347",
    (n, s, fixes) => `${rowsOf(runScenario(n, s, { fixes }), { where: "__setup_sig_frame: sigframe below it" }).length} frames`,
    "1 frames",
    "0 frames",
  ],
  "pr347-tail-siginfo-stale": [
    THREE_PENDING,
    "graphene-pr347",
    (n, s, fixes) => (rowsOf(runScenario(n, s, { fixes }), { what: "app.siginfo" })[2]?.signal === SIG.TERM ? "its own" : "another's"),
    "another's",
    "its own",
  ],
  "pr347-tail-chain-wild-return": [
    TWO_PENDING,
    "graphene-pr347",
    (n, s, fixes) => handled(runScenario(n, s, { fixes })).join(" "),
    "SIGINT",
    "SIGINT SIGTERM",
  ],
  "pr347-siginfo-garbage": [
    TWO_PENDING,
    "graphene-pr347",
    (n, s, fixes) => String(rowsOf(runScenario(n, s, { fixes }), { what: "app.siginfo" })[0]?.signal),
    "0",
    "2",
  ],
};

/** How often a futex wait sleeps on although another thread sent its signal after the wait had begun (its event was cleared). */
function lostWakeUps(stack: StackName, fixes: FixName[]): number {
  const main = [on("SIGUSR1"), { clone: "sender" }, { "futex-wait": { on: "word" } }];
  const offsets = Array.from({ length: 60 }, (_, i) => 500 + i * 30);
  return offsets.filter((ns) => {
    const sender = [{ compute: `${ns}ns` }, { tgkill: { thread: "main", signal: "SIGUSR1" } }];
    const ran = runProgram(stack, main, [], { programs: { sender }, limit: { transitions: 5000 } }, { fixes });
    const begun = rowsOf(ran, { where: "add to the waiters" })[0]?.seq ?? Number.POSITIVE_INFINITY;
    const sent = rowsOf(ran, { what: "libos.signal.append", who: "sender" })[0]?.seq ?? 0;
    return sent > begun && resultOf(ran, "futex_wait") === "never returns";
  }).length;
}

describe("fixes", () => {
  it.each(Object.entries(FIXED))("%s changes what its scenario shows", (fix, [name, stack, look, without, fixed]) => {
    expect(look(name, stack, [])).toBe(without);
    expect(look(name, stack, [fix as FixName])).toBe(fixed);
    // The others leave it as it is.
    expect(
      look(
        name,
        stack,
        FIX_NAMES.filter((other) => other !== fix),
      ),
    ).toBe(without);
  });

  it("are all in the table, change nothing natively, and keep the machine's laws together", () => {
    expect(Object.keys(FIXED).toSorted()).toEqual(
      FIX_NAMES.filter((fix) => stacksKnowing(fix).some((stack) => stack === "graphene-sgx" || stack === "graphene-pr347")).toSorted(),
    );
    for (const name of BUILT_IN) {
      const scenario = builtIn(name);
      const fixes = FIX_NAMES;
      expect(digestOf(boot({ stack: "native-linux", scenario, fixes }))).toBe(digestOf(boot({ stack: "native-linux", scenario })));
      for (const stack of STACK_NAMES) {
        const run = boot({ stack, scenario, fixes });
        run.run(ROWS, NOWHERE);
        expect(checkInvariants(run.cpu), `${name} on ${stack}`).toEqual([]);
      }
    }
  });
});
