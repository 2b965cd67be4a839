/**
 * A long program in little room: operations that differ in times, results and lines only are rows of numbers of a `logged`. Those that
 * are more than one step stand between.
 */

import { canBeLogged, isRowField, operationOf, rowFieldsOf } from "../../../engine/index.ts";
import type { Item } from "./registrations.ts";

/** Numbers in one list of a scenario's text: a reader that makes objects of numbers has few at a time. */
const LIST_NUMBERS = 4096;
/** Shorter stretches are written as they are. */
const WORTH_IT = 16;

/** A sort of operations. */
interface Sort {
  readonly index: number;
  readonly fields: readonly string[];
  /** What stands for a field that an item leaves out or says in words. */
  readonly otherwise: Readonly<Record<string, unknown>>;
}

class Stretch {
  readonly like: Item[] = [];
  readonly rows: number[][] = [[]];
  length = 0;
  private readonly sorts = new Map<string, Sort>();

  add(item: Item): void {
    const args = argsOf(item);
    const sort = this.sortOf(item, args);
    const list = this.list();
    list.push(sort.index);
    for (const field of sort.fields) {
      const value = args[field];
      list.push(typeof value === "number" ? Math.round(value) : (sort.otherwise[field] as number));
    }
    this.length += 1;
  }

  private list(): number[] {
    const last = this.rows.at(-1) as number[];
    if (last.length < LIST_NUMBERS) return last;
    const list: number[] = [];
    this.rows.push(list);
    return list;
  }

  private sortOf(item: Item, args: Item): Sort {
    const key = sortKey(item, args);
    const known = this.sorts.get(key);
    if (known) return known;
    const parsed = operationOf(item);
    // What is no operation is refused with its place when the scenario is read.
    const sort: Sort = { index: this.like.length, fields: parsed === null ? [] : rowFieldsOf(parsed), otherwise: { ...parsed } };
    this.like.push(item);
    this.sorts.set(key, sort);
    return sort;
  }
}

export function shortened(items: readonly Item[]): Item[] {
  const out: Item[] = [];
  let from = 0;
  for (let i = 0; i <= items.length; i += 1) {
    const item = items[i];
    if (item !== undefined && canBeLogged(nameOf(item))) continue;
    put(items, from, i, out);
    if (item !== undefined) out.push(item);
    from = i + 1;
  }
  return out;
}

function put(items: readonly Item[], from: number, to: number, out: Item[]): void {
  if (to - from < WORTH_IT) {
    for (let i = from; i < to; i += 1) out.push(items[i] as Item);
    return;
  }
  const stretch = new Stretch();
  for (let i = from; i < to; i += 1) stretch.add(items[i] as Item);
  out.push({ logged: { like: stretch.like, rows: stretch.rows } });
}

const nameOf = (item: Item): string => {
  for (const name in item) return name;
  return "";
};

const NONE: Item = {};

/** Arguments of an operation; one that is given in short has none of a row's own. */
function argsOf(item: Item): Item {
  const args = item[nameOf(item)];
  return args !== null && typeof args === "object" ? (args as Item) : NONE;
}

/** Two operations with the same key differ in numbers of their rows only. */
function sortKey(item: Item, args: Item): string {
  let key = nameOf(item);
  if (args === NONE) return `${key} ${JSON.stringify(item[key])}`;
  for (const field in args) {
    const value = args[field];
    if (typeof value === "number" && isRowField(field)) key += ` ${field}`;
    else key += ` ${field}=${typeof value === "string" ? `${value.length}:${value}` : JSON.stringify(value)}`;
  }
  return key;
}
