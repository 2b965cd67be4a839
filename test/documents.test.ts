/**
 * What documents show is what the program does. EINTR_UPDATE=1 npx vitest run test/documents.test.ts writes it anew.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { EXPORTERS, openTrace, record } from "../recorder/index.ts";
import * as COMMANDS from "../tui/commands/index.ts";
import { DOCUMENTS } from "../tui/documents/index.ts";
import { svgOf } from "../tui/present/svg.ts";
import { keyTable } from "../tui/replay/input/commands.ts";
import { expectGolden, expectInReadme } from "./support/golden.ts";
import { QUESTIONS, questionText } from "./support/questions.ts";
import { playerOf, sessionOf } from "./support/replay.ts";
import { syntheticSource, testInfo } from "./support/synthetic-source.ts";
import { tempPaths } from "./support/temp-dir.ts";

const fresh = tempPaths();
const SIZE = { width: 120, height: 36 } as const;

test("tui/replay/screen.svg, the README's picture, is the screen of the wrong turn", async () => {
  const session = await sessionOf("lost-interrupted-error", fresh("picture.trace"), { color: true });
  try {
    // Of this finding alone: what is new in the catalogue changes no picture.
    const stored = (session.stored ?? []).filter(({ rule }) => rule === "sgx-interrupted-code-lost");
    const s = playerOf({ ...session, stored }, SIZE);
    await s.press("enter");
    while (!s.state().message.startsWith("the wrong turn")) await s.press("enter");
    expectGolden("../../tui/replay/screen.svg", svgOf(s.screen().split("\n"), SIZE.width));
  } finally {
    session.trace.close();
  }
});

test("the README's first questions are those that the benchmark times, and each has an answer", async () => {
  expectInReadme(/^-- .*\?\n(?:(?!```).+\n)+/m, questionText());
  const dir = fresh("questions.trace");
  await record(syntheticSource({ rows: 20_000 }), dir, testInfo());
  const trace = await openTrace(dir);
  try {
    // This source has no verdict, and hence no ends and no differences.
    for (const { sql } of QUESTIONS) expect(trace.ask(sql).length > 0, sql).toBe(!/FROM (outcome|difference)/.test(sql));
    for (const { sql } of QUESTIONS) {
      const plan = trace.ask(`EXPLAIN QUERY PLAN ${sql}`).map((step) => String(step[3]));
      expect(
        plan.filter((step) => /^SCAN (t|transition|syscall|signal|entry|upcall|handler|g)$/.test(step) && !/signal_total/.test(sql)),
        sql,
      ).toEqual([]);
    }
  } finally {
    trace.close();
  }
});

test("the README's row of eintr export names each format", () => {
  const readme = readFileSync(path.resolve(import.meta.dirname, "../README.md"), "utf8");
  const [row = ""] = /^\| `eintr export DIR .*$/m.exec(readme) ?? [];
  const ids = [...EXPORTERS, ...DOCUMENTS].map(({ id }) => id);
  expect(
    ids.filter((id) => !row.includes(`\`${id}\``)),
    "formats that README.md's row of eintr export does not name",
  ).toEqual([]);
});

test("the README's table of commands has a row for each", () => {
  const readme = readFileSync(path.resolve(import.meta.dirname, "../README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| `eintr ([a-z]+)[ `]/gm)].map(([, name]) => name);
  const names = [...Object.keys(COMMANDS), "replay"];
  expect(
    names.filter((name) => !rows.includes(name)),
    "commands that have no row in README.md, Commands",
  ).toEqual([]);
});

test("the README's table of keys is that of tui/replay/input/commands.ts", () => {
  expectInReadme(/^\| keys \|.*\n(?:\|.*\n)*/m, `${keyTable().trim()}\n`);
});
