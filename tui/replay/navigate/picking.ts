/** `.` `,` and Enter: they choose a row of the pane that is shown, and do what it is for. */

import { ignoredOf } from "../../ignored.ts";
import { csvText } from "../../present/results.ts";
import { RECIPES } from "../../recipes.ts";
import { alignCalls, pairsOf } from "../compare/alignment.ts";
import { type Choice, choicesOf, typedChoice } from "../compare/choices.ts";
import { firstOfDifferences } from "../compare/position.ts";
import type { Context } from "../context.ts";
import { pan } from "../lanes/commands.ts";
import { stateLines } from "../panes/state.ts";
import { stopsOf } from "../panes/stops.ts";
import { bookmarkText } from "./bookmarks.ts";
import { difference, goTo, jumpToRow, sql } from "./navigation.ts";
import { isUnlooked, runRules } from "./run-rules.ts";
import { removeCondition, toggleCondition } from "./stops.ts";
import { evidence } from "./walkthrough.ts";

/** The next (1) or previous (-1) row. */
export function pick(c: Context, by: 1 | -1): void {
  const s = c.state();
  switch (s.pane) {
    case "lanes":
      return pan(c, by);
    case "stops":
      return c.dispatch({ type: "picked", picked: { stop: within(s.picked.stop + by, stopsOf(s).length) } });
    case "compare": {
      if (c.session.other !== null) return void difference(c, by);
      const most = choicesOf(c.session, s.findings).length;
      return c.dispatch({ type: "picked", picked: { choice: within(s.picked.choice + by, most) } });
    }
    case "state": {
      const lines = stateLines(c.session, s.seq, s.thread);
      if (typeof lines === "string" || lines.length === 0) return;
      const at = lines.findIndex(({ key }) => key === s.picked.state);
      return c.dispatch({ type: "picked", picked: { state: lines[within(at + by, lines.length)]?.key ?? null } });
    }
    case "sql":
      if (s.sql === null) return c.dispatch({ type: "picked", picked: { recipe: within(s.picked.recipe + by, RECIPES.length) } });
      return c.dispatch({ type: "sqlRow", row: s.sqlRow + by });
    default:
      return c.dispatch({ type: "sqlRow", row: s.sqlRow + by });
  }
}

const within = (index: number, count: number): number => Math.max(0, Math.min(count - 1, index));

/** What Enter does with the row: elsewhere it tells the finding. */
export function enter(c: Context): void | Promise<void> {
  const s = c.state();
  if (s.pane === "sql" && s.sql === null) return sql(c, RECIPES[s.picked.recipe]?.sql ?? "");
  if (s.pane === "sql") return jumpToRow(c);
  if (s.pane === "compare" && c.session.other === null) return compareChosen(c);
  if (s.pane === "findings" && isUnlooked(c, s)) return runRules(c);
  if (s.pane !== "stops") return void evidence(c, 1);
  const stop = stopsOf(s)[s.picked.stop];
  if (stop === undefined) return c.dispatch({ type: "say", message: "nothing is set yet: & writes a condition, m sets a bookmark" });
  if (stop.what === "condition") return toggleCondition(c, stop.index);
  goTo(c, stop.seq, null, bookmarkText(s, stop.seq));
}

/** Takes the chosen row away. */
export function remove(c: Context): void {
  const s = c.state();
  const stop = s.pane === "stops" ? stopsOf(s)[s.picked.stop] : undefined;
  if (stop === undefined) return c.dispatch({ type: "say", message: "x takes away a condition or bookmark: choose it in pane 8, stops" });
  if (stop.what === "condition") removeCondition(c, stop.index);
  else c.dispatch({ type: "bookmark", seq: stop.seq });
  c.dispatch({ type: "picked", picked: { stop: within(s.picked.stop, stopsOf(c.state()).length) } });
}

async function compareChosen(c: Context): Promise<void> {
  const { findings, picked } = c.state();
  const chosen = choicesOf(c.session, findings)[picked.choice];
  if (chosen === undefined) return c.dispatch({ type: "prompt", prompt: "compare" });
  await compare(c, chosen);
}

/** Shows the run beside what was typed: a fix, a stack or the folder of a trace. */
export async function compareTyped(c: Context, text: string): Promise<void> {
  const chosen = typedChoice(text);
  if ("error" in chosen) return c.dispatch({ type: "say", message: chosen.error });
  await compare(c, chosen);
}

async function compare(c: Context, chosen: Choice): Promise<void> {
  await c.task(async (stop) => {
    const told = (text: string): void => c.dispatch({ type: "say", message: text });
    told("running it the other way (Esc stops)");
    if (!(await c.compareWith(chosen, stop, told)) || stop.aborted) return;
    c.dispatch({ type: "compared" });
    const isSame = firstOfDifferences(c.session) === null && pairsOf(c.session).length > 0;
    told(isSame ? "side by side: the application sees the same in both runs" : "side by side; ) and ( go from difference to difference");
  });
}

/** Lays the two runs side by side again without differences of these calls, threads and kinds. */
export async function ignoreTyped(c: Context, text: string): Promise<void> {
  if (c.session.other === null) return c.dispatch({ type: "say", message: "there is one run only: 7 has what to lay beside it" });
  const names = text.split(/\s+/).filter((name) => name !== "");
  const ignored = ignoredOf(names);
  await c.task(async (stop) => {
    if (!(await alignCalls(c.session, stop, () => undefined, ignored))) return;
    c.dispatch({ type: "ignored", ignored: names.join(" ") });
    const count = firstOfDifferences(c.session)?.count ?? 0;
    c.dispatch({
      type: "say",
      message: `${count} ${count === 1 ? "difference" : "differences"} ${names.length === 0 ? "in all" : `without ${names.join(", ")}`}`,
    });
  });
}

/** Writes the result that is shown to a file, for other programs. */
export function saveCsv(c: Context): void {
  const { sql: result } = c.state();
  if (result === null) return c.dispatch({ type: "say", message: "no result to write: ; asks in SQL" });
  const text = csvText(result.columns, result.rows);
  c.dispatch({ type: "say", message: `written: ${c.save("eintr-rows", "csv", text)} (${result.rows.length} rows)` });
}
