/** The laws of the machine are looked at in recordings, too: a broken one ends the run as a bug of ours, with a case to send. */

import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BrokenLaw, boot, type Machine, parseScenario, Run } from "../../engine/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { builtIn, NOWHERE, scenarioOf } from "../support/run-scenario.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
afterEach(() => void vi.restoreAllMocks());

/** Damage as bugs have done it: a frame with two owners, a count that is off, a list that lies, an object of nobody. */
const DAMAGE: Readonly<Record<string, (m: Machine) => void>> = {
  "a shared frame": (m) => {
    const t = m.threads[m.live[0] ?? 0];
    if (t?.host[0]) t.enclave.unshift(t.host[0]);
  },
  "a count of signal frames": (m) => {
    const t = m.threads[m.live[0] ?? 0];
    if (t) t.signalFrames += 1;
  },
  "a thread that nobody lists": (m) => void m.live.pop(),
  "an object below nothing": (m) => void m.objects.push({ ...(m.objects[0] as Machine["objects"][number]), level: -1 }),
};

describe.each(Object.entries(DAMAGE))("%s", (_, damage) => {
  test("ends a long run within a few blocks, a short one at its end", () => {
    const long = boot({ stack: "graphene-linux", scenario: builtIn("server") });
    long.run(20_000, NOWHERE);
    damage(long.machine);
    expect(() => long.run(100_000, NOWHERE)).toThrow(BrokenLaw);
    const short = boot({
      stack: "graphene-linux",
      scenario: scenarioOf({ main: [{ loop: { do: ["getpid"] } }], limit: { transitions: 200 } }),
    });
    short.run(150, NOWHERE);
    damage(short.machine);
    expect(() => short.run(100_000, NOWHERE)).toThrow(BrokenLaw);
  });
});

test("eintr record says that it is a bug, keeps the rows, and writes a case that runs again", async () => {
  const dir = fresh("broken.trace");
  const real = Run.prototype.keyframe;
  let batches = 0;
  vi.spyOn(Run.prototype, "keyframe").mockImplementation(function (this: Run) {
    batches += 1;
    if (batches === 2) this.machine.objects.push({ ...(this.machine.objects[0] as Machine["objects"][number]), level: -7 });
    return real.call(this);
  });
  const args = ["record", "server", "--stack", "graphene-linux", "--rows", "200000", "--seed", "5", "--scheduler", "seeded", "-o", dir];
  const { code, talk } = await eintr(args);
  expect(code).toBe(70);
  expect(talk).toContain("this is a bug of eintr");
  expect(talk).toContain("has level -7");
  expect(talk).toContain(`Send ${dir}.bug.json`);
  const trace = await openTrace(dir);
  expect(trace.transitions.rows).toBeGreaterThanOrEqual(2 * 16_384);
  trace.close();
  const sent = JSON.parse(readFileSync(`${dir}.bug.json`, "utf8"));
  expect(sent).toMatchObject({ stack: "graphene-linux", fixes: [], scheduler: "seeded", seed: 5, seq: expect.any(Number) });
  vi.restoreAllMocks();
  const again = boot({ ...sent, scenario: parseScenario(sent.scenarioText, "sent"), scheduler: "recorded" });
  expect(again.run(sent.seq, NOWHERE)).toBe(true);
  expect(again.decisions).toEqual(sent.decisions);
});

test("a place that takes no case does not hide the bug", async () => {
  vi.spyOn(Run.prototype, "keyframe").mockImplementation(function (this: Run) {
    this.machine.live.push(77);
    return "{}";
  });
  const dir = fresh("x".repeat(250));
  const { code, talk } = await eintr(["record", "server", "--rows", "100000", "-o", dir]);
  expect([code, talk.includes("bug of eintr"), talk.includes("Send")]).toEqual([70, true, false]);
  expect(existsSync(`${dir}.bug.json`)).toBe(false);
});
