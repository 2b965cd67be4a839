/** The door to the rules and what runs them: a third of the program's text, which most starts of it do not need. */

export { type Analysis, type Analyzable, type AnalyzeOptions, analyze, createAnalysis } from "./driver.ts";
export { findEntry, findRule, RuleError } from "./find-rule.ts";
export { addRule, RULES } from "./rules/index.ts";
export { LINTS } from "./rules/lints.ts";
