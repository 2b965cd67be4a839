/**
 * Handlers of the scenario from the runs that the log shows. Where all runs of a function made the same calls in about the same time,
 * one list of operations stands for them; else the handler goes on, run by run, as the one that did what this run did, and is over when
 * this run was.
 */

import { signalName } from "../../../engine/index.ts";
import { bounded } from "./args.ts";
import { type AfterHandlers, isComputation } from "./level.ts";
import type { HandlerRun, Item, Registration } from "./registrations.ts";
import type { Tally } from "./tally.ts";

/** Runs whose times differ by less are alike, ns: no signal falls into the difference. */
const ALIKE_NS = 20_000;

/** What the handlers are made of while they are made. */
interface Making {
  readonly handlers: Record<string, Item[]>;
  /** How often a name was given. */
  readonly taken: Map<string, number>;
}

/** Names the handlers of all registrations and answers with their bodies. */
export function makeHandlers(registrations: readonly Registration[], tally: Tally): Record<string, Item[]> {
  const making: Making = { handlers: {}, taken: new Map() };
  const groups = new Map<string, Registration[]>();
  for (const registration of registrations) {
    // Functions that never ran are all alike.
    const group = groups.get(registration.key);
    if (group) group.push(registration);
    else groups.set(registration.key, [registration]);
  }
  const idle = new Map<number, string>();
  for (const group of groups.values()) {
    const runs = group.flatMap((registration) => registration.runs).sort((a, b) => a.start - b.start);
    const signal = group[0]?.signal ?? 0;
    const name = runs.length > 0 ? makeHandler(signal, runs, making) : (idle.get(signal) ?? add(making, signal, []));
    if (runs.length === 0) idle.set(signal, name);
    for (const registration of group) registration.name = name;
    for (const run of runs) for (const { fate, lines, call } of run.fates) tally.add(fate, lines, call);
  }
  return making.handlers;
}

function makeHandler(signal: number, runs: readonly HandlerRun[], making: Making): string {
  const kinds = new Map<string, HandlerRun[]>();
  for (const run of runs) {
    const what = whatItDid(run);
    const kind = kinds.get(what);
    if (kind) kind.push(run);
    else kinds.set(what, [run]);
  }
  const lasted = runs.map((run) => run.lasted);
  const alike = kinds.size === 1 && lasted.reduce((a, b) => Math.max(a, b)) - lasted.reduce((a, b) => Math.min(a, b)) < ALIKE_NS;
  if (alike && !runs.some((run) => raisesItself(signal, run))) return add(making, signal, bodyOf(runs));

  const name = newName(signal, making.taken);
  making.handlers[name] = [];
  const kindOf = new Map<HandlerRun, string>();
  for (const kind of kinds.values()) {
    const body = add(making, signal, bodyOf(kind));
    for (const run of kind) kindOf.set(run, body);
  }
  const threads: Record<string, { as: string[]; ends: number[] }> = {};
  for (const run of runs) {
    const of = threads[run.thread] ?? { as: [], ends: [] };
    threads[run.thread] = of;
    of.as.push(kindOf.get(run) ?? "");
    of.ends.push(bounded(run.endedAt));
  }
  // A run more than the log has: what it did most often, unless that raises the signal anew each time.
  const usual = [...kinds.values()]
    .filter(([run]) => run !== undefined && !raisesItself(signal, run))
    .sort((a, b) => b.length - a.length)[0]?.[0];
  const otherwise = (usual && kindOf.get(usual)) ?? add(making, signal, []);
  making.handlers[name] = [{ "by-run": { threads, otherwise } }];
  return name;
}

function add({ handlers, taken }: Making, signal: number, body: Item[]): string {
  const name = newName(signal, taken);
  handlers[name] = body;
  return name;
}

function newName(signal: number, taken: Map<string, number>): string {
  const base = `on-${signalName(signal)}`;
  const n = (taken.get(base) ?? 0) + 1;
  taken.set(base, n);
  return n === 1 ? base : `${base}-b${n}`;
}

/**
 * The runs that a handler stands for took other times than the one it is made of. The computation after each run takes up the
 * difference, so that a thread's clock does not drift away from the log's and timers go on meeting the calls that they met.
 */
export function evenOut(afterHandlers: readonly AfterHandlers[]): void {
  for (const { item, runs } of afterHandlers) {
    const more = runs.reduce((sum, run) => sum + run.lasted - (run.model?.modelled ?? 0), 0);
    item.compute.for = bounded(item.compute.for + more);
  }
}

/** A handler that raised its own signal each time it ran would never end. */
function raisesItself(signal: number, { items }: HandlerRun): boolean {
  const name = signalName(signal);
  return items.some((item) => {
    const sent = item.kill ?? item.tgkill;
    if (sent !== undefined) return (sent as Item).signal === name && [(sent as Item).process, (sent as Item).thread].includes("self");
    return "fault" in item || "sigsetjmp" in item;
  });
}

/** The calls of a run and their results, as a text. How long they took differs from run to run and says nothing. */
const whatItDid = (run: HandlerRun): string =>
  JSON.stringify([resumes(run), run.items.filter((item) => !isComputation(item))], (key, value: unknown) =>
    key === "takes" || key === "line" ? undefined : value,
  );

function bodyOf(runs: readonly HandlerRun[]): Item[] {
  // Of runs that differ in time only, the shortest: the others go on computing until they were over.
  // One that the log's end cut off says nothing of how long it was.
  const over = runs.filter(({ lasted }) => lasted > 0);
  const lengths = over.length === 0 ? runs : over;
  const first = lengths.reduce<HandlerRun | null>((best, run) => (best === null || run.lasted < best.lasted ? run : best), null);
  const body = [...(first?.items ?? [])];
  for (const run of runs) run.model = first;
  // Moments of one run are none of another's.
  if (runs.length > 1) for (const item of body) if (isComputation(item)) delete item.compute.until;
  // Whatever the handler did about the fault, the instruction did not raise it again.
  if (first && resumes(first)) body.push({ "skip-fault": {} });
  return body;
}

const resumes = (run: HandlerRun): boolean => run.fault && run.returned;
