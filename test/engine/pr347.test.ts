/** Pull request 347: the transition at which each known fault goes wrong, and that it is not there with the fix (pr347.md 2, errata-2 section 3). */

import { expect, it } from "vitest";
import type { FixName, KindName, Scenario } from "../../engine/index.ts";
import { defaultAction, SAME_NUMBER, THREE_PENDING, TWO_PENDING } from "../support/pr347-scenarios.ts";
import { handled, rowsOf, runScenario } from "../support/run-scenario.ts";

type Fault = readonly [fix: FixName, scenario: string | Scenario, what: KindName, where: string, value: number];

const FAULTS: readonly Fault[] = [
  ["pr347-lost-in-libos", "lost-interrupted-error", "libos.signal.lost", "__handle_one_signal: set SHIM_FLAG_SIGPENDING", 4],
  ["pr347-same-number-drop", SAME_NUMBER, "libos.signal.lost", "deliver_signal: it returned 1", 5],
  ["pr347-blocked-pending-spins", "w7-burst-blocked", "branch", "__get_signal_to_deliver: none: look again", 1],
  ["pr347-default-action-as-handler", defaultAction({ compute: "3ms" }), "libos.sigframe", "__setup_sig_frame: event->uc", 0],
  ["pr347-tail-chain-wild-return", TWO_PENDING, "libos.signal.lost", "syscalldb (rt_sigreturn): popq; retq by the word of the frame", 6],
];

it.each(FAULTS)("%s", (fix, scenario, what, where, value) => {
  const wrong = (fixes: FixName[]): number =>
    rowsOf(runScenario(scenario, "graphene-pr347", { fixes, rows: 20_000 }), { what, where }).filter((row) => row.value === value).length;
  expect(wrong([])).toBeGreaterThan(0);
  expect(wrong([fix])).toBe(0);
});

it("pr347-tail-siginfo-stale: the handler that sigreturn has chosen is told of the first signal, or of nothing", () => {
  const told = (fixes: FixName[]): number[] =>
    rowsOf(runScenario(THREE_PENDING, "graphene-pr347", { fixes }), { what: "app.siginfo" }).map((row) => row.signal);
  expect(told(["pr347-siginfo-garbage"])).toEqual([2, 15, 2]);
  expect(told(["pr347-siginfo-garbage", "pr347-tail-siginfo-stale"])).toEqual([2, 15, 15]);
});

it("a handler has left nothing of the LibOS below it: the host's frame is gone, and another handler nests", () => {
  const ran = runScenario("nested", "graphene-pr347");
  expect(handled(ran)).toEqual(["SIGTERM", "SIGINT"]);
  expect(rowsOf(ran, { what: "app.handler.enter" }).map((row) => [row.place.context, row.value, row.preempt])).toEqual([
    ["normal", 0, 0],
    ["normal", 0, 0],
  ]);
});
