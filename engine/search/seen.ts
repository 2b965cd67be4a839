/** The states a search has seen, by their 64-bit hashes: a table with open addressing that grows, eight bytes a state. */

export interface Seen {
  /** Number of states. */
  readonly size: number;
  /** True when it was not there before. */
  add(low: number, high: number): boolean;
}

const FIRST_SLOTS = 1 << 12;

export function newSeen(): Seen {
  let slots = new Int32Array(2 * FIRST_SLOTS);
  let mask = FIRST_SLOTS - 1;
  let size = 0;
  /** The hash 0, 0 stands for an empty slot; a state that has it is moved to 0, 1: no worse than any other collision. */
  const insert = (into: Int32Array, low: number, high: number): boolean => {
    let at = (Math.imul(low ^ high, 0x9e3779b1) >>> 7) & mask;
    for (;;) {
      const a = into[2 * at];
      const b = into[2 * at + 1];
      if (a === low && b === high) return false;
      if (a === 0 && b === 0) break;
      at = (at + 1) & mask;
    }
    into[2 * at] = low;
    into[2 * at + 1] = high;
    return true;
  };
  const grow = (): void => {
    const old = slots;
    slots = new Int32Array(2 * old.length);
    mask = slots.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) if (old[i] !== 0 || old[i + 1] !== 0) insert(slots, old[i] as number, old[i + 1] as number);
  };
  return {
    get size() {
      return size;
    },
    add(low, high) {
      if (!insert(slots, low, low === 0 && high === 0 ? 1 : high)) return false;
      size += 1;
      if (4 * size > slots.length) grow();
      return true;
    },
  };
}
