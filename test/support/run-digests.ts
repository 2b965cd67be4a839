/** What a run did, as a line of short hashes: one for each column of its rows, one for its threads, its texts and its decisions. */

import { createHash } from "node:crypto";
import { type Block, COLUMN_NAMES, type Run } from "../../engine/index.ts";

/** Enough of a run to tell two engines apart: all but the endless ones are over before. */
export const DIGEST_ROWS = 5000;
/** Hexadecimal digits of a hash: the table is read by people, and one changed column in one run slips through once in 65,536 times. */
const DIGITS = 4;

const COLUMNS = COLUMN_NAMES.filter((name) => name !== "site");

/** `place` is the site by its name and context: site numbers move when any flow gains a step. */
export const DIGEST_HEADER: readonly string[] = ["rows", "place", ...COLUMNS, "threads", "texts", "decisions", "ending"];

/** Run on for `DIGEST_ROWS` and return one cell for each entry of the header. */
export function digestLine(run: Run): string[] {
  const hashes = COLUMNS.map((name) => ({ name, hash: createHash("sha256") }));
  const places = createHash("sha256");
  const sites = Uint32Array.from(run.sites, (site) => hashOf32(`${site.flow}: ${site.label} (${site.context})`));
  let rows = 0;
  const sink = {
    put(block: Block): void {
      for (const { name, hash } of hashes) hash.update(block[name].subarray(0, block.n));
      places.update(block.site.subarray(0, block.n).map((site) => sites[site] as number));
      rows += block.n;
    },
  };
  run.run(DIGEST_ROWS, sink);
  run.flush(sink);
  const { threads, texts, decisions } = run;
  return [
    String(rows),
    short(places),
    ...hashes.map(({ hash }) => short(hash)),
    ...[threads.map((t) => [t.name, t.pid, t.tid, t.internal]), texts, decisions.map((d) => Object.values(d))].map((list) =>
      list.length === 0 ? "-" : short(createHash("sha256").update(JSON.stringify(list))),
    ),
    run.ending ?? "-",
  ];
}

const short = (hash: ReturnType<typeof createHash>): string => hash.digest("hex").slice(0, DIGITS);

const hashOf32 = (text: string): number => createHash("sha256").update(text).digest().readUInt32LE();
