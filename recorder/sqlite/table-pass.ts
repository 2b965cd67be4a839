/**
 * The one pass over the rows that makes the large tables of `trace.db`: the page writer, the index, the derived rows, the times of blocks.
 * What it leaves is a database without its small tables; `seal-tables.ts` inserts those.
 */

import fs from "node:fs";
import Sqlite from "better-sqlite3";
import { BLOCK_ROWS, type Block, COLUMN_NAMES } from "../../engine/index.ts";
import type { CallTotals } from "../derive/call-totals.ts";
import { createRowWindow, type RowWindow } from "../derive/row-window.ts";
import type { SignalEvents } from "../derive/signals.ts";
import { createSpill, type Spill } from "../derive/spill.ts";
import { createDeriver, DERIVED, type DerivedTable } from "../derive/tables.ts";
import type { QualityCounter } from "../format/metadata.ts";
import { schemaSql, TRANSITION_INDEX } from "../schema/sql.ts";
import { columnNames, emptyRow, SCHEMA_VERSION, TABLE_NAMES, TABLES, type TableName } from "../schema/tables.ts";
import { createIndexWriter } from "./index-pages.ts";
import { createTableWriter, openPageFile, type PageFile, type TableWriter } from "./pages.ts";

/** Twice what SQLite takes by itself: a question that looks at every row asks for half as many pages. */
const PAGE_SIZE = 8192;
/** Pages written at a time: 1 MB for transitions, 128 kB for the rarer tables. */
const TRANSITION_PAGES = 128;
const DERIVED_PAGES = 16;

/** What the pass has found out. */
export interface PassFacts {
  /** By batch, ns. */
  readonly times: readonly { readonly time0: number; readonly time1: number }[];
  /** Transitions by kind. */
  readonly kinds: Float64Array;
  readonly callTotals: CallTotals;
  readonly quality: readonly QualityCounter[];
}

export interface TablePass {
  /** By table: rows that replace (or for `signal`, complete) what the pages have. */
  readonly spills: ReadonlyMap<TableName, Spill>;
  /** The next block, when the trace has so many threads. */
  put(block: Block, threads: number): void;
  /** Write what is left, close the file. */
  finish(): PassFacts;
  /** Close and remove all files. Never throws: what cannot be removed here is removed by the next who seals. */
  cleanUp(): void;
}

/** Begin a database at `tmp`. Columns of `absent` are NULL. */
export function startTablePass(
  tmp: string,
  {
    inSignalContext,
    absent,
    events,
  }: { readonly inSignalContext: Uint8Array; readonly absent: readonly string[]; readonly events: SignalEvents },
): TablePass {
  const spills = new Map<TableName, Spill>();
  const spill = (name: TableName): Spill => {
    const made = createSpill(`${tmp}.${name}`, columnNames(name).length);
    spills.set(name, made);
    return made;
  };
  let file: PageFile | null = null;
  const cleanUp = (): void => {
    try {
      file?.abandon();
      for (const made of spills.values()) made.close();
      fs.rmSync(tmp, { force: true });
    } catch {
      // See above.
    }
  };
  try {
    const roots = createDatabase(tmp);
    file = openPageFile(tmp);
    return { spills, ...passInto(file, roots, spill, inSignalContext, new Set(absent), events), cleanUp };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

type Roots = ReadonlyMap<TableName | typeof TRANSITION_INDEX, number>;

/** An empty database with the whole schema. Returns the root page of each paged table, and of the index. */
function createDatabase(tmp: string): Roots {
  fs.rmSync(tmp, { force: true });
  const db = new Sqlite(tmp);
  try {
    db.pragma(`page_size = ${PAGE_SIZE}`);
    // Nobody reads the file before it is whole and renamed.
    db.pragma("journal_mode = OFF");
    db.pragma("synchronous = OFF");
    db.exec(schemaSql());
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    const rootPage = db.prepare<[string], { rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = ?");
    const paged = [...TABLE_NAMES.filter((name) => TABLES[name].paged), TRANSITION_INDEX] as const;
    return new Map(paged.map((name) => [name, rootPage.get(name)?.rootpage ?? 0]));
  } finally {
    db.close();
  }
}

function passInto(
  file: PageFile,
  roots: Roots,
  spill: (name: TableName) => Spill,
  inSignalContext: Uint8Array,
  absent: ReadonlySet<string>,
  events: SignalEvents,
): Pick<TablePass, "put" | "finish"> {
  const tableWriter = (name: TableName, pages: number): TableWriter =>
    createTableWriter(file, roots.get(name) ?? 0, columnNames(name).length, pages);
  const transition = tableWriter("transition", TRANSITION_PAGES);
  const derived = DERIVED.map((name) => ({ name, writer: tableWriter(name, DERIVED_PAGES) }));
  const windows = Object.fromEntries(
    derived.map(({ name, writer }) => [
      name,
      createRowWindow(emptyRow(name), (columns, n, from) => writer.put(columns, n, from), spill(name)),
    ]),
  ) as Record<DerivedTable, RowWindow>;
  const deriver = createDeriver(windows, { signals: spill("signal"), counts: spill("count_by_kind") }, inSignalContext, events);
  const index = createIndexWriter(file, roots.get(TRANSITION_INDEX) ?? 0);
  const times: { time0: number; time1: number }[] = [];
  let seqs = new Float64Array(BLOCK_ROWS);

  return {
    put(block, threads): void {
      if (seqs.length < block.n) seqs = new Float64Array(block.n);
      for (let i = 0; i < block.n; i++) seqs[i] = block.seq0 + i;
      transition.put([seqs, ...COLUMN_NAMES.map((name) => (absent.has(name) ? null : block[name]))], block.n);
      index.put(block.kind, block.n, block.seq0);
      deriver.put(block, threads);
      times.push(timeRange(block.time, block.n));
    },
    finish(): PassFacts {
      const quality = deriver.finish();
      transition.finish();
      index.finish();
      for (const { writer } of derived) writer.finish();
      file.finish();
      return { times, kinds: deriver.byKind, callTotals: deriver.callTotals, quality };
    },
  };
}

function timeRange(time: Float64Array, n: number): { time0: number; time1: number } {
  let time0 = time[0] ?? 0;
  let time1 = time0;
  for (let i = 1; i < n; i++) {
    const t = time[i] as number;
    if (t < time0) time0 = t;
    if (t > time1) time1 = t;
  }
  return { time0, time1 };
}
