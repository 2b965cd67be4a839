/** The Linux-SGX PAL while the enclave runs, branch by branch as the reference lists them: sections 2.1 and 2.2. */

import { describe, expect, it } from "vitest";
import { at, count, endOf, exitOf, handled, pin, resultOf, rowsOf, runProgram, runScenario, stepsOf } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const SGX = "graphene-sgx";
const TERM = "_DkTerminateSighandler";

describe("2.1 initialisation", () => {
  const ran = runScenario("initialisation", SGX);

  it("registers asynchronous, then synchronous signals, unblocking each set, before the thread has a TCS and enters", () => {
    order(ran, [
      "set_sighandler (async signals): rt_sigaction(SIGTERM, action)",
      "set_sighandler (async signals): rt_sigaction(SIGINT, action)",
      "set_sighandler (async signals): rt_sigaction(SIGCONT, action)",
      "set_sighandler (async signals): rt_sigprocmask(SIG_UNBLOCK, SIGTERM | SIGINT | SIGCONT)",
      "set_sighandler (sync signals): rt_sigaction(SIGSEGV, action)",
      "set_sighandler (sync signals): rt_sigprocmask(SIG_UNBLOCK, SIGSEGV | SIGILL | SIGFPE | SIGBUS)",
      "load_enclave: map_tcs(gettid): current_tcs := first free TCS",
      "sgx.eenter",
      "enclave_entry: handle_ecall: set exit_target, ustack_top; RSP = enclave stack",
    ]);
  });

  it("registers FAILURE first and the other six last, with preempt 1 until the application starts", () => {
    const upcalls = stepsOf(ran, "shim_init").filter((label) => label.includes("DkSetExceptionHandler"));
    expect(upcalls[0]).toContain("FAILURE");
    expect(upcalls).toHaveLength(7);
    expect(upcalls.at(-1)).toContain("RESUME");
    const [first] = rowsOf(ran, { where: "shim_init: tcb.context.preempt := 1" });
    const [last] = rowsOf(ran, { where: "shim_init: tcb.context.preempt := 0" });
    expect([first?.preempt, last?.preempt]).toEqual([1, 0]);
  });

  it("keeps the host's defaults for everything else: a host SIGALRM kills the process (D9)", () => {
    const killed = runProgram(SGX, [{ compute: "1ms" }], [at("SIGALRM", "600us")]);
    expect(rowsOf(killed, { what: "host.signal.default" })[0]?.signal).toBe(14);
    expect(endOf(killed)).toBe("killed");
  });

  it("async signal before map_tcs: RIP rewritten, EENTER without a TCS faults, the thread exits", () => {
    const ran = runProgram(SGX, ["getpid"], [pin("SIGINT", "load_enclave: map_tcs(gettid): current_tcs := first free TCS")]);
    order(ran, [
      "pal.event.inject",
      "host.sigreturn",
      "sgx.fault",
      "host.signal.deliver",
      '_DkResumeSighandler: print "... in Untrusted Code (RIP = ...)"',
      "thread.exit",
    ]);
    expect(resultOf(ran, "getpid")).toBe("never returns");
  });

  it("async signal between map_tcs and the first EENTER: taken for an ecall, rejected, EEXIT to address 0", () => {
    const ran = runProgram(SGX, ["getpid"], [pin("SIGINT", "ecall: RBX = TCS, RCX = async_exit_pointer, RDI = ecall number")]);
    order(ran, [
      "pal.event.inject",
      "sgx.eenter",
      "enclave_entry: exit_target == 0: an ecall",
      "enclave_entry: ecall index rejected, EEXIT to address 0",
      '_DkResumeSighandler: print "... in Untrusted Code (RIP = ...)"',
      "thread.exit",
    ]);
  });

  it("a new host thread before its map_tcs: the same, and only this thread ends", () => {
    const ran = runProgram(
      SGX,
      [{ clone: "one" }, { nanosleep: "5ms" }, "getpid"],
      [pin("SIGINT", "thread_start (untrusted): map_tcs(gettid): current_tcs := first free TCS", "one")],
      { programs: { one: ["getpid"] } },
    );
    order(ran, ["pal.event.inject", "sgx.fault", "thread.exit"], "one");
    expect(exitOf(ran, "one")).toBe(2);
    // Its creator waits for an event that it has not set.
    expect([resultOf(ran, "clone"), endOf(ran)]).toEqual(["never returns", "hang"]);
  });

  it("a signal in the enclave before init_signal: no upcall, the event is dropped and the context restored", () => {
    const ran = runProgram(SGX, ["getpid"], [pin("SIGINT", "shim_init: init_thread: tcb.tp")]);
    order(ran, [
      "sgx.aex",
      "sgx.eresume",
      "_DkGenericSignalHandle: upcall == NULL?",
      "pal.event.lost",
      "pal.exception.return",
      "app.return",
    ]);
    expect(handled(ran)).toEqual([]);
    expect(endOf(ran)).toBe("exit");
  });

  it.each([
    ["SIGTERM: the thread exits silently", "SIGTERM", 2],
    ["SIGCONT: ignored", "SIGCONT", 0],
  ])("a signal outside the enclave before init_signal, %s", (_, signal, exit) => {
    const ran = runProgram(
      SGX,
      [{ fork: "child" }, { nanosleep: "9ms" }],
      [pin(signal, "ocall_wake_thread: take the arguments", "child")],
      {
        programs: { child: ["getpid"] },
      },
    );
    order(ran, ["pal.event.inject", "pal.event.lost"], "child");
    expect(exitOf(ran, "child")).toBe(exit);
  });

  it("upcalls registered, tcb.tp still NULL: deliver_signal returns silently", () => {
    const ran = runProgram(
      SGX,
      [{ clone: "one" }, { nanosleep: "5ms" }],
      [pin("SIGINT", "clone_implementation_wrapper: allocate_tls: DkSegmentRegister(FS)", "one")],
      { programs: { one: ["getpid"] } },
    );
    const [lost] = rowsOf(ran, { what: "libos.signal.lost" });
    expect([lost?.who, lost?.value]).toEqual(["one", 2]);
    expect(resultOf(ran, "getpid", "one")).toBe("1");
  });
});

describe("2.2 async signal while the enclave runs", () => {
  const ran = runScenario("async-in-enclave", SGX);

  it("goes AEX, signal frame, EENTER with CSSA 1, frame for _DkExceptionHandler, EEXIT, sigreturn, ERESUME, upcall", () => {
    order(ran, [
      "sgx.aex",
      "host.signal.deliver",
      `${TERM}: RIP == async_exit_pointer()?`,
      "sgx_raise: RDX = after_resume() addr",
      "sgx_raise: EENTER(RBX, RCX)",
      "enclave_entry: RAX != 0 (CSSA): jump to handle_resume()",
      "enclave_entry: double-check: EXITINFO.valid?",
      "enclave_entry: double-check: RDI contains an event",
      "enclave_entry: update GPRSGX = (RSP = new frame, RDI = event, RSI = new frame, RIP = _DkExceptionHandler)",
      "enclave_entry: EEXIT(RDX = after_resume)",
      "host.sigreturn",
      "sgx.eresume",
      "_DkExceptionHandler: event_num = exit_info = RDI",
      "libos.upcall.enter",
      "app.handler.enter",
      "app.handler.return",
      "pal.exception.return",
    ]);
    const entry = rowsOf(ran, { where: "sgx_raise: EENTER" })[0];
    expect([entry?.value, entry?.extra, entry?.cssa]).toEqual([1, 5, 1]);
    expect(rowsOf(ran, { what: "sgx.eresume" })[0]?.cssa).toBe(0);
    // The upcall runs in normal context: no host signal frame is left.
    expect(rowsOf(ran, { what: "app.handler.enter" })[0]?.value).toBe(0);
  });

  it("branch a: EXITINFO of an earlier exception is still valid, so the event the host passed is ignored", () => {
    const ran = runProgram(
      SGX,
      [{ sigaction: { signal: "SIGFPE", handler: "skip" } }, { fault: "divide" }, "getpid"],
      [pin("SIGINT", "async_exit_pointer: ERESUME", "main", 2)],
      { handlers: { quick: [], skip: ["skip-fault"] } },
    );
    const valid = rowsOf(ran, { where: "enclave_entry: double-check: EXITINFO.valid?" });
    expect(valid.map((row) => row.value)).toEqual([1, 1]);
    expect(rowsOf(ran, { what: "libos.upcall.enter" }).filter((row) => row.value === 5)).toEqual([]);
    expect(handled(ran)).not.toContain("SIGINT");
  });

  it("RSP still points outside just after EENTER: the frame is written to untrusted memory", () => {
    const ran = runProgram(SGX, [{ read: { takes: "1us", result: 8 } }], [pin("SIGINT", "enclave_entry: RSP = ocall stack (TLS.stack)")]);
    const [aex] = rowsOf(ran, { what: "sgx.aex" });
    expect(ran.texts[aex?.detail ?? 0]).toBe("the stack pointer is outside the enclave");
    expect(rowsOf(ran, { what: "sgx.clobber" })[0]?.value).toBe(4);
  });

  it("and just before EEXIT, after TLS.stack was saved: the handler's own ocalls overwrite it", () => {
    const ran = runProgram(SGX, [{ read: { takes: "1us", result: 8 } }], [pin("SIGINT", "sgx_ocall (untrusted RSP): EEXIT(exit_target)")], {
      handlers: { quick: [{ write: { takes: "1us", result: 1 } }] },
    });
    expect(ran.texts[rowsOf(ran, { what: "sgx.aex" })[0]?.detail ?? 0]).toBe("the stack pointer is outside the enclave");
    order(ran, ["sgx.clobber", "app.handler.enter", "ocall.enter"]);
    expect(resultOf(ran, "read")).not.toBe("8");
  });

  it("another signal during stage one: AEX with CSSA 1, then no SSA frame for EENTER: SIGSEGV, exit", () => {
    const ran = runProgram(SGX, [{ compute: "1ms" }], [at("SIGINT", "600us"), pin("SIGTERM", "enclave_entry: jump to handle_exception()")]);
    expect(rowsOf(ran, { what: "sgx.aex" }).map((row) => row.cssa)).toEqual([1, 2]);
    order(ran, ["sgx.aex", "sgx.aex", "sgx.fault", '_DkResumeSighandler: print "... in Untrusted Code (RIP = ...)"', "thread.exit"]);
    expect(rowsOf(ran, { what: "sgx.fault" })[0]?.value).toBe(2);
  });

  it("a second signal at the AEP before ERESUME stacks a second frame; handlers run newest first", () => {
    const ran = runProgram(
      SGX,
      [{ compute: "1ms" }, "getpid"],
      [at("SIGINT", "600us"), pin("SIGTERM", "async_exit_pointer: ERESUME", "main", 2)],
    );
    expect(count(ran, "sgx.aex")).toBe(1);
    expect(count(ran, "sgx.eresume")).toBe(1);
    expect(rowsOf(ran, { what: "libos.upcall.enter" }).map((row) => row.value)).toEqual([4, 5]);
    expect(handled(ran)).toEqual(["SIGTERM", "SIGINT"]);
    expect(endOf(ran)).toBe("exit");
  });

  it("a pal_frame is found: 16 words of the interrupted stack go, both frame and context are passed, the context wins (D1)", () => {
    const ran = runProgram(SGX, [{ read: { takes: "1us", result: 8 } }], [pin("SIGINT", "DkStreamRead: no error?")]);
    order(ran, ["sgx.aex", "sgx.clobber", "app.handler.enter", "pal.exception.return"]);
    expect(rowsOf(ran, { what: "sgx.clobber" }).map((row) => row.value)).toContain(1);
    expect(rowsOf(ran, { where: "_DkExceptionReturn: event.context, event.frame" })[0]?.value).toBe(1);
    expect(count(ran, "pal.call.abandon")).toBe(0);
    expect(resultOf(ran, "read")).toBe("8");
  });

  it("an interrupt without a signal is an AEX and an ERESUME, nothing else", () => {
    const ran = runProgram(SGX, [{ loop: { times: 50, do: ["getpid"] } }], [], { interrupts: 1_000_000 });
    expect(count(ran, "sgx.aex")).toBeGreaterThan(0);
    expect(count(ran, "sgx.eresume")).toBe(count(ran, "sgx.aex"));
    expect(count(ran, "host.signal.deliver")).toBe(0);
  });

  it("and so it is in stage one: AEX to CSSA 2, ERESUME back to 1, the event arrives", () => {
    const ran = runProgram(SGX, [{ loop: { times: 300, do: [{ compute: "10us" }] } }], [{ signal: "SIGINT", when: { every: "50us" } }], {
      interrupts: 1_000_000,
      limit: { time: "3ms", transitions: 50_000 },
    });
    const second = ran.rows.findIndex((row) => row.what === "sgx.aex" && row.cssa === 2);
    expect(second).toBeGreaterThan(0);
    const back = ran.rows[second + 1];
    expect([back?.what, back?.cssa, back?.value]).toEqual(["sgx.eresume", 1, 0]);
    expect(count(ran, "sgx.fault")).toBe(0);
    expect(handled(ran).length).toBeGreaterThan(2);
  });
});
