/** The analyzer's only door. */

export {
  type Analysis,
  type AnalysisResult,
  type Analyzable,
  analyze,
  analyzeGently,
  createAnalysis,
  type GentleOptions,
  MAX_ALIKE,
} from "./driver.ts";
export { type CallDifference, type Comparison, compareRuns, pairUp, type SeenPair } from "./experiments/compare.ts";
export { type Changes, type Difference, ExperimentError, firstDifferingRow, runOf, withDecision } from "./experiments/rerun.ts";
export { findRule, RuleError } from "./find-rule.ts";
export { atLeast, type Evidence, type Finding, SEVERITIES, type Severity } from "./finding.ts";
export type { Names, Report, Rule, RuleState } from "./rule.ts";
export { RULES } from "./rules/index.ts";
