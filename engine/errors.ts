/** Errors of the engine that are somebody's mistake: shown as they are, without a stack trace. */

/** A scenario that cannot be: its text, or a place or name that a stack does not have. */
export class ScenarioError extends Error {}

/** What somebody needs to make a broken run again. Plain data. */
export interface BrokenRun {
  readonly stack: string;
  readonly fixes: readonly string[];
  readonly options: readonly string[];
  readonly scheduler: string;
  readonly seed: number;
  /** Transitions made when it was noticed; it happened not long before. */
  readonly seq: number;
  /** The laws of `invariant.ts` that do not hold, one line each. */
  readonly laws: readonly string[];
  readonly decisions: readonly unknown[];
  readonly scenario: unknown;
}

/** The machine is in a state that no scenario may bring it to: a bug of the engine. */
export class BrokenLaw extends Error {
  override readonly name = "BrokenLaw";
  constructor(readonly run: BrokenRun) {
    super(`seq ${run.seq} on ${run.stack}: ${run.laws.slice(0, 5).join("; ")}`);
  }
}
