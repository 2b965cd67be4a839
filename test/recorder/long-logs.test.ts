/** Programs of a long log are written in short: they must do what they did when written out, on every stack. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { observeRun } from "../../analyzer/verdict/oracle.ts";
import { lineOf } from "../../analyzer/verdict/tokens.ts";
import { boot, expectedResults, logLines, parseScenario, type Scenario, type StackName } from "../../engine/index.ts";
import { straceToScenario } from "../../recorder/import/strace/index.ts";
import { digestLine } from "../support/run-digests.ts";
import { logOf } from "../support/strace-log.ts";

const FOLDER = path.resolve(import.meta.dirname, "logs");
const LOGS = readdirSync(FOLDER).filter((file) => file.endsWith(".strace"));
const STACKS: readonly StackName[] = ["native-linux", "graphene-sgx", "gramine-linux"];

/** As one says it in operations, and as rows of numbers. */
function both(text: string, name: string): { readonly plain: Scenario; readonly short: Scenario; readonly shortText: string } {
  const written = (longLines: number): string => JSON.stringify(straceToScenario(text, name, longLines).scenario);
  const shortText = written(0);
  return { plain: parseScenario(written(Number.POSITIVE_INFINITY), name), short: parseScenario(shortText, name), shortText };
}

describe.each(LOGS)("%s", (file) => {
  const { plain, short, shortText } = both(readFileSync(path.join(FOLDER, file), "utf8"), file);

  test("is written in short", () => expect(shortText).toContain('"logged"'));

  test.each(STACKS)("does the same on %s, but for the names of its steps", (stack) => {
    const [rows, , ...columns] = digestLine(boot({ stack, scenario: plain }));
    const [shortRows, , ...shortColumns] = digestLine(boot({ stack, scenario: short }));
    expect([shortRows, ...shortColumns]).toEqual([rows, ...columns]);
  });

  test("its operations have the same results and lines", () => {
    expect(expectedResults(short)).toEqual(expectedResults(plain));
    expect(logLines(short)).toEqual(logLines(plain));
  });

  test("each of its calls has the same line", async () => {
    const linesIn = async (scenario: Scenario): Promise<(number | null)[]> => {
      const run = boot({ stack: "native-linux", scenario });
      const ran = await observeRun(run, { name: "", program: file }, { rows: 1e6, untilNs: Number.POSITIVE_INFINITY }, {});
      if (ran === null) throw new Error("the run was aborted");
      const of = { ...ran, lines: logLines(scenario) };
      return Array.from({ length: of.items.kind.length }, (_, item) => lineOf(of, item));
    };
    const lines = await linesIn(plain);
    expect(lines.some((line) => line !== null)).toBe(true);
    expect(await linesIn(short)).toEqual(lines);
  });
});

describe("rows of numbers", () => {
  const busy = Array.from({ length: 40 }, (_, i) => `1 ${i}.0 getuid() = ${i % 3} <0.000100>`).join("\n");
  const signal = "1 50.0 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=0} ---\n1 50.1 +++ killed by SIGUSR1 +++";
  const { plain, short } = both(logOf(`${busy}\n${signal}`), "busy.strace");

  test("a sort of operations is one place of all programs", () => {
    const places = (scenario: Scenario): Map<string, number> => {
      const counts = new Map<string, number>();
      for (const { flow, context } of boot({ stack: "native-linux", scenario }).sites)
        if (context === "normal") counts.set(flow, (counts.get(flow) ?? 0) + 1);
      return counts;
    };
    expect(places(plain).get("program main")).toBe(2 * 40 + 1);
    expect(places(short).get("program main")).toBe(1);
    expect(places(short).get("a program of the log")).toBe(1 + 1);
  });

  test.each([
    ["an index that leads nowhere", [[7, 1]], "as row 0 begins, found 7"],
    ["too few numbers", [[0, 5, 5, 0]], "expected 2 numbers (for, until) behind 0 in the last row"],
    ["a time below 0", [[0, -1, 5]], "expected a time in ns as for of row 0, found -1"],
    ["what is no number", [["x"]], "expected a list of lists of whole numbers, or these packed into a text"],
    ["a text with an index that leads nowhere", "OC,", "as row 0 begins, found 7"],
    ["a text with a time below 0", "ADA,", "expected a time in ns as for of row 0, found -1"],
    ["a text that ends in the middle of a number", "Ag", "or these packed into a text"],
    ["a text that is not packed", "[[0]]", "or these packed into a text"],
  ])("%s is refused with its place", (_, rows, words) => {
    const text = JSON.stringify({ name: "a", title: "a", main: [{ logged: { like: [{ compute: { for: 1, until: 1 } }], rows } }] });
    expect(() => parseScenario(text, "a.json")).toThrow(words);
  });

  /** Rows of the scenario's own sorts: `fork` tells of its program by its place. */
  const withSorts = (rows: unknown, sorts: unknown[] = [{ fork: { program: "b", expect: 2 } }, { compute: { for: 1 } }]): string =>
    JSON.stringify({ name: "a", title: "a", main: [{ logged: { rows } }], programs: { b: [], c: [{ exit: 3 }] }, sorts });

  test("a list of sorts stands once for all programs, and names of programs are places", () => {
    const scenario = parseScenario(
      withSorts([
        [1, 500],
        [0, 2, 1],
        [0, 3, 0],
      ]),
      "a.json",
    );
    const run = boot({ stack: "native-linux", scenario });
    run.run(10_000, { put: () => {} });
    expect(run.threads.map(({ name }) => name)).toEqual(["main", "c", "b"]);
    expect([...(expectedResults(scenario).get("program main") ?? [])]).toEqual([null, null, 2, 3]);
  });

  test.each([
    [
      "a place that no program has",
      withSorts([[0, 2, 2]]),
      "main[0].logged.rows: expected the place of a program as program of row 0, found 2",
    ],
    [
      "an index that the list does not have",
      withSorts([[2, 1]]),
      "expected the index of an operation of like (0 to 1) as row 0 begins, found 2",
    ],
    ["a sort of several steps", withSorts([[0, 1]], [{ loop: { times: 1, do: [] } }]), "sorts[0]: expected no loop here"],
    ["a sort with a name that leads nowhere", withSorts([[0]], [{ fork: { program: "d" } }]), 'sorts[0].fork.program: no program "d"'],
  ])("%s is refused with its place", (_, text, words) => {
    expect(() => parseScenario(text, "a.json")).toThrow(words);
  });

  test("an operation of several steps is refused", () => {
    const text = JSON.stringify({ name: "a", title: "a", main: [{ logged: { like: [{ loop: { times: 1, do: [] } }], rows: [[0]] } }] });
    expect(() => parseScenario(text, "a.json")).toThrow("main[0].logged.like: expected no loop here");
  });
});
