/** AEX-Notify as it was proposed for Gramine (gramine-today.md 13, A1 to A8). */

import { describe, expect, it } from "vitest";
import type { OptionName } from "../../engine/index.ts";
import { onSgx, type Program } from "../support/gramine-sgx.ts";
import { count, endOf, handled, on, type Ran, results, rowsOf } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const NOTIFY: readonly OptionName[] = ["aex-notify", "sigterm-injection", "exinfo"];
const notified = (program: Program): Ran => onSgx(program, NOTIFY);
/** The kinds of SGX in the main thread since its first call. */
const crossings = (ran: Ran): string[] => {
  const first = rowsOf(ran, { what: "app.call" })[0]?.seq ?? 0;
  return rowsOf(ran, { who: "main" }).flatMap(({ what, seq }) => (seq > first && what.startsWith("sgx.") ? [what] : []));
};

describe("a signal in the application's code", () => {
  const ran = notified({ main: [on("SIGTERM"), { compute: "5ms" }], signals: [{ signal: "SIGTERM", when: { at: "3ms" } }] });

  it("A1, A2, A5: the handler notes it, the AEX code raises it, stage one goes to stage two by EDECCSSA", () => {
    order(ran, [
      "sgx.aex",
      "handle_async_signal: last_async_event := event, unless QUIT is there",
      "host.sigreturn",
      "async_exit_pointer: maybe_raise_pending_signal()",
      "maybe_raise_pending_signal: last_async_event exchanged with NO_EVENT",
      "sgx_raise: EENTER",
      "enclave_entry: ready_for_aex_notify?",
      "enclave_entry: SSA[0].AEXNOTIFY := 0",
      "enclave_entry: EDECCSSA",
      "enclave_entry (aexnotify_finaljmp): jump to R11",
      "_PalExceptionHandler: upcall(RIP in the PAL, addr, context)",
      "_PalExceptionHandler: restore_sgx_context: SSA[0].AEXNOTIFY := 1, unless the context is on the signal stack",
      "app.handler.enter",
    ]);
    expect([handled(ran), endOf(ran)]).toEqual([["SIGTERM"], "exit"]);
  });

  it("the enclave is not left for it", () => {
    expect(crossings(ran).slice(0, 4)).toEqual(["sgx.aex", "sgx.eenter", "sgx.edeccssa", "sgx.eexit"]);
  });
});

describe("an exit without a signal", () => {
  const program: Program = {
    main: [{ loop: { times: 60, do: ["getpid"] } }, { read: { takes: "1us", result: 3 } }],
    interrupts: 1_000_000,
  };

  it("A4: ERESUME is an EENTER with a dummy INTERRUPTED; in stage two, and on the way out and back, it is an ERESUME", () => {
    const ran = notified(program);
    const morphed = rowsOf(ran, { where: "async_exit_pointer: ERESUME" }).filter((row) => row.what === "sgx.eenter");
    expect(crossings(ran)).toContain("sgx.eresume");
    expect([...new Set(morphed.map((row) => row.extra))]).toEqual([5]);
    expect(count(ran, "sgx.edeccssa")).toBe(morphed.length);
    expect([results(ran).at(-1), endOf(ran), count(ran, "pal.fail")]).toEqual(["read 3", "exit", 0]);
  });
});

describe("a signal while stage one is at work", () => {
  // SIGTERM leads to stage one; SIGCONT interrupts that: its own EENTER finds no SSA frame.
  const ran = notified({
    main: [on("SIGTERM"), { compute: "5ms" }, { compute: "1ms" }, "gettime"],
    signals: [
      { signal: "SIGTERM", thread: "main", when: { at: "3ms" } },
      { signal: "SIGCONT", thread: "main", when: { thread: "main", site: "enclave_entry: R15 := event & 0xff" } },
    ],
  });

  it("A3: #GP at its EENTER; the event is put back, and comes with a later exit or return", () => {
    order(ran, [
      "sgx.aex",
      "sgx_raise: EENTER",
      "enclave_entry: R14 := SSA[0].EXITINFO",
      "sgx.aex",
      "maybe_raise_pending_signal: sgx_raise(event)",
      "sgx.fault",
      "handle_sync_signal: last_async_event := RDI, unless QUIT is there; skip EENTER",
      "sgx_raise: after_resume: return",
      "sgx.eresume",
      "enclave_entry: EDECCSSA",
      "app.handler.enter",
    ]);
    expect([handled(ran), endOf(ran)]).toEqual([["SIGTERM"], "exit"]);
    expect(rowsOf(ran, { what: "libos.upcall.enter", who: "main" }).map((row) => row.value)).toEqual([4, 5]);
  });
});

describe("the end of a thread, and faults", () => {
  it("A8: stopping, the bit, ready, in this order", () => {
    const ran = notified({ main: [{ clone: "worker" }, { nanosleep: "1ms" }], programs: { worker: ["getpid"] } });
    const steps = rowsOf(ran, { where: "fini_aex_notify_for_thread", who: "worker" }).map((row) => row.place.label.split(": ")[1]);
    expect(steps).toEqual(["stopping_aex_notify := 1", "SSA[0].AEXNOTIFY := 0", "ready_for_aex_notify := 0"]);
  });

  it("a fault is raised before an async event, with its vector", () => {
    const ran = notified({
      main: [on("SIGFPE", "leave"), { sigsetjmp: { place: "here", do: [{ fault: "divide" }] } }, "getpid"],
      handlers: { leave: [{ siglongjmp: { place: "here" } }] },
    });
    order(ran, [
      "app.fault",
      "sgx.aex",
      "handle_sync_signal: last_sync_event := event",
      "maybe_raise_pending_signal: last_sync_event exchanged with NO_EVENT",
      "sgx.edeccssa",
      "app.handler.enter",
    ]);
    expect([handled(ran), endOf(ran)]).toEqual([["SIGFPE"], "exit"]);
  });
});

describe("ocalls", () => {
  it.each([
    ["sgx_ocall: RSP := ustack, RBX := exit_target", "-EINTR"],
    ["enclave_entry: RSP := pre_ocall_stack", "8"],
  ])("A5, A7: at %s the read answers %s, as without AEX-Notify", (site, result) => {
    const ran = notified({ main: [on("SIGTERM"), { read: { takes: "1us", result: 8 } }], pins: [{ signal: "SIGTERM", site, in: "read" }] });
    order(ran, ["sgx.aex", "sgx.edeccssa", "sgx_ocall: saved RAX := RDI; FSBASE", "app.handler.enter"]);
    expect([results(ran).at(-1), handled(ran)]).toEqual([`read ${result}`, ["SIGTERM"]]);
  });
});
