/** What this run can be shown beside: a fix that mends what was found, another stack, another fix, or another trace. */

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { FIXES, type FixName, findStackName, hint, isFix, STACK_NAMES, STACKS, type StackName } from "../../../engine/index.ts";
import { ARROW_NAME, type Trace } from "../../../recorder/index.ts";
import { catalogueIfLoaded } from "../catalogue.ts";
import type { ReplaySession, StoredFinding } from "../session.ts";

export type Choice =
  /** A fix to switch on, or a stack to run on. */
  | { readonly what: "fix" | "stack"; readonly name: FixName | StackName; readonly text: string }
  /** The folder of another trace. */
  | { readonly what: "trace"; readonly name: string; readonly text: string };

/** What this run can be laid beside, the likeliest first. One that cannot be run again has the traces that lie beside it. */
export function choicesOf({ trace }: ReplaySession, findings: readonly StoredFinding[]): Choice[] {
  return [...otherwise(trace, findings), ...tracesBeside(trace)];
}

/** Traces in the folder that are offered, and names looked at for them. */
const MOST_TRACES = 50;
const MOST_NAMES = 1000;

const beside = new WeakMap<Trace, readonly Choice[]>();

/** Looked for once: what comes later can be typed. */
function tracesBeside(trace: Trace): readonly Choice[] {
  let found = beside.get(trace);
  if (found === undefined) beside.set(trace, (found = namesBeside(trace.dir).map((name) => ({ what: "trace", name, text: "" }))));
  return found;
}

function namesBeside(dir: string): string[] {
  const folder = path.dirname(dir);
  try {
    return readdirSync(folder)
      .slice(0, MOST_NAMES)
      .filter((name) => name !== path.basename(dir) && existsSync(path.join(folder, name, ARROW_NAME)))
      .sort()
      .slice(0, MOST_TRACES)
      .map((name) => path.join(folder, name));
  } catch {
    // A folder that may not be listed has nothing to offer.
    return [];
  }
}

/** The same run with a fix, or on another stack; nothing for a trace that cannot be run again. */
function otherwise(trace: Trace, findings: readonly StoredFinding[]): Choice[] {
  const { info } = trace;
  if (info.origin !== "emulated") return [];
  const own = findStackName(info.stack);
  const known = (own === undefined ? [] : (STACKS[own].switches ?? [])).filter(
    (name) => isFix(name) && !info.fixes.includes(name),
  ) as FixName[];
  const rules = catalogueIfLoaded()?.RULES ?? [];
  const meant = findings
    .flatMap(({ rule }) => rules.find(({ id }) => id === rule)?.fix ?? [])
    .filter((fix) => known.includes(fix as FixName));
  const mends = [...new Set(meant as FixName[])];
  const others = known.filter((name) => !mends.includes(name));
  return [
    ...mends.map((name): Choice => ({ what: "fix", name, text: `mends what was found: ${FIXES[name].text}` })),
    // A small pane shows a few rows: that there are stacks has to be seen before the other fixes.
    ...STACK_NAMES.filter((name) => name !== own).map((name): Choice => ({ what: "stack", name, text: STACKS[name].text })),
    ...others.map((name): Choice => ({ what: "fix", name, text: FIXES[name].text })),
  ];
}

/** What was typed: a fix, a stack, or else the folder of a trace. Null where it is neither and can be no folder's name. */
export function typedChoice(text: string): Choice | { readonly error: string } {
  const name = text.trim();
  if (isFix(name)) return { what: "fix", name, text: "" };
  const stack = findStackName(name);
  if (stack !== undefined) return { what: "stack", name: stack, text: "" };
  return name === "" ? { error: `write a fix, a stack or a trace folder${hint(name, STACK_NAMES)}` } : { what: "trace", name, text: "" };
}
