/** What of an analysis is in the database afterwards: everything that was found, by every rule that ran, and nothing else. */

import { writeFileSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { type Finding, MAX_FINDINGS_PER_FINGERPRINT } from "../../analyzer/index.ts";
import { openTrace, type Trace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { LOST, YIELD } from "./support.ts";

const fresh = tempPaths();

/** One finding of each rule. */
const BOTH = "w9-accept-sigchld";

async function recorded(scenario: string, stack = "graphene-sgx"): Promise<string> {
  const dir = fresh("a.trace");
  const { code, talk } = await eintr(["record", scenario, "--stack", stack, "-o", dir]);
  expect(code, talk).toBe(0);
  return dir;
}

async function ask(dir: string, sql: string): Promise<unknown[]> {
  const trace = await openTrace(dir, { onRebuild: (why) => expect.fail(`rebuilt: ${why}`) });
  try {
    return trace.ask(sql);
  } finally {
    trace.close();
  }
}

const RULES_FOUND = "SELECT rule, count(*) FROM finding GROUP BY rule ORDER BY rule";
const EVERY_RULE = RULES.map((rule) => rule.id).sort();
const RULES_RUN = "SELECT rule, findings, omitted FROM analysis ORDER BY rule";

describe("a trace with more alike than are kept", () => {
  const TIMES = MAX_FINDINGS_PER_FINGERPRINT + 25;
  const MANY = `
name: many
title: a signal out of the ring, again and again
main:
  - sigaction: { signal: SIGUSR1, handler: on-usr1 }
  - loop:
      times: ${TIMES}
      do:
        - sigprocmask: { how: block, signals: [SIGUSR1] }
        - tgkill: { thread: self, signal: SIGUSR1 }
        - sigprocmask: { how: unblock, signals: [SIGUSR1] }
handlers:
  on-usr1:
    - compute: 1us
`;

  it("has all of them in its totals, and the query of the help tells them", async () => {
    const file = fresh("many.yaml");
    writeFileSync(file, MANY);
    const dir = await recorded(file, "graphene-linux");
    const { out, talk } = await eintr(["analyze", dir, "--rule", LOST, "--rule", YIELD, "--format", "json"]);
    const findings = out
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line) as Finding);
    expect(findings).toHaveLength(MAX_FINDINGS_PER_FINGERPRINT);
    expect(talk).toContain(`${TIMES.toLocaleString("en")} findings`);
    expect(talk).toContain("25 of them are like others and only counted");

    const { out: help } = await eintr(["analyze", "--help"]);
    const sql = /eintr query a\.trace "(.*)"/.exec(help)?.[1] ?? "";
    const answer = await eintr(["query", dir, sql, "--format", "json"]);
    // Each of these yields costs the same.
    const cost = TIMES * (findings[0]?.costNs ?? 0);
    expect(cost).toBeGreaterThan(0);
    expect(JSON.parse(answer.out)).toContainEqual({ rule: YIELD, findings: TIMES, cost_ns: cost });
    expect(await ask(dir, RULES_RUN)).toEqual([
      [LOST, 0, 0],
      [YIELD, TIMES, 25],
    ]);
    expect(await ask(dir, RULES_FOUND)).toEqual([[YIELD, MAX_FINDINGS_PER_FINGERPRINT]]);
  });
});

describe("a rule that ran alone", () => {
  it("leaves the findings of the others, and the numbers it prints are those to ask for", async () => {
    const dir = await recorded(BOTH);
    await eintr(["analyze", dir, "--rule", LOST, "--rule", YIELD]);
    const all = await ask(dir, "SELECT rule, title, first_seq, last_seq, fingerprint FROM finding ORDER BY first_seq, rule");
    const evidence = await ask(dir, "SELECT rule, position, seq, caption FROM evidence JOIN finding ON finding = id ORDER BY 1, 2");
    expect(await ask(dir, RULES_FOUND)).toEqual([
      [LOST, 1],
      [YIELD, 1],
    ]);
    for (const rule of [LOST, YIELD, YIELD]) {
      const { out, code } = await eintr(["analyze", dir, "--rule", rule]);
      expect(code).toBe(1);
      expect(await ask(dir, "SELECT rule, title, first_seq, last_seq, fingerprint FROM finding ORDER BY first_seq, rule")).toEqual(all);
      expect(await ask(dir, "SELECT rule, position, seq, caption FROM evidence JOIN finding ON finding = id ORDER BY 1, 2")).toEqual(
        evidence,
      );
      expect(out).toContain("--finding 1");
      expect(await ask(dir, "SELECT rule FROM finding WHERE id = 1")).toEqual([[rule]]);
      expect(await ask(dir, "SELECT id FROM finding ORDER BY id")).toEqual([[1], [2]]);
    }
  });

  it("says so, and that the others did not", async () => {
    const dir = await recorded("initialisation");
    expect(await ask(dir, RULES_RUN)).toEqual([]);
    await eintr(["analyze", dir, "--rule", YIELD]);
    expect(await ask(dir, RULES_RUN)).toEqual([[YIELD, 0, 0]]);
    await eintr(["analyze", dir]);
    expect(await ask(dir, RULES_RUN)).toEqual(EVERY_RULE.map((rule) => [rule, 0, 0]));
  });

  it("takes back what it found before, when it finds it no more", async () => {
    const dir = await recorded("initialisation");
    await using(dir, (trace) => {
      const gone = { severity: "low", title: "t", thread: 0, firstSeq: 1, lastSeq: 1, costNs: 1, fingerprint: "f" };
      const evidence = [{ seq: 1, caption: "c" }];
      trace.replaceFindings([
        { ...gone, rule: YIELD, evidence },
        { ...gone, rule: LOST, evidence },
      ]);
    });
    await eintr(["analyze", dir, "--rule", YIELD]);
    expect(await ask(dir, RULES_FOUND)).toEqual([[LOST, 1]]);
    expect(await ask(dir, RULES_RUN)).toEqual([
      [LOST, 1, 0],
      [YIELD, 0, 0],
    ]);
  });
});

async function using(dir: string, act: (trace: Trace) => void): Promise<void> {
  const trace = await openTrace(dir);
  try {
    act(trace);
  } finally {
    trace.close();
  }
}

describe("a database that takes nothing", () => {
  it("does not keep the findings from being told; then it is said why they are not kept", async () => {
    const dir = await recorded(BOTH);
    const told = await eintr(["analyze", dir, "--rule", LOST, "--rule", YIELD]);
    // Whoever runs the tests may be allowed to write to read-only files: here another program is at work in the database.
    const db = new Sqlite(`${dir}/trace.db`);
    db.exec("BEGIN IMMEDIATE");
    for (const format of ["text", "json"]) {
      const { code, out, talk } = await eintr(["analyze", dir, "--rule", LOST, "--rule", YIELD, "--format", format]);
      expect(code).toBe(1);
      if (format === "text") expect(out).toBe(told.out);
      else expect(out.trim().split("\n")).toHaveLength(1 + 2);
      expect(talk).toContain("2 findings");
      expect(talk).toMatch(/not kept.*trace\.db.*database is locked.*Wait until/);
    }
    db.close();
    expect(await ask(dir, RULES_FOUND)).toEqual([
      [LOST, 1],
      [YIELD, 1],
    ]);
  });
});
