/** The rules over a trace that was too long to be looked through when it was opened: asked for, in the background. */

import type { Context } from "../context.ts";
import { analyzeLong, isTooLongToAnalyze } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { countsText } from "./opening.ts";

/** Transitions between two words on how far it is. */
const TOLD_EVERY = 500_000;

/** Nobody has looked for what is wrong in this trace. */
export const isUnlooked = (c: Pick<Context, "session">, s: ReplayState): boolean => !s.looked && isTooLongToAnalyze(c.session);

export async function runRules(c: Context): Promise<void> {
  await c.task(async (stop) => {
    const { count } = c.session.rows;
    let told = -TOLD_EVERY;
    const found = await analyzeLong(c.session, stop, (rows) => {
      if (rows - told < TOLD_EVERY) return;
      told = rows;
      c.dispatch({ type: "say", message: `the rules look through it: ${Math.floor((100 * rows) / count)} % (Esc stops)` });
    });
    if (found === null || stop.aborted) return;
    c.dispatch({ type: "found", findings: found });
    c.dispatch({
      type: "say",
      message: found.length === 0 ? "the rules found nothing" : `${countsText(c.state())}; kept with the trace; Enter tells the worst`,
    });
  });
}
