/** Random trees and texts as scenarios: each is taken or refused in words, and nothing else happens. The seed is printed on failure. */

import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { OPERATION_NAMES, OPERATIONS, parseScenario, ScenarioError, scenarioJsonSchema } from "../../engine/index.ts";
import { randomInput } from "../support/random-scenario.ts";

/** Beginnings of zod's own texts, which say nothing to a person who wrote a scenario. */
const RAW = /Invalid (input|option|key|element|value)|Too (big|small)|Unrecognized|expected \w+, received|no (duration|signal|result)\b/;

/** Refused in words, or taken: "" then. */
function refusal(text: string): string {
  try {
    parseScenario(text, "x.yaml");
    return "";
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return error.message;
  }
}

function inWords(text: string): void {
  const warned = vi.spyOn(process, "emitWarning");
  const lines = refusal(text).split("\n");
  expect(lines.length).toBeLessThanOrEqual(21);
  for (const line of lines.filter((one) => one !== "")) {
    expect(line).toMatch(/^x\.yaml:(\d+:\d+:)? |^\.\.\. and \d+ more$/);
    expect(line.length).toBeLessThanOrEqual(600);
    expect(line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')).not.toMatch(RAW);
  }
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
}

const FIELDS = Object.values(OPERATIONS).flatMap((operation) => Object.keys(operation.args.shape));
const PLAN_FIELDS = [
  "signal",
  "process",
  "thread",
  "when",
  "at",
  "every",
  "rate",
  "call",
  "site",
  "handler",
  "nth",
  "stacks",
  "to",
  "bytes",
];
const OWN = ["name", "title", "main", "programs", "handlers", "signals", "arrivals", "limit", "interrupts", "seed", "time", "transitions"];
/** Names that mean something here, to JavaScript or to YAML. */
const word = fc.oneof(
  fc.constantFrom<string>(...OPERATION_NAMES, ...FIELDS, ...PLAN_FIELDS, ...OWN),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "<<", "", "null", "5ms", "SIGINT", "EINTR", "main", "default"),
  fc.string({ maxLength: 8 }),
);
const leaf = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt(), fc.constantFrom("y".repeat(5000)));
const tree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    leaf,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.array(fc.tuple(word, tie("tree")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).tree;

/** A place of a value, and another thing put there. */
function put(value: unknown, at: readonly number[], thing: unknown): unknown {
  const [here = 0, ...rest] = at;
  if (value === null || typeof value !== "object" || at.length === 0) return thing;
  const keys = Object.keys(value);
  const key = keys[here % Math.max(1, keys.length)];
  if (key === undefined) return thing;
  if (Array.isArray(value)) return value.map((entry, i) => (String(i) === key ? put(entry, rest, thing) : entry));
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, name === key ? put(entry, rest, thing) : entry]));
}

const jsonText = (value: unknown): string => JSON.stringify(value, (_, entry) => (typeof entry === "bigint" ? String(entry) : entry)) ?? "";

it("trees of the words that scenarios are made of", () => {
  fc.assert(
    fc.property(tree, fc.boolean(), (value, asJson) => {
      inWords(asJson ? jsonText(value) : stringify(value));
      inWords(jsonText({ name: "x", title: "t", main: [value], programs: value, signals: value }));
    }),
    { numRuns: 700 },
  );
});

it("right scenarios with one thing put anywhere; and what the parser takes, an editor's schema takes", () => {
  const valid = new Ajv({ strict: true, strictRequired: false }).compile(scenarioJsonSchema());
  fc.assert(
    fc.property(fc.nat(500), fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }), tree, (seed, at, thing) => {
      const text = jsonText(put(randomInput(seed), at, thing));
      inWords(text);
      if (refusal(text) === "") expect(valid(JSON.parse(text)), JSON.stringify(valid.errors)).toBe(true);
    }),
    { numRuns: 700 },
  );
});

it("texts with all that YAML knows", () => {
  const bit = fc.oneof(
    word,
    fc.constantFrom(
      "- ",
      ": ",
      "\n",
      "\n  ",
      "\n    - ",
      "{ ",
      " }",
      "[",
      "]",
      ", ",
      "&a ",
      "*a",
      "? ",
      "! ",
      "!!set ",
      "!!binary ",
      "!x ",
      "| \n",
      "> \n",
    ),
    fc.constantFrom(
      "%YAML 1.1\n---\n",
      "---\n",
      "...\n",
      "# ",
      "\t",
      '"',
      "'",
      "<<: *a\n",
      "2001-01-01",
      "0x1F",
      ".inf",
      ".nan",
      "~",
      "\u0000",
      "\u2028",
    ),
    fc.constantFrom("name: x\ntitle: t\nmain: [", "\nprograms:\n  p: ", "\nmain:\n  - read:\n      "),
  );
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 25 }), (bits) => inWords(bits.join(""))),
    // Found once: a key that is a map whose merge leads nowhere.
    { numRuns: 2000, examples: [[["%YAML 1.1\n---\n", "? ", "<<: *a\n"]], [["%YAML 1.1\n---\n", "<<: *a\n"]]] },
  );
});
