/**
 * An observed state: the machine's plain data again, but each change is noted in the journal and in the hash. Records are objects of
 * classes made from their layout, with a getter and a setter for each field; lists are arrays whose methods note what they do; tables are
 * proxies. To the engine all of them look like the plain data that a recording uses, so flows are written once.
 */

import { flip } from "./hash.ts";
import { note } from "./journal.ts";
import type { Layout, ListLayout, RecordLayout, TableLayout } from "./layout.ts";
import { clearClocks, isRole, type Part } from "./parts.ts";
import { placeAt, placeOf } from "./places.ts";
import { classFor, ObservedRecord } from "./record-class.ts";

const isPart = (x: unknown): x is Part => x instanceof ObservedRecord || x instanceof ObservedList;

let strict = false;

/** Records accept no further fields: a field that is not there from the start is seen by nobody. For tests, it takes time. */
export function beStrict(): void {
  strict = true;
}

/** What a parent holds for `x`: a part of its own, never one that stands elsewhere. */
function adopt(layout: Layout, x: unknown, kind = 0): unknown {
  if (x === null || x === undefined || isRole(layout)) return x;
  if (layout.what === "table") return new ObservedTable(layout, x as object);
  if (isPart(x) && x.$k < 0) return x;
  if (layout.what === "list") return ObservedList.over(layout, x as readonly unknown[]);
  const made = new (classFor(layout, x as object, kind, adopt))(x as object);
  return strict ? Object.preventExtensions(made) : made;
}

/** Places in a list's journal that stand for a way of changing and not for an element. */
const PUSHED = -1;
const POPPED = -2;
const CHANGED = -3;
/** In that of a table: an entry went. */
const DELETED = -1;

const NO_ELEMENTS: readonly unknown[] = [];

/** A list of the state. Elements are replaced with `setAt`: writing to an index is seen by nobody. */
export class ObservedList extends Array<unknown> implements Part {
  // Private: a list has elements and nothing else that a loop over its keys would meet.
  #k = -1;
  #of: Layout = "essential";

  get $k(): number {
    return this.#k;
  }

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static over(layout: ListLayout, from: readonly unknown[]): ObservedList {
    const made = new ObservedList();
    made.#of = layout.of;
    for (let i = 0; i < from.length; i += 1) made[i] = adopt(layout.of, from[i]);
    return made;
  }

  private mixOne(i: number, x: unknown): void {
    if (isRole(this.#of)) {
      if (this.#of === "essential") flip(placeAt(this.#k, i), x);
    } else (x as Part | null)?.$mix();
  }

  private putOne(i: number, x: unknown, there: boolean): void {
    if (!isRole(this.#of)) (x as Part | null)?.$put(there ? placeAt(this.#k, i) : -1);
  }

  $put(place: number): void {
    this.#k = place;
    if (!isRole(this.#of)) for (let i = 0; i < this.length; i += 1) this.putOne(i, this[i], place >= 0);
  }

  $mix(): void {
    for (let i = 0; i < this.length; i += 1) this.mixOne(i, this[i]);
  }

  override push(...added: unknown[]): number {
    for (let n = 0; n < added.length; n += 1) this.append(adopt(this.#of, added[n]));
    return this.length;
  }

  private append(x: unknown): void {
    const i = this.length;
    note(this, PUSHED, null);
    this[i] = x;
    if (this.#k < 0) return;
    this.putOne(i, x, true);
    this.mixOne(i, x);
  }

  override pop(): unknown {
    const i = this.length - 1;
    if (i < 0) return undefined;
    const x = this[i];
    note(this, POPPED, x);
    if (this.#k >= 0) {
      this.mixOne(i, x);
      this.putOne(i, x, false);
    }
    super.pop();
    return x;
  }

  override shift(): unknown {
    return this.length === 0 ? undefined : this.splice(0, 1)[0];
  }

  override unshift(...added: unknown[]): number {
    this.splice(0, 0, ...added);
    return this.length;
  }

  override splice(start: number, count = this.length, ...added: unknown[]): unknown[] {
    let removed: unknown[] = [];
    this.change((elements) => {
      removed = elements.splice(start, count, ...added.map((x) => adopt(this.#of, x)));
    });
    return removed;
  }

  override fill(x: unknown): this {
    this.change((elements) => elements.fill(x));
    return this;
  }

  override sort(): never {
    throw new Error("a list of the state is not sorted in place");
  }

  override reverse(): never {
    throw new Error("a list of the state is not reversed in place");
  }

  set(i: number, x: unknown): void {
    if (i >= this.length) {
      return this.change((elements) => {
        elements[i] = adopt(this.#of, x);
      });
    }
    note(this, i, this[i]);
    this.takeOne(i, adopt(this.#of, x), this.#k >= 0);
  }

  private takeOne(i: number, x: unknown, mixed: boolean): void {
    const there = this.#k >= 0;
    if (mixed) this.mixOne(i, this[i]);
    if (there) this.putOne(i, this[i], false);
    this[i] = x;
    if (there) this.putOne(i, x, true);
    if (mixed) this.mixOne(i, x);
  }

  /** Any change: all elements lose their places and get new ones. */
  private change(to: (elements: unknown[]) => void): void {
    const was = Array.from(this);
    note(this, CHANGED, was);
    const there = this.#k >= 0;
    if (there) {
      this.$mix();
      for (let i = 0; i < was.length; i += 1) this.putOne(i, was[i], false);
    }
    const now = was.slice();
    to(now);
    this.take(now);
    if (!there) return;
    for (let i = 0; i < now.length; i += 1) this.putOne(i, now[i], true);
    this.$mix();
  }

  private take(elements: readonly unknown[]): void {
    this.length = elements.length;
    for (let i = 0; i < elements.length; i += 1) this[i] = elements[i];
  }

  $undo(way: number, was: unknown): void {
    const there = this.#k >= 0;
    if (way === PUSHED) {
      const i = this.length - 1;
      if (there) this.putOne(i, this[i], false);
      super.pop();
    } else if (way >= 0) this.takeOne(way, was, false);
    else if (way === POPPED) {
      const i = this.length;
      this[i] = was;
      if (there) this.putOne(i, was, true);
    } else {
      if (there) for (let i = 0; i < this.length; i += 1) this.putOne(i, this[i], false);
      this.take((was as readonly unknown[]) ?? NO_ELEMENTS);
      if (there) for (let i = 0; i < this.length; i += 1) this.putOne(i, this[i], true);
    }
  }
}

/** A table of the state, by text or number: what its owner holds. The engine sees `proxy`. */
class ObservedTable implements Part {
  $k = -1;
  readonly proxy: Record<string, unknown>;
  private readonly entries: Record<string, unknown> = {};
  /** The keys as they came: an entry that comes back has to stand where it stood. */
  private order: string[] = [];
  /** Keys by the numbers that the journal knows them by. */
  private readonly keys: string[] = [];

  constructor(
    private readonly layout: TableLayout,
    from: object,
  ) {
    for (const key of Object.keys(from)) this.write(key, adopt(layout.of, (from as Record<string, unknown>)[key]));
    this.proxy = new Proxy(this.entries, {
      set: (_, key, x) => this.replace(String(key), x),
      deleteProperty: (_, key) => !Object.hasOwn(this.entries, key) || this.replace(String(key), undefined),
    });
  }

  private putOne(key: string, x: unknown, there: boolean): void {
    if (!isRole(this.layout.of)) (x as Part | null | undefined)?.$put(there ? placeOf(this.$k, key) : -1);
  }

  private mixOne(key: string, x: unknown): void {
    if (isRole(this.layout.of)) {
      if (this.layout.of === "essential" && x !== undefined) flip(placeOf(this.$k, key), x);
    } else (x as Part | null | undefined)?.$mix();
  }

  $put(place: number): void {
    this.$k = place;
    for (const key in this.entries) this.putOne(key, this.entries[key], place >= 0);
  }

  $mix(): void {
    for (const key in this.entries) this.mixOne(key, this.entries[key]);
  }

  /** `x` undefined: the entry goes. */
  private replace(key: string, x: unknown): true {
    const was = this.entries[key];
    if (was === x && x !== undefined) return true;
    // An entry that goes and comes back stands last: if it did not, all of them are kept, in their order.
    if (x === undefined && key !== this.order.at(-1)) note(this, DELETED, { ...this.entries });
    else note(this, this.keys.push(key) - 1, was);
    const there = this.$k >= 0;
    if (there) {
      this.mixOne(key, was);
      this.putOne(key, was, false);
    }
    const now = x === undefined ? undefined : adopt(this.layout.of, x);
    this.write(key, now);
    if (there) {
      this.putOne(key, now, true);
      this.mixOne(key, now);
    }
    return true;
  }

  private restore(was: Readonly<Record<string, unknown>>): void {
    for (const key in this.entries) delete this.entries[key];
    this.order = [];
    for (const key in was) this.write(key, was[key]);
    if (this.$k >= 0) for (const key in was) this.putOne(key, was[key], true);
  }

  private write(key: string, x: unknown): void {
    if (x === undefined) {
      delete this.entries[key];
      if (this.order.at(-1) === key) this.order.pop();
      else this.order.splice(this.order.indexOf(key), 1);
      return;
    }
    if (!Object.hasOwn(this.entries, key)) this.order.push(key);
    this.entries[key] = x;
  }

  $undo(n: number, was: unknown): void {
    if (n === DELETED) return this.restore(was as Readonly<Record<string, unknown>>);
    const key = this.keys[n] as string;
    this.keys.length = n;
    const there = this.$k >= 0;
    if (there) this.putOne(key, this.entries[key], false);
    this.write(key, was);
    if (there) this.putOne(key, was, true);
  }
}

/** The state again, observed, and standing at its place: its contributions are in the hash. */
export function observe<T extends object>(layout: RecordLayout, state: T, place: number): T {
  clearClocks();
  const made = new (classFor(layout, state, 0, adopt))(state);
  made.$put(place);
  made.$mix();
  return made as unknown as T;
}

/** The contributions of the whole state, once more: after it the hash is as if it had none. For tests of the incremental one. */
export const mixAll = (state: object): void => (state as Part).$mix();
