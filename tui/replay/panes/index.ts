/** The panes, in the order of their tabs and number keys. */

import { comparePane } from "./compare.ts";
import { findingsPane } from "./findings.ts";
import { flowPane } from "./flow.ts";
import { lanesPane } from "./lanes.ts";
import type { Pane } from "./pane.ts";
import { signalPane } from "./signal.ts";
import { sqlPane } from "./sql.ts";
import { statePane } from "./state.ts";
import { stopsPane } from "./stops.ts";

export const PANES = [statePane, signalPane, findingsPane, lanesPane, flowPane, sqlPane, comparePane, stopsPane] as const;

/** Those whose rows need the whole width: a wide and high screen has them in its strip. */
export const isWidePane = (id: string): boolean => PANES.some((pane: Pane) => pane.id === id && pane.wide === true);

/** In the order of their tabs. */
export const PANE_IDS: readonly string[] = PANES.map(({ id }) => id);
