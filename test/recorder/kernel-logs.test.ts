/**
 * Logs of a real kernel, imported and run on native-linux, against what the log itself says, read by a reader of the tests' own: results
 * of calls outside handlers, handlers and their places, ends. The tables are goldens: who changes one argues it in the commit.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kernelTable, tableText } from "../support/kernel-table.ts";

/** Logs whose run differs, and why. */
const WHY: Readonly<Record<string, string>> = {
  b11b_sigtimedwait_ignored: "strace itself has let an ignored signal through: without it the call goes on until its time is over",
  b15b_epoll_starts_over: "strace itself has let an ignored signal through: without it the call goes on until its time is over",
  sigwaitinfo01: "rt_sigtimedwait with a bad pointer answers -EFAULT and has taken the signal all the same: the call is kept as its result",
};

const goldenOf = (folder: string): URL => new URL(`../golden/kernel-logs-${folder}.txt`, import.meta.url);

function checked(folder: string, siginfo: boolean) {
  const golden = goldenOf(folder);
  const rows = kernelTable(folder, { siginfo });
  const text = tableText(rows, WHY);
  if (process.env.EINTR_UPDATE) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
  return rows;
}

describe("native-linux beside a kernel", () => {
  test("programs of the Linux Test Project: at least 99 of 100 agree", () => {
    const rows = checked("ltp", false);
    expect(rows.filter(({ outcome }) => outcome === "agrees").length / rows.length).toBeGreaterThanOrEqual(0.99);
    expect(rows.reduce((sum, { looked }) => sum + looked, 0)).toBeGreaterThan(50_000);
  }, 300_000);

  test("the smallest logs of what once was told apart", () => {
    for (const { log, outcome } of checked("oracle", true)) expect(`${log} ${outcome}`).toBe(`${log} agrees`);
  });

  test("programs that were run under a real Gramine, too, with the siginfo of their handlers", () => {
    const rows = checked("gramine", true);
    expect(rows.filter(({ outcome }) => outcome === "agrees").length).toBeGreaterThanOrEqual(rows.length - Object.keys(WHY).length);
  });

  test("what does not agree has a reason, and nothing else has one", () => {
    const rows = ["ltp", "oracle", "gramine"].flatMap((folder) => readFileSync(goldenOf(folder), "utf8").trimEnd().split("\n"));
    const differing = rows.filter((row) => !/ agrees$|^ /.test(row)).map((row) => row.split(" ")[0]);
    expect(differing.sort()).toEqual(Object.keys(WHY).sort());
  });
});
