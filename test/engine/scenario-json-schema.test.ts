/** The JSON Schema of scenarios, for editors, against a validator that knows nothing of zod. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseScenario, ScenarioError, scenarioJsonSchema } from "../../engine/index.ts";
import { randomInput } from "../support/random-scenario.ts";
import { BUILT_IN } from "../support/run-scenario.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../engine/scenarios");
const valid = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(scenarioJsonSchema());
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The same as an editor sees it. */
const accepted = (value: unknown): boolean => valid(plain(value));

it.each(BUILT_IN)("takes the built-in scenario %s", (name) => {
  const ok = valid(parse(readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8")));
  expect(valid.errors ?? []).toEqual([]);
  expect(ok).toBe(true);
});

it("takes what the parser takes: random scenarios", () => {
  for (let seed = 0; seed < 300; seed += 1) expect(accepted(randomInput(seed)), `seed ${seed}`).toBe(true);
});

const HEAD = { name: "x", title: "t" };

describe("an operation", () => {
  it.each([
    "pause",
    "exit",
    { exit: 3 },
    { exit: null },
    { exit: {} },
    { compute: "1.5 ms" },
    { compute: 5 },
    { compute: { for: "forever" } },
    { sigsuspend: ["INT", 34, "SIGRTMIN+2", "sigrt_3", "34"] },
    { poll: { on: "p" } },
    { poll: { on: ["p", "q"] } },
    { kill: { signal: 0 } },
    { retry: { while: ["EINTR", "-EAGAIN", ">= 1", "!=EINTR", 5, "error"], do: ["pause"] } },
    { if: { flag: "f", do: [], else: [{ set: "g" }] } },
    { loop: { times: "forever", do: [{ loop: { times: 3, do: ["pause"] } }] } },
  ])("%j is right, as for the parser", (operation) => {
    const scenario = { ...HEAD, main: [operation] };
    expect(() => parseScenario(JSON.stringify(scenario), "x")).not.toThrow();
    expect(accepted(scenario)).toBe(true);
  });

  it.each([
    "raed",
    "read-it",
    "compute",
    "loop",
    { pause: 5 },
    { raed: {} },
    { read: { form: "p" } },
    { read: { from: "p" }, pause: {} },
    {},
    { compute: "5 minutes" },
    { compute: -1 },
    { compute: 1e16 },
    { exit: 256 },
    { exit: { status: "3" } },
    { sigaction: { signal: "SIGINT" } },
    { sigaction: { signal: 65, handler: "ignore" } },
    { sigaction: { signal: 1.5, handler: "ignore" } },
    { read: { bytes: 1.5 } },
    { read: { from: "" } },
    { loop: { do: "pause" } },
    { loop: { do: ["pawse"] } },
    { if: { do: [] } },
    { if: { flag: "f", result: 0, do: [] } },
    { retry: { while: "often", do: [] } },
    { retry: { while: [], do: [] } },
    [],
    null,
    5,
  ])("%j is wrong, as for the parser", (operation) => {
    const scenario = { ...HEAD, main: [operation] };
    expect(() => parseScenario(JSON.stringify(scenario), "x")).toThrow(ScenarioError);
    expect(accepted(scenario)).toBe(false);
  });
});

describe("a scenario", () => {
  it.each([
    {},
    { signls: [] },
    { limit: 5 },
    { limit: { tim: 5 } },
    { seed: -1 },
    { interrupts: 2e6 },
    { programs: [] },
    { programs: { p: ["raed"] } },
    { programs: { "": [] } },
    { handlers: { h: null } },
    { name: "../x" },
    { title: "" },
    { signals: [{ signal: "SIGINT" }] },
    { signals: [{ signal: "SIGINT", when: {} }] },
    { signals: [{ signal: "SIGINT", when: { at: 1, every: 2 } }] },
    { signals: [{ signal: "SIGINT", when: { at: 1 }, stacks: ["graphene"] }] },
    { signals: [{ signal: "SIGINT", when: { thread: "main", call: 1.5 } }] },
    { arrivals: [{ when: { at: 1 } }] },
  ])("with %j: as the parser has it", (more) => {
    const scenario = { ...HEAD, main: [], ...more };
    const refused = Object.keys(more).length > 0;
    if (refused) expect(() => parseScenario(JSON.stringify(scenario), "x")).toThrow(ScenarioError);
    expect(accepted(scenario)).toBe(!refused);
  });

  it("needs name, title and main", () => {
    for (const field of ["name", "title", "main"]) {
      const { [field]: _, ...rest } = { ...HEAD, main: [] } as Record<string, unknown>;
      expect(accepted(rest)).toBe(false);
    }
  });
});

it("tells the meaning of each field", () => {
  const schema = JSON.stringify(scenarioJsonSchema());
  for (const text of ["bytes read at most", "virtual time", "once, at this virtual time", "the exit status"])
    expect(schema).toContain(text);
});
