/** Tables of logs: what of each is the same in its run on native-linux. */

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parseScenario } from "../../engine/index.ts";
import { straceToScenario } from "../../recorder/import/strace/index.ts";
import { compareWithKernel } from "./kernel-compare.ts";
import { readKernelLog } from "./kernel-log.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

export interface Row {
  readonly log: string;
  readonly looked: number;
  readonly outcome: string;
}

function rowOf(folder: string, file: string, siginfo: boolean): Row {
  const bytes = readFileSync(new URL(`${folder}/${file}`, FIXTURES));
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const log = file.replace(/\.strace(?:\.gz)?$/, "");
  try {
    const scenario = parseScenario(JSON.stringify(straceToScenario(text, file).scenario), file);
    const { looked, differences } = compareWithKernel(readKernelLog(text), scenario, { siginfo });
    const [first, ...others] = differences;
    return { log, looked, outcome: first === undefined ? "agrees" : `${first}${others.length > 0 ? ` (and ${others.length} more)` : ""}` };
  } catch (error) {
    return { log, looked: 0, outcome: `cannot be run: ${(error as Error).message.split("\n")[0]}` };
  }
}

const logsIn = (folder: string): string[] => readdirSync(new URL(`${folder}/`, FIXTURES)).filter((file) => /\.strace(?:\.gz)?$/.test(file));

/** Of all logs of a folder of fixtures. `siginfo`: what handlers read is compared, too. */
export const kernelTable = (folder: string, { siginfo = false } = {}): Row[] => logsIn(folder).map((file) => rowOf(folder, file, siginfo));

/** `why`: the reason for a row that does not agree, by the log's name. */
export const tableText = (rows: readonly Row[], why: Readonly<Record<string, string>>): string =>
  rows
    .map(({ log, outcome }) => `${log.padEnd(34)} ${outcome}\n${outcome === "agrees" ? "" : `${"".padEnd(35)}(${why[log] ?? "?"})\n`}`)
    .join("");
