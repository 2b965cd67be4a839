/**
 * The operation `logged`: many operations of few sorts, each a row of numbers. The log of a program has millions of calls, and all but
 * their times, results and lines stands in a few hundred of them.
 */

import * as z from "zod";
import { NEVER } from "../time.ts";
import { unpackRows } from "./packed-rows.ts";
import { inWords, LONGEST_NS } from "./values.ts";

/** Arguments that a row may have of its own, in the order in which it has them. */
const ROW_FIELDS = ["for", "until", "takes", "result", "expect", "line"] as const;
/** Behind those: names of programs, as places in the scenario's list of them. Only rows of the scenario's own sorts have them. */
const NAME_FIELDS = ["program", "child", "finds"] as const;
export type RowField = (typeof ROW_FIELDS)[number] | (typeof NAME_FIELDS)[number];

/** The scenario's programs by their names: which one it is, from 0. */
export type Programs = ReadonlyMap<string, number>;
const NO_PROGRAMS: Programs = new Map();
export const programsOf = (names: readonly string[]): Programs => new Map(names.map((name, i) => [name, i]));

const includes = (names: readonly string[], name: string): boolean => names.includes(name);
export const isNameField = (name: string): boolean => includes(NAME_FIELDS, name);

/** Whether rows have this argument of their own. */
export const isRowField = (name: string, value: unknown, programs = NO_PROGRAMS): boolean =>
  typeof value === "number" ? includes(ROW_FIELDS, name) : typeof value === "string" && isNameField(name) && programs.has(value);

/** Operations that are more than one step of a program: they stand on their own. */
const LONGER: ReadonlySet<string> = new Set([...["loop", "retry", "if", "sigsetjmp", "siglongjmp", "by-run", "sigwait", "logged"]]);
export const canBeLogged = (operation: string): boolean => !LONGER.has(operation);

/** An operation after parsing. */
type Parsed = Readonly<Record<string, unknown>>;

/** The numbers that a row of operations like this one has, behind the index of the operation. */
export const rowFieldsOf = (like: object, programs = NO_PROGRAMS): RowField[] =>
  [...ROW_FIELDS, ...NAME_FIELDS].filter((field) => isRowField(field, (like as Parsed)[field], programs));

/** By list of sorts: a long log's programs share one of thousands, and each asks several times. */
const FIELDS_OF = new WeakMap<readonly object[], readonly (readonly RowField[])[]>();

export function fieldsOf(like: readonly object[]): readonly (readonly RowField[])[] {
  const known = FIELDS_OF.get(like) ?? like.map((one) => rowFieldsOf(one));
  FIELDS_OF.set(like, known);
  return known;
}

/** This list is the scenario's: its rows have names of programs, too. */
export function takeNames(like: readonly object[], programs: Programs): void {
  FIELDS_OF.set(
    like,
    like.map((one) => rowFieldsOf(one, programs)),
  );
}

/** Written as a list for each operation, or of some more; in a long log they are packed into a text. */
export const rows = z
  .custom<string | readonly (readonly number[])[]>(
    (given) =>
      typeof given === "string" || (Array.isArray(given) && given.every((list) => Array.isArray(list) && list.every(Number.isSafeInteger))),
    "no lists of whole numbers",
  )
  .transform((given, ctx): Float64Array => {
    const all = typeof given === "string" ? unpackRows(given) : oneAfterTheOther(given);
    if (all !== null) return all;
    ctx.addIssue({ code: "custom", message: "no packed rows" });
    return z.NEVER;
  })
  .register(inWords, {
    words: "a list of lists of whole numbers, or these packed into a text",
    json: { anyOf: [{ type: "array", items: { type: "array", items: { type: "integer" } } }, { type: "string" }] },
  });

function oneAfterTheOther(lists: readonly (readonly number[])[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/** What `logged` is after parsing. */
export interface Logged {
  /** Its own sorts, or the list of the scenario's. */
  readonly like: readonly object[];
  readonly rows: Float64Array;
}

/** Where the numbers of each row begin; the first is the index in `like`. The rows are right: `mistakeInRows`. */
export function rowStarts({ like, rows }: Logged): Uint32Array {
  const fields = fieldsOf(like);
  const starts = new Uint32Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at += 1 + (fields[rows[at] as number]?.length ?? 0)) {
    starts[count] = at;
    count += 1;
  }
  return starts.slice(0, count);
}

/** Where a field stands behind the begin of a row of this sort, 0 where it has none. */
export const placeIn = ({ like }: Logged, sort: number, field: RowField): number => 1 + (fieldsOf(like)[sort]?.indexOf(field) ?? -1);

/** The first mistake of the rows, in words; null when there is none. The scenario has so many `programs`. */
export function mistakeInRows({ like, rows }: Logged, programs = 0): string | null {
  const fields = fieldsOf(like);
  for (let at = 0, row = 0; at < rows.length; row += 1) {
    const index = rows[at] as number;
    const has = fields[index];
    if (has === undefined)
      return `expected the index of an operation of like (0 to ${like.length - 1}) as row ${row} begins, found ${index}`;
    if (at + has.length >= rows.length) return `expected ${has.length} numbers (${has.join(", ")}) behind ${index} in the last row`;
    for (const [i, field] of has.entries()) {
      const value = rows[at + 1 + i] as number;
      if (!fits(field, value, programs)) return `expected ${WORDS[field]} as ${field} of row ${row}, found ${value}`;
    }
    at += 1 + has.length;
  }
  return null;
}

const SPAN = "a time in ns";
const WORDS: Readonly<Record<RowField, string>> = {
  for: SPAN,
  until: SPAN,
  takes: SPAN,
  result: "a whole number",
  expect: "a whole number",
  line: "the number of a line",
  program: "the place of a program",
  child: "the place of a program",
  finds: "the place of a program",
};

function fits(field: RowField, value: number, programs: number): boolean {
  if (isNameField(field)) return value >= 0 && value < programs;
  if (field === "line") return value >= 1;
  return field === "result" || field === "expect" || (value >= 0 && (value <= LONGEST_NS || value === NEVER));
}
