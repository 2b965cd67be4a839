/** Writing of transitions.arrow, as a share of a raw write of the same bytes. */

import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import type { Block, Run } from "../../../engine/index.ts";
import { createArrowWriter } from "../../../recorder/arrow/write.ts";
import { median, type Setting, timed } from "../bars.ts";
import { server, serverInfo } from "../server.ts";

/** Bytes of one raw write: about a batch. */
const RAW_WRITE = 1 << 20;
/** How often the kept blocks are written into one file: beginning and end of a file have a price of their own. */
const TURNS = 4;
/** A write is short, and pages and caches are not the same twice. */
const ROUNDS = 10;
const BLOCK_ROWS = 16_384;
const BAR = 0.85;

/** Hashing is the price of the digest, not of writing. */
const NO_DIGEST = { put() {}, finish: () => "" };

export function arrow({ bars, folder, rows }: Setting): void {
  const { run, blocks } = keptBlocks(Math.ceil(rows(3_276_800) / BLOCK_ROWS));
  const source = { ...fixed(run), keyframe: () => null };
  const file = path.join(folder, "blocks.arrow");
  const raw = path.join(folder, "raw");
  const writeArrow = (): number =>
    timed(() => {
      const writer = createArrowWriter(file, source, serverInfo("graphene-sgx"), NO_DIGEST);
      for (let turn = 0; turn < TURNS; turn += 1)
        for (const block of blocks) {
          block.seq0 = writer.rows;
          writer.put(block);
        }
      writer.finish({ reason: "finished", interrupted: false, quality: [] });
    });
  writeArrow();
  // The same bytes: as large and as cold in the caches as those of the blocks.
  const bytes = readFileSync(file);
  rmSync(file);
  const writeRaw = (): number =>
    timed(() => {
      const fd = openSync(raw, "wx");
      for (let at = 0; at < bytes.length; at += RAW_WRITE) writeSync(fd, bytes, at, Math.min(RAW_WRITE, bytes.length - at));
      closeSync(fd);
    });
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    // Who comes second finds the pages that the files of the round before gave back used up: both come second as often.
    const rawFirst = round % 2 === 0 ? writeRaw() : null;
    const arrowMs = writeArrow();
    const rawMs = rawFirst ?? writeRaw();
    // The first round finds code that was never run and pages that were never used.
    if (round > 0) ratios.push(rawMs / arrowMs);
    rmSync(file);
    rmSync(raw);
  }
  const share = median(ratios);
  bars.report("Arrow writing / raw write of the same bytes", share.toFixed(2), `>= ${BAR}`, share >= BAR);
}

/** Blocks as a run makes them, kept, so that only writing is timed. */
function keptBlocks(count: number): { run: Run; blocks: Block[] } {
  const run = server("graphene-sgx");
  const blocks: Block[] = [];
  run.run(count * BLOCK_ROWS, { put: (block) => void blocks.push(structuredClone({ ...block })) });
  return { run, blocks };
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
