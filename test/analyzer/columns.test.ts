/** Columns give back what was put in, however near or far the numbers are from each other. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes, type Column, integers, numbers, texts } from "../../analyzer/verdict/columns.ts";

const FAR = [-1, 0, -0.5, Number.NaN, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 1e300, 0.1];

/** Pushes and changes, and what an array has after the same. */
function same(column: Column, pushed: readonly number[], changes: readonly (readonly [at: number, value: number])[]): void {
  const plain = [...pushed];
  for (const value of pushed) column.push(value);
  for (const [at, value] of changes) {
    const index = at % plain.length;
    plain[index] = value;
    column.set(index, value);
  }
  expect(column.length).toBe(plain.length);
  expect(plain.map((_, i) => column.at(i))).toEqual(plain);
}

const anyNumber = fc
  .oneof(fc.constantFrom(...FAR), fc.integer({ min: 5_000_000_000, max: 5_000_001_000 }), fc.integer({ min: -2, max: 100 }), fc.double())
  .map((value) => value + 0);

describe("columns", () => {
  it("of numbers hold any numbers", () => {
    const change = fc.tuple(fc.nat(), anyNumber);
    fc.assert(fc.property(fc.array(anyNumber, { minLength: 1 }), fc.array(change), (pushed, changes) => same(numbers(), pushed, changes)));
  });

  it("of numbers hold more than one piece of them", () => {
    const pushed = Array.from({ length: 10_000 }, (_, i) => (i % 7 === 0 ? -1 : 3e9 + 500 * i));
    same(numbers(), pushed, [
      [5, 1],
      [9_000, 8e15],
    ]);
  });

  it("of integers and bytes hold theirs", () => {
    const pushed = Array.from({ length: 10_000 }, (_, i) => i);
    same(integers(), pushed, [[0, -(2 ** 31)]]);
    same(
      bytes(),
      pushed.map((value) => value & 255),
      [[9_999, 255]],
    );
  });

  it("of texts hold each text once", () => {
    const all = texts();
    expect(["a", "b", "a", ""].map(all.of)).toEqual([0, 1, 0, 2]);
    expect([0, 1, 2].map(all.at)).toEqual(["a", "b", ""]);
  });
});
