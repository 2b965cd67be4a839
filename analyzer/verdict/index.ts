/** The verdict's door. */

export { type Because, explained } from "./because.ts";
export { besideLog } from "./beside-log.ts";
export type { Ignored } from "./compare.ts";
export { DIFFERENCE_KINDS, type Difference, type DifferenceKind, type Side, WEIGHTS, type Weight } from "./difference.ts";
export type { Explainer } from "./explainers.ts";
export { compareTraces, judgeTrace, nameOfRun, observeTrace, runName } from "./judge.ts";
export { createLogPlaces } from "./log-places.ts";
export type { Observed } from "./observation.ts";
export { createObserver } from "./observe.ts";
export { observeRun, type Patience } from "./oracle.ts";
export { type SideItem, type SidePair, sideBySide } from "./side-by-side.ts";
export { storedVerdict } from "./stored.ts";
export { type Summary, storedSummary, summaryOf } from "./summary.ts";
export { firstOf, isDetail, isMissingCall, ofWeight, type Verdict, verdictOf } from "./verdict.ts";
