/** The recipes: each can be asked of any trace, in the prompt of query and in the replay. */

import { expect, test } from "vitest";
import { query } from "../../recorder/index.ts";
import { durationText } from "../../tui/present/time.ts";
import { RECIPES } from "../../tui/recipes.ts";
import { chartColumns, chartLines } from "../../tui/replay/panes/sql-chart.ts";
import { eintr } from "../support/command-line.ts";
import { playerOf, sessions } from "../support/replay.ts";
import { tempPaths } from "../support/temp-dir.ts";

const session = sessions();
const fresh = tempPaths();

test.each(RECIPES)("$name", async ({ sql, text }) => {
  const w = await session("w7-burst-blocked");
  const result = await query(w.trace.db, sql, { limit: 50 });
  expect(result.columns.length).toBeGreaterThan(1);
  expect(text.length).toBeGreaterThan(10);
  for await (const chunk of result.chunks()) expect(chunk.length).toBeLessThanOrEqual(50);
});

test("in the replay: chosen, asked, drawn as bars, scrolled sideways, written as CSV; the recipes come back", async () => {
  const s = playerOf(await session("w7-burst-blocked"), { width: 100, height: 39 });
  await s.type("6");
  expect(s.screen()).toContain("> lost-signals");
  await s.type("..");
  expect(s.screen()).toMatch(/^> outcomes +what became of the signals, counted/m);
  await s.type("\r");
  await s.press("G");
  const bars = s.screen();
  expect(bars).toMatch(/^ +handled +\d+ +█+/m);
  await s.press("G", "D");
  expect(s.screen()).toMatch(/^ {2}signals *$/m);
  await s.press("A", "X");
  expect(s.state().message).toMatch(/^written: eintr-rows\.csv \(\d+ rows\)$/);
  expect(s.copied()).toMatch(/^outcome,signals\nhandled,\d+\n/);
  await s.press("Q");
  expect(s.screen()).toMatch(/^> outcomes/m);
});

test("a new question begins empty; Tab completes names as far as they agree, and says what there is", async () => {
  const s = playerOf(await session("w7-burst-blocked"), { width: 100, height: 39 });
  await s.type(";SELECT signal_na\t");
  expect(s.state().line.typed).toBe("SELECT signal_name");
  await s.type(" FROM call_\t");
  expect(s.state().line.typed).toContain("FROM call_total");
  expect(s.screen()).toContain("call_total  call_totals");
  await s.type("\u001b;");
  expect(s.state().line.typed).toBe("");
  await s.type("SELECT nmae FROM thread\r");
  expect(s.state().message).toContain('no such column: nmae; did you mean "name"?');
});

test("a chart needs names and amounts", () => {
  const result = (columns: string[], rows: (string | number | null)[][]) => ({ sql: "", columns, rows, truncated: false });
  expect(chartColumns(result(["a", "b"], [["x", "y"]]))).toBeNull();
  expect(chartColumns(result(["a", "b", "n"], [["x", "y", 3]]))).toEqual({ name: 0, value: 2 });
  expect(chartColumns(result(["seq", "exit_seq", "time_ns"], [[1, 2, 3]]))).toEqual({ name: 0, value: 2 });
  expect(chartLines(result(["a"], [["x"]]), 0, 40, 5, false)[0]).toContain("needs a name");
  const lines = chartLines(
    result(
      ["a", "n"],
      [
        ["x", 10],
        ["y", 5],
        ["z", 0],
        ["w", null],
      ],
    ),
    0,
    41,
    9,
    true,
  );
  expect(chartLines(result(["a", "time_ns"], [["x", 5_000_000]]), 0, 40, 1, true)[0]).toContain("5.0 ms");
  const lengths = lines.map((line) => (line.match(/#/g) ?? []).length);
  expect(lengths[0]).toBe(2 * (lengths[1] ?? 0));
  expect(lengths.slice(2)).toEqual([0, 0]);
});

test("views have units and names beside the raw numbers", async () => {
  const dir = fresh("units.trace");
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-linux", "-o", dir]);
  const asked = async (sql: string): Promise<unknown[]> => {
    const { out, code, talk } = await eintr(["query", dir, "--format", "json", sql]);
    expect(code, talk).toBe(0);
    return JSON.parse(out) as unknown[];
  };
  const [read] = (await asked("SELECT result, answer, duration_ns, duration FROM syscalls WHERE call LIKE 'read(%'")) as [
    { result: number; answer: string; duration_ns: number; duration: string },
  ];
  expect([read.result, read.answer]).toEqual([-4, "-EINTR"]);
  expect(read.duration).toBe(durationText(read.duration_ns));
  expect(await asked("SELECT answer FROM call_totals WHERE error = 1")).toEqual([{ answer: "never returned" }]);
  expect(await asked("SELECT count(*) AS n FROM signals WHERE (delay IS NULL) <> (delay_ns IS NULL)")).toEqual([{ n: 0 }]);
  expect(await asked("SELECT duration FROM syscalls WHERE duration_ns IS NULL")).toEqual([{ duration: null }]);
});

test("on the command line: .recipes lists them, the name alone asks one", async () => {
  const dir = fresh("a.trace");
  await eintr(["record", "w7-burst-blocked", "--stack", "graphene-linux", "-o", dir]);
  const { out } = await eintr(["query", dir, ".recipes"]);
  for (const { name, text, sql } of RECIPES) expect(out).toContain(`${name.padEnd(16)} ${text}\n${sql}\n`);
  for (const { name, sql } of RECIPES) {
    const [byName, bySql] = [await eintr(["query", dir, name]), await eintr(["query", dir, sql])];
    expect(byName).toEqual(bySql);
    expect(byName.code).toBe(0);
  }
  expect((await eintr(["query", dir, ".recpes"])).talk).toContain('no command .recpes; did you mean ".recipes"?');
});
