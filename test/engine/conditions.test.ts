/** Programs that look at results and flags: EINTR loops, "stop when the flag is set", the self-pipe, on each stack. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedResults, parseScenario, STACK_NAMES, type StackName } from "../../engine/index.ts";
import {
  at,
  endOf,
  handled,
  inCall,
  on,
  pin,
  type Ran,
  results,
  rowsOf,
  runProgram,
  runScenario,
  scenarioOf,
} from "../support/run-scenario.ts";

/** Names of the opaque calls that the main thread made, in order. */
const calls = (ran: Ran, who = "main"): string[] =>
  rowsOf(ran, { what: "app.call", who }).flatMap((row) => /^c\d+/.exec(row.place.label)?.[0] ?? []);

/** Gramine ends a process that the host sends SIGINT to. */
const TAKES_HOST_SIGNALS = STACK_NAMES.filter((stack) => !stack.startsWith("gramine"));
/** And pull request 347 loses a signal that comes while the thread is in the LibOS or below (c2). */
const KEEPS_THEM_IN_A_CALL = TAKES_HOST_SIGNALS.filter((stack) => stack !== "graphene-pr347");

const call = (n: number, result = 0): unknown => ({ call: { name: `c${n}`, result } });

describe("B4: a retry loop", () => {
  const program = [{ retry: { while: "EINTR", do: [{ read: { from: "pipe", bytes: 4 } }] } }, call(1)];
  const data = { arrivals: [{ to: "pipe", bytes: 4, when: { at: "5ms" } }] };
  const loop = (stack: StackName): Ran => runProgram(stack, program, [inCall("SIGINT", "read")], data);

  it.each(["native-linux", "graphene-linux"] as const)("on EINTR reads what comes later, on %s", (stack) => {
    expect(results(loop(stack)).slice(-3)).toEqual(["read -EINTR", "read 4", "call 0"]);
  });

  // sgx-interrupted-code-lost: nobody tells the loop that it was interrupted.
  it("on EINTR takes the interruption for the end of the data, on graphene-sgx", () => {
    expect(results(loop("graphene-sgx")).slice(-2)).toEqual(["read 0", "call 0"]);
  });

  it.each(STACK_NAMES)("that may go round three times does so, and again when it is entered again, on %s", (stack) => {
    const ran = runProgram(stack, [{ loop: { times: 2, do: [{ retry: { while: "error", times: 3, do: [call(1, -4)] } }, call(2)] } }]);
    expect(calls(ran)).toEqual(["c1", "c1", "c1", "c2", "c1", "c1", "c1", "c2"]);
  });

  it.each(STACK_NAMES)("that ends early counts from the start when it is entered again, on %s", (stack) => {
    const inner = { retry: { while: "EINTR", times: 2, do: [{ if: { flag: "again", do: [call(1, -4)], else: [call(2, 5)] } }] } };
    const ran = runProgram(stack, [inner, { set: "again" }, inner]);
    expect(calls(ran)).toEqual(["c2", "c1", "c1"]);
  });
});

describe("B4: while (!stop) pause()", () => {
  const loop = (stack: StackName, plan: ReturnType<typeof at>): Ran =>
    runProgram(stack, [on("SIGINT", "stops"), { loop: { until: "stop", do: ["pause"] } }, call(1)], [plan], {
      handlers: { stops: [{ set: "stop" }] },
    });

  it("ends after a signal in the pause, on native-linux", () => {
    const ran = loop("native-linux", at("SIGINT", "1ms"));
    expect([results(ran).at(-2), calls(ran), endOf(ran)]).toEqual(["pause -EINTR", ["c1"], "exit"]);
  });

  it("never ends on graphene-linux, whose pause does not return (2.18)", () => {
    const ran = loop("graphene-linux", at("SIGINT", "1ms"));
    expect([handled(ran), calls(ran)]).toEqual([["SIGINT"], []]);
  });

  it("ends on graphene-sgx, whose pause returns 0 (2.18)", () => {
    const ran = loop("graphene-sgx", at("SIGINT", "1ms"));
    expect([results(ran).at(-2), calls(ran)]).toEqual(["pause 0", ["c1"]]);
  });

  it.each(TAKES_HOST_SIGNALS)("sleeps for ever when the signal comes between the look and the pause, on %s", (stack) => {
    const ran = loop(stack, pin("SIGINT", "program main: pause()"));
    expect([handled(ran), calls(ran), results(ran).at(-1)?.startsWith("pause")]).toEqual([["SIGINT"], [], false]);
  });
});

describe("flags", () => {
  it.each(STACK_NAMES)("are seen by all threads of a process, on %s", (stack) => {
    const main = [{ clone: "setter" }, { loop: { until: "ready", do: [{ nanosleep: "50us" }] } }, call(1)];
    const ran = runProgram(stack, main, [], { programs: { setter: [{ nanosleep: "500us" }, { set: "ready" }] } });
    expect(calls(ran)).toEqual(["c1"]);
    expect(results(ran).filter((result) => result === "nanosleep 0").length).toBeGreaterThan(2);
  });

  it.each(STACK_NAMES)("are copied by fork and then apart, and cleared by exec, on %s", (stack) => {
    const look = { if: { flag: "f", do: [call(1)], else: [call(2)] } };
    const main = [{ set: "f" }, { fork: "child" }, "wait4", look, { set: { flag: "f", to: false } }, look, { set: "f" }, "exec", look];
    const child = [look, { set: { flag: "f", to: false } }, look];
    const ran = runProgram(stack, main, [], { programs: { child } });
    expect([calls(ran, "child"), calls(ran)]).toEqual([
      ["c1", "c2"],
      ["c1", "c2", "c2"],
    ]);
  });

  it.each(STACK_NAMES)("of a loop with times: whichever comes first, on %s", (stack) => {
    const loop = (until: string): unknown => ({ loop: { times: 3, until, do: [call(1)] } });
    expect(calls(runProgram(stack, [{ set: "a" }, loop("a"), call(2), loop("b"), call(3)]))).toEqual(["c2", "c1", "c1", "c1", "c3"]);
  });
});

describe("B4: the self-pipe", () => {
  // The handler writes a byte; the main loop waits for it beside its other work and sees the flag by the byte, not by EINTR.
  const program = [
    on("SIGINT", "notes"),
    {
      loop: {
        until: "stop",
        do: [
          { poll: { on: ["self", "socket"] } },
          { if: { result: ">= 1", do: [{ read: { from: "self" } }, { if: { result: 1, do: [{ set: "stop" }] } }] } },
        ],
      },
    },
    call(1),
  ];
  it.each(KEEPS_THEM_IN_A_CALL)("wakes the loop, however poll tells the interruption, on %s", (stack) => {
    const ran = runProgram(stack, program, [inCall("SIGINT", "poll")], { handlers: { notes: [{ write: { to: "self" } }] } });
    const polls = results(ran).filter((result) => result.startsWith("poll"));
    expect(polls).toEqual([stack === "native-linux" ? "poll -EINTR" : "poll 0", "poll 1"]);
    expect([results(ran).at(-2), calls(ran)]).toEqual(["read 1", ["c1"]]);
  });
});

describe("a result", () => {
  const CONDITIONS: readonly (readonly [unknown, readonly number[], readonly number[]])[] = [
    ["EINTR", [-4], [4, 0, -11]],
    ["-EINTR", [-4], [4, 0]],
    ["EWOULDBLOCK", [-11], [-4]],
    ["error", [-1, -4, -4095], [0, 1, -4096]],
    [0, [0], [1, -1]],
    [-4, [-4], [4]],
    ["17", [17], [16]],
    ["= 17", [17], [16]],
    ["== 17", [17], [16]],
    ["> 0", [1, 100], [0, -4]],
    [">= 1", [1, 100], [0, -4]],
    ["< 0", [-4, -5000], [0, 1]],
    ["<= -4", [-4, -11], [-3, 0]],
    ["< EINTR", [-5], [-4, 0]],
    ["!= EAGAIN", [0, -4], [-11]],
    [
      ["EINTR", ">= 8"],
      [-4, 8, 9],
      [7, 0],
    ],
  ];
  it.each(CONDITIONS)("%j holds for %j and not for %j", (result, yes, no) => {
    const look = (value: number): unknown[] => [call(9, value), { if: { result, do: [call(1)], else: [call(0)] } }];
    const ran = runProgram("native-linux", [...yes, ...no].flatMap(look));
    expect(calls(ran).filter((name) => name !== "c9")).toEqual([...yes.map(() => "c1"), ...no.map(() => "c0")]);
  });

  it.each(STACK_NAMES)("is 0 before the first call, and each program has its own, on %s", (stack) => {
    const look = { if: { result: 0, do: [call(1)], else: [call(2)] } };
    const ran = runScenario(
      scenarioOf({
        main: [
          look,
          { sigaction: { signal: "SIGINT", handler: "h" } },
          call(3, 5),
          { tgkill: { signal: "SIGINT" } },
          look,
          call(4, 7),
          look,
        ],
        handlers: { h: [look, call(5, -4)] },
      }),
      stack,
    );
    expect(calls(ran)).toEqual(["c1", "c3", "c1", "c5", "c1", "c4", "c2"]);
  });

  it.each(TAKES_HOST_SIGNALS)("is what the call gave, whatever a handler's calls give before the look, on %s", (stack) => {
    const plan = pin("SIGINT", "program main: if: is the result 5?");
    const ran = runProgram(stack, [call(3, 5), { if: { result: 5, do: [call(1)], else: [call(2)] } }], [plan], {
      handlers: { quick: [call(4, -11)] },
    });
    expect(calls(ran)).toEqual(["c3", "c4", "c1"]);
  });
});

it("operations inside conditions are numbered as the results of a log are", () => {
  const scenario = scenarioOf({
    main: [
      { set: "f" },
      {
        if: { flag: "f", do: [{ read: { from: "p", expect: 1 } }], else: [{ read: { from: "p", expect: 2 } }, { pause: { expect: -4 } }] },
      },
      { retry: { while: "EINTR", do: [{ nanosleep: { for: "1us", expect: 0 } }] } },
    ],
    arrivals: [{ to: "p", when: { at: 0 } }],
  });
  const expected = expectedResults(scenario).get("program main") ?? [];
  expect(expected).toEqual([null, null, null, 1, 2, -4, null, 0]);
  const made = rowsOf(runScenario(scenario, "native-linux"), { what: "app.call" });
  expect(made.map((row) => [row.place.label.split("(")[0], expected[row.value]])).toEqual([
    ["read", 1],
    ["nanosleep", 0],
  ]);
});

/** A program of opaque calls, decisions and loops, as a scenario writes it. */
type Item = { call: { name: string; result: number } } | { set: { flag: string; to: boolean } } | Nested;
type Nested =
  | { if: { flag?: string; result?: string; do: Item[]; else: Item[] } }
  | { loop: { times: number; until?: string; do: Item[] } }
  | { retry: { while: string; times: number; do: Item[] } };

const flag = fc.constantFrom("constructor", "__proto__", "f");
const wanted = fc.constantFrom("EINTR", "error", ">= 1", "0", "!= 0");
const holds = (condition: string, value: number): boolean =>
  ({ EINTR: value === -4, error: value < 0, ">= 1": value >= 1, "0": value === 0, "!= 0": value !== 0 })[condition] ?? false;

const item: fc.Arbitrary<Item> = fc.letrec<{ item: Item }>((tie) => {
  const list = fc.array(tie("item"), { maxLength: 3 });
  return {
    item: fc.oneof(
      { maxDepth: 3 },
      fc.record({ call: fc.record({ name: fc.constantFrom("c1", "c2", "c3"), result: fc.constantFrom(-4, -11, 0, 1, 7) }) }),
      fc.record({ set: fc.record({ flag, to: fc.boolean() }) }),
      fc.record({ if: fc.oneof(fc.record({ flag, do: list, else: list }), fc.record({ result: wanted, do: list, else: list })) }),
      fc.record({ loop: fc.record({ times: fc.nat(3), until: flag, do: list }, { requiredKeys: ["times", "do"] }) }),
      fc.record({ retry: fc.record({ while: wanted, times: fc.integer({ min: 1, max: 3 }), do: list }) }),
    ),
  };
}).item;

/** What such a program does, said a second time and plainly. */
function plainly(program: readonly Item[]): string[] {
  const made: string[] = [];
  const flags = new Set<string>();
  let last = 0;
  const run = (list: readonly Item[]): void => {
    for (const one of list) {
      if ("call" in one) {
        made.push(one.call.name);
        last = one.call.result;
      } else if ("set" in one) {
        if (one.set.to) flags.add(one.set.flag);
        else flags.delete(one.set.flag);
      } else if ("if" in one) {
        const { flag: name, result, do: yes, else: no } = one.if;
        run((name === undefined ? holds(result ?? "", last) : flags.has(name)) ? yes : no);
      } else if ("loop" in one) {
        for (let n = 0; n < one.loop.times && !flags.has(one.loop.until ?? ""); n += 1) run(one.loop.do);
      } else {
        let n = 0;
        do {
          run(one.retry.do);
          n += 1;
        } while (n < one.retry.times && holds(one.retry.while, last));
      }
    }
  };
  run(program);
  return made;
}

it.each(STACK_NAMES)("random programs do what they say, on %s", (stack) => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), (program) => {
      const scenario = parseScenario(JSON.stringify({ name: "x", title: "t", main: program }), "x");
      expect(calls(runScenario(scenario, stack))).toEqual(plainly(program));
    }),
    { numRuns: 60 },
  );
});

it.each(STACK_NAMES)("a plan may name a call that is not emulated by its own name, or as call, on %s", (stack) => {
  const main = [call(1), { call: { name: "c2", takes: "1ms" } }, call(3)];
  const plan = (name: string): ReturnType<typeof inCall> => inCall("SIGINT", name);
  for (const name of ["c2", "call"]) {
    const ran = runProgram(stack, main, [plan(name)]);
    expect(rowsOf(ran, { what: "host.signal.generate" })).toHaveLength(1);
    // Pull request 347 loses it or not, by the place in the call.
    if (stack !== "graphene-pr347") expect(handled(ran)).toEqual(TAKES_HOST_SIGNALS.includes(stack) ? ["SIGINT"] : []);
  }
  expect(() => runProgram(stack, main, [plan("c4")])).toThrow(/no call "c4"; did you mean "c1"\?/);
});
