/** The analyzer's only door. */

export {
  type Analysis,
  type Analyzable,
  type AnalyzeOptions,
  analyze,
  createAnalysis,
} from "./driver.ts";
export { type Changes, ExperimentError, firstDifferingRow, type RowDifference, runOf, withDecision } from "./experiments/rerun.ts";
export { findEntry, findRule, RuleError } from "./find-rule.ts";
export { atLeast, type Evidence, type Finding, SEVERITIES, type Severity } from "./finding.ts";
export { type AnalysisResult, createKeeping, type FindingGroup, MAX_FINDINGS_PER_FINGERPRINT } from "./keeping.ts";
export {
  ENDED,
  HOW,
  type How,
  MASK,
  type Mask,
  NONE,
  type Notes,
  type PendingSignal,
  SCOPE,
  SCOPE_NAMES,
  type ScopeName,
  type ScopeType,
  type ThreadModel,
  WAITS_IN,
} from "./model/index.ts";
export type { Names } from "./names.ts";
export {
  defineRule,
  type Example,
  type Found,
  GENERATIONS,
  type Generation,
  type Handlers,
  type Invalid,
  type Lint,
  type MadeRow,
  type Rule,
  type Valid,
  type Wording,
} from "./rule.ts";
export { addRule, RULES } from "./rules/index.ts";
export { LINTS } from "./rules/lints.ts";
export * from "./verdict/index.ts";
