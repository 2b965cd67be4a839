/** The model of threads, as rules see it. */

export { type Action, SA } from "./actions.ts";
export { endTrace, finishTrace, takeRow } from "./follow.ts";
export {
  type Gate,
  type Gated,
  type GatedMap,
  type IsAbout,
  type Listener,
  type Narrow,
  narrowed,
  only,
  whileOpen,
} from "./gates.ts";
export { type Interruption, isHandlerOf } from "./interruptions.ts";
export { CHANGES_STATE } from "./kinds.ts";
export { ENDED } from "./locks.ts";
export { type EndListener, ThreadModel } from "./model.ts";
export type { Notes } from "./notes.ts";
export { doubled, HOW, type How, NONE, SCOPE, SCOPE_NAMES, type ScopeName, type ScopeType } from "./scopes.ts";
export { type PendingSignal, WAITS_IN } from "./signals.ts";
export { MASK, type Mask } from "./threads.ts";
