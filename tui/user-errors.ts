/** Errors whose message is all the user needs. Anything else is our bug and keeps its stack. */

import { ExperimentError, RuleError } from "../analyzer/index.ts";
import { ScenarioError } from "../engine/index.ts";
import { ImportError, QueryError, TraceError } from "../recorder/index.ts";
import { InputError } from "./io.ts";

const KINDS = [InputError, ScenarioError, TraceError, QueryError, RuleError, ExperimentError, ImportError];

/** What to tell the user, or null for a bug of ours. */
export function wordsFor(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (KINDS.some((kind) => error instanceof kind)) return error.message;
  if (!isOfNativePart(error)) return null;
  const [reason] = error.message.split("\n");
  return `the native part of better-sqlite3 cannot be loaded into node ${process.version}: ${reason}\nIt is built for one version of node: npm rebuild better-sqlite3`;
}

/** After a change of node it is of the wrong version; after an installation without scripts it is not there. */
function isOfNativePart({ message, code }: NodeJS.ErrnoException): boolean {
  return code === "ERR_DLOPEN_FAILED" || (code === "MODULE_NOT_FOUND" && message.includes("better_sqlite3.node"));
}
