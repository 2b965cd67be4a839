/**
 * What a field of a scenario may hold, as zod schemas. A value that is more than its JSON type says in `inWords` what it expects: errors,
 * `eintr explain` and the JSON Schema use the same words. The meaning of a field stands at the field, with `.describe()`.
 */

import * as z from "zod";
import { errnoNumber } from "../errno.ts";
import { SIGNAL_COUNT, SIGNAL_NAMES, signalNumber } from "../signals.ts";
import { NEVER } from "../time.ts";

/** The longest duration but "forever": 1,000,000 s. Sums of durations stay exact, and what was recorded can be opened. */
export const LONGEST_NS = 1e15;

/** What a value is expected to be: "a duration such as 5ms". `json` is its JSON Schema, where zod cannot make one. */
export const inWords = z.registry<{ words: string; json?: JsonSchema }>();

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;
export const ref = (definition: string): JsonSchema => ({ $ref: `#/definitions/${definition}` });

/** Fields of a map, exactly one of which must be given; of a list of them, one or several. */
type Alternatives = readonly (string | readonly string[])[];
export const alternatives = z.registry<{ fields: Alternatives }>();

export function exactlyOneOf<S extends z.ZodObject>(schema: S, fields: Alternatives): S {
  const checked = schema.superRefine((given, ctx) => {
    const there = fields.filter((one) => [one].flat().some((field) => given[field] !== undefined));
    if (there.length !== 1) ctx.addIssue({ code: "custom", message: `expected exactly one of ${fields.flat().join(", ")}` });
  });
  alternatives.add(checked, { fields });
  return checked;
}

/** Which names of the scenario a field refers to; a name that the scenario does not have is a mistake. */
export const refersTo = z.registry<{ to: Reference }>();
export type Reference = "program" | "child" | "handler" | "place" | "thread" | "call";

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
const DURATION = /^(\d+(?:\.\d+)?)\s*(ns|us|ms|s)$/;

/** ns; null when it is no duration. */
export function durationOf(given: string | number): number | null {
  if (given === "forever") return NEVER;
  const match = typeof given === "string" ? DURATION.exec(given) : null;
  const ns = typeof given === "number" ? given : match ? Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1) : -1;
  return ns >= 0 && ns <= LONGEST_NS ? Math.round(ns) : null;
}

export const DURATION_WORDS = "a duration such as 5ms, 2us, 1.5s or forever (at most 1000000s)";

/** "5ms", "1.5 s", a plain number of ns, or "forever". Result in ns. */
export const duration = z
  .union([z.number(), z.string()])
  .transform((given, ctx): number => {
    const ns = durationOf(given);
    if (ns !== null) return ns;
    ctx.addIssue({ code: "custom", message: "no duration" });
    return z.NEVER;
  })
  .register(inWords, {
    words: DURATION_WORDS,
    json: ref("duration"),
  });

/** A name, with or without SIG, or a number. Result: the number. */
export const signal = z
  .union([z.string(), z.number()])
  .transform((given, ctx): number => {
    const number = signalNumber(String(given));
    if (number > 0) return number;
    ctx.addIssue({ code: "custom", message: "no signal" });
    return z.NEVER;
  })
  .register(inWords, {
    words: "a signal such as SIGINT, SIGRTMIN+2 or 34",
    json: ref("signal"),
  });

/** What several fields of the JSON Schema share. */
export const DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
  duration: {
    anyOf: [
      { type: "number", minimum: 0, maximum: LONGEST_NS },
      { type: "string", pattern: "^(forever|\\d+(\\.\\d+)?\\s*(ns|us|ms|s))$" },
    ],
  },
  signal: {
    anyOf: [
      { enum: SIGNAL_NAMES },
      { type: "integer", minimum: 1, maximum: SIGNAL_COUNT },
      { type: "string", pattern: "^([Ss][Ii][Gg])?[A-Za-z][A-Za-z0-9]*([+_]\\d+)?$|^\\d+$" },
    ],
  },
  result: {
    anyOf: [
      { type: "integer", minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      { type: "string", pattern: "^-?E[A-Z0-9]+$" },
    ],
  },
};

export const MOST_NAME = 200;
const aName = () => z.string().min(1).max(MOST_NAME);
export const NAME_WORDS = `a name of at most ${MOST_NAME} characters`;

export const name = aName().register(inWords, { words: NAME_WORDS });
export const programName = aName().register(inWords, { words: "the name of a program" }).register(refersTo, { to: "program" });
export const childName = aName().register(inWords, { words: "the name of a program" }).register(refersTo, { to: "child" });
export const handlerName = aName()
  .register(inWords, { words: "the name of a handler, default, ignore or none" })
  .register(refersTo, { to: "handler" });
export const placeName = aName().register(inWords, { words: "the name of a sigsetjmp place" }).register(refersTo, { to: "place" });

/** One name or a list of them. Result: the list. */
export const names = z
  .union([name, z.array(name).min(1).max(1000)])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .register(inWords, { words: "a name or a list of names" });

export const count = z.number().int().min(0).max(1e9);
/** A whole number, or an error by its name, with or without its minus. Result: the number, negative for an error. */
export const result = z
  .union([z.number(), z.string()])
  .transform((given, ctx): number => {
    const number = typeof given === "number" ? given : errnoNumber(given.replace(/^-/, ""));
    if (number !== null && Number.isSafeInteger(number)) return number;
    ctx.addIssue({ code: "custom", message: "no result" });
    return z.NEVER;
  })
  .register(inWords, {
    words: "a whole number, or an error such as -EINTR",
    json: ref("result"),
  });
export const exitStatus = z.number().int().min(0).max(255);

/** A list of operations, which may hold further lists. The lists are read by `schema.ts`, which knows the operations. */
export type Body = () => z.ZodType<unknown>;
