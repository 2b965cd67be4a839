/** What a command may use: the world, the state, and ways to change what is shown. */

import type { Action, ReplayState } from "./state.ts";
import type { World } from "./world.ts";

export interface Context {
  readonly world: World;
  readonly state: () => ReplayState;
  readonly dispatch: (action: Action) => void;
  /** Leave the replay. */
  readonly quit: () => void;
  /** Stop at the next chance what goes on in the background, and what was started before. */
  readonly task: () => AbortSignal;
  /** Put text on the terminal's clipboard. */
  readonly copy: (text: string) => void;
  /** Write the screen as it is to a file; returns its name. */
  readonly picture: () => string;
}
