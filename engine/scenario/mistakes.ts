/** What is wrong in a scenario, in words: zod says where, the schema there says what is expected. */

import type * as z from "zod";
import { hint } from "../nearest.ts";
import { referenceMistakes } from "./references.ts";
import {
  isMap,
  isOperation,
  OPERATION_NAMES,
  OPERATIONS,
  PROGRAM_WORDS,
  PROGRAMS_WORDS,
  program,
  scenarioSchema,
  UNKNOWN_OPERATION,
  written,
} from "./schema.ts";
import type { Path } from "./source.ts";
import { inWords } from "./values.ts";
import { expectation, fieldOf, fieldsOf, found, quoted, said, shortened, wantsQuotes } from "./words.ts";

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;

export interface Mistake {
  readonly path: Path;
  /** Made when it is shown: a file may have a million mistakes. */
  readonly text: () => string;
  /** The mistake is the name of the path's last part, not what stands there. */
  readonly key?: boolean;
}

/** All mistakes of a scenario that zod refused, or whose names lead nowhere, in the order of the file. */
export function mistakesOf(value: Readonly<Record<string, unknown>>, issues: readonly Issue[]): Mistake[] {
  const mistakes = [...issues.flatMap((issue) => told(value, issue)), ...referenceMistakes(value)];
  const order = inOrderOf(value);
  return mistakes.sort((a, b) => order(a.path, b.path));
}

function told(root: unknown, issue: Issue): Mistake[] {
  const { path } = issue;
  if (issue.code !== "unrecognized_keys") return [{ path, text: () => wordsFor(root, issue) }];
  const known = (): string[] => {
    const { schema } = look(root, path);
    return schema === null ? [] : fieldsOf(schema).map(([name]) => name);
  };
  return issue.keys.map((key) => ({ path: [...path, key], text: () => `unknown field ${quoted(key)}${hint(key, known())}`, key: true }));
}

function wordsFor(root: unknown, issue: Issue): string {
  const { schema, value } = look(root, issue.path);
  if (issue.code === "custom" && issue.message === UNKNOWN_OPERATION) {
    const name = written(value)?.name ?? "";
    return `unknown operation ${quoted(name)}${hint(name, OPERATION_NAMES)}`;
  }
  if (issue.code === "custom" && issue.message.startsWith("expected")) return issue.message;
  if (issue.code === "too_big" && Array.isArray(value)) return `expected at most ${issue.maximum} entries, found ${found(value)}`;
  const expected = schema === null ? "something else" : expectation(schema);
  if (value === undefined) return `missing; expected ${expected}`;
  const quotes = schema !== null && wantsQuotes(schema, value) ? " (write it in quotes)" : "";
  return `expected ${expected}, found ${found(value)}${quotes}`;
}

/** What a path leads to, and the schema of it; null where there is none. */
function look(root: unknown, path: Path): { schema: Schema | null; value: unknown } {
  let schema: Schema | undefined = scenarioSchema;
  let value = root;
  for (let i = 0; i < path.length && schema !== undefined; i += 1) {
    const key = path[i] as PropertyKey;
    value = childOf(value, key);
    const words: string | undefined = said(inWords, schema)?.words;
    if (words !== PROGRAM_WORDS) {
      schema = words === PROGRAMS_WORDS ? program : fieldOf(schema, key);
      continue;
    }
    // The key is an index; the operation's name follows.
    i += 1;
    const operation = i < path.length ? written(value) : null;
    if (operation === null || !isOperation(operation.name)) return { schema: null, value };
    const { args } = OPERATIONS[operation.name];
    schema = operation.short === null ? args : fieldOf(args, operation.short);
    value = operation.short === null ? operation.args : childOf(operation.args, operation.short);
  }
  return { schema: schema ?? null, value };
}

function childOf(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined;
  return isMap(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

/** Compares paths by where they stand in the file: numbers as they are, names in the order of their map. */
function inOrderOf(root: unknown): (a: Path, b: Path) => number {
  const orders = new Map<unknown, ReadonlyMap<PropertyKey, number>>();
  const positionOf = (map: unknown, key: PropertyKey): number => {
    if (!isMap(map)) return -1;
    let order = orders.get(map);
    if (order === undefined) {
      order = new Map(Object.keys(map).map((name, i) => [name, i]));
      orders.set(map, order);
    }
    return order.get(key) ?? -1;
  };
  return (a, b) => {
    let here = root;
    for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
      const [left, right] = [a[i] as PropertyKey, b[i] as PropertyKey];
      if (left === right) here = childOf(here, left);
      else if (typeof left === "number" && typeof right === "number") return left - right;
      else return positionOf(here, left) - positionOf(here, right);
    }
    return a.length - b.length;
  };
}

/** Longer field paths are told by their begin and end. */
const PATH_BEGIN = 100;
const PATH_END = 80;

/** "main[0].loop.do[1]" */
export function pathText(path: Path): string {
  const text = path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${nameText(String(part))}`)).join("");
  return text.length <= PATH_BEGIN + PATH_END ? text : `${text.slice(0, PATH_BEGIN)} ... ${text.slice(-PATH_END)}`;
}

/** Names that are no words are quoted, so that the path stays one line. */
const nameText = (name: string): string => (/^[\w-]{1,60}$/.test(name) ? name : quoted(shortened(name, 60)));
