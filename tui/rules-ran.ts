/** Which rules have looked through a trace. */

import { RULE_IDS } from "../analyzer/index.ts";
import type { Trace } from "../recorder/index.ts";

/** Whether each rule there is has looked through the trace: else that nothing is found says nothing. */
export function allRulesRan(trace: Trace): boolean {
  const ran = new Set(trace.ask("SELECT rule FROM analysis").map(([rule]) => rule));
  return RULE_IDS.every((id) => ran.has(id));
}
