/**
 * EINTR_EXTRA_STEP=shim_do_read,lock: these flows of the built-in stacks have a step more, which does nothing. Tests that are about
 * something else than these flows must not notice (test/README.md).
 */

import { flow } from "../../engine/flow.ts";
import { STACKS, type Stack } from "../../engine/index.ts";

const names = (process.env.EINTR_EXTRA_STEP ?? "").split(",");
const extra = flow("extra", "app", "", ({ act }) => [act("a step more")]).items;

const longer = (stack: Stack): Stack => ({
  ...stack,
  flows: (fixes) =>
    stack.flows(fixes).map((one) => {
      const [first, ...rest] = one.items;
      return first !== undefined && names.includes(one.name) ? Object.create(one, { items: { value: [first, ...extra, ...rest] } }) : one;
    }),
});

const known = new Set(Object.values(STACKS).flatMap((stack) => stack.flows(new Set()).map(({ name }) => name)));
for (const name of names) if (!known.has(name)) throw new Error(`EINTR_EXTRA_STEP: no flow "${name}"`);
Object.assign(STACKS, Object.fromEntries(Object.entries(STACKS).map(([name, stack]) => [name, longer(stack)])));
