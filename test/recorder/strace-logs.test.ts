/** Logs of real programs, taken with test/recorder/logs/record.sh, on all stacks. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeTrace } from "../../analyzer/index.ts";
import { boot, E, expectedResults, type FixName, parseScenario, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { looksLikeStrace, StraceError, straceToScenario } from "../../recorder/import/strace/index.ts";
import { DB_NAME, openTrace, record } from "../../recorder/index.ts";
import { openCase } from "../../tui/case.ts";
import { type Seen, watchCalls } from "../support/seen-calls.ts";
import { linesCounted } from "../support/strace-log.ts";
import { testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

const FOLDER = new URL("logs/", import.meta.url);
const LOGS = readdirSync(FOLDER).filter((name) => name.endsWith(".strace"));
const log = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");

function scenarioOf(text: string, name: string) {
  const { scenario, counters, lines, threads } = straceToScenario(text, name);
  return { scenario: parseScenario(JSON.stringify({ ...scenario, name: "log" }), name), counters, lines, threads };
}

interface Difference {
  readonly what: string;
  readonly native: number;
  readonly got: number | null;
}

/** Runs the log and gives the calls whose result is not the one of the log. */
function differences(
  name: string,
  stack: StackName,
  fixes: readonly FixName[] = [],
): { compared: number; differing: Difference[]; ended: boolean } {
  const { scenario } = scenarioOf(log(name), name);
  const expected = expectedResults(scenario);
  const run = boot({ stack, scenario, fixes });
  const differing: Difference[] = [];
  let compared = 0;
  const calls = watchCalls(run);
  const natives = new Map<number, number>();
  const sink = {
    put(block: Parameters<typeof calls.put>[0]) {
      for (let i = 0; i < block.n; i += 1) {
        const native = expected.get(run.sites[block.site[i] as number]?.flow ?? "")?.[block.value[i] as number] ?? null;
        if (native !== null) natives.set(block.seq0 + i, native);
      }
      calls.put(block);
    },
  };
  const more = run.run(3_000_000, sink);
  run.flush(sink);
  for (const seen of calls.seen.values() as Iterable<Seen>) {
    const native = natives.get(seen.seq);
    if (seen.handler || native === undefined) continue;
    compared += 1;
    if (seen.result !== native) differing.push({ what: seen.what, native, got: seen.result });
  }
  return { compared, differing, ended: !more };
}

test("at least five real programs", () => {
  expect(LOGS.length).toBeGreaterThanOrEqual(5);
  for (const name of LOGS) expect(looksLikeStrace(log(name)), name).toBe(true);
});

describe.each(LOGS)("%s", (name) => {
  test.each(STACK_NAMES)("runs to its end on %s", (stack) => {
    const { compared, ended } = differences(name, stack);
    expect(ended).toBe(true);
    expect(compared).toBeGreaterThan(10);
  });

  test("native Linux answers as the log says", () => {
    // A call that kills its own process has a result in the log and never returns in the run.
    const differing = differences(name, "native-linux").differing.filter(({ what, got }) => !(what.includes("kill(") && got === null));
    expect(differing).toEqual([]);
  });

  test("every line is accounted for, every thread is there", () => {
    const { lines, threads, counters } = scenarioOf(log(name), name);
    expect(lines).toBe(log(name).trimEnd().split("\n").length);
    expect(linesCounted({ counters })).toBe(lines);
    const ids = new Set([...log(name).matchAll(/^(\d+) /gm)].map((match) => match[1]));
    expect(threads).toBe(Math.max(1, ids.size));
  });
});

/** -ENOSYS for what the base revision does not have (errata A2): told for itself, so that the rest is what the log is about. */
const told = (list: readonly Difference[]): Difference[] => list.filter(({ got }) => got !== E.NOSYS);
const notThere = (list: readonly Difference[]): string[] =>
  list.filter(({ got }) => got === E.NOSYS).map(({ what }) => what.slice(0, what.indexOf("(")));

describe("what would become of it", () => {
  // What the PAL was last answered is an older look-up's "no such file" (2.7: PAL_ERRNO is not cleared).
  test("the read that Ctrl-C interrupts answers with an older error under SGX", () => {
    const { differing } = differences("read-sigint.strace", "graphene-linux");
    expect(notThere(differing)).toEqual(["newfstatat", "newfstatat", "rseq", "prlimit64"]);
    expect(told(differing)).toEqual([]);
    expect(told(differences("read-sigint.strace", "graphene-sgx").differing)).toEqual([{ what: "read(1) on fd 3", native: -4, got: -2 }]);
    expect(told(differences("read-sigint.strace", "graphene-sgx", ["sgx-interrupted-code-lost"]).differing)).toEqual([]);
  });

  test("a sleep of today's glibc is none in the base revision: clock_nanosleep is not there", () => {
    for (const stack of ["graphene-linux", "graphene-sgx"] as const) {
      const { differing } = differences("threads-itimer.strace", stack);
      expect(notThere(differing).filter((name) => name === "clock_nanosleep").length).toBeGreaterThan(10);
      // The thread that should sleep until it is woken by a signal has ended by then, which tgkill does not see (errata A14).
      expect(told(differing)).toEqual([]);
    }
  });
});

test("a trace keeps what the log said beside what came of it, and what the importer counted", async () => {
  const what = await openCase({ signal: new AbortController().signal }, fileURLToPath(new URL("read-sigint.strace", FOLDER)));
  if (what.is !== "scenario") return expect.fail("a log of strace is a scenario");
  const run = boot({ stack: "graphene-sgx", scenario: what.scenario });
  const dir = fresh("log.trace");
  const info = { ...testInfo(), origin: "emulated" as const, stack: "graphene-sgx", scenario: what.name, scenarioText: what.text };
  await record(run, dir, info, { quality: () => what.counters });
  const trace = await openTrace(dir);
  const verdict = await judgeTrace(trace);
  if (verdict !== null) trace.replaceVerdict(verdict);
  trace.close();
  const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
  try {
    expect(db.prepare("SELECT result, native FROM syscalls WHERE result <> native AND result <> -38").all()).toEqual([
      { result: -2, native: -4 },
    ]);
    expect(db.prepare("SELECT count(*) AS calls FROM syscalls WHERE result = native").get()).toEqual({ calls: 30 });
    const kept = db.prepare("SELECT name, count FROM quality WHERE name LIKE 'strace.%'").all();
    expect(kept).toEqual(what.counters.map(({ name, count }) => ({ name, count })));
  } finally {
    db.close();
  }
});

describe("broken logs", () => {
  const accepted = (text: string): void => {
    try {
      scenarioOf(text, "broken.strace");
    } catch (error) {
      expect(error).toBeInstanceOf(StraceError);
      expect((error as Error).message).toMatch(/^broken\.strace/);
    }
  };

  test("nothing in it that strace writes: the place, what was expected, what to do", () => {
    expect(() => straceToScenario("hello\nworld\n", "notes.txt")).toThrow(/^notes\.txt.*strace -f -ttt -T/s);
    expect(() => straceToScenario("", "empty.txt")).toThrow(StraceError);
  });

  test("any bytes", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), accepted), { numRuns: 300 });
  });

  test.each(["read-sigint.strace", "faults.strace", "threads-itimer.strace"])("%s cut or changed anywhere", (name) => {
    const text = log(name);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), fc.string({ unit: "binary", maxLength: 8 }), (at, length, put) => {
        accepted(text.slice(0, at));
        accepted(text.slice(0, at) + put + text.slice(at + (length % 40)));
      }),
      { numRuns: 60 },
    );
  });
});
