/** Text -> Scenario. Errors name line, field, what was expected and the nearest valid name. */

import { isNode, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";
import { ScenarioError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { OPERATION_NAMES, OPERATIONS, type Operation, type Scenario, scenarioSchema, type When, when } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** Larger scenarios come from logs, as JSON. */
const MAX_YAML_BYTES = 4_000_000;

/**
 * Parse and check a scenario. `where` names the file in errors.
 * @throws ScenarioError with one line per problem, at most ten.
 */
export function parseScenario(text: string, where: string): Scenario {
  try {
    return parse(text, where);
  } catch (error) {
    // Too deep for the call stack: lists in lists, or an alias that contains itself.
    if (error instanceof RangeError) throw new ScenarioError(`${where}: nested too deeply (does an alias contain itself?)`);
    throw error;
  }
}

function parse(text: string, where: string): Scenario {
  const json = text.trimStart().startsWith("{") ? tryJson(text) : undefined;
  if (json !== undefined) return check(json, () => where);
  if (text.length > MAX_YAML_BYTES)
    throw new ScenarioError(`${where}: ${text.length} characters; a YAML scenario may have ${MAX_YAML_BYTES} (write JSON for more)`);
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, uniqueKeys: true, maxAliasCount: 100 } as Parameters<typeof parseDocument>[1]);
  const broken = doc.errors[0];
  if (broken) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new ScenarioError(`${where}:${line}:${col}: not YAML: ${broken.message.split("\n")[0]}`);
  }
  return check(plain(doc, where), (path) => {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = doc.getIn(path.slice(0, depth), true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return `${where}:${line}:${col}`;
    }
    return where;
  });
}

function plain(doc: ReturnType<typeof parseDocument>, where: string): unknown {
  try {
    return doc.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // A few lines of aliases can stand for more than memory holds; the parser refuses.
    if (error instanceof ReferenceError) throw new ScenarioError(`${where}: not YAML: ${error.message}`);
    throw error;
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function check(value: unknown, place: (path: PropertyKey[]) => string): Scenario {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new ScenarioError(`${place([])}: expected a scenario, a map with name, title and main (eintr scenarios NAME prints one)`);
  const result = scenarioSchema.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.flatMap(flatten);
    const shown = issues.slice(0, 10).map((issue) => `${place(pathOf(issue))}: ${field(issue)}${explain(issue)}`);
    if (issues.length > shown.length) shown.push(`... and ${issues.length - shown.length} more`);
    throw new ScenarioError(shown.join("\n"));
  }
  checkReferences(result.data, place);
  return result.data;
}

/** A union that failed: report the branch that got furthest. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const branches = issue.errors.map((branch) => branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue));
  const best = branches.sort((a, b) => Math.max(...b.map((i) => i.path.length)) - Math.max(...a.map((i) => i.path.length)))[0];
  return best && best.length > 0 ? best.flatMap(flatten) : [issue];
}

const field = (issue: Issue): string =>
  issue.path.length === 0
    ? ""
    : `${issue.path
        .map((part) => (typeof part === "number" ? `[${part}]` : String(part)))
        .join(".")
        .replaceAll(".[", "[")}: `;

function explain(issue: Issue): string {
  const params = issue.code === "custom" ? (issue.params as { unknown?: string; among?: readonly string[] } | undefined) : undefined;
  if (params?.unknown !== undefined)
    return `unknown operation "${params.unknown}"; did you mean "${nearest(params.unknown, params.among ?? OPERATION_NAMES)}"?`;
  if (issue.code === "unrecognized_keys") {
    const known = knownFields(issue.path);
    return `unknown field ${issue.keys.map((key) => `"${key}"`).join(", ")}; did you mean "${nearest(issue.keys[0] ?? "", known)}"?`;
  }
  return issue.message;
}

/** Where to point: at the first unknown field itself, not at the map that has it. */
const pathOf = (issue: Issue): PropertyKey[] =>
  issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : [...issue.path];

/** Fields that the map at this path may have: an operation's, a plan's, or the scenario's own. */
function knownFields(path: readonly PropertyKey[]): string[] {
  const last = path.findLast((part) => typeof part === "string");
  if (last === undefined) return Object.keys(scenarioSchema.shape);
  if (last === "when") return Object.keys(when.shape);
  const own: Readonly<Record<string, z.core.$ZodType>> = scenarioSchema.shape;
  const operation = OPERATION_NAMES.find((name) => name === last);
  return fieldsOf(operation ? OPERATIONS[operation].args : own[last]);
}

/** Fields of the maps in a schema, below unions, defaults and lists. */
function fieldsOf(schema: z.core.$ZodType | undefined): string[] {
  const def = schema?._zod.def as
    | { shape?: object; innerType?: z.core.$ZodType; element?: z.core.$ZodType; options?: readonly z.core.$ZodType[] }
    | undefined;
  if (!def) return [];
  return [...Object.keys(def.shape ?? {}), ...fieldsOf(def.innerType), ...fieldsOf(def.element), ...(def.options ?? []).flatMap(fieldsOf)];
}

/** Names inside programs must lead somewhere. */
function checkReferences(s: Scenario, place: (path: PropertyKey[]) => string): void {
  const programs = new Set(Object.keys(s.programs));
  const handlers = new Set(Object.keys(s.handlers));
  const bad = (path: PropertyKey[], what: string, name: string, known: ReadonlySet<string>): never => {
    const hint = known.size > 0 ? `; did you mean "${nearest(name, [...known])}"?` : ` (the scenario has none)`;
    throw new ScenarioError(`${place(path)}: no ${what} "${name}"${hint}`);
  };
  const places = new Set([s.main, ...Object.values(s.programs), ...Object.values(s.handlers)].flatMap(placesOf));
  const visit = (list: readonly Operation[], path: PropertyKey[]): void => {
    list.forEach((op, i) => {
      const at = [...path, i];
      if ((op.op === "clone" || op.op === "fork") && !programs.has(op.program)) bad(at, "program", op.program, programs);
      if (op.op === "sigaction" && op.handler !== "default" && op.handler !== "ignore" && !handlers.has(op.handler))
        bad(at, "handler", op.handler, new Set([...handlers, "default", "ignore"]));
      if (op.op === "siglongjmp" && !places.has(op.place)) bad(at, "sigsetjmp place", op.place, places);
      if (op.op === "loop") visit(op.do, [...at, "loop", "do"]);
      if (op.op === "sigsetjmp") visit(op.do, [...at, "sigsetjmp", "do"]);
    });
  };
  const calls = (plans: readonly { readonly when: When }[], field: string): void => {
    for (const [i, plan] of plans.entries()) {
      const { call } = plan.when;
      if (typeof call === "string" && !OPERATION_NAMES.some((name) => name === call))
        bad([field, i, "when"], "call", call, new Set(OPERATION_NAMES));
    }
  };
  calls(s.signals, "signals");
  calls(s.arrivals, "arrivals");
  visit(s.main, ["main"]);
  for (const [name, list] of Object.entries(s.programs)) visit(list, ["programs", name]);
  for (const [name, list] of Object.entries(s.handlers)) visit(list, ["handlers", name]);
}

const placesOf = (list: readonly Operation[]): string[] =>
  list.flatMap((op) => (op.op === "sigsetjmp" ? [op.place, ...placesOf(op.do)] : op.op === "loop" ? placesOf(op.do) : []));
