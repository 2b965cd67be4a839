/**
 * The differences that a comparison has found, in columns: a run that parts early from the other one differs in each call after that, and
 * an object for each would take more than all that was observed.
 */

import { type Column, column, texts } from "./columns.ts";
import {
  DIFFERENCE_KINDS,
  type Difference,
  type DifferenceKind,
  type PlacedDifference,
  type Side,
  WEIGHTS,
  type Weight,
} from "./difference.ts";

/** Differences as they come. */
export interface Found {
  add(difference: PlacedDifference): void;
  readonly length: number;
  readonly kind: (i: number) => DifferenceKind;
  readonly weight: (i: number) => Weight;
  /** The place of a difference in the first and in the second run. */
  readonly places: readonly [Column, Column];
  /** In this order, with the sides of the runs swapped or not. */
  inOrder(order: Uint32Array, isSwapped: boolean): Differences;
}

/** Differences that are made when they are asked for. */
export interface Differences extends Iterable<Difference> {
  readonly length: number;
  at(i: number): Difference;
  weight(i: number): Weight;
}

interface SideColumns {
  readonly seq: Column;
  readonly text: Column;
  /** 0 where it has none. */
  readonly result: Column;
  readonly hasResult: Column;
}

/** Stands for null where no number is negative. */
const NONE = -1;
const orNull = (value: number): number | null => (value === NONE ? null : value);

const KINDS: readonly DifferenceKind[] = DIFFERENCE_KINDS.map(({ name }) => name);
const newSide = (): SideColumns => ({ seq: column(), text: column(), result: column(), hasResult: column() });

export function createFound(): Found {
  const text = texts();
  const kinds = column();
  const weights = column();
  const threads = column();
  const whats = column();
  const lines = column();
  const places = [column(), column()] as const;
  const columns = [newSide(), newSide()] as const;
  const addSide = (to: SideColumns, side: Side): void => {
    to.seq.push(side.seq ?? NONE);
    to.text.push(text.of(side.text));
    to.result.push(side.result ?? 0);
    to.hasResult.push(side.result === null ? 0 : 1);
  };
  const sideAt = (of: SideColumns, i: number): Side => ({
    seq: orNull(of.seq.at(i)),
    text: text.at(of.text.at(i)),
    result: of.hasResult.at(i) === 1 ? of.result.at(i) : null,
  });
  const kind = (i: number): DifferenceKind => KINDS[kinds.at(i)] as DifferenceKind;
  const weight = (i: number): Weight => WEIGHTS[weights.at(i)] as Weight;
  return {
    add(difference) {
      kinds.push(KINDS.indexOf(difference.kind));
      weights.push(WEIGHTS.indexOf(difference.weight));
      threads.push(text.of(difference.thread));
      whats.push(text.of(difference.what));
      lines.push(difference.line ?? NONE);
      places[0].push(difference.order[0]);
      places[1].push(difference.order[1]);
      addSide(columns[0], difference.one);
      addSide(columns[1], difference.other);
    },
    get length() {
      return kinds.length;
    },
    kind,
    weight,
    places,
    inOrder(order, isSwapped) {
      const [one, other] = isSwapped ? [columns[1], columns[0]] : columns;
      const made = (i: number): Difference => ({
        kind: kind(i),
        weight: weight(i),
        thread: text.at(threads.at(i)),
        what: text.at(whats.at(i)),
        line: orNull(lines.at(i)),
        one: sideAt(one, i),
        other: sideAt(other, i),
      });
      return {
        length: order.length,
        at: (n) => made(order[n] as number),
        weight: (n) => weight(order[n] as number),
        *[Symbol.iterator]() {
          for (const i of order) yield made(i);
        },
      };
    },
  };
}
