/** Logs written by hand for tests, and what every import must hold. */

import { expect } from "vitest";
import { parseScenario, type Scenario } from "../../engine/index.ts";
import { type Imported, straceToScenario } from "../../recorder/import/strace/index.ts";

/** Lines counted, notes apart: each line of a log is counted once. */
export const linesCounted = ({ counters }: Pick<Imported, "counters">): number =>
  counters.filter(({ name }) => !name.startsWith("strace.note.")).reduce((sum, { count }) => sum + count, 0);

/** Count of a counter by its name without "strace.", 0 when it is not there. */
export const counter = ({ counters }: Pick<Imported, "counters">, name: string): number =>
  counters.find((one) => one.name === `strace.${name}`)?.count ?? 0;

export interface Log extends Imported {
  readonly parsed: Scenario;
}

/** Imports and checks what holds for any log. */
export function importText(text: string, name = "test.strace"): Log {
  const imported = straceToScenario(text, name);
  const parsed = parseScenario(JSON.stringify(imported.scenario), name);
  expect(linesCounted(imported)).toBe(imported.lines);
  return { ...imported, parsed };
}

/** "PID MILLISECONDS REST" per line, as strace -f -ttt -T -o writes it. */
export function logOf(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, pid, ms, rest] = /^\s*(\d+) ([\d.]+) (.*)$/.exec(line) ?? [];
      return rest === undefined ? line.trim() : `${pid} ${(1_700_000_000 + Number(ms) / 1000).toFixed(6)} ${rest}`;
    })
    .map((line) => `${line}\n`)
    .join("");
}

export const importLog = (text: string): Log => importText(logOf(text));
