/** What a command may use: the session, the state, and ways to change what is shown. */

import type { Choice } from "./compare/choices.ts";
import type { Action } from "./reduce.ts";
import type { ReplaySession } from "./session.ts";
import type { ReplayState } from "./state.ts";

export interface Context {
  readonly session: ReplaySession;
  readonly state: () => ReplayState;
  readonly dispatch: (action: Action) => void;
  /** Leave the replay. */
  readonly quit: () => void;
  /** Stop as Ctrl-Z does, until the shell goes on with it. */
  readonly suspend: () => void;
  /** Stop what goes on in the background. */
  readonly cancel: () => void;
  /**
   * Do something in the background: `run` ends at the next chance when its signal is aborted. What was begun before is cancelled.
   * Resolves when it is over.
   */
  readonly task: (run: (stop: AbortSignal) => Promise<void>) => Promise<void>;
  /** Show the run beside another one from now on: made from what was chosen, or another trace. False when it was stopped; throws as that does. */
  readonly compareWith: (chosen: Choice, stop: AbortSignal, told: (text: string) => void) => Promise<boolean>;
  /** Send text to the terminal for its clipboard: whether it is taken is not told. */
  readonly copy: (text: string) => void;
  /** Seqs of the rows that the timeline shows. */
  readonly onScreen: () => readonly number[];
  /** Write a text to a new file of that name and extension where the program was started; returns the file's name. Throws InputError. */
  readonly save: (name: string, extension: string, text: string) => string;
  /** Write the screen as it is to a file; returns its name. Throws InputError. */
  readonly picture: () => string;
}
