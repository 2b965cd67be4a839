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
type RowField = (typeof ROW_FIELDS)[number];
export const isRowField = (name: string): name is RowField => (ROW_FIELDS as readonly string[]).includes(name);

/** Operations that are more than one step of a program: they stand on their own. */
const LONGER: ReadonlySet<string> = new Set([...["loop", "retry", "if", "sigsetjmp", "siglongjmp", "by-run", "sigwait", "logged"]]);
export const canBeLogged = (operation: string): boolean => !LONGER.has(operation);

/** An operation after parsing. */
type Parsed = Readonly<Record<string, unknown>>;

/** The numbers that a row of operations like this one has, behind the index of the operation. */
export const rowFieldsOf = (like: object): RowField[] => ROW_FIELDS.filter((field) => typeof (like as Parsed)[field] === "number");

/** By list of sorts: a long log's programs share one of thousands, and each asks several times. */
const FIELDS_OF = new WeakMap<readonly object[], readonly (readonly RowField[])[]>();

function fieldsOf(like: readonly object[]): readonly (readonly RowField[])[] {
  const known = FIELDS_OF.get(like) ?? like.map(rowFieldsOf);
  FIELDS_OF.set(like, known);
  return known;
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

/** The first mistake of the rows, in words; null when there is none. */
export function mistakeInRows({ like, rows }: Logged): string | null {
  const fields = fieldsOf(like);
  for (let at = 0, row = 0; at < rows.length; row += 1) {
    const index = rows[at] as number;
    const has = fields[index];
    if (has === undefined)
      return `expected the index of an operation of like (0 to ${like.length - 1}) as row ${row} begins, found ${index}`;
    if (at + has.length >= rows.length) return `expected ${has.length} numbers (${has.join(", ")}) behind ${index} in the last row`;
    for (const [i, field] of has.entries()) {
      const value = rows[at + 1 + i] as number;
      if (!fits(field, value)) return `expected ${WORDS[field]} as ${field} of row ${row}, found ${value}`;
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
};

function fits(field: RowField, value: number): boolean {
  if (field === "line") return value >= 1;
  return field === "result" || field === "expect" || (value >= 0 && (value <= LONGEST_NS || value === NEVER));
}
