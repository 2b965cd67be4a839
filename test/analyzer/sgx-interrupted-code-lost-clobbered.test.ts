/** Reference 3.1 `sgx-interrupted-code-lost`, trap 4: another FAILURE came in between, and the answer is that one. */

import { describe, expect, it } from "vitest";
import { LOST, ofRule, results, rowsOf, watch } from "./support.ts";

const SGX = "graphene-sgx";
const FIXED = { fixes: [LOST] } as const;

describe("trap: the handler raised a FAILURE of its own", () => {
  const body = (before: string, inHandler: string): string => `
    main:
      - sigaction: { signal: SIGINT, handler: on-sigint }
      ${before}
      - read: { from: pipe, bytes: 8 }
    handlers:
      on-sigint:
        ${inHandler}
    signals:
      - signal: SIGINT
        when: { thread: main, call: read, nth: ${before === "" ? 1 : 2} }
    `;
  const FAILS = "- read: { takes: 1us, result: -11 }";

  it("also when pal_errno is the same as before by chance", () => {
    const w = watch(body(FAILS, FAILS), SGX);
    const [, outer] = rowsOf(w, "pal.call.enter", "pipe_read");
    const [left] = rowsOf(w, "pal.call.abandon");
    expect([outer?.value, left?.value]).toEqual([19, 19]);
    expect(results(w).at(-1)).toBe("read(pipe, 8) = -11");
    expect(w.findings).toEqual([]);
    // Without the handler's failure the very same run is a finding.
    expect(watch(body(FAILS, "- compute: 1us"), SGX).findings.map((f) => f.rule)).toEqual([LOST]);
  });

  it("also when the fix had raised FAILURE(13) before it", () => {
    const w = watch(body("", FAILS), SGX, FIXED);
    expect(results(w).at(-1)).toBe("read(pipe, 8) = -11");
    expect(w.findings).toEqual([]);
  });
});

describe("trap: another handler raised a FAILURE before the LibOS asked for pal_errno", () => {
  /** SIGINT interrupts the call; SIGTERM comes at a place after the PAL call was left, and its handler's read fails. */
  const body = (call: string, site: string): string => `
    main:
      - sigaction: { signal: SIGINT, handler: on-sigint }
      - sigaction: { signal: SIGTERM, handler: on-sigterm }
      - ${call}
    handlers:
      on-sigint:
        - compute: 1us
      on-sigterm:
        - read: { takes: 1us, result: -11 }
    signals:
      - signal: SIGINT
        when: { thread: main, call: ${call.split(":")[0]} }
      - signal: SIGTERM
        when: { thread: main, site: "${site}" }
    `;
  const READ = "read: { from: pipe, bytes: 8 }";

  it("the answer is that one, with the fix as well: silent", () => {
    const early = body(READ, "pipe_read: ret = bytes ? bytes : -PAL_ERRNO");
    for (const options of [{}, FIXED]) {
      const w = watch(early, SGX, options);
      expect(rowsOf(w, "pal.call.abandon")).toHaveLength(1);
      expect(results(w).at(-1)).toBe("read(pipe, 8) = -11");
      expect(w.findings).toEqual([]);
    }
  });

  it("is none when the LibOS has asked already: found", () => {
    const late = watch(body(READ, "shim_do_read: return"), SGX);
    expect(results(late).slice(-2)).toEqual(["read(1) = -11", "read(pipe, 8) = 0"]);
    expect(ofRule(late, LOST).map((f) => f.title)).toEqual(["read(pipe, 8) returns 0 instead of -EINTR after SIGINT"]);
  });

  it("is none when time is over for a futex wait, which says so in its own way: found", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGINT, handler: on-sigint }
        - read: { takes: 1us, result: -11 }
        - futex-wait: { on: word, timeout: 1s }
      handlers:
        on-sigint:
          - compute: 1us
      signals:
        - signal: SIGINT
          when: { thread: main, call: futex-wait }
      `,
      SGX,
    );
    expect(ofRule(w, LOST).map((f) => f.title)).toEqual(["futex_wait(word, 1000000000) returns -ETIMEDOUT instead of -EINTR after SIGINT"]);
  });
});
