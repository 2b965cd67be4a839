/** The page of `eintr explain graphene-pr1218`. */

import type { Mechanism, Told } from "../../stack/mechanism.ts";

const told = (source: string, ...text: readonly string[]): Told => ({ text, source });

export const graphenePr1218Mechanism: Mechanism = {
  state: told("pr347.md 3, steps 1 to 3, 5, 8; errata-2, PR 1218 steps", "x"),
  handlers: told("x", "x"),
  nesting: told("x", "x"),
  open: told("x", "x"),
};
