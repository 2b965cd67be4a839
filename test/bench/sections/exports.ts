/** What leaves a trace, by the commands: exports beside what stock tools write of the same rows, packing beside gzip, the report. */

import { spawnSync } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import path from "node:path";
import { ARROW_NAME, DB_NAME, EXPORTERS } from "../../../recorder/index.ts";
import { least, millions, type Setting, timed, times } from "../bars.ts";
import { runProgram } from "../child.ts";

const ROWS = 2_000_000;
const ROUNDS = 3;
/** Options of a stock sqlite3 that writes the rows of the view in that form. */
const STOCK: Readonly<Record<string, string>> = { csv: "-csv", jsonl: "-json" };
const STOCK_BAR = 1;
const GZIP_BAR = 0.8;
const REPORT_BAR_MS = 1500;

export function exporting(setting: Setting): void {
  const { bars, folder } = setting;
  const rows = setting.rows(ROWS);
  const dir = path.join(folder, "exports.trace");
  const out = path.join(folder, "out");
  runProgram(setting, "record", "server", "--stack", "graphene-sgx", "--rows", String(rows), "-o", dir);
  runProgram(setting, "analyze", dir, "--fail-on", "never");
  const fastest = (act: () => number): number => least(Array.from({ length: ROUNDS }, act));
  const start = fastest(() => runProgram(setting, "--version").ms);

  for (const { id } of EXPORTERS) {
    const ms = fastest(() => runProgram(setting, "export", dir, "--format", id, "-o", out, "--force").ms);
    const rate = `${(rows / (ms - start) / 1000).toFixed(2)} M/s`;
    bars.tell(`export --format ${id}, rows (${(statSync(out).size / rows).toFixed(1)} bytes a row)`, rate);
    const option = STOCK[id];
    if (option === undefined) continue;
    const stock = fastest(() => stockMs(option, path.join(dir, DB_NAME), out));
    if (Number.isNaN(stock)) bars.say("there is no sqlite3 on the path: nothing to compare it with");
    else
      bars.report(
        `export --format ${id} / sqlite3 ${option}, ${millions(rows)} rows`,
        times(stock / ms),
        `>= ${STOCK_BAR} x`,
        stock / ms >= STOCK_BAR,
      );
  }

  const pack = fastest(() => runProgram(setting, "pack", dir, "-o", out, "--force").ms);
  const gzip = fastest(() => toFile(out, "gzip", ["-6", "-c", path.join(dir, ARROW_NAME)]));
  const share = gzip / pack;
  bars.report(`pack / gzip -6 of the rows (${millions(rows)})`, times(share), `>= ${GZIP_BAR} x`, share >= GZIP_BAR);

  const report = fastest(() => runProgram(setting, "report", dir, "-o", out, "--force").ms);
  bars.report(
    `report of ${millions(rows)} rows that are analyzed`,
    `${report.toFixed(0)} ms`,
    `<= ${REPORT_BAR_MS} ms`,
    report <= REPORT_BAR_MS,
  );
}

/** NaN where there is no sqlite3. */
function stockMs(option: string, db: string, out: string): number {
  if (spawnSync("sqlite3", ["--version"]).status !== 0) return Number.NaN;
  return toFile(out, "sqlite3", ["-readonly", "-header", option, db, "SELECT * FROM transitions"]);
}

function toFile(file: string, command: string, words: readonly string[]): number {
  const fd = openSync(file, "w");
  try {
    return timed(() => {
      const { status } = spawnSync(command, words, { stdio: ["ignore", fd, "inherit"] });
      if (status !== 0) throw new Error(`${command} ${words.join(" ")} failed`);
    });
  } finally {
    closeSync(fd);
  }
}
