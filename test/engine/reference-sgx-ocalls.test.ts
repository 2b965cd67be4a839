/** The Linux-SGX PAL outside the enclave, synchronous signals and the way back: sections 2.3 to 2.6 of the reference. */

import { describe, expect, it } from "vitest";
import {
  at,
  count,
  endOf,
  exitOf,
  handled,
  inCall,
  on,
  pin,
  type Ran,
  resultOf,
  rowsOf,
  runProgram,
  runScenario,
  SENDER,
  stepsOf,
} from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const SGX = "graphene-sgx";
const TERM = "_DkTerminateSighandler";

describe("2.3 async signal outside the enclave", () => {
  const read = { read: { takes: "1us", result: 8 } };

  it("rewrites RIP, RDI and RSI, enters with CSSA 0 and abandons the PAL call (D3): 0 with the old error", () => {
    const ran = runScenario("lost-interrupted-error", SGX);
    order(ran, [
      "host.signal.deliver",
      `${TERM}: RIP == async_exit_pointer()?`,
      "pal.event.inject",
      "host.sigreturn",
      "sgx_entry_return: EENTER(RBX, RCX)",
      "enclave_entry: RSP = ocall stack (TLS.stack)",
      "sgx_ocall: restore FSBASE, FXSAVE area and registers",
      "sgx_ocall: _DkHandleExternalEvent(event, uc)",
      "_DkHandleExternalEvent: frame = get_frame(uc) <finds outermost PAL function>",
      "libos.upcall.enter",
      "app.handler.enter",
      "app.handler.return",
      "pal.exception.return",
      "pal.call.abandon",
      "pipe_read: ret = bytes ? bytes : -PAL_ERRNO",
    ]);
    const entry = rowsOf(ran, { what: "sgx.eenter" }).find((row) => row.extra === -13);
    expect(entry?.value).toBe(0);
    expect(rowsOf(ran, { where: "DkStreamRead: return to the LibOS" })).toEqual([]);
  });

  it("branch a: RESUME in DkObjectsWaitAny returns at once, the code survives, no upcall", () => {
    const ran = runProgram(SGX, [on("SIGUSR1"), { clone: "sender" }, { "futex-wait": { on: "word" } }], [], { programs: SENDER });
    order(ran, [
      "_DkHandleExternalEvent: RESUME while in DkObjectsWaitAny?",
      "_DkHandleExternalEvent: return at once: the code survives, no upcall",
      "ocall.return",
    ]);
    expect(rowsOf(ran, { what: "libos.upcall.enter", who: "main" }).map((row) => [row.value, row.extra])).toEqual([[7, 13]]);
    expect(resultOf(ran, "futex_wait")).toBe("-EINTR");
  });

  it("branch c: no pal_frame (DkThreadExit has none): the upcall returns here, the code is not lost, the exit is done again", () => {
    const ran = runProgram(SGX, [{ clone: "one" }, { nanosleep: "5ms" }], [pin("SIGINT", "ocall_exit: take the arguments", "one")], {
      programs: { one: [{ exit: { status: 0 } }] },
    });
    expect(rowsOf(ran, { where: "_DkHandleExternalEvent: frame = get_frame", who: "one" })[0]?.value).toBe(-1);
    expect(rowsOf(ran, { where: "sgx_ocall: return the ocall's result", who: "one" }).at(-1)?.value).toBe(-13);
    expect(rowsOf(ran, { what: "ocall.enter", where: "DkThreadExit", who: "one" })).toHaveLength(2);
    expect(exitOf(ran, "one")).toBe(0);
  });

  it("the outermost PAL function is the innermost Dk* call: only the handler's own call is abandoned", () => {
    const ran = runProgram(
      SGX,
      [{ compute: "1ms" }, "getpid"],
      [at("SIGINT", "600us"), pin("SIGTERM", "ocall_sleep: take the arguments")],
      {
        handlers: { quick: [{ nanosleep: "100us" }] },
      },
    );
    expect(rowsOf(ran, { what: "pal.call.abandon" })).toHaveLength(1);
    expect(handled(ran)[0]).toBe("SIGINT");
    order(ran, ["app.handler.enter", "pal.call.abandon", "shim_do_nanosleep: return", "libos.signal.delayed", "libos.assert"]);
  });

  it("after the host call finished, before EENTER: its result is discarded", () => {
    const ran = runProgram(SGX, [read], [pin("SIGINT", "ocall_sock_recv: unix_to_pal_error(result)")]);
    expect(rowsOf(ran, { where: "host read: read: return from the kernel" })[0]?.value).toBe(8);
    expect(resultOf(ran, "read")).toBe("0");
  });

  it("before the host call was made: it never happens, interruptible or not", () => {
    const ran = runProgram(
      SGX,
      [read, { write: { takes: "1us", result: 3 } }],
      [pin("SIGINT", "ocall_sock_recv: take the arguments"), pin("SIGTERM", "ocall_sock_send: take the arguments")],
    );
    expect(rowsOf(ran, { where: "host read" })).toEqual([]);
    const [back] = rowsOf(ran, { where: "libc write: back in the application" });
    expect(rowsOf(ran, { where: "host write" }).filter((row) => row.seq < (back?.seq ?? 0))).toEqual([]);
    expect([resultOf(ran, "read"), resultOf(ran, "write")]).toEqual(["0", "0"]);
  });

  it("two signals before EENTER: the second event overwrites the first", () => {
    const ran = runProgram(
      SGX,
      [{ read: { from: "pipe" } }],
      [inCall("SIGINT", "read"), pin("SIGTERM", "sgx_entry_return: RBX = current thread's TCS, RCX = async_exit_pointer() addr")],
    );
    expect(rowsOf(ran, { what: "pal.event.overwrite" })).toHaveLength(1);
    expect(handled(ran)).toEqual(["SIGTERM"]);
  });

  it("in the handler of another signal: that handler's frame is abandoned and its mask stays blocked", () => {
    const ran = runProgram(
      SGX,
      [{ read: { from: "pipe" } }, { compute: "1ms" }, "getpid"],
      [inCall("SIGINT", "read"), pin("SIGTERM", `${TERM}: RIP == async_exit_pointer()?`), pin("SIGINT", "shim_do_getpid: ret = tgid")],
    );
    expect(handled(ran)).toEqual(["SIGTERM"]);
    const injected = rowsOf(ran, { what: "pal.event.inject" });
    expect(injected.map((row) => row.signal)).toEqual([15]);
    // SIGINT and SIGCONT are blocked in the host from now on: the last SIGINT stays there.
    expect(rowsOf(ran, { what: "host.signal.deliver" }).map((row) => row.signal)).toEqual([2, 15]);
  });

  it("in the handler of a signal that came in the enclave (CSSA 1): event 243, and EEXIT to an address that was never loaded", () => {
    const ran = runProgram(SGX, [{ compute: "1ms" }], [at("SIGINT", "600us"), pin("SIGTERM", `${TERM}: event := signal`)]);
    const entry = rowsOf(ran, { where: "sgx_entry_return: EENTER" }).find((row) => row.value === 1);
    expect([entry?.value, entry?.extra]).toEqual([1, -13]);
    expect(rowsOf(ran, { where: "enclave_entry: double-check: RDI contains an event" }).at(-1)?.value).toBe(243);
    // D2: RDX was not loaded, so stage one leaves the enclave for nowhere.
    order(ran, ["pal.event.inject", "enclave_entry: jump to handle_exception()", "sgx.fault", "thread.exit"]);
  });
});

describe("2.4 sync signal while the enclave runs", () => {
  const fault = (what: string): Ran =>
    runProgram(
      SGX,
      [...["SIGFPE", "SIGSEGV", "SIGILL"].map((signal) => on(signal, "skip")), { fault: { what, address: 4096 } }, "getpid"],
      [],
      {
        handlers: { quick: [], skip: ["skip-fault"] },
      },
    );

  it("#DE: EXITINFO is valid, the event comes from the vector, the handler's context goes back", () => {
    const ran = fault("divide");
    order(ran, [
      "app.fault",
      "sgx.aex",
      "_DkResumeSighandler: RIP == async_exit_pointer()?",
      "sgx_raise: EENTER(RBX, RCX)",
      "sgx.eresume",
      "_DkExceptionHandler: event_num = from vector: #DE arithmetic, #AC memory",
      "libos.upcall.enter",
      "app.handler.enter",
    ]);
    expect(rowsOf(ran, { what: "sgx.aex" })[0]?.value).toBe(0);
    expect(resultOf(ran, "getpid")).toBe("1");
  });

  it("#PF: EXITINFO is not valid, the event is the host's, the address is 0 (D5)", () => {
    const ran = fault("memory");
    expect(rowsOf(ran, { what: "sgx.aex" })[0]?.value).toBe(-1);
    expect(rowsOf(ran, { where: "enclave_entry: double-check: RDI contains an event" })[0]?.value).toBe(2);
    expect(rowsOf(ran, { where: "memfault_upcall: siginfo_t info" })[0]?.value).toBe(0);
    expect(handled(ran)).toEqual(["SIGSEGV"]);
  });

  it.each(["illegal", "syscall"])("#UD of %s: a message, the thread ends, no SIGILL (D4)", (what) => {
    const ran = fault(what);
    order(ran, ["app.fault", "sgx.aex", '_DkExceptionHandler: print "Illegal instruction executed in enclave"', "thread.exit"]);
    expect(handled(ran)).toEqual([]);
    expect(exitOf(ran)).toBe(2);
  });

  it.each([
    ["cpuid", 1, 2],
    ["rdtsc", 0, 2],
    ["int3", 0, 1],
  ])("#UD of %s: emulated, %d ocall, resumed %d bytes on", (what, ocalls, bytes) => {
    const ran = fault(what);
    order(ran, ["app.fault", "sgx.aex", "sgx.eresume", `_DkExceptionHandler: RIP + ${bytes}, resume`, "app.return"]);
    expect(rowsOf(ran, { where: "_DkExceptionHandler: ocall_cpuid()" })).toHaveLength(ocalls);
    expect(count(ran, "libos.upcall.enter")).toBe(0);
    expect(resultOf(ran, "getpid")).toBe("1");
  });
});

describe("2.5 and 2.6", () => {
  it("2.5: a fault in untrusted code ends the thread, and nobody tells the LibOS", () => {
    const ran = runScenario("sync-outside-enclave", SGX);
    order(
      ran,
      [
        "host.signal.deliver",
        '_DkResumeSighandler: print "... in Untrusted Code (RIP = ...)"',
        "host exit: exit: enter the kernel",
        "thread.exit",
      ],
      "reader",
    );
    expect(rowsOf(ran, { where: "try_process_exit", who: "reader" })).toEqual([]);
    expect(resultOf(ran, "nanosleep")).toBe("0");
  });

  it("2.5: LibOS locks of the dead thread stay held: the next who wants one waits for ever", () => {
    const accept = { accept: { on: "listener" } };
    const ran = runProgram(
      SGX,
      [{ clone: "one" }, { nanosleep: "2ms" }, accept],
      [pin("SIGSEGV", "ocall_sock_accept: take the arguments", "one")],
      {
        programs: { one: [accept] },
        arrivals: [{ to: "listener", bytes: 2, when: { at: "3ms" } }],
      },
    );
    expect(exitOf(ran, "one")).toBe(2);
    order(ran, ["DkObjectsWaitAny (mutex): nwaiters + 1", "thread.block"]);
    expect([resultOf(ran, "accept"), endOf(ran)]).toEqual(["never returns", "hang"]);
  });

  it("2.6: the slot's lock is taken and released around every look at the table", () => {
    const ran = runScenario("async-in-enclave", SGX);
    order(ran, [
      "_DkGetExceptionHandler: lock the slot",
      "_DkGetExceptionHandler: read handlers[event].upcall",
      "_DkGetExceptionHandler: unlock the slot",
      "libos.upcall.enter",
    ]);
  });

  it("2.6: context: the interrupted code goes on; nothing above it is unwound", () => {
    const ran = runScenario("async-in-enclave", SGX);
    const [back] = rowsOf(ran, { where: "_DkExceptionReturn: update registers with event.context registers" });
    const next = ran.rows.find((row) => row.seq > (back?.seq ?? 0) && row.who === "main");
    expect(next?.where).toBe("program main: compute");
    expect(stepsOf(ran, "DkExceptionReturn")).toEqual(["_DkExceptionReturn(event)"]);
  });

  it("2.6: frame: the PAL function returns 0, none of its own end is run", () => {
    const ran = runScenario("lost-interrupted-error", SGX);
    expect(stepsOf(ran, "DkStreamRead", "main")).toEqual(["ENTER_PAL_CALL: mark the pal_frame", "ocall_sock_recv()"]);
  });
});
