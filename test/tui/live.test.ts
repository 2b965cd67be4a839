/** `record --live`: the rules look on, tell what they find as it comes, and keep what `eintr analyze` finds afterwards. */

import { expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const KEPT = "SELECT rule, title, first_seq, last_seq, cost_ns FROM finding ORDER BY id";

async function findingsIn(dir: string): Promise<string> {
  return (await eintr(["query", dir, KEPT, "--format", "csv"])).out;
}

test("findings are told while the run goes on, before how it ended, and are those of analyze", async () => {
  const dir = fresh("a.trace");
  const { talk, code } = await eintr(["record", "server", "--stack", "graphene-sgx", "--rows", "60000", "--live", "-o", dir]);
  expect(code).toBe(0);
  const first = talk.indexOf("high  sgx-interrupted-code-lost: ");
  expect(first).toBeGreaterThanOrEqual(0);
  expect(first).toBeLessThan(talk.indexOf("60,000 transitions"));
  const live = await findingsIn(dir);
  await eintr(["analyze", dir]);
  expect(live.split("\n").length).toBeGreaterThan(5);
  expect(live).toBe(await findingsIn(dir));
});

test("--until ends the recording soon after a finding that is bad enough, and the trace is whole", async () => {
  const dir = fresh("a.trace");
  const args = ["record", "server", "--stack", "graphene-sgx", "--rows", "1000000", "--live", "--until", "high", "-o", dir];
  const { code, talk } = await eintr(args);
  expect(code).toBe(1);
  expect(talk).toContain("stopped at a finding of severity high or worse");
  const [rows = 0] = JSON.parse((await eintr(["query", dir, "SELECT count(*) AS n FROM transitions", "--format", "json"])).out).map(
    ({ n }: { n: number }) => n,
  );
  expect(rows).toBeGreaterThan(14_000);
  expect(rows).toBeLessThan(1_000_000);
  const milder = await eintr(["record", "nested", "--stack", "native-linux", "--live", "--until", "high", "-o", fresh("b.trace")]);
  expect(milder.code).toBe(0);
  expect(milder.talk).not.toContain("stopped at");
});

test("--until without --live is refused", async () => {
  const { code, talk } = await eintr(["record", "nested", "--until", "high", "-o", fresh("a.trace")]);
  expect([code, talk]).toEqual([2, expect.stringContaining("--until says when --live ends the recording: give both")]);
});
