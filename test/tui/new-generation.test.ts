/** A generation is a folder and a line in the list: recorder, analyzer and tui show its state, columns, events and hops without knowing it. */

import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTrace, type Trace } from "../../recorder/index.ts";
import { paint } from "../../tui/present/style.ts";
import { openSession } from "../../tui/replay/session.ts";
import { eintr } from "../support/command-line.ts";
import { playerOf, seqOf } from "../support/replay.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { ECHO } from "../support/test-stacks.ts";

const fresh = tempPaths();
const dir = fresh("echo.trace");
const query = async (sql: string): Promise<unknown[]> => JSON.parse((await eintr(["query", dir, sql, "--format", "json"])).out);
let trace: Trace;
beforeAll(async () => {
  const file = fresh("echo.yaml");
  writeFileSync(file, "name: echo\ntitle: two calls and their echoes\nmain: []\n");
  const recorded = await eintr(["record", file, "--stack", ECHO, "-o", dir]);
  expect(recorded).toMatchObject({ code: 0 });
  expect(recorded.talk).toContain("echo: main exits with status 0");
  trace = await openTrace(dir);
});
afterAll(() => trace.close());

describe("the echo stack", () => {
  test("is run again as recorded", async () => {
    expect(await eintr(["rerun", dir])).toMatchObject({
      code: 0,
      out: `${trace.transitions.rows} transitions, all the same as recorded\n`,
    });
  });

  test("is analyzed: its verdict names it", async () => {
    expect((await eintr(["analyze", dir])).out).toContain("echo: main exits with status 0");
  });

  test("has columns of its own; the one it does not have is NULL", async () => {
    const sql = "SELECT max(preempt) AS echoes, max(pending) AS waiting, count(cssa) AS cssa FROM transition";
    expect(await query(sql)).toEqual([{ echoes: 2, waiting: 1, cssa: 0 }]);
  });

  test("has signals that are followed through its hops, and upcalls that are none", async () => {
    expect(await query("SELECT count(*) AS n, min(outcome) AS first, max(outcome) AS last FROM signals")).toEqual([
      {
        n: 2,
        first: "handled",
        last: "handled",
      },
    ]);
  });

  test("is shown with its event's name", async () => {
    expect((await eintr(["show", dir, "--all"])).out).toContain("the wall answers  [ECHO_OF_A_CALL]");
  });

  test("is replayed: its state in its own words, after any step, forward and back", async () => {
    const session = openSession(trace, { paint: paint(false), ascii: false }, null);
    const s = playerOf(session, { seq: seqOf(session, "echo_chamber: the wall answers", 2) });
    expect(s.screen()).toContain("* echoes heard 2, 1 on the way");
    expect(s.screen()).toContain('said last "hello"');
    await s.press("k");
    expect(s.screen()).toContain("echoes heard 1, 1 on the way");
  });

  test("is replayed: a signal is where the stack says", async () => {
    const session = openSession(trace, { paint: paint(false), ascii: false }, null);
    const s = playerOf(session, { seq: seqOf(session, "echo_chamber: keep the echo") });
    await s.press("f");
    expect(s.screen()).toContain("now: in the echo chamber (main)");
  });
});
