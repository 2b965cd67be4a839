/** Rows of the table `signal_name`: the engine's names, so that SQL and all other output say the same. */

import { SIGNAL_NAMES as NAMES } from "../../engine/index.ts";

/** Every signal as [number, name], 1..64. */
export const SIGNAL_NAMES: readonly (readonly [number, string])[] = NAMES.map((name, i) => [i + 1, name] as const);
