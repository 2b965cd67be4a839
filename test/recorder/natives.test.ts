/** The oracle that fails: the trace is as good as ever, and says what is missing. */

import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { ScenarioError } from "../../engine/index.ts";
import { nativeAnswers } from "../../recorder/natives.ts";
import { testInfo } from "../support/synthetic-source.ts";

const broken = vi.hoisted(() => ({ error: new Error(), atBoot: false }));
vi.mock("../../engine/machine.ts", () => ({
  boot() {
    const fail = (): never => {
      throw broken.error;
    };
    return broken.atBoot ? fail() : { sites: [], threads: [], run: fail };
  },
}));

const scenarioText = readFileSync(new URL("../../engine/scenarios/lost-interrupted-error.yaml", import.meta.url), "utf8");
const trace = {
  info: { ...testInfo(), origin: "emulated" as const, stack: "graphene-sgx", scenarioText },
  sites: [],
  threads: [{ name: "main", pid: 1, tid: 1, internal: false }],
};

describe.each([true, false])("at boot: %s", (atBoot) => {
  test.each([
    [new ScenarioError("more than is emulated"), "notice", "is not known: more than is emulated"],
    [new TypeError("x is undefined"), "error", "is not known: a bug of eintr: x is undefined"],
  ])("%s", (error, severity, advice) => {
    Object.assign(broken, { error, atBoot });
    const { natives, quality, prepare } = nativeAnswers(trace);
    expect([...prepare()]).toEqual([]);
    expect(natives?.({ thread: 0, site: 0, nr: 0, signal: 0, run: 0, index: 0 })).toBeNull();
    expect(quality).toEqual([{ name: "native-results-unknown", count: 1, severity, advice: expect.stringContaining(advice) }]);
  });
});
