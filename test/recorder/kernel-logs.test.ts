/**
 * Logs of a real kernel, imported and run on native-linux, against what the log itself says, read by a reader of the tests' own: results
 * of calls outside handlers, handlers and their places, ends. The tables are goldens: who changes one argues it in the commit.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kernelTable, tableText } from "../support/kernel-table.ts";

function checked(folder: string, siginfo: boolean) {
  const golden = new URL(`../golden/kernel-logs-${folder}.txt`, import.meta.url);
  const rows = kernelTable(folder, { siginfo });
  const text = tableText(rows);
  if (process.env.EINTR_UPDATE) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
  return rows;
}

describe("native-linux beside a kernel", () => {
  test("programs of the Linux Test Project: nearly all agree", () => {
    const rows = checked("ltp", false);
    expect(rows.filter(({ outcome }) => outcome === "agrees").length / rows.length).toBeGreaterThanOrEqual(0.96);
    expect(rows.reduce((sum, { looked }) => sum + looked, 0)).toBeGreaterThan(50_000);
  }, 300_000);

  test("the smallest logs of what once was told apart", () => {
    expect(checked("oracle", true).filter(({ outcome }) => outcome === "agrees").length).toBeGreaterThanOrEqual(17);
  });

  test("programs that were run under a real Gramine, too, with the siginfo of their handlers", () => {
    const rows = checked("gramine", true);
    expect(rows.length).toBeGreaterThan(40);
  });
});
