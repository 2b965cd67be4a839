/** The main job as a user does it: record, analyze, show, query, rerun, explain. */

import { existsSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

async function recorded(...args: string[]): Promise<string> {
  const dir = fresh("case.trace");
  const { code, talk } = await eintr(["record", ...args, "-o", dir]);
  expect(code, talk).toBe(0);
  return dir;
}

describe("the lost error", () => {
  test("is found on graphene-sgx, with exit code 1", async () => {
    const dir = await recorded("lost-interrupted-error", "--stack", "graphene-sgx");
    const { code, out } = await eintr(["analyze", dir, "--format", "json"]);
    expect(code).toBe(1);
    const [verdict = "", ...lines] = out.trim().split("\n");
    expect(JSON.parse(verdict)).toMatchObject({
      verdict: { same: false, other: "native-linux", first: { kind: "result", thread: "main" } },
    });
    const findings = lines.map((line) => JSON.parse(line) as { rule: string; title: string });
    // The base revision runs handlers without their own signal in the mask, whatever else goes wrong.
    expect(findings.map((finding) => finding.rule)).toEqual(["sgx-interrupted-code-lost", "handler-mask-not-set"]);
    expect(findings[0]?.title).toBe("read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
  });

  test.each([["graphene-linux"], ["native-linux"], ["graphene-sgx", "--fix", "sgx-interrupted-code-lost"]])(
    "is not there on %s %s %s",
    async (...stack) => {
      const dir = await recorded("lost-interrupted-error", "--stack", ...stack);
      const { out, talk } = await eintr(["analyze", dir, "--format", "json"]);
      const [line = "", ...findings] = out.trim().split("\n");
      const { verdict } = JSON.parse(line) as { verdict: { differences: { kind: string }[] } };
      // The base revision runs handlers without their own signal in the mask, whatever is fixed.
      const isNative = stack[0] === "native-linux";
      expect(findings.map((text) => (JSON.parse(text) as { rule: string }).rule)).toEqual(isNative ? [] : ["handler-mask-not-set"]);
      expect(verdict.differences.map(({ kind }) => kind)).toEqual(isNative ? [] : ["mask"]);
      // "no findings" never stands alone.
      expect(talk).toContain(`: ${RULES.length} rules ran: ${isNative ? "no findings" : "1 finding"} in `);
    },
  );

  test("makes the exit code 1, whatever the rules find; never means never", async () => {
    const dir = await recorded("lost-interrupted-error");
    expect((await eintr(["analyze", dir, "--fail-on", "critical"])).code).toBe(1);
    expect((await eintr(["analyze", dir, "--fail-on", "high"])).code).toBe(1);
    expect((await eintr(["analyze", dir, "--rule", "spurious-yield-per-pending"])).code).toBe(1);
    expect((await eintr(["analyze", dir, "--fail-on", "never"])).code).toBe(0);
    const native = await recorded("lost-interrupted-error", "--stack", "native-linux");
    expect((await eintr(["analyze", native])).code).toBe(0);
  });

  test("is kept in the database with its evidence", async () => {
    const dir = await recorded("lost-interrupted-error");
    await eintr(["analyze", dir]);
    const { out } = await eintr([
      "query",
      dir,
      "SELECT rule, count(*) AS evidence FROM finding JOIN evidence ON finding = id GROUP BY id ORDER BY id",
      "--format",
      "csv",
    ]);
    expect(out).toBe("rule,evidence\nsgx-interrupted-code-lost,9\nhandler-mask-not-set,2\n");
    const db = new Sqlite(`${dir}/trace.db`, { readonly: true });
    expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
    db.close();
  });

  test("the native result stands beside the call, also after the database was lost", async () => {
    const dir = await recorded("lost-interrupted-error");
    const sql = ["query", dir, "SELECT call, result, native FROM syscalls WHERE native <> result", "--format", "csv"];
    const before = await eintr(sql);
    expect(before.out).toBe('call,result,native\n"read(pipe, 64)",0,-4\n');
    const { rmSync } = await import("node:fs");
    rmSync(`${dir}/trace.db`);
    expect((await eintr(sql)).out).toBe(before.out);
  });
});

describe("rerun", () => {
  test("finds the same again, and names the first transition that is not", async () => {
    const dir = await recorded("server", "--scheduler", "seeded", "--rows", "30000");
    expect(await eintr(["rerun", dir])).toMatchObject({ code: 0, out: "30000 transitions, all the same as recorded\n" });
    const trace = await openTrace(dir);
    const decision = trace.decisions.find(({ point, seq }) => point === "thread" && seq > 1000);
    trace.close();
    const changed = await eintr(["rerun", dir, "--decide", `${decision?.seq}:thread=0`]);
    expect(changed.code).toBe(1);
    expect(changed.out).toMatch(new RegExp(`^first difference at seq ${decision?.seq} `));
  });

  test("says what a fix and another stack change for the application", async () => {
    const dir = await recorded("lost-interrupted-error");
    for (const change of [
      ["--fix", "sgx-interrupted-code-lost"],
      ["--stack", "graphene-linux"],
    ])
      expect(await eintr(["rerun", dir, ...change])).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^seq \d+ {2}main {2}read\(pipe, 64\): 0 -> -EINTR\n$/),
      });
    expect(await eintr(["rerun", dir, "--fix", "spurious-yield-per-pending"])).toMatchObject({
      code: 0,
      out: "the application sees the same\n",
    });
  });

  test("says that a changed decision met no question", async () => {
    const dir = await recorded("lost-interrupted-error");
    const { code, talk } = await eintr(["rerun", dir, "--decide", "10:thread=1"]);
    expect(code).toBe(0);
    expect(talk).toContain("10:thread=1 changed nothing");
    for (const change of [[], ["--fix", "sgx-interrupted-code-lost"], ["--stack", "native-linux"]])
      expect((await eintr(["rerun", dir, ...change, "--decide", "999999:arrive=1"])).talk).toContain("999999:arrive=1 changed nothing");
  });

  test("says nothing of the recorded decisions that another stack does not meet", async () => {
    const dir = await recorded("server", "--scheduler", "seeded", "--rows", "20000");
    const { talk } = await eintr(["rerun", dir, "--stack", "native-linux", "--decide", "3:thread=1"]);
    expect(talk.match(/changed nothing/g) ?? []).toHaveLength(1);
  });
});

test("the same command twice gives the same digest", async () => {
  const digest = async (): Promise<unknown> => {
    const dir = await recorded("server", "--scheduler", "seeded", "--seed", "7", "--rows", "20000");
    return (await eintr(["query", dir, "SELECT digest FROM run", "--format", "csv"])).out;
  };
  expect(await digest()).toBe(await digest());
});

test("the tour does it all and says what to do next", async () => {
  const dir = fresh("tour.trace");
  const { code, out, talk } = await eintr(["demo", "-o", dir]);
  expect(code).toBe(0);
  expect(out).toContain("read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
  expect(out).toContain("EENTER(RBX, RCX)");
  expect(out).not.toContain("\u001b");
  expect(talk).toContain(`eintr rerun ${dir} --fix sgx-interrupted-code-lost`);
  expect(existsSync(`${dir}/transitions.arrow`)).toBe(true);
});
