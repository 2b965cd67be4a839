/** Signals that a scenario sends on other stacks only. */

import { type Scenario, STACK_NAMES } from "../../engine/index.ts";

/**
 * The importer of strace logs gives a plan the stacks on which it comes: what a program caused by means that no library OS has comes on
 * native-linux alone. Of two plans that send one signal by different roads, each on its own stacks, nothing is withheld.
 */
export function withheldOn({ signals }: Scenario, stack: string): ReadonlySet<number> {
  const balance = new Map<number, number>();
  for (const { signal, stacks } of signals) {
    if (stacks === undefined || stacks.length === STACK_NAMES.length) continue;
    const step = stacks.some((name) => name === stack) ? -1 : 1;
    balance.set(signal, (balance.get(signal) ?? 0) + step);
  }
  return new Set([...balance].filter(([, missing]) => missing > 0).map(([signal]) => signal));
}
