/** TERM=dumb gets words, not a screen; NO_COLOR and few colours get a screen without, or with few. */

import { execFileSync } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { eintr } from "../../support/command-line.ts";
import { PROGRAM } from "../../support/program.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
let dir = "";
beforeAll(async () => {
  dir = fresh("words.trace");
  await eintr(["record", "lost-interrupted-error", "-o", dir]);
});

/** What the program writes on a terminal with this environment, until it ends: q leaves the screen. */
const onTerminal = (env: string, name: string): string =>
  execFileSync(
    "script",
    ["-qfc", `stty cols 120 rows 40; env ${env} '${process.execPath}' '${PROGRAM}' replay ${name} --at 0`, "/dev/null"],
    {
      encoding: "utf8",
      input: "q",
      timeout: 20_000,
    },
  );

test("TERM=dumb: the verdict and how to read on, and nothing that drives a terminal", () => {
  const text = onTerminal("TERM=dumb", dir);
  expect(text).toMatch(/first difference from Linux alone: seq \d+ {2}main {2}read\(pipe, 64\): 0, on Linux -EINTR/);
  expect(text).toContain("cannot draw a screen; in words:");
  expect(text).not.toContain("\u001b");
  expect(onTerminal("TERM=dumb", "nested")).toContain("record the case first: eintr record nested");
});

test.each([
  ["NO_COLOR=1 TERM=xterm-256color", /\u001b\[(?:3\d|9\d|38;[\d;]+)m/, false],
  ["-u NO_COLOR -u COLORTERM TERM=xterm", /\u001b\[92m/, true],
  ["-u NO_COLOR -u COLORTERM TERM=xterm-256color", /\u001b\[38;5;\d+m/, true],
  ["-u NO_COLOR COLORTERM=truecolor TERM=xterm-256color", /\u001b\[38;2;\d+;\d+;\d+m/, true],
] as const)("%s", (env, pattern, has) => {
  expect(pattern.test(onTerminal(env, dir))).toBe(has);
});
