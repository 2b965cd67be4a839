/** Faults and what a handler makes of them: by what is at the address (2.11), by the instruction (2.4), by the handler's ucontext (2.12). */

import { describe, expect, it } from "vitest";
import { parseScenario, type StackName } from "../../engine/index.ts";
import { at, count, endOf, handled, on, type Ran, resultOf, results, rowsOf, runProgram } from "../support/run-scenario.ts";
import { raise } from "./reference-support.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH: readonly StackName[] = [LINUX, SGX];

const SKIP = { handlers: { skip: ["skip-fault"] } } as const;

const faulting = (stack: StackName, fault: Record<string, unknown>): Ran =>
  runProgram(stack, [on("SIGSEGV", "skip"), on("SIGBUS", "skip"), { fault }, "getpid"], [], {
    ...SKIP,
    limit: { time: "1s", transitions: 3000 },
  });

describe("2.11 memfault: what is at the address", () => {
  // biome-ignore format: a table, one line a kind of address
  it.each([
    // at           natively    Linux PAL                              the LibOS's siginfo, or the branch
    ["unmapped",   "SIGSEGV", ["SIGSEGV"], "siginfo_t info = (SIGSEGV, SEGV_MAPERR"],
    ["internal",   "SIGSEGV", [],          "print panic message"],
    ["file-end",   "SIGBUS",  ["SIGBUS"],  "siginfo_t info = (SIGBUS, BUS_ADRERR"],
    ["read-only",  "SIGSEGV", ["SIGSEGV"], "siginfo_t info = (SIGSEGV, SEGV_ACCERR"],
    ["protected",  "SIGSEGV", ["SIGSEGV"], "siginfo_t info = (SIGSEGV, SEGV_ACCERR"],
  ])("%s", (where, native, linux, step) => {
    const fault = { what: "memory", address: 0x4000, at: where };
    expect(handled(faulting(NATIVE, fault))).toEqual([native]);
    const ran = faulting(LINUX, fault);
    expect(handled(ran)).toEqual(linux);
    expect(rowsOf(ran, { where: `memfault_upcall: ${step}` })).toHaveLength(1);
    // No address, no VMA: under SGX they are all alike (D5).
    const sgx = faulting(SGX, fault);
    expect(handled(sgx)).toEqual(["SIGSEGV"]);
    expect(rowsOf(sgx, { where: "memfault_upcall: siginfo_t info = (SIGSEGV, SEGV_MAPERR" })).toHaveLength(1);
  });

  it("is asked of the faulting instruction, not of an earlier one: a SIGSEGV from outside has no VMA", () => {
    const ran = runProgram(
      LINUX,
      [on("SIGSEGV", "skip"), on("SIGBUS", "skip"), { fault: { what: "memory", at: "file-end" } }, { compute: "1ms" }],
      [{ ...at("SIGSEGV", "900us"), thread: "main" }],
      SKIP,
    );
    expect(handled(ran)).toEqual(["SIGBUS", "SIGSEGV"]);
  });

  it("belongs to memory faults only", () => {
    const text = JSON.stringify({ name: "x", title: "x", main: [{ fault: { what: "divide", at: "protected" } }] });
    expect(() => parseScenario(text, "x.json")).toThrow("expected only with what: memory");
  });
});

describe("2.4 by the instruction", () => {
  it("#AC: SIGBUS natively; the LibOS takes it for a memory fault on both PALs", () => {
    expect(handled(faulting(NATIVE, { what: "align" }))).toEqual(["SIGBUS"]);
    for (const stack of BOTH) expect(handled(faulting(stack, { what: "align" })), stack).toEqual(["SIGSEGV"]);
    const [exit] = rowsOf(faulting(SGX, { what: "align" }), { what: "sgx.aex" });
    expect(exit?.value).toBe(17);
  });

  it("int3: a trap natively, after which the program goes on; no PAL has a handler for SIGTRAP; #UD in an enclave", () => {
    const program = [on("SIGTRAP"), { fault: "int3" }, "getpid"];
    const native = runProgram(NATIVE, program);
    expect([handled(native), resultOf(native, "getpid")]).toEqual([["SIGTRAP"], "1"]);
    expect(rowsOf(runProgram(LINUX, program), { what: "host.signal.default" }).map((row) => row.signal)).toEqual([5]);
    const sgx = runProgram(SGX, program);
    expect(rowsOf(sgx, { what: "sgx.aex" })[0]?.value).toBe(6);
    // 0xCC: RIP + 1, nobody is told.
    expect([handled(sgx), resultOf(sgx, "getpid")]).toEqual([[], "1"]);
  });
});

describe("2.11 test_user_memory", () => {
  it("in a handler: the fault goes back to that probe, not to what the handler's signal interrupted", () => {
    const ran = runProgram(LINUX, [on("SIGINT", "probes"), { compute: "1ms" }, "getpid"], [at("SIGINT", "600us")], {
      handlers: { probes: [{ "probe-memory": { valid: false } }] },
    });
    expect(results(ran).slice(-2)).toEqual(["probe -EFAULT", "getpid 1"]);
    expect([endOf(ran), count(ran, "libos.fault")]).toEqual(["exit", 0]);
  });
});

describe.each([NATIVE, ...BOTH] as const)("2.12 the ucontext of a handler, %s", (stack) => {
  it("what a handler asked of a context that goes nowhere is not done to a later one", () => {
    const program = [on("SIGUSR1", "skip"), on("SIGSEGV", "twice"), raise("SIGUSR1"), { fault: "memory" }, "getpid"];
    const ran = runProgram(stack, program, [], {
      handlers: { ...SKIP.handlers, twice: [{ compute: "1us" }] },
      limit: { time: "1s", transitions: 3000 },
    });
    expect(handled(ran).length).toBeGreaterThan(3);
    expect(resultOf(ran, "getpid")).toBe("never returns");
  });
});
