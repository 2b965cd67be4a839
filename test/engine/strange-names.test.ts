/** Any name is a name: those that every JavaScript object knows give the run that other names give, from any keyframe on. */

import { describe, expect, it } from "vitest";
import { boot, parseScenario, type Run, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { columnsOf, NOWHERE } from "../support/run-scenario.ts";

const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

/** One name for all that has names: a program, a handler, an object, a flag, a sigsetjmp place. Parsed, as only a text can say `__proto__`. */
const text = (n: string, declared: boolean): string => `
name: x
title: t
main:
  - sigaction: { signal: SIGINT, handler: ${n} }
  - clone: ${n}
  - read: { from: ${n}, bytes: 3 }
  - poll: { on: [${n}, other], timeout: 1ms }
  - set: ${n}
  - if: { flag: ${n}, do: [ getpid ] }
  - tgkill: { thread: ${n}, signal: SIGINT }
  - sigsetjmp: { place: ${n}, do: [ { tgkill: { signal: SIGINT } } ] }
  - fork: ${n}
  - wait4: { child: ${n} }
programs: { ${n}: [ getpid, { nanosleep: 5ms } ] }
handlers: { ${n}: [ { siglongjmp: ${n} } ] }
${declared ? `objects: { ${n}: socket }` : ""}
arrivals: [ { to: ${n}, bytes: 3, when: { at: 5us } } ]
limit: { transitions: 5000 }
`;

const run = (name: string, stack: StackName, declared: boolean): Run =>
  boot({ stack, scenario: parseScenario(text(name, declared), "x.yaml") });

describe.each(STACK_NAMES)("on %s", (stack) => {
  it.each(NAMES)("%s", (name) => {
    for (const declared of [true, false])
      expect(columnsOf(run(name, stack, declared)), `declared: ${declared}`).toEqual(columnsOf(run("ordinary", stack, declared)));
  });

  it.each(NAMES)("%s, from a keyframe on and in a copy", (name) => {
    const first = run(name, stack, false);
    first.run(50, NOWHERE);
    first.flush(NOWHERE);
    const { scenario } = first.options;
    const others = [first.clone(), boot({ stack, scenario }, first.keyframe(), first)];
    for (const one of [first, ...others]) one.run(10_000, NOWHERE);
    for (const one of others) expect(one.keyframe()).toBe(first.keyframe());
    expect(first.ending).not.toBeNull();
  });
});
