/** Schemas and values in words: what a field expects, and what was found. Used by errors and by the manual. */

import type * as z from "zod";
import { inWords } from "./values.ts";

type Schema = z.core.$ZodType;

/** The parts of zod's definitions that are read here. */
interface Def {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly valueType?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
  readonly checks?: readonly z.core.$ZodCheck[];
  readonly getter?: () => Schema;
}
const defOf = (schema: Schema): Def => schema._zod.def as unknown as Def;

function belowOf(schema: Schema): Schema | undefined {
  const { innerType, getter } = defOf(schema);
  return innerType ?? getter?.();
}

/** The schema below "optional", "default" and the like. */
export function inner(schema: Schema): Schema {
  const below = belowOf(schema);
  return below === undefined ? schema : inner(below);
}

/** Schema of a field of the maps that `schema` takes; undefined when they have no such field. */
export function fieldOf(schema: Schema, field: PropertyKey): Schema | undefined {
  const { shape, element, valueType } = defOf(inner(schema));
  if (typeof field === "number") return element;
  if (valueType !== undefined) return valueType;
  return shape !== undefined && typeof field === "string" && Object.hasOwn(shape, field) ? shape[field] : undefined;
}

export const fieldsOf = (schema: Schema): [string, Schema][] => Object.entries(defOf(inner(schema)).shape ?? {});

/** Whether a field may be left out, and what stands for it then; null for "nothing". */
export function absent(schema: Schema): { readonly value: unknown } | null {
  const def = defOf(schema);
  if (def.type === "default" || def.type === "prefault") return { value: def.defaultValue };
  return def.type === "optional" ? { value: undefined } : null;
}

/** What registry says of a schema, or of the one inside it. */
export function said<T extends object>(registry: z.core.$ZodRegistry<T>, schema: Schema): T | undefined {
  const below = belowOf(schema);
  return (registry.get(schema) as T | undefined) ?? (below === undefined ? undefined : said(registry, below));
}

/** "a whole number from 0 to 255". */
export function expectation(schema: Schema): string {
  const known = said(inWords, schema);
  if (known !== undefined) return known.words;
  const at = inner(schema);
  const def = defOf(at);
  switch (def.type) {
    case "number":
      return numberWords(boundsOf(at));
    case "string":
      return textWords(boundsOf(at));
    case "boolean":
      return "true or false";
    case "enum":
      return oneOf(Object.values(def.entries ?? {}));
    case "literal":
      return (def.values ?? []).map(String).join(" or ");
    case "array":
      return `a list, each entry ${def.element === undefined ? "anything" : expectation(def.element)}`;
    case "record":
      return `a map from names, each to ${def.valueType === undefined ? "anything" : expectation(def.valueType)}`;
    case "union":
      return (def.options ?? []).map(expectation).join(", or ");
    case "pipe":
      return def.in === undefined ? "something else" : expectation(def.in);
    default:
      return `a map with ${quotedList(fieldsOf(at).map(([name]) => name))}`;
  }
}

/** Bounds of a number, or of the length of a text. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

interface Check {
  readonly check: string;
  readonly value?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

function boundsOf(schema: Schema): Bounds {
  const checks = (defOf(schema).checks ?? []).map((check) => check._zod.def as unknown as Check);
  const values = (name: string, of: (check: Check) => number | undefined): number[] =>
    checks.flatMap((check) => (check.check === name ? (of(check) ?? []) : []));
  return {
    least: Math.max(-Infinity, ...values("greater_than", (c) => c.value), ...values("min_length", (c) => c.minimum)),
    most: Math.min(Infinity, ...values("less_than", (c) => c.value), ...values("max_length", (c) => c.maximum)),
    whole: checks.some((c) => c.check === "number_format"),
  };
}

const oneOf = (names: readonly string[]): string => (names.length === 1 ? `${names[0]}` : `one of ${names.join(", ")}`);
const quotedList = (names: readonly string[]): string =>
  names.length === 0 ? "no fields" : `the field${names.length === 1 ? "" : "s"} ${names.join(", ")}`;

function numberWords({ least, most, whole }: Bounds): string {
  const what = whole ? "a whole number" : "a number";
  const upTo = most < Number.MAX_SAFE_INTEGER ? most : null;
  if (least <= -Number.MAX_SAFE_INTEGER) return upTo === null ? what : `${what}, at most ${upTo}`;
  return upTo === null ? `${what} of at least ${least}` : `${what} from ${least} to ${upTo}`;
}

function textWords({ least, most }: Bounds): string {
  if (most === Infinity) return least > 0 ? "a text that is not empty" : "a text";
  return `a text of ${Math.max(0, least)} to ${most} characters`;
}

/** A stranger's text in quotes, on one line and not long. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, 60));
}

export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** The schema takes texts, and YAML made something else of this one: "2.18" without its quotes is a number. */
export const wantsQuotes = (schema: Schema, value: unknown): boolean =>
  defOf(inner(schema)).type === "string" && (typeof value === "number" || typeof value === "boolean");

/** What a scenario holds where something else is expected. */
export function found(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a map";
  return shortened(String(value), 60);
}
