/** Where today's Gramine differs from Linux, as scenarios: what each shows on both, and with the fix that ends it. */

import { B_DIFFERENCES } from "./b.ts";
import { N_DIFFERENCES } from "./n.ts";
import type { Difference } from "./words.ts";

export { type Difference, SWEPT } from "./words.ts";

export const DIFFERENCES: readonly Difference[] = [...B_DIFFERENCES, ...N_DIFFERENCES];
