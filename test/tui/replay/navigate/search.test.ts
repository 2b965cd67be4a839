/** Search and SQL in the replay: what is found, what is reported when nothing is, and that both can be stopped. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kindName } from "../../../../engine/index.ts";
import { sql } from "../../../../tui/replay/navigate/navigation.ts";
import type { ReplaySession } from "../../../../tui/replay/session.ts";
import { playerOf, sessionOf } from "../../../support/replay.ts";
import { tempPaths } from "../../../support/temp-dir.ts";

const fresh = tempPaths();
let lost: ReplaySession;
/** Two threads. */
let suspended: ReplaySession;
beforeAll(async () => {
  lost = await sessionOf("toy", fresh("lost.trace"));
  suspended = await sessionOf("sigsuspend-lock", fresh("suspended.trace"), { stack: "graphene-linux" });
});
afterAll(() => {
  lost.trace.close();
  suspended.trace.close();
});

describe("search", () => {
  test("goes on at the other end and says so", async () => {
    const s = playerOf(lost, { seq: 50 });
    await s.type("/remember the handler\r");
    expect(s.state()).toMatchObject({ message: "begun again from the beginning: match 1 of 1" });
    expect(s.state().seq).toBeLessThan(50);
    const first = s.state().seq;
    s.context.dispatch({ type: "go", seq: 0, thread: 0 });
    await s.press("N");
    expect(s.state()).toMatchObject({ message: "begun again from the end: match 1 of 1" });
    expect(s.state().seq).toBeGreaterThanOrEqual(first);
  });

  test("what stands behind a row is found: results, answers, CSSA", async () => {
    const s = playerOf(lost);
    const seqs = async (text: string): Promise<readonly number[]> => {
      await s.type(`/${text}\r`);
      return s.state().matches?.seqs ?? [];
    };
    const texts = (found: readonly number[]): string[] =>
      found.map((seq) => {
        s.context.dispatch({ type: "go", seq, thread: lost.rows.at(seq)?.thread ?? 0 });
        return /^►.*$/m.exec(s.screen())?.[0] ?? "";
      });
    for (const [text, note] of [
      ["^CSSA 0$", "[CSSA 0]"],
      ["^= 0$", "[="],
    ] as const) {
      const found = texts(await seqs(text));
      expect(found.length, text).toBeGreaterThan(1);
      for (const line of found) expect(line).toContain(note);
    }
  });

  test("nothing anywhere, nothing else, nothing asked, nothing yet", async () => {
    const s = playerOf(lost, { seq: 20 });
    await s.press("n");
    expect(s.state().message).toBe("no search yet: / searches");
    await s.type("/\r");
    expect(s.state()).toMatchObject({ message: "no search yet: / searches", seq: 20 });
    await s.type("/zzz\r");
    expect(s.state()).toMatchObject({ message: 'no match for "zzz"', seq: 20 });
    await s.press("N");
    expect(s.state()).toMatchObject({ message: 'no match for "zzz"', seq: 20 });
    await s.type("/build the enclave\rnn");
    expect(s.state()).toMatchObject({ message: 'no other match for "build the enclave"', seq: 0 });
  });

  test.each(["(.|\\w)+\\d\\d\\d$", "((a+)b?)+$", ".*.*.*.*zz", "a{2}b{2}c{2}d{2}", `${".?".repeat(16)}zz`, `${"(.|.)".repeat(16)}zz`])(
    "%s could take for ever: it is looked for as it stands",
    async (text) => {
      const s = playerOf(lost);
      await s.type(`/${text}\r`);
      expect(s.state().message).toMatch(/^no match for ".*"; searched as plain text: .* are not tried$/);
    },
  );

  test("what is no regular expression says why, and is looked for as it stands", async () => {
    const s = playerOf(lost);
    await s.type("/deliver_signal(\r");
    expect(s.state().seq).toBeGreaterThan(0);
    expect(s.state().message).toMatch(/^match 1 of 1; searched as plain text: Invalid regular expression: .*[Uu]nterminated group/);
    await s.type("/zz[\r");
    expect(s.state().message).toMatch(/^no match for "zz\["; searched as plain text: Invalid regular expression: /);
  });

  test("alternatives outside of groups are no choices that multiply, nor is what is escaped", async () => {
    const s = playerOf(lost);
    for (const text of ["SIGINT|SIGTERM|SIGHUP|SIGUSR1|SIGUSR2", "\\*\\*\\*\\*\\*", "(?:read|write)"]) {
      await s.type(`/${text}\r`);
      expect(s.state().message, text).not.toContain("plain text");
    }
  });

  test("a long one goes round in slices, and Esc stops it", async () => {
    const { count } = lost.rows;
    const slow: ReplaySession = {
      ...lost,
      rows: { ...lost.rows, find: (from, direction) => ({ goOnAt: (from + direction + count) % count }) },
    };
    const s = playerOf(slow, { seq: 20, search: "zzz" });
    const searching = s.press("n");
    expect(s.state()).toMatchObject({ busy: true });
    expect(s.state().message).toMatch(/^looking: at \d+ % \(Esc stops\)$/);
    await s.type("\u001b");
    await searching;
    expect(s.state()).toMatchObject({ message: "stopped", seq: 20, busy: false });
  });
});

describe("SQL", () => {
  test("a question that failed comes back to be mended; its last word and all of it can be taken away", async () => {
    const s = playerOf(lost);
    await s.type(";SELECT 1 FROM nowhere\r");
    expect(s.state().message).toContain("no such table: nowhere");
    await s.type(";");
    expect(s.state()).toMatchObject({ prompt: "sql", line: { typed: "SELECT 1 FROM nowhere" } });
    expect(s.screen()).toContain("ctrl-u clears");
    await s.type("  \u0017");
    expect(s.state().line.typed).toBe("SELECT 1 FROM ");
    await s.type("\u0017\u0017\u0017\u0017");
    expect(s.state().line.typed).toBe("");
    await s.type("x y\u0015");
    expect(s.state().line.typed).toBe("");
  });

  test("the prompts' help fits the narrowest usual terminal", async () => {
    for (const key of ["/", "g", ";", ":"]) {
      const s = playerOf(lost, { width: 80, height: 23 });
      await s.type(key);
      expect(s.screen().split("\n").at(-2), key).not.toContain("…");
    }
  });

  test.each([
    ["SELECT 12 AS seq, 13 AS exit_seq", 12, ""],
    ["SELECT 3 AS a, 13 AS exit_seq, 14 AS other_seq", 13, "here is the row's exit_seq"],
    ["SELECT 13 AS exit_seq, 12 AS seq", 12, ""],
    ["SELECT NULL AS seq, 14 AS exit_seq", 14, "here is the row's exit_seq"],
    ["SELECT 77 AS id, 15 AS generated", 15, "here is the row's generated"],
    ["SELECT 12 AS sequence, 13 AS time", 5, "this result has no column seq"],
    ["SELECT NULL AS seq, 'x' AS exit_seq", 5, "this row has nothing to jump to in seq, exit_seq"],
    ["SELECT 5000 AS seq", 5, "there is no seq 5000"],
    ["SELECT seq FROM transitions WHERE seq < 0", 5, "no row to jump from: ; asks in SQL"],
  ])("Enter on a row: %s", async (text, seq, message) => {
    const s = playerOf(lost, { seq: 5 });
    await sql(s.context, text);
    await s.press("enter");
    expect(s.state()).toMatchObject({ seq, message });
  });
});

test("a match is told its place among all, and all stand on the minimap; a new search counts anew", async () => {
  const s = playerOf(lost, { seq: 0, width: 100, height: 30 });
  await s.type("/lock\r");
  const { matches } = s.state();
  const all = Array.from({ length: lost.rows.count }, (_, seq) => seq).filter((seq) => {
    const site = lost.trace.sites[lost.rows.at(seq)?.site ?? -1];
    const kind = lost.rows.at(seq)?.kind ?? -1;
    return /lock/i.test(`${site?.flow}: ${site?.label}`) || /lock/.test(kindName(kind));
  });
  expect(matches).toEqual({ text: "lock", seqs: all, count: all.length });
  expect(s.state().message).toBe(`match ${all.indexOf(s.state().seq) + 1} of ${all.length}`);
  await s.press("n");
  expect(s.state().message).toBe(`match ${all.indexOf(s.state().seq) + 1} of ${all.length}`);
  expect(s.screen().split("\n")[1]).toContain("╱");
  await s.type("/remember the handler\r");
  expect(s.state().matches).toMatchObject({ text: "remember the handler", count: 1 });
});
