/** Putting a run together: a stack's flows, a scenario's programs, the state they start from. */

import { scenarioFlows } from "./app/compile.ts";
import { applies, planWhen, reachSite } from "./app/pins.ts";
import { first } from "./app/plans.ts";
import type { Known, Lists } from "./block.ts";
import { noQuestions } from "./choice.ts";
import { chooserOf } from "./choosers.ts";
import { Cpu, type Pins, type Wiring } from "./cpu.ts";
import { assemble, type Program } from "./flow.ts";
import { handlerFlow, programFlow } from "./flow-names.ts";
import { enter } from "./frames.ts";
import { near } from "./nearest.ts";
import type { OptionName, SwitchName } from "./options.ts";
import { seedPrng } from "./prng.ts";
import { Run, type RunOptions } from "./run.ts";
import { mistakeIn } from "./scenario/parse.ts";
import { quoted } from "./scenario/words.ts";
import { emptySet, SIG, setOf } from "./signals.ts";
import { placesMeant } from "./stack/former-names.ts";
import { STACKS, type StackName } from "./stack/index.ts";
import { stackProgram } from "./stack/program.ts";
import type { Machine } from "./state.ts";
import { newProcess, newThread } from "./threads.ts";
import { NEVER } from "./time.ts";

/** The options of the manifest that a run has on: those that it was given, and those of the case that the stack knows. */
export function optionsOf({ stack, options = [], scenario }: Pick<RunOptions, "stack" | "options" | "scenario">): OptionName[] {
  const { switches = [] } = STACKS[stack];
  return [...new Set([...options, ...scenario.options.filter((name) => switches.includes(name))])];
}

/** Of the case, and of this run. */
const switchesOf = (o: RunOptions): ReadonlySet<SwitchName> => new Set([...(o.fixes ?? []), ...(o.options ?? []), ...o.scenario.options]);

const programs = (o: RunOptions): Program =>
  assemble(scenarioFlows(o.scenario), STACKS[o.stack].costs, stackProgram(o.stack, switchesOf(o), o.scenario.debug));

function wire(o: RunOptions, program: Program): Wiring {
  const stack = STACKS[o.stack];
  const names = Object.keys(o.scenario.handlers).map(handlerFlow);
  const handlers = new Set(names);
  return {
    stack,
    native: stack.native === true,
    handlers: names.map((name) => program.byName.get(name) ?? -1),
    isHandler: program.flows.map((f) => handlers.has(f.name)),
    boot: () => [enter(program, stack.boot, {})],
    bootThread: (start) => [stack.bootThread(program, start)],
  };
}

function pinsOf(c: Cpu, stack: StackName): Pins {
  const timed: number[] = [];
  const calls = new Map<string, Map<string | number, number[]>>();
  const handlers = new Map<string, Map<number, number[]>>();
  const sites = new Map<number, number[]>();
  const count = c.scenario.signals.length + c.scenario.arrivals.length;
  for (let plan = 0; plan < count; plan += 1) {
    const when = planWhen(c, plan);
    if (!when || !applies(c, plan, stack)) continue;
    const { thread = "", call, handler } = when;
    if (when.at !== undefined || when.every !== undefined || when.rate !== undefined) timed.push(plan);
    if (call !== undefined && handler === undefined) listIn(partOf(calls, thread), call).push(plan);
    if (handler !== undefined) listIn(partOf(handlers, thread), handler).push(plan);
    if (when.site !== undefined) {
      const step = stepNamed(c, when.site) ?? noPlace(c, plan, when.site, stack);
      listIn(sites, step).push(plan);
    }
  }
  return { timed, calls, handlers, sites: sites.size > 0 ? sites : null };
}

function listIn<K>(lists: Map<K, number[]>, key: K): number[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function partOf<K>(parts: Map<string, Map<K, number[]>>, name: string): Map<K, number[]> {
  const part = parts.get(name) ?? new Map<K, number[]>();
  parts.set(name, part);
  return part;
}

/** "flow: label" to the step's number; null when the stack has no such place. */
function stepNamed(c: Cpu, site: string): number | null {
  for (const place of placesMeant(site)) {
    for (const flow of c.program.flows) {
      const step = flow.steps.find(({ label }) => `${flow.name}: ${label}` === place);
      if (step) return step.place;
    }
  }
  return null;
}

function noPlace(c: Cpu, plan: number, site: string, stack: StackName): never {
  const known = c.program.flows.flatMap((flow) => flow.steps.map((step) => `${flow.name}: ${step.label}`));
  const meant = near(site, known);
  const signals = c.scenario.signals.length;
  const path = plan < signals ? ["signals", plan, "when", "site"] : ["arrivals", plan - signals, "when", "site"];
  const hint = meant === null ? "" : `; did you mean "${meant}"?`;
  throw mistakeIn(c.scenario, path, `stack ${stack} has no place ${quoted(site)}${hint} (list: eintr stack ${stack})`);
}

function emptyMachine(o: RunOptions): Machine {
  return {
    seq: 0,
    idle: 0,
    now: 0,
    threads: [],
    live: [],
    processes: [],
    known: [],
    objects: [],
    freeObjects: [],
    names: {},
    objectsByName: {},
    nextPid: 1,
    nextSignalId: 1,
    plans: [],
    due: [],
    changes: [],
    strays: [],
    signalfds: [],
    rng: seedPrng(o.seed ?? o.scenario.seed),
    questions: noQuestions(),
    ended: null,
  };
}

/**
 * Put together a run at its start, or at a keyframe. `lists` are those of the run that made it, then or later: the keyframe says how much
 * of each was known. Decisions of an earlier run that come before the keyframe count as unanswered.
 */
export function boot(o: RunOptions, keyframe?: string, lists: Lists = NO_LISTS): Run {
  const program = programs(o);
  const { machine, known } = keyframe === undefined ? { machine: emptyMachine(o), known: NOTHING } : readKeyframe(keyframe);
  const chooser = o.chooser ?? chooserOf(o.scheduler ?? "scripted", o.scenario.interrupts, o.decisions ?? []);
  const c = new Cpu(machine, program, o.scenario, chooser, wire(o, program));
  c.pins = pinsOf(c, o.stack);
  if (keyframe === undefined) start(c, o);
  else c.know(lists, known);
  return new Run(o, c);
}

const NOTHING: Known = { threads: 0, texts: 0, decisions: 0 };
const NO_LISTS: Lists = { threads: [], texts: [], decisions: [] };

/** The text that `Run.keyframe` makes. */
function readKeyframe(text: string): { machine: Machine; known: Known } {
  const { lists, ...machine } = JSON.parse(text) as Machine & { lists: Known };
  return { machine, known: lists };
}

function start(c: Cpu, o: RunOptions): void {
  const count = c.scenario.signals.length + c.scenario.arrivals.length;
  const times = Array.from({ length: count }, (_, plan) => (applies(c, plan, o.stack) ? first(c, plan) : NEVER));
  for (const next of times) c.m.plans.push({ next, fired: 0, visits: 0 });
  const p = newProcess(c, "main", null);
  const t = newThread(c, {
    process: p,
    name: "main",
    internal: false,
    program: programFlow("main"),
    frames: c.wiring.boot(),
    creator: null,
  });
  const { mask, ignore } = c.scenario;
  t.hostMask = setOf(mask.filter((signal) => signal !== SIG.KILL && signal !== SIG.STOP));
  for (const signal of ignore) p.hostActions[signal] = { flow: -1, flags: 0, mask: emptySet() };
  reachSite(c, t);
}
