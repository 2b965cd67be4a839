/** An interval of one thread, chosen for showing: which rows, how deep each lies, what is folded away. */

import { KIND, type Transition } from "../../engine/index.ts";

export interface ShownRow {
  readonly row: Transition;
  /** Call depth of the code that made it: that of the thread before it. */
  readonly level: number;
  /** Rows folded into this one: a function in which nothing but steps happens. */
  readonly folded: number;
  /** Transitions of other threads between this row and the one shown before. */
  readonly others: number;
}

export interface FoldOptions {
  /** Show every transition: fold nothing, leave nothing out. */
  readonly all: boolean;
  /** Depth of the thread before the first row, when known. */
  readonly depthBefore: number | null;
  readonly marked: ReadonlySet<number>;
}

/** Nothing crosses a layer in these. */
const SMALL: ReadonlySet<number> = new Set((["step", "branch", "call", "return", "lock", "unlock"] as const).map((name) => KIND[name]));
/** Left out when not everything is shown. */
const LEFT_OUT: ReadonlySet<number> = new Set((["branch", "return"] as const).map((name) => KIND[name]));

/** Rows of one thread in order of seq. */
export function chooseRows(rows: readonly Transition[], options: FoldOptions): ShownRow[] {
  const levels = rows.map((row, i) => (i === 0 ? (options.depthBefore ?? row.depth) : (rows[i - 1]?.depth ?? row.depth)));
  const shown: ShownRow[] = [];
  let lastSeq: number | null = null;
  let between = 0;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as Transition;
    if (lastSeq !== null) between += row.seq - lastSeq - 1;
    lastSeq = row.seq;
    if (!options.all && LEFT_OUT.has(row.kind) && !options.marked.has(row.seq)) continue;
    const level = levels[i] as number;
    const folded = options.all ? 0 : foldedAfter(rows, i, level, options.marked);
    shown.push({ row, level, folded, others: between });
    between = 0;
    for (let j = i + 1; j <= i + folded; j += 1) {
      const inside = rows[j] as Transition;
      between += inside.seq - lastSeq - 1;
      lastSeq = inside.seq;
    }
    i += folded;
  }
  return shown;
}

/** How many rows after row `i` belong to the function it enters, when all of them are small; else 0. */
function foldedAfter(rows: readonly Transition[], i: number, level: number, marked: ReadonlySet<number>): number {
  const opener = rows[i] as Transition;
  if (opener.kind !== KIND.call || opener.depth <= level) return 0;
  for (let j = i + 1; j < rows.length; j += 1) {
    const row = rows[j] as Transition;
    if (!SMALL.has(row.kind) || marked.has(row.seq)) return 0;
    if (row.depth <= level) return j - i;
  }
  return 0;
}
