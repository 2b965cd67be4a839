/** signal(7) as a table: which calls begin again after a handler with SA_RESTART, and after a stop and SIGCONT without a handler. */

import { describe, expect, it } from "vitest";
import { at, handled, on, resultOf, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";
const ARRIVAL = [{ to: "thing", bytes: 1, when: { at: "6ms" } }];

/** What the call gives: with a handler without SA_RESTART, with one, and after SIGSTOP and SIGCONT. */
const TABLE: [string, unknown, string, string, string][] = [
  ["read", { read: { from: "thing" } }, "-EINTR", "1", "1"],
  ["accept", { accept: { on: "thing" } }, "-EINTR", "4", "4"],
  ["futex_wait", { "futex-wait": { on: "thing" } }, "-EINTR", "0", "0"],
  ["futex_wait", { "futex-wait": { on: "thing", timeout: "9ms" } }, "-EINTR", "-EINTR", "0"],
  ["semop", { semop: { on: "thing" } }, "-EINTR", "-EINTR", "-EINTR"],
  ["msgrcv", { msgrcv: { on: "thing" } }, "-EINTR", "-EINTR", "1"],
  ["poll", { poll: { on: "thing" } }, "-EINTR", "-EINTR", "1"],
  ["poll", { poll: { on: "thing", mask: [] } }, "-EINTR", "-EINTR", "1"],
  ["select", { select: { on: "thing" } }, "-EINTR", "-EINTR", "1"],
  ["epoll_wait", { "epoll-wait": { on: "thing" } }, "-EINTR", "-EINTR", "-EINTR"],
  ["nanosleep", { nanosleep: "5ms" }, "-EINTR", "-EINTR", "0"],
  ["clock_nanosleep", { "clock-nanosleep": "5ms" }, "-EINTR", "-EINTR", "0"],
  ["clock_nanosleep", { "clock-nanosleep": { until: "5ms" } }, "-EINTR", "-EINTR", "0"],
  ["pause", "pause", "-EINTR", "-EINTR", "never returns"],
  ["sigsuspend", "sigsuspend", "-EINTR", "-EINTR", "never returns"],
  ["rt_sigtimedwait", { sigtimedwait: { signals: ["SIGUSR2"] } }, "-EINTR", "-EINTR", "-EINTR"],
];

describe("signal(7)", () => {
  for (const [call, operation, plain, restart, stopped] of TABLE) {
    const run = (flags: string[]) =>
      runProgram(NATIVE, [on("SIGUSR1", "quick", { flags }), operation], [at("SIGUSR1", "2ms")], { arrivals: ARRIVAL });
    const text = JSON.stringify(operation);
    it(`${text}: ${plain} after a handler`, () => {
      expect([resultOf(run([]), call), handled(run([]))]).toEqual([plain, ["SIGUSR1"]]);
    });
    it(`${text}: ${restart} after a handler with SA_RESTART`, () => {
      expect([resultOf(run(["SA_RESTART"]), call), handled(run(["SA_RESTART"]))]).toEqual([restart, ["SIGUSR1"]]);
    });
    it(`${text}: ${stopped} after SIGSTOP and SIGCONT`, () => {
      const ran = runProgram(NATIVE, [operation], [at("SIGSTOP", "2ms"), at("SIGCONT", "3ms")], { arrivals: ARRIVAL });
      expect(resultOf(ran, call)).toBe(stopped);
    });
    it(`${text}: a signal that is ignored changes nothing`, () => {
      const quiet = runProgram(NATIVE, [operation], [], { arrivals: ARRIVAL });
      const ran = runProgram(NATIVE, [operation], [at("SIGWINCH", "2ms"), at("SIGCHLD", "3ms"), at("SIGCONT", "4ms")], {
        arrivals: ARRIVAL,
      });
      expect(resultOf(ran, call)).toBe(resultOf(quiet, call));
    });
  }

  it("a time-out goes on where it was: it is not begun anew", () => {
    const plans = ["2ms", "4ms", "6ms"].flatMap((time, i) => [at("SIGSTOP", time), at("SIGCONT", `${3 + 2 * i}ms`)]);
    for (const operation of [{ nanosleep: "10ms" }, { poll: { timeout: "10ms" } }, { select: { timeout: "10ms" } }]) {
      const ran = runProgram(NATIVE, [operation, "getpid"], plans);
      const back = ran.rows.find((row) => row.where.startsWith("libc getpid") && row.what === "app.return");
      expect(back?.time).toBeGreaterThan(10e6);
      expect(back?.time).toBeLessThan(10.2e6);
    }
  });
});
