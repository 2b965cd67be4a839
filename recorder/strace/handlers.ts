/**
 * Handlers of the scenario from the runs that the log shows. A handler there does the same each time, so the runs that made the
 * most common sequence of calls stand for it; lines of other runs are counted, and results that differ between runs are not expected.
 */

import { signalName } from "../../engine/index.ts";
import { bounded } from "./args.ts";
import type { AfterHandlers } from "./level.ts";
import type { HandlerRun, Item, Registration } from "./registrations.ts";
import type { Tally } from "./tally.ts";

/** Names the handlers of all registrations and answers with their bodies. */
export function makeHandlers(registrations: readonly Registration[], tally: Tally): Record<string, Item[]> {
  const runsOfKey = new Map<string, HandlerRun[]>();
  for (const { key, runs } of registrations) {
    const list = runsOfKey.get(key) ?? [];
    runsOfKey.set(key, list);
    for (const run of runs) list.push(run);
  }
  const handlers: Record<string, Item[]> = {};
  const models = new Map<string, HandlerRun | undefined>();
  const names = new Map<string, string>();
  const taken = new Map<string, number>();
  for (const registration of registrations) {
    const { signal, key } = registration;
    const own = registration.runs;
    const common = mostCommon(signal, own.length > 0 ? own : (runsOfKey.get(key) ?? []));
    // Handlers that made no call are all alike.
    const signature = signatureOf(common[0]);
    const id = signature === "" ? `${signal} ${common.some(resumes)}` : `${key}\n${signature}`;
    let name = names.get(id);
    if (name === undefined) {
      name = newName(`on-${signalName(signal)}`, taken);
      names.set(id, name);
      handlers[name] = bodyOf(common);
      models.set(name, common[0]);
    } else forgetDiffering(handlers[name] ?? [], common);
    if (own.length > common.length) forgetAll(handlers[name] ?? []);
    registration.name = name;
    for (const run of own) run.model = models.get(name) ?? null;
    countRuns(own, common, tally);
  }
  return handlers;
}

/**
 * The runs that a handler stands for took other times than the one it is made of. The computation after each run takes up the
 * difference, so that a thread's clock does not drift away from the log's and timers go on meeting the calls that they met.
 */
export function evenOut(afterHandlers: readonly AfterHandlers[]): void {
  for (const { item, runs } of afterHandlers) {
    const more = runs.reduce((sum, run) => sum + run.lasted - (run.model?.modelled ?? 0), 0);
    item.compute = bounded((item.compute as number) + more);
  }
}

/** A jump to a place that only a run left out would have remembered leads nowhere: the handler comes back instead. */
export function dropLostJumps(handlers: Record<string, Item[]>, programs: Iterable<readonly Item[]>): void {
  const places = new Set<unknown>();
  for (const items of [...programs, ...Object.values(handlers)])
    for (const item of items) if (item.sigsetjmp !== undefined) places.add(argsOf(item)?.place);
  for (const [name, items] of Object.entries(handlers))
    handlers[name] = items.filter(({ siglongjmp }) => siglongjmp === undefined || places.has(siglongjmp));
}

function newName(base: string, taken: Map<string, number>): string {
  const n = (taken.get(base) ?? 0) + 1;
  taken.set(base, n);
  return n === 1 ? base : `${base}-b${n}`;
}

/** The runs with the most common sequence of calls; of two equally common, the shorter. */
function mostCommon(signal: number, runs: readonly HandlerRun[]): HandlerRun[] {
  const groups = new Map<string, HandlerRun[]>();
  for (const run of runs) {
    if (raisesItself(signal, run)) continue;
    const signature = signatureOf(run);
    const group = groups.get(signature);
    if (group) group.push(run);
    else groups.set(signature, [run]);
  }
  const length = (group: HandlerRun[]): number => group[0]?.items.length ?? 0;
  return [...groups.values()].sort((a, b) => b.length - a.length || length(a) - length(b))[0] ?? [];
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

/** Names of the calls made, in order. Times differ from run to run and say nothing. */
const signatureOf = (run: HandlerRun | undefined): string =>
  callsOf(run?.items ?? [])
    .map(nameOf)
    .join(" ");

const callsOf = (items: readonly Item[]): Item[] => items.filter((item) => !("compute" in item));

function nameOf(item: Item): string {
  const operation = Object.keys(item)[0] ?? "";
  return operation === "call" ? `call:${String((item.call as Item).name)}` : operation;
}

function bodyOf(common: readonly HandlerRun[]): Item[] {
  const [first] = common;
  const body = [...(first?.items ?? [])];
  forgetDiffering(body, common);
  // Whatever the handler did about the fault, the instruction did not raise it again.
  if (common.some(resumes)) body.push({ "skip-fault": {} });
  return body;
}

const resumes = (run: HandlerRun): boolean => run.fault && run.returned;

/** Runs that made other calls may have changed what these are answered. */
function forgetAll(body: readonly Item[]): void {
  for (const item of body) delete argsOf(item)?.expect;
}

/** What another run was answered otherwise is not expected of this one. */
function forgetDiffering(body: readonly Item[], runs: readonly HandlerRun[]): void {
  const calls = callsOf(body);
  for (const run of runs) {
    callsOf(run.items).forEach((item, i) => {
      const mine = argsOf(calls[i]);
      if (mine !== null && mine.expect !== argsOf(item)?.expect) delete mine.expect;
    });
  }
}

function argsOf(item: Item | undefined): Item | null {
  const args = item === undefined ? null : Object.values(item)[0];
  return args !== null && typeof args === "object" ? (args as Item) : null;
}

function countRuns(runs: readonly HandlerRun[], common: readonly HandlerRun[], tally: Tally): void {
  const kept = common[0] === undefined ? null : signatureOf(common[0]);
  for (const run of runs) {
    const stands = kept === signatureOf(run);
    for (const { fate, lines, call } of run.fates) tally.add(stands ? fate : "other-handler-run", lines, stands ? call : undefined);
  }
}
