/** Names inside a scenario must lead somewhere. Looks at the scenario as written, so that other mistakes hide none of these. */

import { hint } from "../nearest.ts";
import type { Mistake } from "./mistakes.ts";
import { BODIES, isMap, isOperation, OPERATION_NAMES, OPERATIONS, type OperationName, written } from "./schema.ts";
import type { Path } from "./source.ts";
import { type Reference, refersTo } from "./values.ts";
import { arrival, signalPlan, when } from "./when.ts";
import { fieldsOf, quoted, said } from "./words.ts";

/** Threads that the LibOS makes for itself: Graphene's, and Gramine's. */
const HELPERS = ["async-helper", "ipc-helper", "async-worker", "ipc-worker"];

interface Known {
  readonly names: ReadonlySet<string>;
  /** `worker#2` is the second thread that runs `worker`. */
  readonly numbered: boolean;
}

type Names = Readonly<Record<Reference, Known>>;
type Written = Readonly<Record<string, unknown>>;

/** Fields of a map that refer to something, with what they refer to. */
type Fields = readonly (readonly [string, Reference])[];
const fieldsThatRefer = (schema: Parameters<typeof fieldsOf>[0]): Fields =>
  fieldsOf(schema).flatMap(([field, inside]) => {
    const reference = said(refersTo, inside);
    return reference === undefined ? [] : [[field, reference.to] as const];
  });

const FIELDS = new Map<OperationName, Fields>();
function fieldsOfOperation(name: OperationName): Fields {
  const known = FIELDS.get(name) ?? fieldsThatRefer(OPERATIONS[name].args);
  FIELDS.set(name, known);
  return known;
}

export function referenceMistakes(scenario: Written): Mistake[] {
  const lists = listsOf(scenario);
  const names = namesOf(scenario, lists);
  const mistakes: Mistake[] = [];
  const check = (path: Path, given: unknown, to: Reference): void => {
    if (typeof given !== "string" || given === "" || leads(names[to], given)) return;
    mistakes.push({ path, text: () => `no ${WHAT[to]} ${quoted(given)}${hint(given, [...names[to].names])}` });
  };
  if (isMap(scenario.programs) && Object.hasOwn(scenario.programs, "main"))
    mistakes.push({ path: ["programs", "main"], text: () => "the program of the first thread has this name; expected another" });
  for (const { list, path } of lists)
    eachOperation(list, path, (name, args, at, short) => {
      for (const [field, to] of fieldsOfOperation(name)) check(field === short ? at : [...at, field], args[field], to);
      if (name === "by-run") mistakes.push(...byRunMistakes(args, at, names.handler));
    });
  for (const [field, schema] of [
    ["signals", signalPlan],
    ["arrivals", arrival],
  ] as const) {
    for (const [i, plan] of entriesOf(scenario[field])) {
      for (const [name, to] of fieldsThatRefer(schema)) check([field, i, name], plan[name], to);
      const { when: time } = plan;
      if (isMap(time)) for (const [name, to] of fieldsThatRefer(when)) check([field, i, "when", name], time[name], to);
    }
  }
  return mistakes;
}

/** A handler goes on as another one: from its own list, and as one that there is. */
function byRunMistakes({ threads }: Written, at: Path, handlers: Known): Mistake[] {
  if (at[0] !== "handlers" || at.length !== 4) return [{ path: at, text: () => "expected only in a handler's own list" }];
  const mistakes: Mistake[] = [];
  for (const [thread, runs] of isMap(threads) ? Object.entries(threads) : [])
    for (const [i, name] of isMap(runs) && Array.isArray(runs.as) ? runs.as.entries() : [])
      if (typeof name === "string" && !leads(handlers, name))
        mistakes.push({
          path: [...at, "threads", thread, "as", i],
          text: () => `no handler ${quoted(name)}${hint(name, [...handlers.names])}`,
        });
  return mistakes;
}

const WHAT: Readonly<Record<Reference, string>> = {
  program: "program",
  child: "program",
  handler: "handler",
  place: "sigsetjmp place",
  thread: "program",
  call: "call",
};

const leads = ({ names, numbered }: Known, given: string): boolean =>
  names.has(given) || (numbered && /#\d+$/.test(given) && names.has(given.slice(0, given.lastIndexOf("#"))));

const entriesOf = (list: unknown): [number, Written][] =>
  Array.isArray(list) ? list.flatMap((entry: unknown, i): [number, Written][] => (isMap(entry) ? [[i, entry]] : [])) : [];

interface List {
  readonly list: unknown;
  readonly path: Path;
}

function listsOf(scenario: Written): List[] {
  const named = (field: "programs" | "handlers"): List[] => {
    const map = scenario[field];
    return isMap(map) ? Object.keys(map).map((name) => ({ list: map[name], path: [field, name] })) : [];
  };
  return [{ list: scenario.main, path: ["main"] }, ...named("programs"), ...named("handlers"), { list: scenario.sorts, path: ["sorts"] }];
}

type Visit = (name: OperationName, args: Written, path: Path, short: string | null) => void;

function eachOperation(list: unknown, path: Path, visit: Visit): void {
  if (!Array.isArray(list)) return;
  list.forEach((item: unknown, i) => {
    const operation = written(item);
    if (operation === null || !isOperation(operation.name) || !isMap(operation.args)) return;
    const { name, args, short } = operation;
    visit(name, args, [...path, i, name], short);
    for (const field of BODIES) if (field in OPERATIONS[name].args.shape) eachOperation(args[field], [...path, i, name, field], visit);
  });
}

function namesOf(scenario: Written, lists: readonly List[]): Names {
  const keys = (map: unknown): string[] => (isMap(map) ? Object.keys(map) : []);
  const programs = keys(scenario.programs);
  const places = new Set<string>();
  const opaque = new Set<string>();
  for (const { list, path } of lists)
    eachOperation(list, path, (name, { place, name: called }) => {
      if (name === "sigsetjmp" && typeof place === "string") places.add(place);
      if (name === "call" && typeof called === "string") opaque.add(called);
    });
  const known = (names: Iterable<string>, numbered = false): Known => ({ names: new Set(names), numbered });
  return {
    program: known(programs),
    child: known(programs, true),
    handler: known([...keys(scenario.handlers), "default", "ignore", "none"]),
    place: known(places),
    thread: known(["main", ...programs, ...HELPERS], true),
    call: known([...OPERATION_NAMES, ...opaque]),
  };
}
