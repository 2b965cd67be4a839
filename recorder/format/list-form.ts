/**
 * Lists in a trace's metadata, checked by hand inside zod's forms. zod takes ten microseconds for each of the two thousand sites of a
 * header, collects what is wrong with every entry, and a stranger's list may have millions (from some 100,000 on it ends in a
 * RangeError); here the first wrong entry is told.
 */

import * as z from "zod/mini";

/** What is wrong with a value: where in it, and in words. */
interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type Check = (value: unknown) => Problem | null;

/** How a value that is not what was expected is told. */
export const found = (value: unknown): string => (typeof value === "number" ? String(value) : value === null ? "null" : typeof value);

const expected = (what: string, value: unknown): Problem => ({ path: [], message: `expected ${what}, found ${found(value)}` });

export const text: Check = (value) => (typeof value === "string" ? null : expected("string", value));

export const flag: Check = (value) => (typeof value === "boolean" ? null : expected("boolean", value));

export const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && names.includes(value) ? null : { path: [], message: `expected ${names.join(" or ")}` };

/** A whole number of `from` <= n <= `to`. */
export const whole =
  (from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER): Check =>
  (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return expected("a whole number", value);
    if (value < from) return expected(`at least ${from}`, value);
    return value <= to ? null : expected(`at most ${to}`, value);
  };

/** An object with at least these members. */
export function members<T>(checks: { readonly [Name in keyof T]: Check }): Check {
  const names = Object.keys(checks);
  const each = Object.values<Check>(checks);
  return (value) => {
    if (value === null || typeof value !== "object") return expected("object", value);
    // By index: this runs once at a start, before anything is compiled for speed, thousands of times.
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] as string;
      const problem = (each[i] as Check)((value as Readonly<Record<string, unknown>>)[name]);
      if (problem !== null) return { ...problem, path: [name, ...problem.path] };
    }
    return null;
  };
}

/** A list of entries of which each passes `check`. */
export const list = <T>(check: Check): z.ZodMiniType<T[]> =>
  z.custom<T[]>(Array.isArray, "expected a list").check(({ value, issues }) => {
    for (let at = 0; at < value.length; at += 1) {
      const problem = check(value[at]);
      if (problem === null) continue;
      issues.push({ code: "custom", path: [at, ...problem.path], message: problem.message, input: value });
      return;
    }
  });
