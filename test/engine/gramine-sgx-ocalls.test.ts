/** Ocalls of Gramine's SGX PAL (gramine-today.md 4.1, 4.2): what a signal does at each place of one. */

import { describe, expect, it } from "vitest";
import { NATIVE, onSgx, runGramine } from "../support/gramine-sgx.ts";
import { endOf, handled, on, type Ran, resultOf, results, rowsOf } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const INJECT = ["sigterm-injection"] as const;
const READ = { read: { takes: "1us", result: 8 } };

/** SIGTERM of the host at a place of the read's ocall; then the program computes and makes another call. */
const during = (site: string, handler: Record<string, unknown> = {}): Ran =>
  onSgx(
    { main: [on("SIGTERM", "quick", handler), READ, { compute: "1us" }, "gettime"], pins: [{ signal: "SIGTERM", site, in: "read" }] },
    INJECT,
  );

/** The host call of the read was made. */
const made = (ran: Ran): boolean => rowsOf(ran, { where: "host read: read: enter the kernel", who: "main" }).length > 0;
/** The handler ran before the read was back in the program. */
const inTheCall = (ran: Ran): boolean =>
  (rowsOf(ran, { what: "app.handler.enter" })[0]?.seq ?? Infinity) <
  (rowsOf(ran, { where: "libc read: back in the application" })[0]?.seq ?? 0);

describe("a signal while the ocall waits in the host (case B)", () => {
  it("ends the system call; the return from the ocall takes the event, the end of the call delivers the signal", () => {
    const ran = onSgx(
      { main: [on("SIGTERM"), { read: { from: "pipe" } }], signals: [{ signal: "SIGTERM", when: { thread: "main", call: "read" } }] },
      INJECT,
    );
    order(ran, [
      "host read: read: wait",
      "host.signal.deliver",
      "handle_async_signal: last_async_event := event, unless QUIT is there",
      "host.sigreturn",
      "do_syscall_intr: ret",
      "do_host_ocall: RSI := last_async_event exchanged with NO_EVENT",
      "do_host_ocall: EENTER",
      "enclave_entry: RSP := pre_ocall_stack",
      "sgx_ocall: _PalExceptionHandler(0, RSI, context, xstate, NULL)",
      "_PalExceptionHandler: upcall(RIP in the PAL, addr, context)",
      "quit_upcall: return",
      "_restore_sgx_context: jump to tmp_rip",
      "ocall_read: sgx_reset_ustack(); return the result",
      "handle_signal: prepare_sigframe(context, siginfo, handler)",
      "app.handler.enter",
    ]);
    expect(results(ran)).toContain("read -EINTR");
    expect(rowsOf(ran, { what: "sgx.aex" })).toEqual([]);
  });
});

describe("a signal at a place of an ocall that need not wait", () => {
  it.each([
    ["sgx_ocall: RSP := ustack, RBX := exit_target", "case A: SSA[0].RDI := -EINTR"],
    ["sgx_ocall (eexit_prepare): EEXIT", "case A: SSA[0].RDI := -EINTR"],
    ["do_host_ocall: count the EEXIT; RBX := ocall_table[code]", "jne do_syscall_intr_eintr"],
    ["do_syscall_intr: compare last_async_event with 0", "jne do_syscall_intr_eintr"],
    ["do_syscall_intr: jne do_syscall_intr_eintr", "RIP between the check and the system call? RIP := do_syscall_intr_eintr"],
    ["do_syscall_intr: syscall", "RIP between the check and the system call? RIP := do_syscall_intr_eintr"],
  ])("%s: no system call, -EINTR", (site, through) => {
    const ran = during(site);
    expect(rowsOf(ran, { where: through, who: "main" }).some((row) => row.what !== "branch" || row.value === 1)).toBe(true);
    expect([resultOf(ran, "read"), made(ran), handled(ran), inTheCall(ran)]).toEqual(["-EINTR", false, ["SIGTERM"], true]);
  });

  it("with SA_RESTART the call is made again after the handler", () => {
    const ran = during("sgx_ocall: RSP := ustack, RBX := exit_target", { flags: ["SA_RESTART"] });
    expect([resultOf(ran, "read"), made(ran), handled(ran)]).toEqual(["8", true, ["SIGTERM"]]);
  });

  it.each([
    "sgx_ocall: pre_ocall_stack := RSP",
    "do_syscall_intr: ret",
    "do_host_ocall: RSI := last_async_event exchanged with NO_EVENT",
    "enclave_entry: RSP := pre_ocall_stack",
    "sgx_ocall: pre_ocall_stack := NULL",
    "sgx_ocall: saved RAX := RDI; FSBASE",
    "_restore_sgx_context: xstate and registers := the saved ones; tmp_rip := RIP",
    "_restore_sgx_context: R15 := the saved one",
    "_restore_sgx_context: RSP := the saved one",
    "_restore_sgx_context: jump to tmp_rip",
    "ocall_read: sgx_reset_ustack(); return the result",
  ])("%s: the result is kept, the handler runs at the end of the call", (site) => {
    const ran = during(site);
    expect([resultOf(ran, "read"), made(ran), handled(ran), inTheCall(ran)]).toEqual(["8", true, ["SIGTERM"], true]);
  });

  it("between the exchange and EENTER: the event waits for the next return from an ocall (residual)", () => {
    const ran = during("do_host_ocall: EENTER");
    expect([resultOf(ran, "read"), handled(ran), inTheCall(ran)]).toEqual(["8", ["SIGTERM"], false]);
    order(ran, ["app.return", "app.compute", "ocall_gettime: sgx_reset_ustack(); return the result", "app.handler.enter"]);
  });
});

describe("case C keeps what the host call did", () => {
  it("RDI is the result, RSI the event; the rest of the return is made once", () => {
    const ran = during("enclave_entry: RSP := pre_ocall_stack");
    order(ran, [
      "sgx.aex",
      "enclave_entry: RIP not in [eexit_prepare, eexit_done): case C",
      "enclave_entry: SSA[0].RSI := event",
      "sgx.eresume",
      "sgx_ocall: saved RAX := RDI; FSBASE",
      "sgx_ocall: _PalExceptionHandler(0, RSI, context, xstate, NULL)",
    ]);
    expect(rowsOf(ran, { where: "host read: read: enter the kernel", who: "main" })).toHaveLength(1);
  });
});

describe("ocalls that are made again on EINTR", () => {
  const CONNECT = { call: { name: "connect", takes: "50ms", interruptible: true } };
  const SENDER = { sender: [{ nanosleep: "10ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] };
  const connect = (stack: "linux" | "sgx"): Ran =>
    runGramine(stack, { main: [on("SIGUSR1"), { clone: "sender" }, CONNECT], programs: SENDER });

  it("N7: a connect that waits never shows EINTR; the handler runs when the network has answered", () => {
    const ran = connect("sgx");
    order(ran, ["ocall_connect_simple: -EINTR? again", "ocall_connect_simple: sgx_ocall(OCALL_CONNECT_SIMPLE)", "app.handler.enter"]);
    expect(rowsOf(ran, { where: "host call: call: enter the kernel", who: "main" })).toHaveLength(2);
    expect(results(ran)).toContain("call 0");
    expect(results(connect("linux"))).toContain("call -EINTR");
  });

  const atTheCheck = (stack: "linux" | "sgx", name: string): Ran =>
    runGramine(stack, {
      main: [{ call: { name, takes: "1ms", interruptible: false } }],
      ...(stack === "sgx" ? { pins: [{ signal: "SIGCONT", site: "do_syscall_intr: compare last_async_event with 0", in: name }] } : {}),
    });
  const hostCalls = (ran: Ran): number => rowsOf(ran, { where: "host call: call: enter the kernel", who: "main" }).length;

  it("N8: pread64 of a file answers EINTR without a handler", () => {
    const ran = atTheCheck("sgx", "pread64");
    expect([results(ran), hostCalls(ran), handled(ran), endOf(ran)]).toEqual([["call -EINTR"], 0, [], "exit"]);
    expect(results(atTheCheck("linux", "pread64"))).toEqual(["call 0"]);
  });

  it.each(["sgx_ocall (eexit_prepare): EEXIT", "do_syscall_intr: compare last_async_event with 0"])(
    "%s: the wake of PalEventSet is made again, and nobody sleeps on (pal_events.c:137-147)",
    (site) => {
      const ran = onSgx({
        main: [{ clone: "waiter" }, { nanosleep: "5ms" }, { "futex-wake": { on: "word", count: 1 } }, { nanosleep: "5ms" }],
        programs: { waiter: [{ "futex-wait": { on: "word", timeout: "500ms" } }] },
        pins: [{ signal: "SIGCONT", site, in: "futex_wake" }],
      });
      order(ran, ["ocall_futex_wake: sgx_ocall(OCALL_FUTEX)", "PalEventSet: -EINTR? again", "PalEventSet: ocall_futex_wake()"]);
      expect(rowsOf(ran, { where: "PalEventSet: -EINTR? again", who: "main" }).filter(({ value }) => value === 1)).toHaveLength(1);
      expect(results(ran, "waiter")).toEqual(["futex_wait 0"]);
    },
  );

  it("N13: shutdown is not made, and answers 0", () => {
    const ran = atTheCheck("sgx", "shutdown");
    order(ran, ["do_syscall_intr: jne do_syscall_intr_eintr", "do_syscall_intr: RAX := -EINTR", "sgx_ocall_shutdown: return 0"]);
    expect([results(ran), hostCalls(ran)]).toEqual([["call 0"], 0]);
    expect(hostCalls(atTheCheck("linux", "shutdown"))).toBe(1);
  });

  it("fsync is made again", () => {
    const ran = atTheCheck("sgx", "fsync");
    expect([results(ran), hostCalls(ran)]).toEqual([["call 0"], 1]);
  });

  it("on native-linux none of these ends early, and each is made", () => {
    for (const name of ["pread64", "shutdown", "fsync"]) {
      const ran = runGramine(NATIVE, {
        main: [{ call: { name, takes: "1ms", interruptible: false } }],
        signals: [{ signal: "SIGCONT", when: { thread: "main", call: name } }],
      });
      expect([results(ran), hostCalls(ran)], name).toEqual([["call 0"], 1]);
    }
  });
});

describe("QUIT and INTERRUPTED outside", () => {
  it("an INTERRUPTED does not write over a QUIT", () => {
    const place = "do_host_ocall: RDI := result";
    const ran = onSgx(
      {
        main: [on("SIGTERM"), READ, "getpid"],
        pins: [
          { signal: "SIGTERM", site: place, in: "read" },
          { signal: "SIGCONT", site: "handle_async_signal: signal handler done", in: "read" },
        ],
      },
      INJECT,
    );
    expect(rowsOf(ran, { where: "last_async_event := event", who: "main" }).map((row) => [row.what, row.value])).toEqual([
      ["pal.event.pend", 4],
      ["pal.event.lost", 5],
    ]);
    expect(handled(ran)).toEqual(["SIGTERM"]);
  });
});
