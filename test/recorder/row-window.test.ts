import fc from "fast-check";
import { expect, test } from "vitest";
import { createRowWindow } from "../../recorder/derive/row-window.ts";
import { createSpill } from "../../recorder/derive/spill.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

test("rows that end in any order come out in key order, late ones with their final form", () => {
  // Each row: how many others begin before it ends (null: it never does).
  const life = fc.oneof({ weight: 6, arbitrary: fc.nat(5) }, fc.nat(200), fc.constant(null));
  fc.assert(
    fc.property(fc.array(life, { maxLength: 400 }), (lives) => {
      const late = createSpill(fresh("late"), 3);
      const written = new Map<number, number[]>();
      let lastKey = -1;
      const window = createRowWindow(
        [0, Number.NaN, 5],
        (columns, n, from) => {
          for (let i = from; i < from + n; i++) {
            const row = columns.map((c) => c[i] as number);
            expect(row[0]).toBeGreaterThan(lastKey);
            lastKey = row[0] as number;
            written.set(lastKey, row);
          }
        },
        late,
        16,
      );
      const ends = new Map<number, [number, number][]>();
      lives.forEach((length, key) => {
        const ticket = window.open(key * 10);
        window.set(ticket, 2, key);
        if (length !== null) ends.set(key + length, [...(ends.get(key + length) ?? []), [ticket, key]]);
        for (const [ended, of] of ends.get(key) ?? []) {
          expect(window.get(ended, 2)).toBe(of);
          window.set(ended, 1, of + 0.5);
          window.close(ended);
        }
      });
      window.finish();
      for (const row of late.read()) written.set(row[0] as number, [...row]);
      late.close();
      const ended = (key: number, length: number | null) => length !== null && key + length < lives.length;
      expect([...written.values()]).toEqual(lives.map((length, key) => [key * 10, ended(key, length) ? key + 0.5 : Number.NaN, key]));
    }),
    { numRuns: 200 },
  );
});

test("a spill gives back what it got, over many buffers", () => {
  const spill = createSpill(fresh("spill"), 2);
  for (let i = 0; i < 5000; i++) spill.append([i, Number.NaN]);
  expect(Array.from(spill.read(), ([a]) => a)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  spill.close();
});
