/** Ctrl-C and SIGTERM end every command that can take longer than a second, and what was recorded stays. `npm test` builds first. */

import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { ARROW_NAME, openTrace } from "../../recorder/index.ts";
import { type Ended, startProgram } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** It is to be within a second; the machine that tests may have much else to do. */
const MOST_MS = 5000;
const LONG_ROWS = 3_000_000;
/** Long enough for node to start and the command to be in the midst of it. */
const BEGUN_MS = 900;
/** More than a block of rows. */
const SOME_BYTES = 3_000_000;
let long: string;

/** Nobody has made the database of this copy. */
function unsealed(): string {
  const dir = fresh("unsealed.trace");
  mkdirSync(dir);
  linkSync(path.join(long, ARROW_NAME), path.join(dir, ARROW_NAME));
  return dir;
}

/** Sends the signal in the midst of the command and waits for its end. */
async function interrupted(
  signal: NodeJS.Signals,
  args: readonly string[],
  { stdin = "", reads = true, after = BEGUN_MS, written = "", env = {} as NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const { child, ended } = startProgram(args, { stdin, reads, env });
  let over = false;
  void ended.then(() => (over = true));
  if (written === "") await sleep(after);
  else while (!over && (statSync(written, { throwIfNoEntry: false })?.size ?? 0) < SOME_BYTES) await sleep(20);
  expect(over, "it was over before it could be interrupted").toBe(false);
  const sent = performance.now();
  child.kill(signal);
  const late = sleep(MOST_MS, "late", { ref: false }).then(() => child.kill("SIGKILL"));
  const end = await ended;
  void late;
  expect(performance.now() - sent, `${args[0]} ${end.talk}`).toBeLessThan(MOST_MS);
  expect(end.signal === signal || end.code === 130 || end.code === 143, JSON.stringify(end)).toBe(true);
  return end;
}

beforeAll(async () => {
  long = fresh("long.trace");
  const { code, talk } = await startProgram(["record", "server", "--rows", String(LONG_ROWS), "--stack", "graphene-linux", "-o", long])
    .ended;
  expect(code, talk).toBe(0);
}, 60_000);

const ENDLESS_SQL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

describe.each(SIGNALS)("%s ends", (signal) => {
  test("record, and the rows stay", async () => {
    const dir = fresh("a.trace");
    const args = ["record", "server", "--rows", "1e9", "--stack", "graphene-linux", "-o", dir];
    const { talk } = await interrupted(signal, args, { written: path.join(dir, ARROW_NAME) });
    expect(talk).toContain("stopped early");
    const trace = await openTrace(dir);
    expect(trace.transitions.end?.reason).toBe("aborted");
    expect(trace.transitions.rows).toBeGreaterThan(16_384);
    trace.close();
  });

  test("record of a run that makes no rows", async () => {
    const file = fresh("idle.yaml");
    writeFileSync(
      file,
      `name: idle
title: signals for nobody
main: [{ fork: child }, exit]
programs: { child: [{ nanosleep: 900000s }] }
signals: [{ signal: SIGUSR1, thread: child#9, when: { every: 1ns } }]
limit: { transitions: 1000000000 }
`,
    );
    await interrupted(signal, ["record", file, "--stack", "native-linux", "-o", fresh("idle.trace")]);
  });

  test("record that waits for a scenario on stdin", async () => {
    await interrupted(signal, ["record", "/dev/stdin", "-o", fresh("a.trace")], { stdin: "name: a\n" });
  });

  test("diff and export in the midst of a long trace", async () => {
    await interrupted(signal, ["diff", long, long], { after: 500 });
    await interrupted(signal, ["export", long, "--format", "jsonl"], { after: 500 });
  });

  test.each(["analyze", "rerun", "show", "query"])("%s while it makes the database", async (command) => {
    const sql = command === "query" ? ["SELECT 1"] : [];
    await interrupted(signal, [command, unsealed(), ...sql]);
  });

  test("analyze and rerun in the midst of the rows", async () => {
    await interrupted(signal, ["analyze", long], { after: 300 });
    await interrupted(signal, ["rerun", long], { after: 400 });
  });

  test("rerun of another run", async () => {
    await interrupted(signal, ["rerun", long, "--stack", "graphene-sgx"]);
  });

  test("compare, and leaves no folder behind", async () => {
    const temp = fresh("tmp");
    mkdirSync(temp);
    await interrupted(signal, ["compare", "server", "--rows", "1e9"], { env: { TMPDIR: temp } });
    expect(readdirSync(temp)).toEqual([]);
  });

  test("query in the midst of a long statement", async () => {
    await interrupted(signal, ["query", long, ENDLESS_SQL]);
  });

  test("output that nobody takes", async () => {
    await interrupted(signal, ["show", long, "--rows", "1e9", "--thread", "worker", "--format", "json"], { reads: false });
    await interrupted(signal, ["query", long, "SELECT * FROM transition"], { reads: false });
  });

  test("output that is taken, but has no end in sight", async () => {
    await interrupted(signal, ["show", long, "--rows", "1e9", "--thread", "worker", "--format", "json"], { after: 500 });
    await interrupted(signal, ["query", long, "SELECT * FROM transition a, transition b"]);
  });

  test("show that looks for a thread's rows", async () => {
    await interrupted(signal, ["show", long, "--rows", "1e9", "--all", "--thread", "main"], { after: 300 });
  });
});
