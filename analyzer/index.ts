/** The analyzer's door. The rules, and what runs them, are behind `catalogue.ts`: the replay's first screen does not wait for them. */

export { type Changes, ExperimentError, firstDifferingRow, type RowDifference, runOf, withDecision } from "./experiments/rerun.ts";
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
export { RULE_IDS } from "./rule-ids.ts";
export * from "./verdict/index.ts";
