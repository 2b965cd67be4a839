/** Text -> Scenario. Errors name line, field, what was expected and the nearest valid name. */

import { isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ScenarioError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { OPERATION_NAMES, type Operation, type Scenario, scenarioSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** Larger scenarios come from logs, as JSON. */
const MAX_YAML_BYTES = 4_000_000;

/**
 * Parse and check a scenario. `where` names the file in errors.
 * @throws ScenarioError with one line per problem, at most ten.
 */
export function parseScenario(text: string, where: string): Scenario {
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
  const value: unknown = doc.toJS({ maxAliasCount: 100 });
  return check(value, (path) => {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = doc.getIn(path.slice(0, depth), true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return `${where}:${line}:${col}`;
    }
    return where;
  });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function check(value: unknown, place: (path: PropertyKey[]) => string): Scenario {
  const result = scenarioSchema.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.flatMap(flatten);
    const shown = issues.slice(0, 10).map((issue) => `${place([...issue.path])}: ${field(issue)}${explain(issue)}`);
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
  if (issue.code === "unrecognized_keys") return `unknown field ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
  return issue.message;
}

/** Names inside programs must lead somewhere. */
function checkReferences(s: Scenario, place: (path: PropertyKey[]) => string): void {
  const programs = Object.keys(s.programs);
  const handlers = Object.keys(s.handlers);
  const bad = (path: PropertyKey[], what: string, name: string, known: readonly string[]): never => {
    const hint = known.length > 0 ? `; did you mean "${nearest(name, known)}"?` : ` (the scenario has none)`;
    throw new ScenarioError(`${place(path)}: no ${what} "${name}"${hint}`);
  };
  const visit = (list: readonly Operation[], path: PropertyKey[], places: readonly string[]): void => {
    list.forEach((op, i) => {
      const at = [...path, i];
      if ((op.op === "clone" || op.op === "fork") && !programs.includes(op.program)) bad(at, "program", op.program, programs);
      if (op.op === "sigaction" && op.handler !== "default" && op.handler !== "ignore" && !handlers.includes(op.handler))
        bad(at, "handler", op.handler, [...handlers, "default", "ignore"]);
      if (op.op === "loop") visit(op.do, [...at, "loop", "do"], places);
      if (op.op === "sigsetjmp") visit(op.do, [...at, "sigsetjmp", "do"], [...places, op.place]);
    });
  };
  visit(s.main, ["main"], []);
  for (const [name, list] of Object.entries(s.programs)) visit(list, ["programs", name], []);
  for (const [name, list] of Object.entries(s.handlers)) visit(list, ["handlers", name], []);
}
