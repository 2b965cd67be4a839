/** What a scenario can say is documented: each operation, each of its arguments, each field. */

import { describe, expect, it } from "vitest";
import { parse as yaml } from "yaml";
import { OPERATION_NAMES, OPERATIONS, pages, STACK_NAMES, scenarioMaps } from "../../engine/index.ts";
import { runScenario, scenarioOf } from "../support/run-scenario.ts";

/** A scenario in which every example can stand: in the main program, or in a handler where it belongs there. With what they name. */
function withExample(example: string) {
  const operation = yaml(`- ${example}`) as unknown[];
  const inHandler = example.startsWith("by-run");
  return scenarioOf({
    main: [
      { sigaction: { signal: "SIGALRM", handler: "on-sigint" } },
      { sigsetjmp: { place: "here", do: ["getpid"] } },
      ...(inHandler ? [{ tgkill: { signal: "SIGALRM" } }] : operation),
    ],
    programs: { worker: ["getpid"], child: ["getpid"] },
    handlers: { "on-sigint": inHandler ? operation : [{ compute: "1us" }], "first-run": ["getpid"], "usual-run": ["getpid"] },
    arrivals: ["pipe", "listener", "socket", "semaphore", "queue"].map((to) => ({ to, bytes: 100, when: { at: "20us" } })),
    limit: { time: "3s", transitions: 20_000 },
  });
}

describe.each(OPERATION_NAMES)("%s", (name) => {
  const { manual, args } = OPERATIONS[name];

  it("says what it does, on Linux and on Graphene", () => {
    expect(manual.does).toMatch(/^\S.{5,120}[^.]$/);
    for (const text of [manual.linux, manual.graphene]) expect(text).toMatch(/^[A-Z0-9-].*\.$/);
  });

  it("has a short argument only where it has one of that name", () => {
    if (manual.short !== undefined) expect(Object.keys(args.shape)).toContain(manual.short);
  });

  it.each(STACK_NAMES)("has an example that runs on %s", (stack) => {
    const scenario = withExample(manual.example);
    expect([scenario.main[2]?.op, scenario.handlers["on-sigint"]?.[0]?.op]).toContain(name);
    const { rows } = runScenario(scenario, stack);
    expect(rows.length).toBeGreaterThan(0);
  });
});

it("each field has a meaning, and says what it expects", () => {
  const fields = [
    ...pages().flatMap((page) => page.maps.flatMap(([, list]) => list.map((field) => ({ of: page.name, ...field })))),
    ...scenarioMaps().flatMap(([of, list]) => list.map((field) => ({ of, ...field }))),
  ];
  expect(fields.length).toBeGreaterThan(100);
  const silent = fields.filter(({ meaning }) => !/^\S.{3,}[^.]$/s.test(meaning));
  expect(silent.map(({ of, name }) => `${of}: ${name}`)).toEqual([]);
  const vague = fields.filter(({ expects }) => /something else|anything|no fields|undefined/.test(expects));
  expect(vague.map(({ of, name }) => `${of}: ${name}`)).toEqual([]);
});

it("a field that may be left out says what stands for it", () => {
  const fieldOf = (page: string, name: string) =>
    pages()
      .find((one) => one.name === page)
      ?.maps[0]?.[1].find((field) => field.name === name);
  expect(fieldOf("read", "bytes")).toMatchObject({ absent: "1", expects: "a whole number from 0 to 1000000000" });
  expect(fieldOf("poll", "timeout")).toMatchObject({ absent: "forever" });
  expect(fieldOf("read", "from")).toMatchObject({ absent: "" });
  expect(fieldOf("close", "what")).toMatchObject({ absent: null });
});
