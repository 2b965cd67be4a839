/**
 * A signal at every place: a small program with a read and a handler that makes a call, left alone or interrupted in its own code and
 * in the read, gets more signals wherever its thread goes. Nothing throws, no law of the machine breaks, every run comes to an end of
 * its own or to its limit.
 */

import { describe, expect, it } from "vitest";
import { boot, checkInvariants, type Scenario, type StackName } from "../../engine/index.ts";
import { at, inCall, NOWHERE, on, pin, type Ran, runScenario, scenarioOf } from "../support/run-scenario.ts";

type Plans = readonly ReturnType<typeof pin>[];

const program = (signals: Plans): Scenario =>
  scenarioOf({
    main: [on("SIGINT"), on("SIGTERM"), { compute: "1ms" }, { read: { takes: "1ms", result: 8 } }, "getpid"],
    handlers: { quick: ["yield"] },
    limit: { transitions: 3000 },
    signals,
  });

const LEFT_ALONE: Plans = [];
const INTERRUPTED: Plans = [at("SIGINT", "600us"), inCall("SIGINT", "read")];
const MORE = [[["SIGINT"]], [["SIGINT", "SIGTERM"]], [["SIGCONT", "SIGSEGV"]]];
/** A prime: checks fall on every part of a flow. */
const CHECK_ROWS = 61;

/** Every "flow: label" of the main thread's way, in the order of the first visits. */
const placesOf = (ran: Ran): string[] => [
  ...new Set(ran.rows.flatMap((row) => (row.who === "main" && row.place.flow !== "(outside)" ? [row.where] : []))),
];

/** What is wrong with a run, "" when all is well. */
function wrongWith(scenario: Scenario, stack: StackName): string {
  const run = boot({ stack, scenario });
  try {
    for (let going = true; going; ) {
      going = run.run(CHECK_ROWS, NOWHERE);
      const [broken] = checkInvariants(run.cpu);
      if (broken) return `seq ${run.machine.seq}: ${broken}`;
    }
  } catch (error) {
    return `seq ${run.machine.seq}: ${error instanceof Error ? error.message : error}`;
  }
  return run.ending === "finished" || run.ending === "row-limit" ? "" : `ends as ${run.ending}`;
}

describe.each([
  ["graphene-linux", "left alone", LEFT_ALONE],
  ["graphene-linux", "interrupted", INTERRUPTED],
  ["graphene-sgx", "left alone", LEFT_ALONE],
  ["graphene-sgx", "interrupted", INTERRUPTED],
] as const)("%s, %s", (stack, _, signals) => {
  const places = placesOf(runScenario(program(signals), stack));

  it("goes a long way", () => {
    expect(places.length).toBeGreaterThan(80);
  });

  it.each(MORE)("%j at the first visit of each of its places", (more) => {
    const wrong = places.flatMap((place) => {
      const what = wrongWith(program([...signals, ...more.map((signal) => pin(signal, place))]), stack);
      return what === "" ? [] : [`at "${place}": ${what}`];
    });
    expect(wrong).toEqual([]);
  });
});
