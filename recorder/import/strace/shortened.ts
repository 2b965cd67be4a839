/**
 * A long program in little room: operations that differ in times, results and lines only are rows of numbers of a `logged`. Those that
 * are more than one step stand between.
 */

import {
  canBeLogged,
  createRowPacker,
  isRowField,
  operationOf,
  type Programs,
  packAlone,
  programsOf,
  type RowPacker,
  rowFieldsOf,
} from "../../../engine/index.ts";
import { type AfterHandlers, isComputation } from "./level.ts";
import type { Action, Item } from "./registrations.ts";

/** Shorter stretches are written as they are. */
const WORTH_IT = 16;
/** The newest operations may still be changed by what follows in the log. */
const OPEN = 64;

/** What a program is woven into: a list, or one that keeps its older part in short. */
export interface Woven {
  push(item: Item): unknown;
  at(index: -1): Item | undefined;
  pop(): Item | undefined;
}

/** Operations that are changed when the whole log was seen: handlers get their names, times are evened out. */
export interface ChangedLate {
  has(item: Item): boolean;
}

interface Setter {
  readonly action: Action;
  readonly item: Item;
}

export function changedLate(setters: readonly Setter[], afterHandlers: readonly AfterHandlers[]): ChangedLate {
  const items = new Set<Item>();
  let seenSetters = 0;
  let seenOthers = 0;
  return {
    has(item) {
      for (; seenSetters < setters.length; seenSetters += 1) {
        const { action, item: setter } = setters[seenSetters] as Setter;
        if (action.what === "handler") items.add(setter);
      }
      for (; seenOthers < afterHandlers.length; seenOthers += 1) items.add((afterHandlers[seenOthers] as AfterHandlers).item);
      return items.has(item);
    },
  };
}

/** What a row of a sort has. */
interface Form {
  /** Its place in the scenario's list. */
  readonly index: number;
  readonly fields: readonly string[];
  /** What stands for a field that an item leaves out or says in words. */
  readonly otherwise: Readonly<Record<string, unknown>>;
}

/** The programs of a log have the same sorts, and asking what a row of one has takes longer than all else of it. */
export interface Forms {
  readonly bySortKey: Map<string, Form>;
  /** The scenario's list: the first operation of each sort. What that one has of its own, its rows say. */
  readonly sorts: Item[];
  /** The scenario's, of which rows tell by their places. */
  readonly programs: Programs;
}

export const newForms = (programs: readonly string[]): Forms => ({ bySortKey: new Map(), sorts: [], programs: programsOf(programs) });

function formOf(item: Item, { bySortKey, sorts, programs }: Forms): Form {
  // Every second operation of a log.
  const key = isComputation(item) && item.compute.until !== undefined ? "compute for until" : sortKey(item, programs);
  const known = bySortKey.get(key);
  if (known !== undefined) return known;
  // What is no operation is refused with its place when the scenario is read.
  const parsed = operationOf(item);
  const form: Form = { index: sorts.length, fields: parsed === null ? [] : rowFieldsOf(parsed, programs), otherwise: parsed ?? {} };
  sorts.push(item);
  bySortKey.set(key, form);
  return form;
}

/** Operations one after the other that a `logged` can hold. */
class Stretch {
  /** As they are, as long as they are few. */
  private few: Item[] | null = [];
  private readonly packer: RowPacker = createRowPacker();
  /** Packed rows, and between them operations that are changed late. */
  private readonly parts: (string | Item)[] = [];

  constructor(
    private readonly changes: ChangedLate,
    private readonly forms: Forms,
  ) {}

  add(item: Item): void {
    if (this.few === null) return this.addRow(item);
    this.few.push(item);
    if (this.few.length < WORTH_IT) return;
    for (const one of this.few) this.addRow(one);
    this.few = null;
  }

  /** None of its operations is changed late. */
  get isSettled(): boolean {
    return this.parts.every((part) => typeof part === "string");
  }

  /** When all operations are what they will be. */
  finish(out: { push(item: Item): unknown }): void {
    if (this.few !== null) {
      for (const item of this.few) out.push(item);
      return;
    }
    this.parts.push(this.packer.take());
    const rows = this.parts.map((part) => (typeof part === "string" ? part : packAlone(this.rowOf(part)))).join("");
    out.push({ logged: { rows } });
  }

  private addRow(item: Item): void {
    if (this.changes.has(item)) this.parts.push(this.packer.take(), item);
    else this.packer.add(this.rowOf(item));
  }

  private rowOf(item: Item): number[] {
    const form = formOf(item, this.forms);
    const args = argsOf(item);
    const row = [form.index];
    for (const field of form.fields) {
      const value = args[field];
      if (typeof value === "number") row.push(Math.round(value));
      else row.push(this.forms.programs.get(String(value)) ?? (form.otherwise[field] as number));
    }
    return row;
  }
}

/** A program that is kept in short while it is woven. */
export class Shortened implements Woven {
  private open: Item[] = [];
  private done: (Item | Stretch)[] = [];

  /** `forms` are shared by the programs of a log. */
  constructor(
    private readonly changes: ChangedLate,
    private readonly forms: Forms,
  ) {}

  push(item: Item): void {
    this.open.push(item);
    if (this.open.length < 2 * OPEN) return;
    for (const settled of this.open.slice(0, OPEN)) this.settle(settled);
    this.open = this.open.slice(OPEN);
  }

  at(index: -1): Item | undefined {
    return this.open.at(index);
  }

  pop(): Item | undefined {
    return this.open.pop();
  }

  /** Its thread is woven: only what is known to be changed late still changes. Stretches without such a one are what they will be. */
  close(): void {
    for (const item of this.open) this.settle(item);
    this.open = [];
    const done: (Item | Stretch)[] = [];
    for (const one of this.done) {
      if (one instanceof Stretch && one.isSettled) one.finish(done);
      else done.push(one);
    }
    this.done = done;
  }

  /** The operations, when all of them are what they will be. */
  finish(): Item[] {
    this.close();
    const out: Item[] = [];
    for (const one of this.done) {
      if (one instanceof Stretch) one.finish(out);
      else out.push(one);
    }
    this.done = [];
    return out;
  }

  private settle(item: Item): void {
    if (!canBeLogged(nameOf(item))) {
      this.done.push(item);
      return;
    }
    let last = this.done.at(-1);
    if (!(last instanceof Stretch)) {
      last = new Stretch(this.changes, this.forms);
      this.done.push(last);
    }
    last.add(item);
  }
}

/** A list that is there already. */
export function shortened(items: readonly Item[], forms: Forms): Item[] {
  const program = new Shortened({ has: () => false }, forms);
  for (const item of items) program.push(item);
  return program.finish();
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
function sortKey(item: Item, programs: Programs): string {
  const args = argsOf(item);
  let key = nameOf(item);
  if (args === NONE) return `${key} ${JSON.stringify(item[key])}`;
  for (const field in args) {
    const value = args[field];
    if (isRowField(field, value, programs)) key += ` ${field}`;
    else key += ` ${field}=${typeof value === "string" ? `${value.length}:${value}` : JSON.stringify(value)}`;
  }
  return key;
}
