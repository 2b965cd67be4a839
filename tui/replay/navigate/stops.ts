/** Conditions to stop at: on to the next place where one of them holds, or back to the last. */

import type { Context } from "../context.ts";
import type { Condition } from "../state.ts";
import { MAX_CONDITIONS, predicateOf } from "./condition.ts";
import { findRow, goTo } from "./navigation.ts";
import type { Direction, RowPredicate } from "./rows.ts";

/** A new condition, and on to the first place where it holds; if there is none further on, back. */
export async function addCondition(c: Context, text: string): Promise<void> {
  const trimmed = text.trim();
  if (trimmed === "") return;
  const test = predicateOf(c.session.trace, trimmed);
  const { conditions } = c.state();
  if (!conditions.some((one) => one.text === trimmed)) {
    if (conditions.length >= MAX_CONDITIONS)
      return c.dispatch({ type: "say", message: `there are ${MAX_CONDITIONS} conditions already: x in pane stops takes one away` });
    c.dispatch({ type: "conditions", conditions: [...conditions, { text: trimmed, enabled: true, hits: 0 }] });
  }
  await findRow(c, c.state().seq, 1, test, (found) => {
    if (found !== null) return stopAt(c, found);
    return findRow(c, c.state().seq, -1, test, (before) => {
      if (before !== null)
        return c.dispatch({ type: "say", message: `"${trimmed}" does not hold further on; R goes back to seq ${before}` });
      c.dispatch({ type: "say", message: `"${trimmed}" holds nowhere in this trace` });
    });
  });
}

/** To the next place where one of the conditions that are on holds. */
export async function runTo(c: Context, direction: Direction): Promise<void> {
  const on = c.state().conditions.filter(({ enabled }) => enabled);
  if (on.length === 0)
    return c.dispatch({ type: "say", message: "no condition to stop at: & writes one, such as cssa > 1 && preempt > 0" });
  const tests = on.map(({ text }) => predicateOf(c.session.trace, text));
  const any: RowPredicate = (block, i) => {
    for (const test of tests) if (test(block, i)) return true;
    return false;
  };
  await findRow(c, c.state().seq, direction, any, (found) => {
    if (found !== null) return stopAt(c, found);
    c.dispatch({ type: "say", message: `no condition holds ${direction === 1 ? "further on" : "before here"}` });
  });
}

/** Stand there, tell which conditions hold, and count. */
function stopAt(c: Context, seq: number): void {
  const place = c.session.rows.block(seq);
  const { conditions } = c.state();
  const holds = ({ text, enabled }: Condition): boolean =>
    enabled && place !== null && predicateOf(c.session.trace, text)(place.block, place.row);
  c.dispatch({ type: "conditions", conditions: conditions.map((one) => (holds(one) ? { ...one, hits: one.hits + 1 } : one)) });
  goTo(
    c,
    seq,
    null,
    `stopped: ${conditions
      .filter(holds)
      .map(({ text }) => text)
      .join("; ")}`,
  );
}

/** On or off. */
export function toggleCondition(c: Context, index: number): void {
  const { conditions } = c.state();
  c.dispatch({ type: "conditions", conditions: conditions.map((one, i) => (i === index ? { ...one, enabled: !one.enabled } : one)) });
}

export function removeCondition(c: Context, index: number): void {
  c.dispatch({ type: "conditions", conditions: c.state().conditions.filter((_, i) => i !== index) });
}

/** Leaves rows out of the timeline where this holds; an empty text shows all again. */
export function hideRows(c: Context, text: string): void {
  const hide = text.trim();
  if (hide !== "") predicateOf(c.session.trace, hide);
  c.dispatch({ type: "hide", hide });
  c.dispatch({ type: "say", message: hide === "" ? "all rows are shown" : `hidden: rows where ${hide}; ! and Enter shows them again` });
}
