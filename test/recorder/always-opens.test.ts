/** Whatever a scenario that is accepted calls things, and however large its numbers are: what was recorded opens, and is what was made. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Block, boot, parseScenario, type Scenario, ScenarioError, STACK_NAMES } from "../../engine/index.ts";
import { openTrace, record } from "../../recorder/index.ts";
import { testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
/** `EINTR_TORTURE=1` for many more. */
const RUNS = process.env.EINTR_TORTURE === undefined ? 25 : 1000;

const name = fc.oneof(
  fc.constantFrom(
    "constructor",
    "toString",
    "valueOf",
    "__proto__",
    "prototype",
    "hasOwnProperty",
    "main",
    "self",
    "null",
    "0",
    "-1",
    "1e9",
  ),
  fc.constantFrom(
    "async-helper",
    "ipc port",
    "x#2",
    "#",
    "a\nb",
    "\u0000",
    "\u001b[2J",
    "\u202e",
    "\ud800",
    "💥",
    " ",
    "'; DROP TABLE run; --",
    "n".repeat(200),
  ),
  fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
);
/** One in so many is beyond the bounds: it must be refused when it is read. */
const BEYOND = { weight: 1, arbitrary: fc.constantFrom("10000000s", "9007199254740993ns", 1e16, -1, 0.5, 2 ** 53) };
const time = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom<string | number>(0, 1, 1e6, 1e15, "0ns", "1ns", "10ms", "1.5s", "1000000s", "forever") },
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 1e15 }) },
  BEYOND,
);
const bytes = fc.oneof({ weight: 60, arbitrary: fc.constantFrom(0, 1, 2 ** 20, 1e9) }, BEYOND);
const result = fc.oneof({ weight: 60, arbitrary: fc.constantFrom(0, -4, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)) }, BEYOND);

const operation = fc.oneof(
  fc.record({ compute: time }),
  fc.record({ nanosleep: time }),
  fc.record({ read: fc.record({ from: name, bytes }, { requiredKeys: ["from"] }) }),
  fc.record({ read: fc.record({ takes: time, result }) }),
  fc.record({ write: fc.record({ to: name, bytes }, { requiredKeys: ["to"] }) }),
  fc.record({ call: fc.record({ name, takes: time, result, expect: result }) }),
  fc.record({ poll: fc.record({ on: fc.array(name, { minLength: 1, maxLength: 3 }), timeout: time }) }),
  fc.record({ setitimer: fc.record({ value: time, interval: time }) }),
  fc.record({ alarm: time }),
  fc.record({ fault: fc.record({ what: fc.constantFrom("memory", "divide"), address: bytes }) }),
  fc.record({ sigsetjmp: fc.record({ place: name, do: fc.constant(["getpid"]) }) }),
  fc.constantFrom("getpid", "pause", "gettime"),
);

const scenario = fc
  .record({
    operations: fc.array(operation, { maxLength: 6 }),
    program: name,
    handler: name,
    object: name,
    plan: fc.record({ at: time }),
    arrival: fc.oneof(
      fc.record({ at: time }),
      fc.record({ every: time }),
      fc.record({ rate: fc.double({ min: 1e-6, max: 1e6, noNaN: true }) }),
    ),
    bytes,
    signal: fc.constantFrom("SIGINT", "SIGUSR1", "SIGCHLD", "64"),
  })
  .map(({ operations, program, handler, object, plan, arrival, bytes, signal }) => {
    const start = [{ sigaction: { signal, handler } }, { clone: program }, { fork: program }];
    return JSON.stringify({
      name: "odd",
      title: "t",
      main: [...start, ...operations],
      programs: Object.fromEntries([[program, operations]]),
      handlers: Object.fromEntries([[handler, ["getpid"]]]),
      signals: [
        { signal, when: plan },
        { signal, thread: program, when: arrival },
      ],
      arrivals: [{ to: object, bytes, when: arrival }],
      limit: { transitions: 3000 },
    });
  });

test.each(STACK_NAMES)("odd names and extreme numbers on %s", async (stack) => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (text) => {
      let parsed: Scenario;
      try {
        parsed = parseScenario(text, "odd");
      } catch (error) {
        // Refused when it is read, in words: nothing was recorded.
        expect(error).toBeInstanceOf(ScenarioError);
        return;
      }
      const dir = fresh("odd.trace");
      const made: number[] = [];
      const run = boot({ stack, scenario: parsed });
      const flush = run.flush.bind(run);
      // What goes to the file is also kept here.
      run.flush = (sink) =>
        flush({
          put(block: Block) {
            for (let i = 0; i < block.n; i += 1) made.push(block.time[i] as number, block.kind[i] as number, block.value[i] as number);
            sink.put(block);
          },
        });
      try {
        await record(run, dir, { ...testInfo(), origin: "emulated", stack, scenarioText: text });
      } catch (error) {
        // Beyond what is emulated: what came before stays.
        expect(error).toBeInstanceOf(ScenarioError);
        if (made.length === 0) return;
      }
      const trace = await openTrace(dir);
      const read: number[] = [];
      for (const block of trace.rows())
        for (let i = 0; i < block.n; i += 1) read.push(block.time[i] as number, block.kind[i] as number, block.value[i] as number);
      expect(read).toEqual(made);
      expect(trace.threads).toEqual(run.threads);
      expect(trace.texts).toEqual(run.texts);
      expect(Number(trace.ask("SELECT count(*) FROM transition")[0]?.[0])).toBe(made.length / 3);
      trace.close();
      opened += 1;
    }),
    { numRuns: RUNS },
  );
  expect(opened).toBeGreaterThan(RUNS / 10);
});
