/** Exceptions of Gramine's SGX PAL (gramine-today.md 4.3, 4.4): both stages, what they refuse, and faults with and without EXINFO and EDMM. */

import { describe, expect, it } from "vitest";
import type { OptionName } from "../../engine/index.ts";
import { NATIVE, onSgx, runGramine } from "../support/gramine-sgx.ts";
import { count, endOf, handled, on, type Ran, resultOf, rowsOf } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const INJECT = ["sigterm-injection"] as const;

const exitStatus = (ran: Ran): number | undefined => rowsOf(ran, { what: "process.exit" })[0]?.value;
/** What the process's end was told with. */
const lastWords = (ran: Ran): string[] => rowsOf(ran, { where: ": print " }).map((row) => row.place.label);

describe("a signal in the application's own code", () => {
  const ran = onSgx({ main: [on("SIGTERM"), { compute: "2ms" }, "getpid"], signals: [{ signal: "SIGTERM", when: { at: "1ms" } }] }, INJECT);

  it("goes through both stages, and the handler begins where the context leads", () => {
    order(ran, [
      "sgx.aex",
      "handle_async_signal: sgx_raise(event)",
      "sgx_raise: EENTER",
      "enclave_entry: R15 := event & 0xff",
      "enclave_entry: copy registers, EXINFO and xstate to the frame; SSA[0] := _PalExceptionHandler(EXITINFO, event, frame)",
      "enclave_entry: SSA[0].EXITINFO := 0",
      "enclave_entry: EEXIT to RDX",
      "host.sigreturn",
      "async_exit_pointer: ERESUME",
      "_PalExceptionHandler: EXITINFO.valid?",
      "_PalExceptionHandler: upcall(RIP in the PAL, addr, context)",
      "libos.sigframe",
      "_restore_sgx_context: jump to tmp_rip",
      "app.handler.enter",
      "app.handler.return",
      "app.compute",
    ]);
    expect([handled(ran), endOf(ran)]).toEqual([["SIGTERM"], "exit"]);
  });

  it("crosses the boundary as often as the code says", () => {
    const from = rowsOf(ran, { what: "sgx.aex" })[0]?.seq ?? 0;
    const to = rowsOf(ran, { what: "app.handler.enter" })[0]?.seq ?? 0;
    const crossings = rowsOf(ran, { who: "main" }).filter((row) => row.seq >= from && row.seq < to && row.what.startsWith("sgx."));
    expect(crossings.map((row) => [row.what, row.cssa])).toEqual([
      ["sgx.aex", 1],
      ["sgx.eenter", 1],
      ["sgx.eexit", 1],
      ["sgx.eresume", 0],
    ]);
  });
});

describe("stage one", () => {
  it("finishes the last instructions of _restore_sgx_context: the handler's frame is not below a context that is half restored", () => {
    for (const site of ["R15 := the saved one", "RSP := the saved one", "jump to tmp_rip"]) {
      const ran = onSgx(
        {
          main: [on("SIGTERM"), { read: { takes: "1us", result: 8 } }, { compute: "1us" }],
          pins: [{ signal: "SIGTERM", site: `_restore_sgx_context: ${site}`, in: "read" }],
        },
        INJECT,
      );
      order(ran, ["sgx.aex", "enclave_entry: finish them: SSA[0].R15, RSP, RIP", "sgx.eresume", "_PalExceptionHandler: EXITINFO.valid?"]);
      expect([resultOf(ran, "read"), handled(ran)], site).toEqual(["8", ["SIGTERM"]]);
      const frame = rowsOf(ran, { where: "a frame on the signal stack", who: "main" })[0];
      expect(frame?.value, "the first one on the signal stack").toBe(1);
    }
  });

  it("stacks a frame for each event that comes at the AEP, nine of them; the tenth is FAIL_LOOP", () => {
    // Each SIGCONT comes when the one before has left its handler, and the thread has not yet gone back by ERESUME.
    const storm = (times: number): Ran =>
      onSgx({
        main: [{ compute: "5ms" }, "getpid"],
        signals: [
          { signal: "SIGCONT", when: { at: "2ms" } },
          ...Array.from({ length: times - 1 }, (_, i) => ({
            signal: "SIGCONT",
            thread: "main",
            when: { thread: "main", site: "async_exit_pointer: count the AEX", nth: i + 2 },
          })),
        ],
      });
    const nine = storm(9);
    expect([endOf(nine), count(nine, "pal.fail"), count(nine, "libos.upcall.enter", "main")]).toEqual(["exit", 0, 9]);
    const ten = storm(10);
    expect([endOf(ten), count(ten, "pal.fail"), count(ten, "libos.upcall.enter", "main")]).toEqual(["endless", 1, 0]);
  });

  it("B5: before ready_for_exceptions it turns for ever, with SIGTERM and SIGCONT blocked", () => {
    const early = (signal: string, stack: "sgx" | "native" = "sgx"): Ran =>
      runGramine(stack, {
        main: ["getpid"],
        signals: [
          { signal, thread: "main", when: stack === "sgx" ? { thread: "main", site: "pal_linux_main: argv, envp" } : { at: "1ns" } },
        ],
      });
    const ran = early("SIGCONT");
    order(ran, [
      "sgx.aex",
      "sgx_raise: EENTER",
      "enclave_entry: ready_for_exceptions == 0? FAIL_LOOP",
      "pal.fail",
      "enclave_entry: jump to itself",
    ]);
    expect([endOf(ran), ran.machine.threads[0]?.hostMask[0]]).toEqual(["endless", (1 << 14) | (1 << 17) | (1 << 11)]);
    expect(endOf(early("SIGTERM"))).toBe("endless");
    expect(endOf(early("SIGCONT", NATIVE))).toBe("exit");
  });

  it("an event after ready_for_exceptions and before the upcalls is dropped", () => {
    const ran = onSgx({
      main: ["getpid"],
      signals: [{ signal: "SIGCONT", thread: "main", when: { thread: "main", site: "pal_linux_main: libos_init()" } }],
    });
    order(ran, ["sgx.aex", "_PalExceptionHandler: no upcall: the event ends here", "app.call"]);
    expect(endOf(ran)).toBe("exit");
  });

  it("ignores what comes on the way to the end of the thread", () => {
    const ran = onSgx({
      main: ["getpid"],
      signals: [{ signal: "SIGCONT", thread: "main", when: { thread: "main", site: "sgx_ocall: jump to eexit_prepare" } }],
    });
    order(ran, ["sgx.aex", "enclave_entry: ocall_exit_called: ignored", "enclave_entry: EEXIT to RDX", "sgx.eresume", "process.exit"]);
    expect([endOf(ran), count(ran, "libos.upcall.enter")]).toEqual(["exit", 0]);
  });
});

describe("stage two: what the host says against what the processor says", () => {
  const injected = (signal: string, options: readonly OptionName[] = []): Ran =>
    onSgx(
      { main: [on("SIGSEGV"), on("SIGFPE"), on("SIGILL"), { compute: "2ms" }], signals: [{ signal, thread: "main", when: { at: "1ms" } }] },
      options,
    );

  it.each(["SIGFPE", "SIGSEGV", "SIGILL"])("%s of the host without an exception is malicious: exit 1", (signal) => {
    const ran = injected(signal);
    expect([exitStatus(ran), lastWords(ran), handled(ran)]).toEqual([1, ['print "Host injected malicious signal"'], []]);
  });

  it("but SIGSEGV with memfaults-without-exinfo: the application sees it, at address 0", () => {
    const ran = injected("SIGSEGV", ["memfaults-without-exinfo"]);
    expect([handled(ran), exitStatus(ran)]).toEqual([["SIGSEGV"], 0]);
  });

  it("a second signal of a fault finds the first one's handler at work, in untrusted code: an honest host has no mismatch to show", () => {
    const DIVIDE = { main: [on("SIGFPE"), { fault: "divide" }] };
    const fault = rowsOf(onSgx(DIVIDE), { what: "app.fault" })[0]?.time ?? 0;
    const ran = onSgx({ ...DIVIDE, signals: [{ signal: "SIGBUS", thread: "main", when: { at: `${fault + 1}ns` } }] });
    order(ran, ["sgx.aex", "host.signal.deliver", "host.signal.deliver", "process.exit"]);
    expect([exitStatus(ran), lastWords(ran)]).toEqual([1, ['print "Unexpected ... occurred inside untrusted PAL"']]);
  });

  it("in untrusted code a fault's signal is the end: one line, exit 1", () => {
    const ran = onSgx({
      main: [on("SIGSEGV"), { read: { takes: "1us", result: 1 } }],
      pins: [{ signal: "SIGSEGV", site: "sgx_ocall_read: take the arguments", in: "read" }],
    });
    expect([exitStatus(ran), lastWords(ran)]).toEqual([1, ['print "Unexpected ... occurred inside untrusted PAL"']]);
  });
});

describe("faults of the application", () => {
  const ALL = ["SIGSEGV", "SIGFPE", "SIGILL", "SIGBUS"].map((signal) => on(signal, "leave", { flags: ["SA_SIGINFO"] }));
  const HANDLERS = { leave: [{ siglongjmp: { place: "here" } }] };
  const faulting = (fault: Record<string, unknown> | string, options: readonly OptionName[] = []): Ran =>
    onSgx({ main: [...ALL, { sigsetjmp: { place: "here", do: [{ fault }] } }, "getpid"], handlers: HANDLERS }, options);
  /** si_code and si_addr as the handler reads them. */
  const told = (ran: Ran): unknown[] => [
    ...handled(ran),
    ...rowsOf(ran, { what: "app.siginfo" }).map((row) => row.value),
    ...rowsOf(ran, { what: "app.siginfo.more" }).map((row) => row.value),
  ];

  it.each([
    ["divide", ["SIGFPE", 1, 0]],
    ["illegal", ["SIGILL", 1, expect.any(Number)]],
  ])("%s reaches its handler without any option", (fault, expected) => {
    const ran = faulting(fault);
    expect([told(ran), exitStatus(ran)]).toEqual([expected, 0]);
  });

  it.each(["cpuid", "rdtsc"])("%s is emulated", (fault) => {
    const ran = faulting(fault);
    order(ran, ["sgx.aex", "_PalExceptionHandler: emulate the instruction; RIP past it", "app.return"]);
    expect([handled(ran), exitStatus(ran)]).toEqual([[], 0]);
  });

  it("in: a synthetic memory fault at address 0, also without EXINFO", () => {
    const ran = faulting("in");
    order(ran, ["_PalExceptionHandler: handle_ud: a synthetic MEMFAULT", "app.handler.enter"]);
    expect(told(ran)).toEqual(["SIGSEGV", 1, 0]);
  });

  const NULL = { what: "memory", address: 16 };

  it("a page fault without EXINFO has no vector: exit 1", () => {
    const ran = faulting(NULL);
    expect([exitStatus(ran), lastWords(ran), handled(ran)]).toEqual([1, ['print "Host injected malicious signal"'], []]);
  });

  it("with EXINFO its handler is told the address", () => {
    const ran = faulting(NULL, ["exinfo"]);
    expect(told(ran)).toEqual(["SIGSEGV", 1, 16]);
  });

  it("without EXINFO but with the insecure option the address is 0", () => {
    expect(told(faulting(NULL, ["memfaults-without-exinfo"]))).toEqual(["SIGSEGV", 1, 0]);
  });

  it("#AC has no address ever: exit 1 but for the insecure option", () => {
    const ran = faulting("align", ["exinfo"]);
    expect([exitStatus(ran), lastWords(ran)]).toEqual([
      1,
      ['print "Tried to handle a memory fault with no faulting address reported by SGX"'],
    ]);
    expect(handled(faulting("align", ["exinfo", "memfaults-without-exinfo"]))).toEqual(["SIGSEGV"]);
  });

  it("B28: a breakpoint is the host's SIGTRAP, which nobody has registered: killed by signal 5", () => {
    const ran = onSgx({ main: [on("SIGTRAP"), { fault: "int3" }] });
    expect([exitStatus(ran), handled(ran)]).toEqual([-5, []]);
    expect(handled(runGramine(NATIVE, { main: [on("SIGTRAP"), { fault: "int3" }] }))).toEqual(["SIGTRAP"]);
  });

  it("without EDMM no rights are kept: a write to read-only memory, past a file's end or below the stack is just made", () => {
    for (const vma of ["read-only", "protected", "file-end", "stack-guard"]) {
      const ran = faulting({ what: "memory", address: 4096, at: vma }, ["exinfo"]);
      expect([handled(ran), exitStatus(ran), count(ran, "app.fault")], vma).toEqual([[], 0, 0]);
    }
  });

  it("with EDMM they are", () => {
    expect(told(faulting({ what: "memory", address: 4096, at: "read-only" }, ["exinfo", "edmm"]))).toEqual(["SIGSEGV", 2, 4096]);
    expect(told(faulting({ what: "memory", address: 4096, at: "file-end" }, ["exinfo", "edmm"]))).toEqual(["SIGBUS", 2, 4096]);
  });

  it("with EDMM and without EXINFO a fault has no vector either (4.4.M2)", () => {
    expect(exitStatus(faulting({ what: "memory", address: 4096, at: "read-only" }, ["edmm"]))).toBe(1);
  });
});

describe("LibOS code that writes where it may not", () => {
  const OLDSET = { main: [{ sigprocmask: { how: "block", signals: ["SIGUSR1"], old: "read-only" } }, "getpid"] };

  it("B12: a read-only oldset is written without EDMM; with it LibOS code faults: exit 1", () => {
    const plain = onSgx(OLDSET);
    expect([resultOf(plain, "sigprocmask"), exitStatus(plain)]).toEqual(["0", 0]);
    const edmm = onSgx(OLDSET, ["exinfo", "edmm"]);
    expect([count(edmm, "libos.fault"), exitStatus(edmm)]).toEqual([1, 1]);
  });

  const OVERFLOW = { main: [on("SIGSEGV"), { fault: "stack" }, "getpid"] };

  it("B23: a stack overflow overwrites what lies below without EDMM; with it the signal frame faults: exit 1", () => {
    const plain = onSgx(OVERFLOW, ["exinfo"]);
    expect([handled(plain), exitStatus(plain), count(plain, "app.fault")]).toEqual([[], 0, 0]);
    const edmm = onSgx(OVERFLOW, ["exinfo", "edmm"]);
    order(edmm, ["app.fault", "libos.signal.force", "app.fault", "sgx.aex", "libos.fault"]);
    expect(exitStatus(edmm)).toBe(1);
    // Linux: SIGSEGV, because there is no room for its frame.
    expect(exitStatus(runGramine(NATIVE, OVERFLOW))).toBe(-11);
  });
});
