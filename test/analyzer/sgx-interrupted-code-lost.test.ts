/** Reference 3.1 `sgx-interrupted-code-lost`: what it finds, and the traps in which it must stay silent; the fourth is in `-clobbered`. */

import { describe, expect, it } from "vitest";
import { evidenceKinds, LOST, ofRule, results, rowsAt, rowsOf, watch } from "./support.ts";

const SGX = "graphene-sgx";

describe("the example", () => {
  it("is one finding on graphene-sgx, with every step of the way", () => {
    const w = watch("lost-interrupted-error", SGX);
    expect(w.findings.map(({ rule, severity, title, thread }) => ({ rule, severity, title, thread }))).toEqual([
      { rule: LOST, severity: "high", title: "read(pipe, 64) returns 0 instead of -EINTR after SIGINT", thread: 0 },
    ]);
    const finding = w.findings[0];
    if (finding === undefined) return;
    expect(evidenceKinds(w, finding)).toEqual([
      "pal.call.enter",
      "host.signal.generate",
      "pal.event.inject",
      "sgx.eenter",
      "libos.upcall.enter",
      "app.handler.enter",
      "pal.call.abandon",
      "libos.syscall.exit",
      "app.return",
    ]);
    expect(finding.evidence.at(-1)?.caption).toContain("instead of -EINTR");
    const turns = finding.evidence.filter(({ isTurn }) => isTurn === true);
    expect(turns.map(({ id }) => id)).toEqual(["abandoned"]);
    expect(turns[0]?.caption).toMatch(/^the wrong turn: in _DkExceptionReturn the PAL call is left/);
    expect([finding.firstSeq, finding.lastSeq]).toEqual([finding.evidence[0]?.seq, finding.evidence.at(-1)?.seq]);
    const inject = rowsOf(w, "pal.event.inject")[0];
    const upcall = rowsOf(w, "libos.upcall.enter", "_DkGenericEventTrigger")[0];
    expect(finding.costNs).toBe((upcall?.time ?? 0) - (inject?.time ?? 0));
    expect(finding.costNs).toBeGreaterThan(1270);
  });
});

describe("trap: the code survives", () => {
  it("RESUME while the thread is in DkObjectsWaitAny", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGUSR1, handler: on-usr1 }
        - clone: sender
        - futex-wait: { on: word, timeout: 1s }
      programs:
        sender:
          - nanosleep: 1ms
          - tgkill: { thread: main, signal: SIGUSR1 }
      handlers:
        on-usr1:
          - compute: 1us
      `,
      SGX,
    );
    expect(rowsAt(w, "_DkHandleExternalEvent: return at once: the code survives, no upcall")).toHaveLength(1);
    expect(rowsOf(w, "app.handler.enter")).toHaveLength(1);
    // The PAL tells the LibOS, which wakes up with an error and not with 0.
    expect(rowsOf(w, "libos.upcall.enter", "DkObjectsWaitAny (event)").filter((row) => row.thread === 0)).toHaveLength(1);
    expect(results(w).at(-1)).toBe("futex_wait(word, 1000000000) = -4");
    expect(ofRule(w, LOST)).toEqual([]);
  });

  it("an event in an ocall outside any PAL call", () => {
    // The emulation of CPUID asks the host with an ocall of its own, under no Dk* function.
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGINT, handler: on-sigint }
        - fault: cpuid
        - getpid
      handlers:
        on-sigint:
          - getpid
      signals:
        - signal: SIGINT
          when: { thread: main, site: "ocall_cpuid: cpuid" }
      `,
      SGX,
    );
    expect(rowsOf(w, "pal.event.inject")).toHaveLength(1);
    expect(rowsOf(w, "app.handler.enter")).toHaveLength(1);
    const [left] = rowsAt(
      w,
      "_DkExceptionReturn: update registers with event.frame registers, RAX = 0; return to LibOS (as if PAL function returned)",
    );
    expect(left?.name).toBe("pal.exception.return");
    expect(w.findings).toEqual([]);
  });

  it("an event while the enclave runs, in a PAL call: its context is restored", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGINT, handler: on-sigint }
        - read: { takes: 5ms, result: 8 }
      handlers:
        on-sigint:
          - getpid
      signals:
        - signal: SIGINT
          when: { thread: main, site: "DkStreamRead: LEAVE_PAL_CALL: clear the pal_frame" }
      `,
      SGX,
    );
    expect(rowsOf(w, "sgx.aex")).toHaveLength(1);
    expect(rowsOf(w, "app.handler.enter")).toHaveLength(1);
    expect(results(w).at(-1)).toBe("read(1) = 8");
    expect(w.findings).toEqual([]);
  });
});

describe("trap: the answer is right by luck", () => {
  it("pal_errno was 13 already", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGINT, handler: on-sigint }
        - read: { takes: 1us, result: -4 }
        - read: { from: pipe, bytes: 8 }
      handlers:
        on-sigint:
          - compute: 1us
      signals:
        - signal: SIGINT
          when: { thread: main, call: read, nth: 2 }
      `,
      SGX,
    );
    expect(rowsOf(w, "pal.call.enter", "pipe_read").map((row) => row.value)).toEqual([0, 13]);
    expect(rowsOf(w, "pal.call.abandon").map((row) => row.value)).toEqual([13]);
    expect(results(w).at(-1)).toBe("read(pipe, 8) = -4");
    expect(w.findings).toEqual([]);
  });
});

describe("a call that does not return", () => {
  it("is no finding when the handler leaves it by siglongjmp", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGINT, handler: on-sigint }
        - sigsetjmp: { place: here, do: [read: { from: pipe, bytes: 8 }] }
        - write: { takes: 1us, result: 1 }
      handlers:
        on-sigint:
          - siglongjmp: here
      signals:
        - signal: SIGINT
          when: { thread: main, call: read }
      `,
      SGX,
    );
    expect(rowsOf(w, "app.handler.longjmp")).toHaveLength(1);
    expect(rowsOf(w, "pal.event.inject")).toHaveLength(1);
    expect(ofRule(w, LOST)).toEqual([]);
  });
});
