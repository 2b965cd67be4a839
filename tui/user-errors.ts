/** Errors whose message is all the user needs. Anything else is our bug and keeps its stack. */

import { ExperimentError, RuleError } from "../analyzer/index.ts";
import { ScenarioError } from "../engine/index.ts";
import { StraceError } from "../recorder/importers.ts";
import { QueryError, TraceError } from "../recorder/index.ts";
import { InputError } from "./io.ts";

const KINDS = [InputError, ScenarioError, TraceError, QueryError, RuleError, ExperimentError, StraceError];

export const isForTheUser = (error: Error): boolean => KINDS.some((kind) => error instanceof kind);
