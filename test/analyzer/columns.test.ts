/** Columns give back what was put in, however near or far the numbers are from each other. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, column, texts } from "../../analyzer/verdict/columns.ts";

const FAR = [-1, 0, -0.5, Number.NaN, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 1e300, 0.1];

/** Pushes and changes, and what an array has after the same. */
function same(made: Column, pushed: readonly number[], changes: readonly (readonly [at: number, value: number])[]): void {
  const plain = [...pushed];
  for (const value of pushed) made.push(value);
  for (const [at, value] of changes) {
    const index = at % plain.length;
    plain[index] = value;
    made.set(index, value);
  }
  expect(made.length).toBe(plain.length);
  expect(plain.map((_, i) => made.at(i))).toEqual(plain);
}

const anyNumber = fc
  .oneof(fc.constantFrom(...FAR), fc.integer({ min: 5_000_000_000, max: 5_000_001_000 }), fc.integer({ min: -2, max: 100 }), fc.double())
  .map((value) => value + 0);

describe("columns", () => {
  it("hold any numbers", () => {
    const change = fc.tuple(fc.nat(), anyNumber);
    fc.assert(fc.property(fc.array(anyNumber, { minLength: 1 }), fc.array(change), (pushed, changes) => same(column(), pushed, changes)));
  });

  it("hold more than one piece of them", () => {
    const pushed = Array.from({ length: 10_000 }, (_, i) => (i % 7 === 0 ? -1 : 3e9 + 500 * i));
    same(column(), pushed, [
      [5, 1],
      [9_000, 8e15],
    ]);
  });

  it("take another width whenever a value needs one", () => {
    const pushed = Array.from({ length: 10_000 }, (_, i) => i);
    const far = [127, 128, -129, 32_767, -32_768, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, 0.5, -1].map((value, i) => [i, value] as const);
    for (const change of far) same(column(), pushed, [change]);
    same(column(), pushed, far);
  });

  it("of one value cost nothing", () => {
    const before = process.memoryUsage().arrayBuffers;
    const constant = column();
    for (let i = 0; i < 1_000_000; i += 1) constant.push(-1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
    expect([constant.at(0), constant.at(999_999)]).toEqual([-1, -1]);
  });

  it("of texts hold each text once", () => {
    const all = texts();
    expect(["a", "b", "a", ""].map(all.of)).toEqual([0, 1, 0, 2]);
    expect([0, 1, 2].map(all.at)).toEqual(["a", "b", ""]);
  });
});
