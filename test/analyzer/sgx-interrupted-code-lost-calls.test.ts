/** Reference 3.1 `sgx-interrupted-code-lost`, call by call (2.20): found where the fix changes the result, silent where it cannot. */

import { describe, expect, it } from "vitest";
import { FIX_NAMES, STACKS } from "../../engine/index.ts";
import { LOST, ofRule, results, rowsOf, watch } from "./support.ts";

const SGX = "graphene-sgx";
const FIXED = { fixes: [LOST] } as const;

describe("a finding stands for a wrong result that the fix mends", () => {
  const WAITS = {
    read: "read: { from: pipe, bytes: 8 }",
    write: "write: { takes: 50ms, result: 8 }",
    accept: "accept: { on: listener }",
    "futex-wait": "futex-wait: { on: word, timeout: 1s }",
    call: "call: { name: fsync, takes: 50ms, result: 0 }",
    poll: "poll: { on: [pipe], timeout: 1s }",
    "epoll-wait": "epoll-wait: { on: [pipe], timeout: 1s }",
    nanosleep: "nanosleep: 1s",
    pause: "pause",
    sigsuspend: "sigsuspend",
    semop: "semop: { takes: 50ms, result: 0 }",
    msgrcv: "msgrcv: { takes: 50ms, result: 8 }",
    wait4: "wait4: { child: child }",
  } as const;
  /** A call that is not kept waiting is met before its system call. The three ocalls before it are fork's, which wake the IPC helper. */
  const WHEN: Readonly<Record<string, string>> = { write: '{ thread: main, site: "ocall_sock_send: take the arguments", nth: 4 }' };
  const MENDED = ["read", "write", "accept", "futex-wait", "call"];

  for (const [name, operation] of Object.entries(WAITS)) {
    it(`${name}: ${MENDED.includes(name) ? "found" : "silent: the fix would change nothing"}`, () => {
      const body = `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - fork: child
          - ${operation}
        programs:
          child:
            - nanosleep: 60ms
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            process: main
            when: ${WHEN[name] ?? `{ thread: main, call: ${name} }`}
        limit: { time: 2s }
        `;
      const bug = watch(body, SGX);
      const mended = watch(body, SGX, FIXED);
      // The third call of main, after sigaction and fork; its PAL call was left, so the code was on its way.
      const [wrong, right] = [bug, mended].map((w) => results(w)[2]);
      expect([wrong, right]).not.toContain(undefined);
      expect(rowsOf(bug, "pal.call.abandon")[0]?.thread).toBe(0);
      expect(ofRule(bug, LOST)).toHaveLength(MENDED.includes(name) ? 1 : 0);
      expect(wrong !== right).toBe(MENDED.includes(name));
      if (MENDED.includes(name)) expect(right).toMatch(/ = -4$/);
      expect(ofRule(mended, LOST)).toEqual([]);
    });
  }

  it("silent for a wait for a lock of the LibOS, which tries again", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGUSR1, handler: on-signal }
        - sigaction: { signal: SIGINT, handler: on-signal }
        - clone: sender
        - sigsuspend
      programs:
        sender:
          - nanosleep: 1ms
          - tgkill: { thread: main, signal: SIGUSR1 }
      handlers:
        on-signal:
          - compute: 1us
      signals:
        - signal: SIGINT
          thread: sender
          when: { at: 5ms }
        - signal: SIGINT
          thread: main
          when: { at: 10ms }
      `,
      SGX,
    );
    const [left] = rowsOf(w, "pal.call.abandon");
    const depth = (left?.depth ?? 0) + 1;
    const enter = rowsOf(w, "pal.call.enter").findLast(
      (row) => row.seq < (left?.seq ?? 0) && row.thread === left?.thread && row.depth === depth,
    );
    expect(enter?.at.flow).toBe("lock");
    expect(results(w, left?.thread)).toContain("tgkill(main, SIGUSR1) = 0");
    expect(ofRule(w, LOST)).toEqual([]);
  });

  it("knows functions of the LibOS by their names", () => {
    const flows = new Set(STACKS[SGX].flows(new Set(FIX_NAMES)).map((flow) => flow.name));
    for (const name of ["read", "write", "accept", "futex_wait", "call"]) expect(flows).toContain(`shim_do_${name}`);
  });
});
