/**
 * Who is told of a row: all listeners of one kind of row, one end of a scope or one place, in the order of the rules, without those that it
 * does not concern (`model/gates.ts`). What concerns whom is settled once for each place and each time a gate turns, not for each row.
 */

import { type Gated, type IsAbout, type Listener, type Narrow, NONE, narrowed, SCOPE, type ThreadModel } from "./model/index.ts";
import type { Subscription } from "./rule.ts";

/** Those of an audience whose gates are open. */
interface Hearers extends Gated {
  /** Whom the place concerns, whatever their gates are. */
  readonly all: readonly Narrow[];
  open: readonly (() => void)[];
}

/** By what the listeners of a row tell places apart. */
const BY = { NOTHING: 0, CALL: 1, CLOSED: 2, TEXT: 3 } as const;
type By = (typeof BY)[keyof typeof BY];

const OF_LOCKS: ReadonlySet<string> = new Set<Subscription>(["lock", "unlock", "lock.busy"]);

function placesOf(name: Subscription): By {
  if (OF_LOCKS.has(name)) return BY.TEXT;
  return name === "app.return" || name.endsWith(".end") ? BY.CLOSED : BY.CALL;
}

/** The number of a row's place; NONE when it has none. */
function placeOf(m: ThreadModel, by: By): number {
  if (by === BY.TEXT) return m.detail === 0 ? NONE : m.detail;
  const scope = by === BY.CLOSED ? m.closed : m.open(SCOPE.CALL);
  return scope === NONE ? NONE : (m.scopes.site[scope] as number);
}

const UNKNOWN = 0;

export class Audience {
  private readonly listeners: Narrow[] = [];
  private by: By = BY.NOTHING;
  /** Where listeners tell places apart: by the number of the place UNKNOWN, or which of `groups`. */
  private known = new Uint16Array(64);
  private readonly groups: Hearers[] = [];
  /** Of rows without a place, and of places that are not named (yet); all of them where nobody tells places apart. */
  private unplaced: Hearers;
  private readonly groupOf = new Map<string, number>();

  constructor(
    private readonly m: ThreadModel,
    private readonly name: Subscription,
  ) {
    this.unplaced = this.hearers(() => true);
  }

  get isEmpty(): boolean {
    return this.listeners.length === 0;
  }

  /** Before the first row. */
  add(listener: Listener): void {
    const narrow = narrowed(listener);
    this.listeners.push(narrow);
    if (narrow.isAbout !== null) this.by = placesOf(this.name);
    this.unplaced = this.hearers((isAbout) => isAbout("", ""));
    this.groups[UNKNOWN] = this.unplaced;
  }

  tell(): void {
    const { by } = this;
    const hearers = by === BY.NOTHING ? this.unplaced : this.hearersAt(placeOf(this.m, by));
    if (hearers.isStale) refresh(hearers);
    const { open } = hearers;
    for (let i = 0; i < open.length; i += 1) (open[i] as () => void)();
  }

  private hearersAt(place: number): Hearers {
    if (place === NONE) return this.unplaced;
    const group = this.known[place] ?? UNKNOWN;
    return this.groups[group === UNKNOWN ? this.lookUp(place) : group] as Hearers;
  }

  private lookUp(place: number): number {
    const { sites, texts } = this.m.names;
    const [label, flow] = this.by === BY.TEXT ? [texts[place], ""] : [sites[place]?.label, sites[place]?.flow ?? ""];
    // Names may still come; a broken trace may have rows of places that it never names.
    if (label === undefined) return UNKNOWN;
    const concerned = this.listeners.map(({ isAbout }) => isAbout === null || isAbout(label, flow));
    const key = concerned.map(Number).join("");
    let group = this.groupOf.get(key);
    if (group === undefined) {
      group = this.groups.push(this.hearers((_, i) => concerned[i] === true)) - 1;
      this.groupOf.set(key, group);
    }
    if (place >= this.known.length) {
      const larger = new Uint16Array(2 * place);
      larger.set(this.known);
      this.known = larger;
    }
    this.known[place] = group;
    return group;
  }

  private hearers(concerns: (isAbout: IsAbout, i: number) => boolean): Hearers {
    const all = this.listeners.filter(({ isAbout }, i) => isAbout === null || concerns(isAbout, i));
    const made: Hearers = { all, open: [], isStale: true };
    for (const gate of new Set(all.flatMap(({ gates }) => gates))) gate.lists.push(made);
    return made;
  }
}

/** A new array: the one before may be at work. */
function refresh(hearers: Hearers): void {
  hearers.isStale = false;
  hearers.open = hearers.all.filter(({ gates }) => gates.every((gate) => gate.isOpen)).map(({ call }) => call);
}
