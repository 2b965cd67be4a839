/**
 * Rows that begin in key order but end in any order: a call that blocks stays open while others come and go.
 * The page writer wants rows in key order and memory must stay bounded, so a window of the newest rows is held
 * back. A row that is still open when it falls out of the window is written as it stands, and its final form is
 * kept as a late row, to replace it at the end. Late rows are rare: each was open while a whole window of others
 * began.
 */

import type { Spill } from "./spill.ts";

export const WINDOW_ROWS = 16_384;

/** A row in the window, by order of opening; valid until it is closed. */
export type Ticket = number;

export interface RowWindow {
  /** Begin a row with this key (column 0), larger than all before; other columns get their defaults. */
  open(key: number): Ticket;
  set(row: Ticket, column: number, value: number): void;
  get(row: Ticket, column: number): number;
  /** The row is final. */
  close(row: Ticket): void;
  /** Write out what is left; rows still open are final as they are. */
  finish(): void;
}

/**
 * `defaults` has a value per column (NaN for NULL); `write` takes rows `from`..`from + n` of the columns, in key
 * order; `late` takes whole rows that replace ones written before. `capacity` is a power of two.
 */
export function createRowWindow(
  defaults: readonly number[],
  write: (columns: readonly Float64Array[], n: number, from: number) => void,
  late: Spill,
  capacity = WINDOW_ROWS,
): RowWindow {
  const mask = capacity - 1;
  const columns = defaults.map(() => new Float64Array(capacity));
  const isOpen = new Uint8Array(capacity);
  /** Rows that left the window while open. */
  const stragglers = new Map<Ticket, number[]>();
  let head = 0;
  let tail = 0;

  const rowAt = (slot: number): number[] => columns.map((values) => values[slot] as number);

  /** Write the `count` oldest rows and free their places. */
  const release = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const slot = (head + i) & mask;
      if (isOpen[slot] === 1) stragglers.set(head + i, rowAt(slot));
    }
    const from = head & mask;
    const first = Math.min(count, capacity - from);
    if (first > 0) write(columns, first, from);
    if (count > first) write(columns, count - first, 0);
    head += count;
  };

  const makeRoom = (): void => {
    let closed = 0;
    while (closed < capacity && isOpen[(head + closed) & mask] === 0) closed += 1;
    release(Math.max(closed, capacity >> 2));
  };

  return {
    open(key): Ticket {
      if (tail - head === capacity) makeRoom();
      const slot = tail & mask;
      for (let c = 0; c < columns.length; c++) (columns[c] as Float64Array)[slot] = defaults[c] as number;
      (columns[0] as Float64Array)[slot] = key;
      isOpen[slot] = 1;
      return tail++;
    },
    set(row, column, value): void {
      if (row >= head) (columns[column] as Float64Array)[row & mask] = value;
      else {
        const straggler = stragglers.get(row);
        if (straggler !== undefined) straggler[column] = value;
      }
    },
    get(row, column): number {
      return (row >= head ? columns[column]?.[row & mask] : stragglers.get(row)?.[column]) ?? Number.NaN;
    },
    close(row): void {
      if (row >= head) {
        isOpen[row & mask] = 0;
        return;
      }
      const straggler = stragglers.get(row);
      if (straggler === undefined) return;
      late.append(straggler);
      stragglers.delete(row);
    },
    finish(): void {
      isOpen.fill(0);
      release(tail - head);
      for (const straggler of stragglers.values()) late.append(straggler);
      stragglers.clear();
    },
  };
}
