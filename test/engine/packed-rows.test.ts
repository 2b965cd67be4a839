/** Packed rows are the rows, in few characters. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRowPacker, packAlone, unpackRows } from "../../engine/scenario/packed-rows.ts";

const row = fc.tuple(fc.nat(3), fc.array(fc.maxSafeInteger(), { minLength: 3, maxLength: 3 })).map(([index, more]) => [index, ...more]);

describe("packed rows", () => {
  test("are the numbers that were packed, wherever the text was taken and rows stand alone", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(row, fc.constantFrom("near", "alone", "taken"))), (rows) => {
        const packer = createRowPacker();
        const text = rows.map(([numbers, how]) => {
          if (how === "alone") return packer.take() + packAlone(numbers);
          packer.add(numbers);
          return how === "taken" ? packer.take() : "";
        });
        expect([...(unpackRows(text.join("") + packer.take()) ?? [])]).toEqual(rows.flatMap(([numbers]) => numbers));
      }),
    ));

  test("have a character for a number that is the one of the row before", () => {
    const packer = createRowPacker();
    packer.add([0, 1_700_000_000_000, 5]);
    packer.take();
    packer.add([0, 1_700_000_000_000, 6]);
    expect(packer.take()).toBe("AAC,");
  });

  test.each([
    ["a character that is no digit", "A?,"],
    ["no row between commas", "A,,A"],
    ["a number without an end", "Ag,A"],
    ["a mark in the middle of a row", "A!A,"],
    ["a number that is not exact", `A${"/".repeat(12)}A,`],
  ])("%s is refused", (_, text) => expect(unpackRows(text)).toBeNull());

  test("no text is no rows", () => expect(unpackRows("")).toEqual(new Float64Array(0)));
});
