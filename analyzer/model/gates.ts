/**
 * Listeners that need not be asked about every row of their kind. Most rules follow what is rare: they note the beginning of it, and until
 * then the rows that would go on with it tell them nothing. `whileAny` of what a rule remembers makes a listener that is called only while
 * something is remembered; `only` makes one that hears of some calls, functions or locks. Neither changes what a rule finds.
 */

/** A list of listeners in which some stand only while a gate is open. */
export interface Gated {
  isStale: boolean;
}

/** Gates to be closed before the next row: what a row ends can be asked for until then. */
export type Closing = Gate[];

/** Open while a rule remembers something. */
export class Gate {
  isOpen = false;
  private remembered = 0;
  private isToSettle = false;
  readonly lists: Gated[] = [];

  constructor(private readonly closing: Closing) {}

  /** One thing more is remembered. */
  more(): void {
    this.remembered += 1;
    if (!this.isOpen) this.turn(true);
  }

  /** So many less. */
  less(count = 1): void {
    this.remembered -= count;
    if (this.remembered > 0 || !this.isOpen || this.isToSettle) return;
    this.isToSettle = true;
    this.closing.push(this);
  }

  /** It closes if nothing was remembered again. */
  settle(): void {
    this.isToSettle = false;
    if (this.remembered === 0 && this.isOpen) this.turn(false);
  }

  private turn(isOpen: boolean): void {
    this.isOpen = isOpen;
    for (const list of this.lists) list.isStale = true;
  }
}

export function closeGates(closing: Closing): void {
  for (const gate of closing) gate.settle();
  closing.length = 0;
}

/** Called after the model has taken the row. */
export type Listener = (() => void) | Narrow;

/** Which places a listener is about, by label and function; of a lock, by its text. Empty where the trace does not tell. */
export type IsAbout = (label: string, flow: string) => boolean;

/** A listener that is called for some rows of its kind only. */
export interface Narrow {
  readonly call: () => void;
  /** All of them must be open. */
  readonly gates: readonly Gate[];
  /** Null: it is about all places. */
  readonly isAbout: IsAbout | null;
}

export const narrowed = (listener: Listener): Narrow =>
  typeof listener === "function" ? { call: listener, gates: [], isAbout: null } : listener;

/** The listener, called only while this gate is open. */
export function whileOpen(gate: Gate, listener: Listener): Narrow {
  const { call, gates, isAbout } = narrowed(listener);
  return { call, gates: [...gates, gate], isAbout };
}

/**
 * The listener, called only for rows that are about such a place: of the end of a scope and of app.return the place that opened it, of a lock
 * its text, of any other row the application's call that its thread is in. The answer is kept: it must go by the names alone.
 */
export function only(isAbout: IsAbout, listener: Listener): Narrow {
  const { call, gates, isAbout: before } = narrowed(listener);
  return { call, gates, isAbout: before === null ? isAbout : (label, flow) => before(label, flow) && isAbout(label, flow) };
}

/** A map that knows when it is empty. */
export class GatedMap<K, V> extends Map<K, V> {
  private readonly gate: Gate;

  constructor(closing: Closing) {
    super();
    this.gate = new Gate(closing);
  }

  override set(key: K, value: V): this {
    const before = this.size;
    super.set(key, value);
    if (this.size > before) this.gate.more();
    return this;
  }

  override delete(key: K): boolean {
    const was = super.delete(key);
    if (was) this.gate.less();
    return was;
  }

  override clear(): void {
    this.gate.less(this.size);
    super.clear();
  }

  /** The listener, called only while something is in the map, and for the row that took the last out of it. */
  whileAny(listener: Listener): Listener {
    return whileOpen(this.gate, listener);
  }
}
