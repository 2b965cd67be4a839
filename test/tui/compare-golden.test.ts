/**
 * Every built-in case on every stack, as `eintr compare` tells it: `golden/compare.txt`, and the README's table.
 * EINTR_UPDATE=1 npx vitest run test/tui/compare-golden.test.ts writes both anew, with the stacks that there are.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { STACK_NAMES } from "../../engine/index.ts";
import { builtInCase } from "../../tui/case.ts";
import { compareCase } from "../../tui/comparing.ts";
import { type ComparedCase, casesMarkdown, matrixText } from "../../tui/present/matrix.ts";
import { paint } from "../../tui/present/style.ts";
import { listScenarios } from "../../tui/scenarios.ts";
import { expectInReadme } from "../support/golden.ts";

/** A run that makes more transitions is cut, and its outcome says so. */
const ROWS = 300_000;
const COLUMNS = 140;
const GOLDEN = fileURLToPath(new URL("../golden/compare.txt", import.meta.url));

/** Cases of the README's table: the page's, and those that tell the generations apart. */
const SHOWN = /^(?:lost-interrupted-error|retry-doubles-data|spurious-yield|async-list-cancel|sigsuspend-lock|w\d+-.*)$/;

const io = { out: async () => {}, talk: () => {}, color: 0, columns: null, signal: new AbortController().signal, exitCode: 0 } as const;
const names = listScenarios().map(({ name }) => name);
const committed = existsSync(GOLDEN) ? readFileSync(GOLDEN, "utf8").split(/\n\n/) : [];
/** By name: a test that is tried again puts its case in its old place. */
const byName = new Map<string, ComparedCase>();

test.each(names)("%s", async (name) => {
  const what = builtInCase(name, { rows: ROWS });
  const rows = await compareCase({ ...io }, what, { stacks: STACK_NAMES, fixes: [], options: [] }, { update() {}, end() {} });
  const one = { name, title: what.scenario.title, rows };
  byName.set(name, one);
  const known = committed.find((block) => block.startsWith(`${name}: `)) ?? "";
  if (process.env.EINTR_UPDATE !== "1") expect(matrixText(one, paint(false), COLUMNS).trimEnd()).toBe(known.trimEnd());
});

test("the table has no other case", () => {
  if (process.env.EINTR_UPDATE === "1")
    writeFileSync(GOLDEN, [...byName.values()].map((one) => matrixText(one, paint(false), COLUMNS)).join("\n"));
  else expect(committed.map((block) => block.split(": ")[0])).toEqual(names);
});

test("the README's table of cases and stacks is what eintr compare prints", () => {
  expectInReadme(/^\| case \|.*\n(?:\|.*\n)*/m, casesMarkdown([...byName.values()].filter(({ name }) => SHOWN.test(name))));
});
