/** Calls that only ask what a signal does and which alternate stack there is, and a division by zero of the vector unit, on every stack. */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import { GRAMINE_LINUX, GRAMINE_SGX } from "../support/gramine.ts";
import { runScenario, scenarioOf } from "../support/run-scenario.ts";
import { storyLine } from "../support/story-line.ts";

const told = (stack: StackName, main: readonly unknown[], more: Record<string, unknown> = {}, who = "main"): string =>
  storyLine(runScenario(scenarioOf({ main, handlers: { quick: [] }, ...more }), stack), who);

const STACKS: readonly StackName[] = ["native-linux", "graphene-linux", "graphene-sgx", "graphene-pr347", GRAMINE_LINUX, GRAMINE_SGX];

describe("sigaction without an action", () => {
  it.each(STACKS)("%s: tells what is set and sets nothing", (stack) => {
    const line = told(stack, [
      { sigaction: { signal: "SIGUSR1", handler: "none", old: true } },
      { sigaction: { signal: "SIGUSR1", handler: "quick" } },
      { sigaction: { signal: "SIGUSR1", handler: "none", old: true } },
      { sigaction: { signal: "SIGUSR1", handler: "none", old: true } },
      { kill: { signal: "SIGUSR1" } },
    ]);
    expect(line).toMatch(/^sigaction 0, was default; 2 x sigaction 0, was handler; kill 0, \w+ SI_USER/);
  });

  it("SIGKILL may be asked about on Linux alone (kernel/signal.c, do_sigaction)", () => {
    const answers = STACKS.map((stack) => told(stack, [{ sigaction: { signal: "SIGKILL", handler: "none", old: true } }]).split(";")[0]);
    expect(answers).toEqual(["sigaction 0, was default", ...STACKS.slice(1).map(() => "sigaction -EINVAL")]);
  });

  it("Gramine asks for SA_RESTORER only of an action", () => {
    const line = told(GRAMINE_LINUX, [{ sigaction: { signal: "SIGUSR1", handler: "none", norestorer: true, old: true } }]);
    expect(line).toMatch(/^sigaction 0, was default/);
  });
});

describe("sigaltstack that asks", () => {
  const ASKS = { sigaltstack: { nostack: true, old: true } };
  const MAIN = [
    ASKS,
    { sigaltstack: { bytes: 9000 } },
    ASKS,
    { sigaltstack: { bytes: 4096, disable: true, old: true } },
    ASKS,
    { sigaltstack: { bytes: 100, old: true } },
    "exit-group",
  ];
  // What was registered before; and where the size is refused, Linux writes nothing.
  it.each([
    ["native-linux", "stack of 0, flags 2", "stack of 0, flags 2", "-ENOMEM"],
    [GRAMINE_LINUX, "stack of 0, flags 2", "stack of 0, flags 2", "-ENOMEM, stack of 0, flags 2"],
    [GRAMINE_SGX, "stack of 0, flags 2", "stack of 0, flags 2", "-ENOMEM, stack of 0, flags 2"],
    ["graphene-linux", "stack of 0, flags 0", "stack of 4096, flags 2", "-ENOMEM, stack of 4096, flags 2"],
    ["graphene-sgx", "stack of 0, flags 0", "stack of 4096, flags 2", "-ENOMEM, stack of 4096, flags 2"],
    ["graphene-pr347", "stack of 0, flags 0", "stack of 4096, flags 2", "-ENOMEM, stack of 4096, flags 2"],
  ] as const)("%s", (stack, none, disabled, small) => {
    const registered = "sigaltstack 0, stack of 9000, flags 0";
    expect(told(stack, MAIN)).toBe(`sigaltstack 0, ${none}; 2 x ${registered}; sigaltstack 0, ${disabled}; sigaltstack ${small}; exit 0`);
  });

  it.each([
    [
      "native-linux",
      "kill 0, SIGUSR1 SI_USER from main blocked [USR1] {sigaltstack 0, stack of 9000, flags 1; sigaltstack -EPERM}; exit 0",
    ],
    [
      GRAMINE_LINUX,
      "kill 0, SIGUSR1 SI_USER from main blocked [USR1] {sigaltstack 0, stack of 9000, flags 1; sigaltstack -EPERM, stack of 9000, flags 1}; exit 0",
    ],
  ] as const)("%s: from a handler that runs there", (stack, line) => {
    const main = [
      { sigaltstack: { bytes: 9000 } },
      { sigaction: { signal: "SIGUSR1", handler: "there", flags: ["SA_ONSTACK"] } },
      { kill: { signal: "SIGUSR1" } },
      "exit-group",
    ];
    expect(told(stack, main, { handlers: { there: [ASKS, { sigaltstack: { bytes: 9000, old: true } }] } })).toBe(line);
  });

  it.each([
    ["native-linux", "stack of 9000, flags 0", "stack of 0, flags 2"],
    [GRAMINE_LINUX, "stack of 0, flags 2", "stack of 0, flags 2"],
    // A new thread's record is zero (shim_thread.c, get_new_thread).
    ["graphene-linux", "stack of 0, flags 0", "stack of 0, flags 0"],
  ] as const)("%s: in a child, and in a new thread", (stack, child, thread) => {
    const main = [{ sigaltstack: { bytes: 9000 } }, { fork: "child" }, { clone: "thread" }, { nanosleep: "20ms" }, "exit-group"];
    const programs = { child: [ASKS, "exit-group"], thread: [ASKS] };
    expect(told(stack, main, { programs }, "child")).toBe(`sigaltstack 0, ${child}; exit 0`);
    expect(told(stack, main, { programs }, "thread")).toBe(`sigaltstack 0, ${thread}`);
  });
});

describe("a division by zero of the vector unit", () => {
  const MAIN = [{ sigaction: { signal: "SIGFPE", handler: "skips" } }, { fault: { what: "float", address: 4096 } }, "exit-group"];
  it.each([
    ["native-linux", "SIGFPE code 3 addr 4096 blocked [FPE]; exit 0"],
    ["graphene-linux", /^SIGFPE code 1 /],
    [GRAMINE_LINUX, "SIGFPE code 1 addr 4096 blocked [FPE]; exit 0"],
    [GRAMINE_SGX, "SIGFPE code 1 addr 0 blocked [FPE]; exit 0"],
  ] as const)("%s", (stack, line) => {
    expect(told(stack, MAIN, { handlers: { skips: ["skip-fault"] } })).toMatch(line);
  });

  // Vector 19 is none that _DkExceptionHandler knows (db_exception.c): the fault happens again for ever.
  it("graphene-sgx: is no arithmetic error", () => {
    const ran = runScenario(
      scenarioOf({ main: MAIN, handlers: { skips: ["skip-fault"] }, limit: { transitions: 20_000 } }),
      "graphene-sgx",
    );
    expect(ran.rows.some(({ what }) => what === "app.handler.enter")).toBe(false);
  });
});
