/** Programs of a long log are written in short: they must do what they did when written out, on every stack. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
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
});

describe("rows of numbers", () => {
  const busy = Array.from({ length: 40 }, (_, i) => `1 ${i}.0 getuid() = ${i % 3} <0.000100>`).join("\n");
  const signal = "1 50.0 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=0} ---\n1 50.1 +++ killed by SIGUSR1 +++";
  const { plain, short } = both(logOf(`${busy}\n${signal}`), "busy.strace");

  test("a sort of operations is one place of the program", () => {
    const places = (scenario: Scenario): number =>
      boot({ stack: "native-linux", scenario }).sites.filter(({ flow, context }) => flow === "program main" && context === "normal").length;
    expect(places(plain)).toBe(2 * 40 + 1);
    expect(places(short)).toBe(1 + 1 + 1);
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

  test("an operation of several steps is refused", () => {
    const text = JSON.stringify({ name: "a", title: "a", main: [{ logged: { like: [{ loop: { times: 1, do: [] } }], rows: [[0]] } }] });
    expect(() => parseScenario(text, "a.json")).toThrow("main[0].logged.like: expected no loop here");
  });
});
