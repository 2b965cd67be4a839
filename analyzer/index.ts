/** The analyzer's only door. */

export { type Analysis, type AnalysisResult, type AnalyzeOptions, analyze, createAnalysis, MAX_ALIKE } from "./driver.ts";
export { explain, findRule, RuleError, wrap } from "./explain.ts";
export { atLeast, type Evidence, type Finding, SEVERITIES, type Severity } from "./finding.ts";
export type { Names, Report, Rule, RuleState } from "./rule.ts";
export { RULES } from "./rules/index.ts";
