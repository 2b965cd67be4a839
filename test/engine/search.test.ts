/** A search with a journal and hashes finds the states that a search with copies and texts finds. */

import { describe, expect, it } from "vitest";
import { boot, type Scenario, type StackName, searchArrivals } from "../../engine/index.ts";
import { builtIn } from "../support/run-scenario.ts";
import { slowSearch } from "../support/slow-search.ts";

const SIGINT = 2;
const SIGTERM = 15;

/** The scenario with these signals, whose places the search chooses. */
function withSignals(name: string, signals: readonly number[]): Scenario {
  const scenario = builtIn(name);
  const [first] = scenario.signals;
  if (first === undefined) throw new Error(`${name} has no signal`);
  return { ...scenario, signals: signals.map((signal) => ({ ...first, signal })) };
}

describe("a search over the arrivals of signals", () => {
  it.each<[string, StackName, readonly number[]]>([
    ["lost-interrupted-error", "native-linux", [SIGINT]],
    ["lost-interrupted-error", "native-linux", [SIGINT, SIGTERM]],
    ["lost-interrupted-error", "native-linux", [SIGINT, SIGINT]],
    ["stop-flag", "native-linux", [SIGINT, SIGTERM]],
    ["w11-restart", "native-linux", [SIGINT]],
  ])("%s on %s with %j", (name, stack, signals) => {
    const options = { stack, scenario: withSignals(name, signals) };
    const { states, transitions, exhausted } = searchArrivals({ run: boot(options) });
    expect({ states, transitions }).toEqual(slowSearch(boot(options)));
    expect(exhausted).toBe(true);
  });

  it("goes everywhere in a library OS, and says when it stopped before", () => {
    const run = boot({ stack: "graphene-linux", scenario: withSignals("lost-interrupted-error", [SIGINT]) });
    const all = searchArrivals({ run });
    expect(all.exhausted).toBe(true);
    expect(all.states).toBeGreaterThan(5_000);
    const some = searchArrivals({ run, states: 1_000 });
    expect(some).toMatchObject({ states: 1_000, exhausted: false });
    expect(run.machine.seq, "the run itself did not move").toBe(0);
  });
});
