/** Long strace logs: what importing them costs beside reading their lines, and what `eintr record` holds of each line. */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { createLineSplitter } from "../../../recorder/import/index.ts";
import { strace } from "../../../recorder/import/strace/index.ts";
import { least, type Setting, times } from "../bars.ts";
import { measureAlone, type Ran, runProgram } from "../child.ts";
import { isLogName, type LogName, logChunks } from "../logs.ts";

const CPU_BAR = 30;
const BYTES_BAR = 500;
const ROUNDS = 3;

async function* asRead(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* parts;
}

const cpuMs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e3;
};

/** CPU time of the import as a multiple of that of reading the lines. */
export async function importAlone(count: number, log: string): Promise<number> {
  if (!isLogName(log)) throw new Error(`no log "${log}"`);
  const parts = [...logChunks(log, count)];
  const reading = readLines(parts, count);
  const begun = process.cpuUsage();
  await strace.read(asRead(parts), "bench.strace");
  return cpuMs(begun) / reading;
}

/** ms of CPU time that reading the lines takes. */
function readLines(parts: readonly Uint8Array[], count: number): number {
  const begun = process.cpuUsage();
  const splitter = createLineSplitter();
  let read = 0;
  for (const part of parts) for (const _ of splitter.add(part)) read += 1;
  if (read < count) throw new Error("the log is shorter than it should be");
  return cpuMs(begun);
}

const WHAT: Readonly<Record<LogName, string>> = { server: "a server", processes: "short processes" };

export function imports(setting: Setting): void {
  importsOf(setting, "server");
  importsOf(setting, "processes");
}

function importsOf(setting: Setting, log: LogName): void {
  const { bars, folder } = setting;
  const count = setting.rows(500_000);
  bars.say(`the log of ${WHAT[log]}, ${count.toLocaleString("en")} lines`);
  const ratio = least(Array.from({ length: ROUNDS }, () => measureAlone("import", String(count), log)));
  bars.report("CPU of importing it / reading the lines", times(ratio), `<= ${CPU_BAR} x`, ratio <= CPU_BAR);

  const file = path.join(folder, "long.strace");
  const fd = openSync(file, "w");
  for (const part of logChunks(log, count)) writeSync(fd, part);
  closeSync(fd);
  const trace = path.join(folder, "long.trace");
  const record = (what: string): Ran => {
    const ran = runProgram(setting, "record", what, "--stack", "native-linux", "-o", trace);
    rmSync(trace, { recursive: true });
    return ran;
  };
  const short = record("lost-interrupted-error");
  const long = record(file);
  rmSync(file);
  const bytes = (kilobytes: number): number => (kilobytes * 1024) / count;
  const each = bytes(long.peakKilobytes - short.peakKilobytes);
  bars.report("bytes a line of eintr record, beside what it takes for any case", each.toFixed(0), `<= ${BYTES_BAR}`, each <= BYTES_BAR);
  bars.tell("bytes a line with that", bytes(long.peakKilobytes).toFixed(0));
  bars.tell("lines a second: import, emulation, both stores, verdict", Math.round((count / long.ms) * 1000).toLocaleString("en"));
}
