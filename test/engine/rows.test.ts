/** What rows say: only what their kind declares, and the evidence that rules need. */

import { describe, expect, it } from "vitest";
import { argumentName, DETAILS, KINDS } from "../../engine/transition.ts";
import { rowsOf, runScenario, scenarioOf } from "../support/run-scenario.ts";

const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const masks = scenarioOf({
  handlers: { on: [{ write: { takes: "1us", result: 1 } }] },
  main: [
    { sigaction: { signal: "SIGINT", handler: "on" } },
    { sigprocmask: { how: "block", signals: ["SIGUSR1"] } },
    { sigsuspend: { mask: ["SIGUSR2"] } },
    { read: { takes: "1ms", result: 8 } },
  ],
  signals: [{ signal: "SIGINT", thread: "main", when: { at: "2ms" } }],
});

const STACKS = ["native-linux", LINUX, SGX] as const;

describe("a row says what its kind declares", () => {
  it.each(STACKS)("%s", (stack) => {
    for (const row of runScenario(masks, stack).rows) {
      const { name, value, extra } = KINDS[row.kind] as (typeof KINDS)[number];
      if (row.value !== 0) expect(argumentName(value), `${name}, value ${row.value}`).not.toBe("");
      if (row.extra !== 0) expect(argumentName(extra), `${name}, extra ${row.extra}`).not.toBe("");
      if (row.detail !== 0) expect(DETAILS[name], `${name} has a text`).toBeDefined();
    }
  });
});

describe("evidence", () => {
  it("masks, before and after", () => {
    const ran = runScenario(masks, LINUX);
    const told = rowsOf(ran, { what: "libos.mask" }).map((row) => `${row.value} ${ran.texts[row.detail]}`);
    expect(told.slice(0, 2)).toEqual(["512 mask {} -> {SIGUSR1}", "2048 mask {SIGUSR1} -> {SIGUSR2}"]);
    const native = runScenario(masks, "native-linux");
    expect(rowsOf(native, { what: "host.sigprocmask" }).map((row) => [row.value, native.texts[row.detail]])).toEqual([
      [512, "mask {} -> {SIGUSR1}"],
    ]);
    const lent = rowsOf(native, { what: "host.syscall.enter" }).filter((row) => row.detail !== 0);
    expect(lent.map((row) => native.texts[row.detail])).toEqual(["mask {SIGUSR1} -> {SIGUSR2}"]);
    // The frame keeps the mask from before the call.
    const back = rowsOf(native, { what: "host.sigreturn" }).map((row) => native.texts[row.detail]);
    expect(back).toEqual(["mask {SIGINT SIGUSR2} -> {SIGUSR1}"]);
  });

  it("dispositions", () => {
    const ran = runScenario(masks, LINUX);
    const [row] = rowsOf(ran, { what: "libos.sigaction" });
    expect([row?.signal, row?.value, ran.texts[row?.detail ?? 0]]).toEqual([2, 2, "handler on, mask {}"]);
  });

  it("an AEX carries the id of the signal it makes way for", () => {
    const busy = scenarioOf({
      main: [{ compute: "10us" }],
      signals: [{ signal: "SIGINT", thread: "main", when: { at: "5us" } }],
    });
    const ran = runScenario(busy, SGX);
    const exits = rowsOf(ran, { what: "sgx.aex" });
    expect(exits.length).toBeGreaterThan(0);
    for (const aex of exits) {
      const next = ran.rows.find((row) => row.seq > aex.seq && row.thread === aex.thread);
      expect([aex.extra, aex.signal]).toEqual([next?.extra, next?.signal]);
    }
  });
});
