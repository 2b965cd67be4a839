/** Signals that a scenario sends on other stacks only, because nothing sends them on this one. */

import type { Scenario } from "../../engine/index.ts";

/** The importer of strace logs knows them: what a program caused by means that no library OS has. */
export const withheldOn = ({ signals }: Scenario, stack: string): ReadonlySet<number> =>
  new Set(
    signals.filter(({ lacked, stacks = [] }) => lacked === true && !stacks.some((name) => name === stack)).map(({ signal }) => signal),
  );
