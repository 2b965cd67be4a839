/** What a stack's transitions cost in virtual time, and where the numbers come from. */

import { COSTS, type Cost, costOf, type Stack } from "../../engine/index.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

interface KindCost {
  readonly kind: string;
  readonly ns: number;
  readonly source: string;
  /** The stack's own number, not the one that all stacks share. */
  readonly own: boolean;
}

/** Kinds that cost something else than a line of C, as this stack has them: those that all share, then its own. */
export function costsOf({ costs = {}, enclave }: Pick<Stack, "costs" | "enclave">): KindCost[] {
  const isHere = ([kind]: [string, Cost]): boolean => enclave || !kind.startsWith("sgx.");
  return Object.entries<Cost>({ ...COSTS, ...costs })
    .filter(isHere)
    .map(([kind, cost]) => ({ kind, ...cost, own: Object.hasOwn(costs, kind) }));
}

export function costsText(stack: Pick<Stack, "costs" | "enclave">, { strong, dim }: Paint, width: number): string {
  const costs = costsOf(stack);
  const names = Math.max(...costs.map(({ kind }) => kind.length));
  const numbers = Math.max(...costs.map(({ ns }) => String(ns).length));
  const margin = names + numbers + 9;
  const lines = costs.flatMap(({ kind, ns, source }) =>
    wrapCells(source, width - margin).map((line, i) => {
      const head = i === 0 ? `  ${kind.padEnd(names)}  ${String(ns).padStart(numbers)} ns  ` : " ".repeat(margin);
      return head + dim(line);
    }),
  );
  const rest = `  every other transition is a line of C, a handful of instructions: ${costOf("step")} ns`;
  return `${[strong("Virtual costs"), ...lines, rest].join("\n")}\n`;
}
