/** `npm run torture` knows its campaigns, and each is a test file that is there. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const SCRIPT = path.join(import.meta.dirname, "torture.sh");

test("a campaign that is none is answered with those that there are, and their files are there", () => {
  const { status, stderr } = spawnSync("bash", [SCRIPT, "none"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^no campaign is called none; there are: verdict silent /)]);
  const files = readFileSync(SCRIPT, "utf8").match(/test\/\S+\.test\.ts$/gm) ?? [];
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !existsSync(path.join(import.meta.dirname, "..", file)))).toEqual([]);
});
