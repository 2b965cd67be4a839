/** What a stack declares of its state: a thread has what its stack keeps, and nothing of another one. */

import { describe, expect, it } from "vitest";
import { LIBC } from "../../engine/app/flows.ts";
import { flow } from "../../engine/flow.ts";
import { addStack, boot, checkInvariants, parseScenario, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { ref } from "../../engine/ref.ts";
import { stackProgram } from "../../engine/stack/program.ts";
import { SYSCALL_NAMES } from "../../engine/syscalls.ts";
import { grapheneProcess, grapheneThread } from "../support/graphene.ts";
import { NOWHERE, rowsOf, runScenario } from "../support/run-scenario.ts";
import { TOY, TOY_TEXT } from "../support/toy-stack.ts";

const scenario = parseScenario("name: one\ntitle: one call\nmain: [{ read: { from: pipe, bytes: 1 } }]\n", "one.yaml");

describe("a thread", () => {
  it("on native-linux keeps nothing of an enclave, a PAL or a LibOS, and neither does its process", () => {
    const { machine } = boot({ stack: "native-linux", scenario });
    expect(machine.threads[0]).toMatchObject({ sgx: null, pal: null, libos: null });
    expect(machine.processes[0]).toMatchObject({ pal: null, libos: null });
    expect(machine.objects).toEqual([]);
  });

  it("on graphene-linux has a LibOS and no enclave, on graphene-sgx both", () => {
    const [linux, sgx] = (["graphene-linux", "graphene-sgx"] as const).map((stack) => boot({ stack, scenario }).machine.threads[0]);
    expect([linux?.sgx, linux?.libos !== null]).toEqual([null, true]);
    expect([sgx?.sgx?.cssa, sgx?.libos !== null]).toEqual([0, true]);
  });
});

describe("laws of a stack", () => {
  it("are looked at with those of the machine", () => {
    const run = boot({ stack: "graphene-sgx", scenario });
    expect(checkInvariants(run.cpu)).toEqual([]);
    const t = grapheneThread(run.machine) ?? expect.fail("no thread");
    t.libos.preempt = -1;
    t.pal.pendingEvent = 99;
    expect(checkInvariants(run.cpu)).toEqual([
      "thread main: preempt is -1",
      "thread main: event 99 is pending",
      "thread main: pending event 99 with signal id 0",
    ]);
  });

  it("know what its threads and processes use", () => {
    const run = boot({ stack: "graphene-linux", scenario });
    run.cpu.freeObject(grapheneThread(run.machine)?.libos.schedulerEvent ?? -1);
    run.cpu.freeObject(grapheneProcess(run.machine)?.libos.ipc.port ?? -1);
    expect(checkInvariants(run.cpu).map((line) => line.replace(/object \d+/, "object"))).toEqual([
      "thread main uses object, which is free",
      "process main uses object, which is free",
    ]);
  });
});

describe("a system call of the list", () => {
  /** What is called by this name is Graphene's alone: `call` of a name that a stack does not have answers elsewhere. */
  const GRAPHENES = "unimplemented";

  it.each(STACK_NAMES)("can be made on %s", (stack) => {
    const { byName } = stackProgram(stack, new Set(), false);
    const without = SYSCALL_NAMES.filter((name) => name !== GRAPHENES && !byName.has(LIBC[name].name));
    expect(without, `engine/README.md, "A system call", says where its flow on ${stack} goes`).toEqual([]);
  });

  it("without a flow is told with the stack, who calls it, and where to look", () => {
    const calls = flow(ref("calls_nobody"), "libos", "", ({ call, ret }) => [call("nobody()", ref("nobody")), ret("back")]);
    const stack = addStack("lacks-a-flow", { ...STACKS["native-linux"], flows: (on) => [...STACKS["native-linux"].flows(on), calls] });
    expect(() => boot({ stack, scenario })).toThrow(
      /^lacks-a-flow: calls_nobody: no flow "nobody" \(step "nobody\(\)"\).*engine\/README\.md/,
    );
  });
});

describe("a stack that is added", () => {
  it("has state of its own, which a copy of a run does not share", () => {
    const run = boot({ stack: TOY, scenario: parseScenario(TOY_TEXT, "toy.yaml") });
    run.run(30, NOWHERE);
    const copy = run.clone();
    const before = JSON.stringify(copy.machine);
    run.run(1000, NOWHERE);
    expect(JSON.stringify(run.machine)).not.toBe(before);
    expect(JSON.stringify(copy.machine)).toBe(before);
    expect(copy.machine.threads[0]?.libos).toEqual({ ready: true, palErrno: 0, preempt: 0, hasSignal: 0 });
  });

  it("may have costs of its own", () => {
    const costs = { "libos.syscall.exit": { ns: 1005, source: "this test" } };
    const dear = addStack("dear", { ...STACKS["graphene-linux"], costs });
    const two = parseScenario("name: two\ntitle: two calls\nmain: [getpid: {}, getpid: {}]\n", "two.yaml");
    const back = (["graphene-linux", dear] as const).map((stack) =>
      rowsOf(runScenario(two, stack), { what: "app.return" }).map((row) => row.time),
    );
    expect(back[1]).toEqual(back[0]?.map((time, i) => time + 1000 * (i + 1)));
    expect(back[0]).toHaveLength(2);
  });

  it("is found by its name, and is none that a scenario names", () => {
    expect(STACKS[TOY].enclave).toBe(true);
    expect(STACK_NAMES).not.toContain(TOY);
    const plan = { signal: "SIGINT", when: { at: "1us" }, stacks: [TOY] };
    expect(() => parseScenario(JSON.stringify({ name: "n", title: "t", main: [], signals: [plan] }), "n.json")).toThrow(/graphene-sgx/);
  });
});
