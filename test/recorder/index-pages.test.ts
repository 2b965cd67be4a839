/** The index writer against SQLite's own CREATE INDEX. */

import fs from "node:fs";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryBytes, putEntry } from "../../recorder/sqlite/index-entry.ts";
import { createIndexWriter } from "../../recorder/sqlite/index-pages.ts";
import { createTableWriter, openPageFile } from "../../recorder/sqlite/pages.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** A table whose column `v` has these values from row 0 on, and its index, both written as pages in turns of `turn` rows. */
function written(values: Uint8Array, pageSize: number, turn: number): string {
  const path = fresh("index.db");
  const db = new Sqlite(path);
  db.pragma(`page_size = ${pageSize}`);
  db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL); CREATE INDEX by_v ON t (v)");
  const rootPage = db.prepare<[string], number>("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck();
  const [table = 0, index = 0] = [rootPage.get("t"), rootPage.get("by_v")];
  db.close();
  const file = openPageFile(path);
  const rows = createTableWriter(file, table, 2, 4);
  const entries = createIndexWriter(file, index);
  const keys = Float64Array.from(values.keys());
  for (let from = 0; from < values.length; from += turn) {
    const n = Math.min(turn, values.length - from);
    rows.put([keys, values], n, from);
    entries.put(values.subarray(from, from + n), n, from);
  }
  rows.finish();
  entries.finish();
  file.finish();
  return path;
}

function expectSame(path: string, values: Uint8Array): void {
  const db = new Sqlite(path);
  // Checks that each row has its entry and each entry its row, in order, and that no page is lost.
  expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  const byValue = "SELECT v, count(*), min(id), max(id), sum(id) FROM t GROUP BY v";
  expect(JSON.stringify(db.prepare(`EXPLAIN QUERY PLAN ${byValue}`).all())).toContain("COVERING INDEX by_v");
  const bare = byValue.replace("FROM t", "FROM t NOT INDEXED");
  expect(db.prepare(byValue).raw().all()).toEqual(db.prepare(bare).raw().all());
  expect(db.prepare("SELECT count(*) FROM t INDEXED BY by_v").pluck().get()).toBe(values.length);
  // It is an ordinary index: SQLite goes on with it.
  db.exec("DELETE FROM t WHERE id % 3 = 1; INSERT INTO t VALUES (1000000, 7), (1000001, 0); UPDATE t SET v = 200 WHERE id % 5 = 0");
  expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  db.close();
  fs.rmSync(path);
}

/** Few values often, some rarely, as kinds of transition are. */
const someValues = fc
  .tuple(fc.array(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 2000 })), { maxLength: 40 }), fc.nat(3))
  .map(([runs, mixed]) => {
    const all = runs.flatMap(([value, count]) => new Array<number>(count).fill(value));
    // Runs as they are, or dealt out like cards.
    const ways = mixed + 1;
    return Uint8Array.from(all.map((_, i) => all[(i * ways) % all.length] as number));
  });

describe("an index written as pages", () => {
  test("is the index SQLite would make: any values, two page sizes", () => {
    fc.assert(
      fc.property(someValues, fc.constantFrom(512, 4096), fc.integer({ min: 1, max: 5000 }), (values, pageSize, turn) =>
        expectSame(written(values, pageSize, turn), values),
      ),
      { numRuns: 60 },
    );
  });

  test("every length near the edges of a page, alone and before another value", () => {
    // Of pages of 512 bytes: some 60 entries a leaf.
    for (let count = 0; count < 400; count++) {
      const alone = new Uint8Array(count).fill(5);
      const before = Uint8Array.from({ length: 500 + count }, (_, i) => (i < count ? 1 : 9));
      const after = Uint8Array.from({ length: 500 + count }, (_, i) => (i < 500 ? 1 : 9));
      for (const values of count % 7 === 0 ? [alone, before, after] : [alone]) expectSame(written(values, 512, 1000), values);
    }
  }, 60_000);

  test("three levels deep", () => {
    const values = Uint8Array.from({ length: 120_000 }, (_, i) => [3, 3, 3, 0, 1, 200][(i * 7) % 6] as number);
    expectSame(written(values, 512, 4096), values);
  });

  test("a single value has its entries in one run", () => {
    const values = new Uint8Array(60_000).fill(130);
    expectSame(written(values, 512, 777), values);
  });
});

test("an entry is as SQLite writes it, for every length of value and row", () => {
  for (const value of [0, 1, 2, 127, 128, 255])
    for (const row of [0, 1, 2, 127, 128, 32_767, 32_768, 2 ** 23 - 1, 2 ** 23, 2 ** 31 - 1, 2 ** 31, 2 ** 47 - 1, 2 ** 47, 2 ** 53 - 1]) {
      const bytes = new Uint8Array(entryBytes(value, row));
      putEntry(bytes, 0, value, row);
      expect(Buffer.from(bytes).toString("hex"), `${value} ${row}`).toBe(entryOf(value, row));
    }
});

/** The entry as SQLite stores it: the only cell of the index's page. */
function entryOf(value: number, row: number): string {
  const path = fresh("entry.db");
  const db = new Sqlite(path);
  db.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER); CREATE INDEX by_v ON t (v); INSERT INTO t VALUES (${row}, ${value})`);
  const root = db.prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'by_v'").pluck().get() ?? 0;
  db.close();
  const page = fs.readFileSync(path).subarray((root - 1) * 4096, root * 4096);
  fs.rmSync(path);
  return page.subarray(page.readUInt16BE(8)).toString("hex");
}
