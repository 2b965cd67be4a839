/** The catalogue of the Linux-SGX PAL (reference, 3.4): what a signal does between two steps of the entry code and of an ocall. */

import { describe, expect, it } from "vitest";
import {
  at,
  count,
  endOf,
  exitOf,
  handled,
  on,
  pin,
  type Ran,
  resultOf,
  rowsOf,
  runProgram,
  runScenario,
} from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const SGX = "graphene-sgx";
const TERM = "_DkTerminateSighandler";
const READ = { read: { takes: "1us", result: 8 } };
const CALLS = { handlers: { quick: ["yield"] } } as const;

/** What `sgx.clobber` rows say, in order. */
const clobbered = (ran: Ran): number[] => rowsOf(ran, { what: "sgx.clobber" }).map((row) => row.value);
const [WORDS, RED_ZONE, VECTORS, UNTRUSTED_STACK] = [1, 2, 3, 4];

describe("sgx-ocall-asm-window", () => {
  const place = "sgx_ocall: RSP = ustack, clear registers";

  it("a handler's ocall moves TLS.stack between its saving and EEXIT: the outer ocall is made, its return is lost", () => {
    const ran = runProgram(SGX, [READ, "getpid"], [pin("SIGINT", place)], CALLS);
    order(ran, [
      "sgx_ocall: save registers and FPU state, TLS.stack = RSP",
      "sgx.aex",
      "app.handler.enter",
      "ocall_sleep: return",
      "app.handler.return",
      "pal.exception.return",
      place,
      "ocall_sock_recv: INLINE_SYSCALL(recvfrom)",
      "sgx_entry_return: EENTER(RBX, RCX)",
      "undefined",
    ]);
    expect(rowsOf(ran, { what: "undefined" })[0]?.where).toBe("enclave_entry: RSP = ocall stack (TLS.stack)");
    expect(resultOf(ran, "read")).toBe("never returns");
  });

  it("a handler without an ocall leaves it alone", () => {
    const ran = runProgram(SGX, [READ, "getpid"], [pin("SIGINT", place)]);
    expect([handled(ran), resultOf(ran, "read"), endOf(ran)]).toEqual([["SIGINT"], "8", "exit"]);
  });
});

describe("sgx-nested-host-signal: SIGTERM in sgx_raise, with CSSA 1", () => {
  const during = (place: string): Ran => runProgram(SGX, [{ compute: "1ms" }, "getpid"], [at("SIGINT", "600us"), pin("SIGTERM", place)]);

  it.each([
    "sgx_raise: RBX = current thread's TCS, RCX = async_exit_pointer() addr",
    "sgx_raise: RDI = event (from first func arg)",
    "sgx_raise: EENTER(RBX, RCX)",
    "sgx_raise: after_resume(): return",
  ])("at %s: RDX is loaded, so 0xf3 gets to the handler table and out of its bounds", (place) => {
    const ran = during(place);
    order(ran, [
      "pal.event.inject",
      "sgx_entry_return: EENTER(RBX, RCX)",
      "enclave_entry: RAX != 0 (CSSA): jump to handle_resume()",
      "enclave_entry: EEXIT(RDX = after_resume)",
      "sgx_raise: after_resume(): return",
      `${TERM}: signal handler done`,
      "host.sigreturn",
      "sgx.eresume",
      "_DkGetExceptionHandler: lock the slot",
      "undefined",
    ]);
    const entry = rowsOf(ran, { where: "sgx_entry_return: EENTER" }).find((row) => row.value === 1);
    expect([entry?.value, entry?.extra]).toEqual([1, -13]);
    expect(ran.texts[rowsOf(ran, { where: "_DkGetExceptionHandler: lock the slot" })[0]?.detail ?? 0]).toBe("handlers[243]");
    expect(rowsOf(ran, { what: "undefined" })[0]?.where).toBe("_DkGenericSignalHandle: read past the end of the table, call what is there");
    expect(handled(ran)).toEqual([]);
  });

  it("before RDX is loaded: stage one leaves the enclave for nowhere", () => {
    const ran = during("sgx_raise: RDX = after_resume() addr");
    order(ran, ["pal.event.inject", "enclave_entry: jump to handle_exception()", "sgx.fault", "thread.exit"]);
    expect(rowsOf(ran, { what: "sgx.fault" })[0]?.value).toBe(1);
  });
});

describe("sgx-exitinfo-stale", () => {
  it("CPUID: the second frame keeps the vector, but at its RIP there is no CPUID: a message, the thread ends", () => {
    const ran = runProgram(SGX, [{ fault: "cpuid" }, "getpid"], [pin("SIGINT", "async_exit_pointer: ERESUME", "main", 2)]);
    order(ran, [
      "sgx_raise: EENTER(RBX, RCX)",
      "sgx_raise: EENTER(RBX, RCX)",
      "sgx.eresume",
      "_DkExceptionHandler: vector 6 (#UD)?",
      '_DkExceptionHandler: print "Illegal instruction executed in enclave"',
      "thread.exit",
    ]);
    expect(rowsOf(ran, { where: "_DkExceptionHandler: ocall_cpuid()" })).toEqual([]);
    expect([handled(ran), exitOf(ran)]).toEqual([[], 2]);
  });
});

describe("2.4: a fault in the enclave, by what is at the interrupted RIP", () => {
  const fault = (place: string): Ran => runProgram(SGX, [on("SIGSEGV"), READ, "getpid"], [pin("SIGSEGV", place)]);

  it("PAL text is not treated specially: the frame is found, the application's handler runs", () => {
    const ran = fault("DkStreamRead: ocall_sock_recv()");
    order(ran, ["sgx.aex", "sgx.clobber", "libos.upcall.enter", "app.handler.enter", "pal.exception.return"]);
    expect([handled(ran), count(ran, "libos.fault"), resultOf(ran, "read")]).toEqual([["SIGSEGV"], 0, "8"]);
  });

  it("LibOS text is an internal fault", () => {
    const ran = fault("pipe_read: DkStreamRead(hdl.pal_handle)");
    expect([handled(ran), count(ran, "libos.fault")]).toEqual([[], 1]);
  });
});

describe("what is overwritten", () => {
  it("sgx-redzone-clobber, sgx-xstate-not-saved: W10 loses its red zone and its vector registers", () => {
    const ran = runScenario("w10-vector-registers", SGX);
    expect(clobbered(ran)).toEqual([RED_ZONE, VECTORS]);
    order(ran, [
      "sgx.clobber",
      "app.handler.enter",
      "app.handler.return",
      "sgx.clobber",
      "program main: are the vector registers as they were?",
    ]);
  });

  it("the vector registers only if the handler uses them and the program needs them", () => {
    const during = (main: unknown[], quick: unknown[]): number[] =>
      clobbered(runProgram(SGX, [...main, { compute: "1ms" }], [at("SIGINT", "600us")], { handlers: { quick } as never }));
    expect(during([{ vectors: "live" }], [{ compute: "1us" }])).toEqual([RED_ZONE]);
    expect(during([], [{ vectors: "clobber" }])).toEqual([RED_ZONE]);
  });

  it("PAL text has no red zone, but a pal_frame for the trampoline (sgx-eframe-stack-clobber)", () => {
    expect(clobbered(runProgram(SGX, [READ], [pin("SIGINT", "DkStreamRead: no error?")]))).toEqual([WORDS]);
    expect(clobbered(runProgram(SGX, [READ], [pin("SIGINT", "pipe_read: DkStreamRead(hdl.pal_handle)")]))).toEqual([RED_ZONE]);
  });

  it("sgx-ustack-reset-clobber: an ocall of the handler, while the outer one has something on the untrusted stack", () => {
    const during = (place: string): number[] => clobbered(runProgram(SGX, [READ], [pin("SIGINT", place)], CALLS));
    expect(during("sgx_ocall: save registers and FPU state, TLS.stack = RSP")).toContain(UNTRUSTED_STACK);
    expect(during("sgx_ocall: restore FSBASE, FXSAVE area and registers")).toContain(UNTRUSTED_STACK);
    expect(during("sgx_ocall: return the ocall's result")).toContain(UNTRUSTED_STACK);
    expect(during("sgx_ocall: sgx_ocalloc: copy the arguments to the untrusted stack")).not.toContain(UNTRUSTED_STACK);
    expect(during("DkStreamRead: no error?")).not.toContain(UNTRUSTED_STACK);
  });

  it("an ocall that an event cut short has its result, -13: nothing of it is lost there", () => {
    expect(clobbered(runScenario("w1-read-killed", SGX))).toEqual([]);
    expect(clobbered(runProgram(SGX, [READ], [pin("SIGINT", "ocall_sock_recv: take the arguments")], CALLS))).toEqual([]);
  });
});

describe("sgx-wakeup-ocall-abandoned", () => {
  it("the event's word is set, the wake-up never made: the waiter sleeps on, and a later look finds it set", () => {
    const site = "ocall_futex: take the arguments";
    const waits = (timeout: Record<string, string>, nth: number): Ran =>
      runProgram(
        SGX,
        [{ clone: "one" }, { nanosleep: "1ms" }, { "futex-wake": { on: "word" } }, { nanosleep: "20ms" }],
        nth > 0 ? [{ signal: "SIGINT", thread: "main", when: { thread: "main", site, nth } }] : [],
        { programs: { one: [{ "futex-wait": { on: "word", ...timeout } }] } },
      );
    // The visit that the call makes: others, of the start and of clone, come before it.
    const quiet = waits({}, 0);
    const [called] = rowsOf(quiet, { what: "app.call", where: "futex_wake" });
    const nth = rowsOf(quiet, { where: site, who: "main" }).filter((row) => row.seq < (called?.seq ?? 0)).length + 1;
    const ran = waits({}, nth);
    order(ran, [
      "DkEventSet: cmpxchg(signaled, 0, 1): was it 1?",
      "ocall.enter",
      "pal.event.inject",
      "pal.call.abandon",
      "app.handler.enter",
    ]);
    const [back] = rowsOf(ran, { where: "libc futex_wake: back in the application" });
    const within = (row: { seq: number }): boolean => row.seq > (called?.seq ?? 0) && row.seq < (back?.seq ?? 0);
    expect(rowsOf(ran, { where: "host futex-wake", who: "main" }).filter(within)).toEqual([]);
    expect([resultOf(ran, "futex_wake"), resultOf(ran, "futex_wait", "one")]).toEqual(["1", "never returns"]);
    expect(resultOf(waits({ timeout: "10ms" }, nth), "futex_wait", "one")).toBe("0");
  });

  it("without the signal it is woken", () => {
    const ran = runProgram(SGX, [{ clone: "one" }, { nanosleep: "1ms" }, { "futex-wake": { on: "word" } }, { nanosleep: "20ms" }], [], {
      programs: { one: [{ "futex-wait": { on: "word" } }] },
    });
    expect(rowsOf(ran, { where: "host futex-wake: futex-wake: return from the kernel", who: "main" }).at(-1)?.value).toBe(1);
    expect(resultOf(ran, "futex_wait", "one")).toBe("0");
  });
});
