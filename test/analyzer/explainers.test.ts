/** The index over findings answers as a plain look at all of them does. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { createExplainers, type Explainer, inOrder } from "../../analyzer/verdict/explainers.ts";

const finding = fc
  .record({ begin: fc.nat(40), long: fc.nat(12), general: fc.boolean(), title: fc.constantFrom("a SIGINT", "a SIGTERM", "b SIGINT") })
  .map(({ begin, long, general, title }): Explainer => {
    return { rule: `rule ${begin} ${long}`, thread: 0, firstSeq: begin, lastSeq: begin + long, title, general };
  });

it("finds the first around a seq, the next one and the first of a title", () => {
  const check = fc.property(fc.array(finding, { maxLength: 30 }), fc.nat(55), (all, seq) => {
    const list = inOrder(all);
    const index = createExplainers(list);
    expect(index.around(seq)).toBe(list.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq));
    const later = list.filter(({ firstSeq }) => firstSeq >= seq).sort((a, b) => a.firstSeq - b.firstSeq);
    expect(index.next(seq)).toBe(later[0]);
    for (const word of ["SIGINT", "SIGTERM", "b", "none"]) {
      const has = (title: string): boolean => title.includes(word);
      const first = list.find(({ title }) => has(title));
      // Asked twice: the second answer is the kept one.
      expect([index.titled(word, has), index.titled(word, has)]).toEqual([first, first]);
      const part = index.where(word, ({ title }) => has(title));
      expect(part.list).toEqual(list.filter(({ title }) => has(title)));
      expect(part.around(seq)).toBe(part.list.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq));
    }
  });
  fc.assert(check, { numRuns: 500 });
});
