/**
 * `npm run bench`: how fast eintr is, as ratios to a ceiling measured in the same run, because absolute speeds move by a third
 * between runs of one machine. `npm run bench -- arrow` measures one part only (engine, arrow, memory, replay). Prints a table; fails when a promise of the README does not hold.
 */

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Block, boot, parseScenario, type Run, type Sink, type StackName } from "../../engine/index.ts";
import { createArrowWriter } from "../../recorder/arrow/write.ts";
import { type RunInfo, record } from "../../recorder/index.ts";
import { packageRoot } from "../../tui/package-root.ts";
import { replayBench } from "./replay.ts";

const ROWS = Number(process.env.EINTR_BENCH_ROWS ?? 2_000_000);
const ROUNDS = 5;
/** Bytes of one raw write: about a batch. */
const RAW_WRITE = 1 << 20;
/** How often the kept blocks are written into one file: beginning and end of a file have a price of their own. */
const TURNS = 4;
/** A write is short, and pages and caches are not the same twice. */
const WRITE_ROUNDS = 10;

/** Hashing is the price of the digest, not of writing. */
const NO_DIGEST = { put() {}, finish: () => "" };

const NOWHERE: Sink = { put() {} };

const serverFile = (): string => path.join(packageRoot(), "engine/scenarios/server.yaml");

function server(stack: StackName, limit = Number.MAX_SAFE_INTEGER): Run {
  const file = serverFile();
  const scenario = parseScenario(readFileSync(file, "utf8"), file);
  return boot({ stack, scenario: { ...scenario, limit: { ...scenario.limit, transitions: limit } } });
}

const info = (stack: string): RunInfo => ({
  eintr: "bench",
  stack,
  fixes: [],
  scenario: "server",
  scenarioText: "",
  seed: 1,
  scheduler: "scripted",
  origin: "emulated",
});

/** Milliseconds. */
function timed(run: () => void): number {
  const began = performance.now();
  run();
  return performance.now() - began;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Line {
  what: string;
  value: string;
  goal: string;
  holds: boolean;
}

const lines: Line[] = [];
const report = (what: string, value: string, goal: string, holds: boolean): void => {
  lines.push({ what, value, goal, holds });
  process.stdout.write(`${holds ? "ok  " : "MISS"}  ${what.padEnd(58)} ${value.padStart(16)}   goal ${goal}\n`);
};

async function engineAndRecording(folder: string): Promise<void> {
  for (const stack of ["native-linux", "graphene-linux", "graphene-sgx"] as const) {
    server(stack).run(ROWS / 4, NOWHERE);
    const alone: number[] = [];
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const run = server(stack);
      const engineMs = timed(() => run.run(ROWS, NOWHERE));
      const dir = path.join(folder, `${stack}-${round}.trace`);
      const began = performance.now();
      await record(server(stack), dir, info(stack), { rows: ROWS });
      const recordMs = performance.now() - began;
      rmSync(dir, { recursive: true });
      alone.push(ROWS / engineMs / 1000);
      ratios.push(recordMs / engineMs);
    }
    report(`engine alone, server on ${stack}`, `${median(alone).toFixed(2)} M/s`, ">= 3 M/s", median(alone) >= 3);
    report(`recording Arrow and SQLite / engine alone, ${stack}`, `${median(ratios).toFixed(2)} x`, "<= 4 x", median(ratios) <= 4);
  }
}

/** Blocks as a run makes them, kept, so that only writing is timed. */
function keptBlocks(count: number): { run: Run; blocks: Block[] } {
  const run = server("graphene-sgx");
  const blocks: Block[] = [];
  run.run(count * 16_384, { put: (block) => void blocks.push(structuredClone({ ...block })) });
  return { run, blocks };
}

function arrowWriting(folder: string): void {
  const { run, blocks } = keptBlocks(200);
  const source = { ...fixed(run), keyframe: () => null };
  const arrow = path.join(folder, "blocks.arrow");
  const raw = path.join(folder, "raw");
  const writeArrow = (): number =>
    timed(() => {
      const writer = createArrowWriter(arrow, source, info("graphene-sgx"), NO_DIGEST);
      for (let turn = 0; turn < TURNS; turn += 1)
        for (const block of blocks) {
          block.seq0 = writer.rows;
          writer.put(block);
        }
      writer.finish({ reason: "finished", interrupted: false, quality: [] });
    });
  writeArrow();
  // The same bytes: as large and as cold in the caches as those of the blocks.
  const bytes = readFileSync(arrow);
  rmSync(arrow);
  const writeRaw = (): number =>
    timed(() => {
      const fd = openSync(raw, "wx");
      for (let at = 0; at < bytes.length; at += RAW_WRITE) writeSync(fd, bytes, at, Math.min(RAW_WRITE, bytes.length - at));
      closeSync(fd);
    });
  const ratios: number[] = [];
  for (let round = 0; round <= WRITE_ROUNDS; round += 1) {
    // Who comes second finds the pages that the files of the round before gave back used up: both come second as often.
    const rawFirst = round % 2 === 0 ? writeRaw() : null;
    const arrowMs = writeArrow();
    const rawMs = rawFirst ?? writeRaw();
    // The first round finds code that was never run and pages that were never used.
    if (round > 0) ratios.push(rawMs / arrowMs);
    rmSync(arrow);
    rmSync(raw);
  }
  report("Arrow writing / raw write of the same bytes", median(ratios).toFixed(2), ">= 0.8", median(ratios) >= 0.8);
}

/** A source's lists, without its run. */
const fixed = (run: Run) => ({
  sites: run.sites,
  threads: run.threads,
  texts: run.texts,
  decisions: run.decisions,
  run: () => false,
  ending: null,
  flush() {},
});

/** Peak memory of recording, each length in a process of its own. */
function memory(folder: string): void {
  const peak = (rows: number): number => {
    const child = spawnSync(
      process.execPath,
      [process.argv[1] ?? "", "--memory", String(rows), path.join(folder, `memory-${rows}.trace`)],
      { encoding: "utf8" },
    );
    if (child.status !== 0) throw new Error(`recording ${rows} transitions failed: ${child.stderr}`);
    return Number(child.stdout);
  };
  const small = peak(1_000_000);
  const large = peak(10_000_000);
  report(
    "peak memory at 10 M transitions / at 1 M",
    `${(large / small).toFixed(2)} x (${(large / 1024).toFixed(0)} MB)`,
    "<= 1.15 x",
    large / small <= 1.15,
  );
}

async function recordOnly(rows: number, dir: string): Promise<void> {
  await record(server("graphene-sgx"), dir, serverInfo(), { rows });
  rmSync(dir, { recursive: true });
  process.stdout.write(String(peakKilobytes()));
}

/** Of this process alone: what getrusage tells begins with the size of the process that started it. */
function peakKilobytes(): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if (peak === undefined) throw new Error("/proc/self/status has no VmHWM: the memory part needs Linux");
  return Number(peak);
}

const LONG_ROWS = Number(process.env.EINTR_BENCH_LONG_ROWS ?? 20_000_000);

async function replay(folder: string): Promise<void> {
  const small = path.join(folder, "small.trace");
  const long = path.join(folder, "long.trace");
  await record(server("graphene-sgx"), small, serverInfo(), { rows: 50_000 });
  await record(server("graphene-sgx"), long, serverInfo(), { rows: LONG_ROWS });
  await replayBench(path.join(packageRoot(), "dist/eintr.js"), small, long, report);
}

/** The replay runs the scenario again from its text. */
const serverInfo = (): RunInfo => ({ ...info("graphene-sgx"), scenarioText: readFileSync(serverFile(), "utf8") });

const PARTS = { engine: engineAndRecording, arrow: arrowWriting, memory, replay } as const;

/** Parts by name, all of them without one. */
async function bench(names: readonly string[]): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "eintr-bench-"));
  try {
    process.stdout.write(`node ${process.version}, ${ROWS} transitions, medians of ${ROUNDS} interleaved rounds\n`);
    for (const [name, part] of Object.entries(PARTS)) if (names.length === 0 || names.includes(name)) await part(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = lines.every((line) => line.holds) ? 0 : 1;
}

const [, , option, rows, dir] = process.argv;
if (option === "--memory") await recordOnly(Number(rows), dir ?? "");
else await bench(process.argv.slice(2));
