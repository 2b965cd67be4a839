/** Plans that come for ever end no run by themselves: it is over when nobody is left whom they could reach. */

import { describe, expect, test } from "vitest";
import { boot, type Run, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { scenarioOf } from "../support/run-scenario.ts";

const NOWHERE = { put: (): void => {} };

const runOf = (stack: StackName, input: Record<string, unknown>): Run => boot({ stack, scenario: scenarioOf(input) });

/** Few calls of `run` must do: each is bounded, and none of them may be needed again and again. */
function toItsEnd(run: Run, calls = 10): string | null {
  for (let i = 0; i < calls && run.run(2_000_000, NOWHERE); i += 1);
  return run.ending;
}

/** pause() itself goes round and round on the LibOS. */
const WAITS = [{ read: { from: "quiet" } }];
const EVERY = { every: "1ms" };

describe.each(STACK_NAMES)("on %s a run with plans that come for ever ends by itself, and says so", (stack) => {
  test.each([
    ["signals, when their process has ended", { main: ["getpid"], signals: [{ signal: "SIGUSR1", when: EVERY }] }],
    ["signals at random", { main: ["getpid"], signals: [{ signal: "SIGUSR1", when: { rate: 1e6 } }] }],
    [
      "signals for a thread that never was",
      { main: WAITS, programs: { w: [] }, signals: [{ signal: "SIGINT", thread: "w", when: EVERY }] },
    ],
    [
      "signals for a process that never was",
      { main: WAITS, programs: { w: [] }, signals: [{ signal: "SIGINT", process: "w", when: EVERY }] },
    ],
    ["arrivals, when everybody has ended", { main: [{ accept: { on: "l" } }], arrivals: [{ to: "l", when: EVERY }] }],
    ["arrivals for an object nobody waits for", { main: WAITS, arrivals: [{ to: "l", when: EVERY }] }],
    [
      "arrivals for an object that was waited for",
      { main: [{ read: { from: "l" } }, { read: { from: "other" } }], arrivals: [{ to: "l", when: { every: "1us" } }] },
    ],
  ])("%s", (_, input) => {
    const run = runOf(stack, input);
    expect(toItsEnd(run)).toBe("finished");
    expect(run.plansLeft).toBe(1);
    expect(run.machine.seq).toBeLessThan(10_000);
  });

  test("a timer that was disarmed keeps nothing going", () => {
    const main = [{ setitimer: { value: "10ms", interval: "10ms" } }, { setitimer: { value: 0 } }];
    expect(toItsEnd(runOf(stack, { main, arrivals: [{ to: "l", when: EVERY }] }))).toBe("finished");
  });

  test("what waits for a plan is waited for: nothing is cut short", () => {
    const main = [{ accept: { on: "l" } }, { nanosleep: "5s" }];
    const run = runOf(stack, {
      main,
      arrivals: [
        { to: "l", when: { at: "3s" } },
        { to: "nobody", when: { every: "100ms" } },
      ],
    });
    expect(toItsEnd(run)).toBe("finished");
    expect(run.machine.now).toBeGreaterThanOrEqual(8e9);
  });

  test("plans that reach nobody, at whatever rate, are bounded by the limit of transitions", () => {
    const signals = [{ signal: "SIGINT", thread: "w", when: { every: "1ns" } }];
    const run = runOf(stack, { main: [{ nanosleep: "1000000s" }], programs: { w: [] }, signals, limit: { transitions: 50_000 } });
    expect(toItsEnd(run)).toBe("row-limit");
    expect(run.machine.seq + run.machine.idle).toBe(50_000);
  });

  test("a thread that computes for ever has not finished", () => {
    // Today's Gramine gives the program no other signal of the host than SIGTERM, and that one only when it is told to.
    const signal = stack.startsWith("gramine") ? "SIGTERM" : "SIGINT";
    const options = stack.startsWith("gramine") ? { options: ["sigterm-injection"] } : {};
    const main = [{ sigaction: { signal, handler: "h" } }, { compute: "forever" }];
    const handler = { main, handlers: { h: ["getpid"] }, ...options };
    expect(toItsEnd(runOf(stack, handler))).toBe("time-limit");
    const interrupted = runOf(stack, { ...handler, signals: [{ signal, when: { every: "1s", times: 3 } }] });
    expect(toItsEnd(interrupted)).toBe("time-limit");
    expect(interrupted.machine.now).toBeGreaterThanOrEqual(3e9);
  });

  test("a signal for a call that nobody makes is told of, and none that came or is another stack's", () => {
    const at = (call: number) => ({ thread: "main", call, phase: "before" });
    const signals = [
      { signal: "SIGCHLD", when: at(1) },
      { signal: "SIGCHLD", when: at(99) },
      { signal: "SIGCHLD", when: at(99), stacks: STACK_NAMES.filter((name) => name !== stack) },
    ];
    const run = runOf(stack, { main: ["getpid", "getpid"], signals });
    expect(run.plansMissed).toEqual([]);
    expect(toItsEnd(run)).toBe("finished");
    expect(run.plansMissed).toEqual([1]);
  });
});
