/** The verdict and the findings of a trace: from its database, or found now and kept there. Used by what tells all of a trace. */

import type { Verdict } from "../analyzer/index.ts";
import type { Trace } from "../recorder/index.ts";
import { analyzeAndKeep } from "./analyzing.ts";
import { InputError, Interrupted, type Io } from "./io.ts";
import { verdictFor } from "./judging.ts";
import { allRulesRan } from "./rules-ran.ts";

/** After it the findings are in the database. Throws InputError for a trace without rows, or when they cannot be kept; Interrupted. */
export async function answersFor(io: Io, trace: Trace): Promise<Verdict> {
  if (trace.transitions.rows === 0) throw new InputError(`${trace.dir}: there are no transitions`);
  const verdict = await verdictFor(io, trace);
  if (verdict === null) throw new Interrupted();
  if (allRulesRan(trace)) return verdict;
  const analyzed = await analyzeAndKeep(io, trace);
  if (analyzed === null) throw new Interrupted();
  if (analyzed.unkept !== null) throw new InputError(analyzed.unkept);
  return verdict;
}
