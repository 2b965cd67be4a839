/** What the tests of the errata share: the stacks by short names, and the cases that were written for single rows. */

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parseScenario, type Scenario, type StackName } from "../../engine/index.ts";
import { firstMissing, type Ran, type Row, results, rowsOf, runScenario, scenarioOf } from "../support/run-scenario.ts";

export const NATIVE = "native-linux";
export const LINUX = "graphene-linux";
export const SGX = "graphene-sgx";
export const BOTH = [LINUX, SGX] as const;

export const run = (scenario: Record<string, unknown>, stack: StackName): Ran => runScenario(scenarioOf(scenario), stack);

/** A case of fixtures/fidelity, named as in the errata. */
export const fixture = (name: string): Scenario =>
  parseScenario(readFileSync(new URL(`../fixtures/fidelity/${name}.yaml`, import.meta.url), "utf8"), name);
export const runFixture = (name: string, stack: StackName): Ran => runScenario(fixture(name), stack);

export const processEnds = (ran: Ran): Row[] => ran.rows.filter((row) => row.what === "process.exit");
export const exits = (ran: Ran): Row[] => rowsOf(ran, { what: "thread.exit" });
/** What the calls of a thread returned, of one call. */
export const all = (ran: Ran, call: string, who = "main"): string[] => results(ran, who).filter((text) => text.startsWith(`${call} `));
export const ms = (row: Row | undefined): number => (row?.time ?? 0) / 1e6;
export const inOrder = (ran: Ran, who: string, places: readonly string[]): void =>
  expect(firstMissing(rowsOf(ran, { who }), places)).toBe("");

/** A handler that does next to nothing. */
export const QUICK = { h: [{ compute: "1us" }] };
