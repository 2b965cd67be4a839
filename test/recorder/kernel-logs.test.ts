/**
 * Logs of a real kernel, imported and run on native-linux, against what the log itself says, read by a reader of the tests' own.
 * The tables are goldens: who changes one argues it in the commit.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseScenario } from "../../engine/index.ts";
import { straceToScenario } from "../../recorder/strace/index.ts";
import { compareWithKernel } from "../support/kernel-compare.ts";
import { readKernelLog } from "../support/kernel-log.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

interface Row {
  readonly log: string;
  readonly looked: number;
  readonly outcome: string;
}

function rowOf(folder: string, file: string): Row {
  const bytes = readFileSync(new URL(`${folder}/${file}`, FIXTURES));
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const log = file.replace(/\.strace(?:\.gz)?$/, "");
  try {
    const scenario = parseScenario(JSON.stringify(straceToScenario(text, file).scenario), file);
    const { looked, differences } = compareWithKernel(readKernelLog(text), scenario);
    const [first, ...others] = differences;
    return { log, looked, outcome: first === undefined ? "agrees" : `${first}${others.length > 0 ? ` (and ${others.length} more)` : ""}` };
  } catch (error) {
    return { log, looked: 0, outcome: `cannot be run: ${(error as Error).message.split("\n")[0]}` };
  }
}

const logsIn = (folder: string): string[] => readdirSync(new URL(`${folder}/`, FIXTURES)).filter((file) => /\.strace(?:\.gz)?$/.test(file));

describe.each(["ltp", "oracle"])("%s", (folder) => {
  test("the table is as committed", () => {
    const golden = new URL(`../golden/kernel-logs-${folder}.txt`, import.meta.url);
    const rows = logsIn(folder).map((file) => rowOf(folder, file));
    const table = `${rows.map(({ log, outcome }) => `${log.padEnd(34)} ${outcome}`).join("\n")}\n`;
    if (process.env.EINTR_UPDATE) writeFileSync(golden, table);
    expect(table).toBe(readFileSync(golden, "utf8"));
  }, 300_000);
});
