/** A run with more differences from Linux alone than a session keeps: all of them are gone to. */

import { expect, test } from "vitest";
import type { Difference } from "../../../../analyzer/index.ts";
import { countDifferences, differenceFrom, differencesWithin, differsWithin } from "../../../../tui/replay/navigate/differences.ts";
import { openSession } from "../../../../tui/replay/session.ts";
import { sessions } from "../../../support/replay.ts";

const session = sessions();
const COUNT = 2100;

test("beyond those that are kept, the database is asked", async () => {
  const { trace, paint, ascii } = await session("server", { rows: 22_000 });
  const differs = (seq: number): Difference => ({
    kind: "output",
    weight: "differs",
    thread: "main",
    what: `call at ${seq}`,
    line: null,
    one: { seq, text: "0", result: null },
    other: { seq: null, text: "1", result: null },
  });
  const [begin, end] = (trace.ask("SELECT seq, exit_seq FROM syscall WHERE seq > 20200 AND exit_seq > seq + 5 LIMIT 1")[0] ?? []).map(
    Number,
  );
  if (begin === undefined || end === undefined) throw new Error("the server makes calls");
  const differences = [...Array.from({ length: COUNT }, (_, i) => differs(10 * i)), differs(begin)];
  const verdict = { log: null, other: "native-linux", compared: COUNT, omitted: 0, beyond: 0, outcomes: [], notices: [] };
  trace.replaceVerdict({ ...verdict, differences, cause: differences[0] });
  const w = openSession(trace, { paint, ascii }, null);
  expect(w.differences.first.length).toBeLessThan(COUNT);
  const atFirst = differencesWithin(w, 0, 500);
  expect([differsWithin(w, 20_900, 21_000), differencesWithin(w, 20_900, 21_000).length]).toEqual([false, 0]);
  const from = (seq: number, direction: 1 | -1): number | undefined => differenceFrom(w, seq, direction)?.seq;
  const looksThrough = (): void => {
    // A difference shows at the end of its call: some of them a little later than they begin.
    for (const seq of [100, 20_500]) {
      expect(from(seq, 1)).toBeGreaterThan(seq);
      expect(from(seq, 1)).toBeLessThan(seq + 100);
      expect(from(seq, -1)).toBeLessThan(seq);
      expect(from(seq, -1)).toBeGreaterThan(seq - 100);
    }
    // In a call that differs, its end is the next one.
    expect(from(end - 1, 1)).toBe(end);
    expect([from(21_999, 1), from(0, -1)]).toEqual([undefined, undefined]);
  };
  looksThrough();

  // Counted in the background, all of them are marked, and captions come with the rows.
  await countDifferences(w, new AbortController().signal);
  looksThrough();
  expect(differsWithin(w, end, end + 1)).toBe(true);
  const texts = differencesWithin(w, 20_900, 21_000);
  expect(texts.length).toBeGreaterThan(0);
  for (const { seq, text } of texts) {
    expect(differsWithin(w, seq, seq + 1)).toBe(true);
    expect(text).toMatch(/^call at 20\d{3}: 0, on Linux 1$/);
  }
  expect(differencesWithin(w, 0, 500)).toEqual(atFirst);
});
