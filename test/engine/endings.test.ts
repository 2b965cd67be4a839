/** How a run is over, and what no run may outgrow. */

import { describe, expect, test } from "vitest";
import { type Block, boot, parseScenario, type Run, ScenarioError, STACK_NAMES } from "../../engine/index.ts";

const ROWS = 2_000_000;

const run = (text: string, stack: (typeof STACK_NAMES)[number]): Run => boot({ stack, scenario: parseScenario(text, "test.yaml") });

function toTheEnd(made: Run): Run["ending"] {
  expect(made.ending).toBeNull();
  expect(made.run(ROWS, { put() {} })).toBe(false);
  return made.ending;
}

const ENDLESS = "name: e\ntitle: endless\nmain: [{ loop: { do: [getpid] } }]\n";

describe.each(STACK_NAMES)("on %s a run says why it is over", (stack) => {
  test("by itself", () => {
    expect(toTheEnd(run("name: s\ntitle: short\nmain: [getpid]\n", stack))).toBe("finished");
  });

  test("at its limit of transitions", () => {
    const made = run(`${ENDLESS}limit: { transitions: 1000 }\n`, stack);
    expect(toTheEnd(made)).toBe("row-limit");
    expect(made.machine.seq).toBe(1000);
  });

  test("at its limit of time", () => {
    const made = run(`${ENDLESS}limit: { time: 500us }\n`, stack);
    expect(toTheEnd(made)).toBe("time-limit");
    expect(made.machine.now).toBeLessThanOrEqual(500_000);
  });
});

test("a call stack deeper than a column holds ends the run with the place and what to do", () => {
  const text = `
name: deep
title: a handler that faults
main: [{ sigaction: { signal: SIGSEGV, handler: again, flags: [SA_NODEFER] } }, { fault: memory }]
handlers: { again: [{ fault: memory }] }
`;
  const deepest = run(text, "native-linux");
  expect(() => deepest.run(ROWS, { put() {} })).toThrow(ScenarioError);
  expect(() => deepest.run(ROWS, { put() {} })).toThrow(/^seq \d+: thread main is 65536 functions deep; at most 65535 .*--rows$/);
});

test("the 65,537th thread has a number of its own", () => {
  const text = `
name: many
title: many threads
main: [{ loop: { times: 65600, do: [{ clone: w }, { nanosleep: 1us }] } }]
programs: { w: [exit] }
limit: { transitions: 3000000 }
`;
  const many = run(text, "native-linux");
  let most = 0;
  const put = (block: Block): void => {
    for (let i = 0; i < block.n; i += 1) most = Math.max(most, block.thread[i] as number);
  };
  many.run(ROWS, { put });
  many.flush({ put });
  expect([most, many.threads.length]).toEqual([65_600, 65_601]);
});

test.each(STACK_NAMES)("a turn makes at most one row, on %s: blocks have place for no more", (stack) => {
  const text = `
name: turns
title: children that end, stop and are killed, signals and data from outside
main:
  - sigaction: { signal: SIGCHLD, handler: h }
  - setitimer: { value: 50us, interval: 50us }
  - sigaction: { signal: SIGALRM, handler: h }
  - loop: { times: 20, do: [{ fork: c }, { kill: { process: c, signal: SIGSTOP } }, { kill: { process: c, signal: SIGCONT } }, { wait4: {} }] }
programs: { c: [{ nanosleep: 10us }] }
handlers: { h: [getpid] }
arrivals: [{ to: p, when: { every: 7us } }]
limit: { transitions: 5000 }
`;
  const made = run(text, stack);
  let rows = 0;
  for (let goesOn = true; goesOn; ) {
    goesOn = made.run(1, { put() {} });
    expect(made.machine.seq - rows).toBeLessThanOrEqual(1);
    rows = made.machine.seq;
  }
  expect(rows).toBeGreaterThan(100);
});
