/** Errors of the engine that are somebody's mistake: shown as they are, without a stack trace. */

/** A scenario that cannot be: its text, or a place or name that a stack does not have. */
export class ScenarioError extends Error {}
