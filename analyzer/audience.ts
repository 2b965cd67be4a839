/**
 * Who is told of a row: all listeners of one kind of row, one end of a scope or one place, in the order of the rules, without those that it
 * does not concern (`model/gates.ts`). What concerns whom is settled once for each place and each time a gate turns, not for each row.
 */

import { type Gated, type Listener, type Narrow, NONE, narrowed, SCOPE, type ThreadModel } from "./model/index.ts";
import type { Subscription } from "./rule.ts";

/** Listeners of an audience, and those of them whose gates are open. */
interface Hearers extends Gated {
  readonly all: Narrow[];
  open: readonly (() => void)[];
  /** Some of these are not about all places. */
  isPlaced: boolean;
}

/** By what the listeners of a row tell places apart. */
const BY = { CALL: 1, CLOSED: 2, TEXT: 3 } as const;
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

/** An analysis has hundreds of audiences, and few of them look at places. */
const NONE_KNOWN = new Uint16Array(0);

export class Audience {
  private readonly listeners = noHearers();
  private readonly by: By;
  /** Where listeners tell places apart: by the number of the place UNKNOWN, or which of `groups`. */
  private known = NONE_KNOWN;
  private readonly groups: Hearers[] = [];
  /** Those who hear of rows without a place, and of places that are not named (yet). */
  private readonly unplaced = noHearers();
  private readonly groupOf = new Map<string, number>();

  constructor(
    private readonly m: ThreadModel,
    name: Subscription,
  ) {
    this.by = placesOf(name);
    this.groups.push(this.unplaced);
  }

  /** Before the first row. */
  add(listener: Listener): void {
    const narrow = narrowed(listener);
    join(this.listeners, narrow);
    if (narrow.isAbout?.("", "") !== false) join(this.unplaced, narrow);
  }

  tell(): void {
    let hearers = this.listeners;
    if (hearers.isStale) refresh(hearers);
    // Mostly nobody who listens now tells places apart: then there is no place to look up.
    if (hearers.isPlaced) {
      hearers = this.hearersAt(placeOf(this.m, this.by));
      if (hearers.isStale) refresh(hearers);
    }
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
    const concerned = this.listeners.all.map(({ isAbout }) => isAbout === null || isAbout(label, flow));
    const key = concerned.map(Number).join("");
    let group = this.groupOf.get(key);
    if (group === undefined) {
      const hearers = noHearers();
      for (const [i, listener] of this.listeners.all.entries()) if (concerned[i] === true) join(hearers, listener);
      group = this.groups.push(hearers) - 1;
      this.groupOf.set(key, group);
    }
    if (place >= this.known.length) {
      const larger = new Uint16Array(Math.max(64, 2 * place));
      larger.set(this.known);
      this.known = larger;
    }
    this.known[place] = group;
    return group;
  }
}

const noHearers = (): Hearers => ({ all: [], open: [], isStale: true, isPlaced: false });

function join(hearers: Hearers, listener: Narrow): void {
  hearers.all.push(listener);
  for (const { lists } of listener.gates) if (!lists.includes(hearers)) lists.push(hearers);
}

/** A new array: the one before may be at work. */
function refresh(hearers: Hearers): void {
  hearers.isStale = false;
  const open = hearers.all.filter(({ gates }) => gates.every((gate) => gate.isOpen));
  hearers.open = open.map(({ call }) => call);
  hearers.isPlaced = open.some(({ isAbout }) => isAbout !== null);
}
