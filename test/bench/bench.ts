/**
 * `npm run bench`: how fast eintr is. Speeds are told as shares of a ceiling that is measured in the same run, because absolute speeds
 * move by a factor of two between machines and by a third between runs of one. Only what a person waits for is told in milliseconds.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../../tui/package-root.ts";
import { createBars, type Setting } from "./bars.ts";
import { arrow } from "./sections/arrow.ts";
import { engine, engineAlone, engineShareAlone, simulatorAlone } from "./sections/engine.ts";
import { exporting } from "./sections/exports.ts";
import { importAlone, imports } from "./sections/imports.ts";
import { memory } from "./sections/memory.ts";
import { queries } from "./sections/queries.ts";
import { recording } from "./sections/recording.ts";
import { replay } from "./sections/replay.ts";
import { rules, rulesMemoryAlone } from "./sections/rules.ts";
import { search, searchArrivalsAlone, searchChildAlone, searchClonesAlone } from "./sections/search.ts";

interface Section {
  readonly run: (setting: Setting) => void | Promise<void>;
  readonly about: string;
  /** About how long it takes at full size. */
  readonly seconds: number;
}

const SECTIONS: Readonly<Record<string, Section>> = {
  engine: { run: engine, about: "stepping, beside a plain event simulator in JavaScript", seconds: 30 },
  recording: { run: recording, about: "the record command, beside a C program that writes into SQLite alone", seconds: 90 },
  arrow: { run: arrow, about: "writing transitions.arrow, beside a raw write", seconds: 15 },
  memory: { run: memory, about: "most memory of the record command, from 1 M to 40 M rows", seconds: 90 },
  imports: { run: imports, about: "strace logs of 500,000 lines, of a server and of short processes, beside reading them", seconds: 150 },
  exports: { run: exporting, about: "exports, packing and the report of 2 M rows, beside stock tools", seconds: 90 },
  queries: { run: queries, about: "SQL on 20 M rows, beside a stock sqlite3", seconds: 60 },
  rules: { run: rules, about: "all rules over an Arrow trace of 2 M rows, beside a bare loop over the columns; memory", seconds: 60 },
  search: { run: search, about: "states of a search, beside the engine's step and SPIN", seconds: 40 },
  replay: { run: replay, about: "frames, keys and start of the replay", seconds: 60 },
};

/** Measurements in a process of their own, by the name that `measureAlone` gives. */
const ALONE: Readonly<Record<string, (rows: number, more: string) => number | Promise<number>>> = {
  import: importAlone,
  "rules-memory": rulesMemoryAlone,
  engine: engineAlone,
  "engine-share": engineShareAlone,
  simulator: simulatorAlone,
  "search-child": searchChildAlone,
  "search-clones": searchClonesAlone,
  "search-arrivals": searchArrivalsAlone,
};

const help = (): string => `usage: npm run bench -- [SECTION...] [--scale SHARE]

Measures speed and memory and holds each against its bar: OK or MISS. All sections
take about ${Math.ceil(sum(Object.keys(SECTIONS)) / 60)} minutes and up to 3 GB in the temporary folder. Exit code 1: a bar was missed.

${Object.entries(SECTIONS)
  .map(([name, { about, seconds }]) => `  ${name.padEnd(10)} ${about} (about ${seconds} s)`)
  .join("\n")}

  --scale SHARE   so much of the rows, such as 0.1: for trying out; the bars are meant for 1
  --help          this text
`;

const minutes = (seconds: number): string => (seconds <= 60 ? "a minute" : `${Math.ceil(seconds / 60)} minutes`);

const sum = (names: readonly string[]): number => names.reduce((seconds, name) => seconds + (SECTIONS[name]?.seconds ?? 0), 0);

async function bench(chosen: readonly string[], scale: number): Promise<void> {
  const names = Object.keys(SECTIONS).filter((name) => chosen.length === 0 || chosen.includes(name));
  const began = performance.now();
  const bars = createBars((text) => void process.stdout.write(text));
  const size = scale === 1 ? "" : `, ${scale} of the rows`;
  bars.say(`node ${process.version}${size}; ${names.join(", ")}: about ${minutes(scale * sum(names))}`);
  for (const name of names) {
    const folder = mkdtempSync(path.join(tmpdir(), "eintr-bench-"));
    const setting: Setting = {
      bars,
      folder,
      program: path.join(packageRoot(), "dist/eintr.js"),
      rows: (full) => Math.max(16_384, Math.round(full * scale)),
    };
    try {
      await SECTIONS[name]?.run(setting);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const took = (performance.now() - began) / 60_000;
  bars.say(`${bars.missed === 0 ? "all bars hold" : `${bars.missed} missed`}; it took ${took.toFixed(1)} minutes`);
  process.exitCode = bars.missed === 0 ? 0 : 1;
}

async function main(words: readonly string[]): Promise<void> {
  if (words[0] === "--alone") {
    const [, what = "", rows = "", more = ""] = words;
    process.stdout.write(String(await ALONE[what]?.(Number(rows), more)));
    return;
  }
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { scale: { type: "string", default: "1" }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) return void process.stdout.write(help());
  const scale = Number(values.scale);
  const unknown = positionals.find((name) => !(name in SECTIONS));
  if (unknown !== undefined) throw new Error(`no section "${unknown}": expected ${Object.keys(SECTIONS).join(", ")}`);
  if (!(scale > 0 && scale <= 10)) throw new Error(`--scale: expected a number above 0 and at most 10, found "${values.scale}"`);
  await bench(positionals, scale);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
