/**
 * The order of PAL calls in each system call on the Linux PAL, to be compared with the page on hidden PAL calls line by line: the golden
 * file has the page's line above the run's. Regenerate with EINTR_UPDATE=1 and read the difference.
 */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type PalCase, palCallsIn, palCallsOf } from "../support/pal-calls.ts";
import { runScenario, scenarioOf } from "../support/run-scenario.ts";
import { IO } from "./pal-calls/io.ts";
import { PROCESSES } from "./pal-calls/processes.ts";
import { SIGNALS } from "./pal-calls/signals.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../golden/pal-calls.txt");
const UPDATE = process.env.EINTR_UPDATE === "1";

const CASES: readonly PalCase[] = [...IO, ...SIGNALS, ...PROCESSES];

function entry({ call, page, main, operation, who = "main", more = {}, window, differs }: PalCase): string {
  const scenario = scenarioOf({ main, limit: { time: "1s", transitions: 20_000 }, ...more });
  const ran = runScenario(scenario, "graphene-linux");
  const calls = window ? palCallsIn(ran, window) : palCallsOf(ran, who, operation ?? main.length);
  const why = differs === undefined ? "" : `  differs: ${differs}\n`;
  return `${call}\n  page: ${page}\n  run:  ${calls === "" ? "nothing" : calls}\n${why}`;
}

describe("PAL calls of each system call", () => {
  const golden = UPDATE ? CASES.map(entry).join("\n") : readFileSync(GOLDEN, "utf8");
  if (UPDATE) writeFileSync(GOLDEN, golden);
  const entries = new Set(golden.split("\n\n").map((part) => part.trim()));

  it.each(CASES.map((one) => [one.call, one] as const))("%s", (_, one) => {
    const now = entry(one).trim();
    expect(entries, now).toContain(now);
  });

  it("are all in the golden file, and no others", () => {
    expect(entries.size).toBe(CASES.length);
  });
});
