/** Logs that strace wrote with -e: what is missing is told, and a whole log is not suspected. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { counter, importLog, importText } from "../support/strace-log.ts";

const FOLDER = path.resolve(import.meta.dirname, "logs");
const LOGS = readdirSync(FOLDER).filter((file) => file.endsWith(".strace"));

/** The lines that `strace -e trace=...` would have written: those of these calls, signals and ends. */
const filtered = (text: string, calls: RegExp): string =>
  text
    .split("\n")
    .filter((line) => {
      const [, name] = /^\d+ +[\d.]+ (?:<\.\.\. )?(\w+)(?:\(| resumed)/.exec(line) ?? [];
      return name === undefined || calls.test(name);
    })
    .join("\n");

const SIGNAL = /^(?:rt_sig\w+|kill|tgkill|tkill|sigaltstack|signalfd4?)$/;
const PROCESS = /^(?:execve|clone3?|fork|vfork|exit|exit_group|wait4|waitid|kill|tgkill|rt_sig\w+)$/;

describe.each(LOGS)("%s", (file) => {
  const text = readFileSync(path.join(FOLDER, file), "utf8");
  const missing = (log: string): number => counter(importText(log, file), "note.calls-left-out");

  test("whole: nothing is missing", () => {
    expect(missing(text)).toBe(0);
    expect(counter(importText(text, file), "note.signals-left-out")).toBe(0);
  });
  test("with -e trace=%signal: ends without calls", () => expect(missing(filtered(text, SIGNAL))).toBeGreaterThan(0));
});

test("with -e trace=%process,%signal: a start without the calls of one", () => {
  const text = readFileSync(path.join(FOLDER, "bash-jobs.strace"), "utf8");
  expect(counter(importText(filtered(text, PROCESS), "a.strace"), "note.calls-left-out")).toBeGreaterThan(0);
});

test("with -e signal=none: handlers that nothing entered", () => {
  const line = (at: number): string => `1 ${at}.0 rt_sigreturn({mask=[]}) = 0 <0.000010>`;
  const left = (...ats: number[]): number => counter(importLog(ats.map(line).join("\n")), "note.signals-left-out");
  expect(left(1)).toBe(0);
  expect(left(1, 2)).toBe(1);
});
