/** The library: what a program gets from `import ... from "eintr"`. That its package installs and its types hold is in package.test.ts. */

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openTrace as openFolder } from "../../recorder/index.ts";
import { analyze, diff, isUserError, openTrace, record, rules, stacks, version } from "../../tui/library/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const lost = async (stack = "graphene-sgx"): Promise<string> =>
  (await record("lost-interrupted-error", { output: fresh("lost.trace"), stack })).path;

/** What it is rejected with. */
const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

test("records as the command does, and tells nobody but its caller", async () => {
  const output = fresh("one.trace");
  const counts: number[] = [];
  const made = await record("server", { output, stack: "graphene-linux", rows: 40_000, onProgress: (rows) => counts.push(rows) });
  expect(made).toMatchObject({ path: output, rows: 40_000, reason: "row-limit" });
  expect(counts.length).toBeGreaterThan(0);
  const same = fresh("same.trace");
  const { talk } = await eintr(["record", "server", "--stack", "graphene-linux", "--rows", "40000", "-o", same]);
  expect(talk).toContain(made.digest);
});

test("records a text, with fixes and a seed", async () => {
  const scenario =
    "name: mine\ntitle: t\nmain:\n  - read: { from: pipe, bytes: 1 }\n  - exit-group: { status: 3 }\nsignals:\n  - { signal: SIGINT, when: { at: 1ms } }\n";
  const { path } = await record(
    { scenario },
    { output: fresh("mine.trace"), fixes: ["sgx-interrupted-code-lost"], scheduler: "seeded", seed: 5 },
  );
  const trace = await openTrace(path);
  expect(trace.run).toMatchObject({
    scenario: "mine",
    scenarioText: scenario,
    fixes: ["sgx-interrupted-code-lost"],
    seed: 5,
    stack: "graphene-sgx",
  });
  trace.close();
});

test("a trace: its transitions are the rows of the view, all or a stretch; SQL with values", async () => {
  const trace = await openTrace(await lost());
  const { rows, columns } = await trace.query("SELECT * FROM transitions ORDER BY seq");
  const all = [...trace.transitions()];
  expect(all).toHaveLength(trace.length);
  expect(all.map((row) => Object.values(row))).toEqual(rows);
  expect(Object.keys(all[0] ?? {}).map((name) => (name === "time" ? "time_ns" : name))).toEqual(columns);
  expect([...trace.transitions(300, 310)]).toEqual(all.slice(300, 310));
  expect((await trace.query("SELECT ? + 1 AS n", { params: [41] })).rows).toEqual([[42]]);
  expect(existsSync(trace.database)).toBe(true);
  expect(trace.threads.map(({ name }) => name)).toContain("main");
  trace.close();
});

test("analyze: verdict and findings, kept in the database; some rules alone", async () => {
  const path = await lost();
  const trace = await openTrace(path);
  const { verdict, findings, counts } = await analyze(trace);
  expect(verdict.same).toBe(false);
  expect(verdict.first).toMatchObject({
    thread: "main",
    what: "read(pipe, 64)",
    here: { text: "0", result: 0 },
    there: { text: "-EINTR", result: -4 },
  });
  expect(verdict.lines[0]).toBe("graphene-sgx: main exits with status 0");
  expect(findings.find(({ rule }) => rule === "sgx-interrupted-code-lost")).toMatchObject({ severity: "high", thread: "main" });
  expect(Object.keys(counts).sort()).toEqual(rules.map(({ id }) => id).sort());
  const kept = await trace.query("SELECT rule, title FROM finding ORDER BY id");
  expect(kept.rows).toEqual(findings.map(({ rule, title }) => [rule, title]));
  const some = await analyze(trace, { rules: ["spurious-yield-per-pending"] });
  expect([some.findings, some.counts]).toEqual([[], { "spurious-yield-per-pending": 0 }]);
  trace.close();
});

test("diff: beside Linux alone, or another trace; what is ignored is left out", async () => {
  const [sgx, linux] = [await openTrace(await lost()), await openTrace(await lost("graphene-linux"))];
  expect((await diff(sgx)).first?.there.text).toBe("-EINTR");
  expect((await diff(sgx, linux)).same).toBe(false);
  expect((await diff(sgx, sgx)).same).toBe(true);
  const ignored = await diff(sgx, null, { ignore: { calls: ["read"], kinds: ["mask", "siginfo"] } });
  expect(ignored.differences.filter(({ what }) => what.startsWith("read("))).toEqual([]);
  sgx.close();
  linux.close();
});

test("opens what is packed", async () => {
  const path = await lost();
  await eintr(["pack", path]);
  const trace = await openTrace(`${path}.tgz`);
  expect((await analyze(trace)).findings.length).toBeGreaterThan(0);
  trace.close();
});

describe("errors", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ["a case", () => record("no-such-case", { output: fresh("x") }), 'no file and no built-in scenario "no-such-case"'],
    ["a stack", () => record("nested", { output: fresh("x"), stack: "graphene-sgy" }), 'no stack "graphene-sgy"'],
    ["a fix", () => record("nested", { output: fresh("x"), fixes: ["all"] }), '"all" is not known'],
    ["a scenario", () => record({ scenario: "name: x", name: "mine" }, { output: fresh("x") }), "mine"],
    ["a trace", () => openTrace(fresh("nowhere.trace")), "cannot be opened"],
  ])("a user's mistake in %s is told as one", async (_, act, message) => {
    const error = await thrown(act());
    expect(isUserError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  test("wrong SQL and an unknown rule are the user's, a foreign trace is the caller's", async () => {
    const trace = await openTrace(await lost());
    expect(isUserError(await thrown(trace.query("DELETE FROM finding")))).toBe(true);
    expect(isUserError(await thrown(analyze(trace, { rules: ["none"] })))).toBe(true);
    const foreign = await thrown(analyze({ ...trace }));
    expect([isUserError(foreign), foreign]).toEqual([false, expect.any(TypeError)]);
    trace.close();
  });

  test("an aborted signal rejects with its reason", async () => {
    const path = await lost();
    const trace = await openTrace(path);
    const signal = AbortSignal.abort(new Error("enough"));
    for (const act of [diff(trace, null, { signal }), diff(trace, trace, { signal })]) expect(await thrown(act)).toBe(signal.reason);
    trace.close();
  });
});

test("names what there is", async () => {
  expect(stacks).toContain("graphene-sgx");
  expect(rules.map(({ id }) => id)).toContain("sgx-interrupted-code-lost");
  expect((await eintr(["--version"])).out.trim()).toBe(version);
  const inner = await openFolder(await lost());
  expect(isUserError(new Error("x"))).toBe(false);
  inner.close();
});
