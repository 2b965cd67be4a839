import { execFileSync } from "node:child_process";
import fs from "node:fs";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTableWriter, openPageFile, takePages } from "../../recorder/sqlite/pages.ts";
import { putVarint, varintBytes } from "../../recorder/sqlite/record-format.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const hasCli = (() => {
  try {
    execFileSync("sqlite3", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

interface Table {
  readonly name: string;
  /** Rows of key and values; null is NULL. */
  readonly rows: readonly (readonly (number | null)[])[];
  readonly columns: number;
}

/** A database made by SQLite and filled by the page writer, the tables' rows in turns of `turn`. */
function writeAts(tables: readonly Table[], pageSize: number, turn: number, bufferPages: number): string {
  const path = fresh("pages.db");
  const db = new Sqlite(path);
  db.pragma(`page_size = ${pageSize}`);
  for (const { name, columns } of tables) {
    const rest = Array.from({ length: columns - 1 }, (_, c) => `c${c + 1} INTEGER`);
    db.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, ${rest.join(", ")}) STRICT`);
  }
  const roots = tables.map(
    ({ name }) => db.prepare<[string], { r: number }>("SELECT rootpage r FROM sqlite_schema WHERE name = ?").get(name)?.r ?? 0,
  );
  db.close();

  const file = openPageFile(path);
  const writers = tables.map(({ columns }, i) => createTableWriter(file, roots[i] ?? 0, columns, bufferPages));
  const arrays = tables.map(({ rows, columns }) =>
    Array.from({ length: columns }, (_, c) =>
      // A column that is NULL throughout need not be there.
      c > 0 && rows.every((row) => row[c] === null) ? null : Float64Array.from(rows, (row) => row[c] ?? Number.NaN),
    ),
  );
  const longest = Math.max(...tables.map((t) => t.rows.length));
  for (let from = 0; from < longest; from += turn) {
    tables.forEach(({ rows }, i) => {
      const n = Math.min(turn, rows.length - from);
      if (n > 0) writers[i]?.put(arrays[i] ?? [], n, from);
    });
  }
  for (const writer of writers) writer.finish();
  file.finish();
  return path;
}

function expectSame(path: string, tables: readonly Table[]): void {
  const db = new Sqlite(path, { readonly: true });
  expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  for (const { name, rows } of tables) {
    expect(db.prepare(`SELECT * FROM ${name} ORDER BY id`).raw().all(), name).toEqual(
      rows.map((row) => row.map((v) => (v === null ? null : v + 0))),
    );
    for (const row of [rows[0], rows[rows.length >> 1], rows.at(-1)]) {
      if (row !== undefined)
        expect(db.prepare(`SELECT * FROM ${name} WHERE id = ?`).raw().get(row[0])).toEqual(row.map((v) => (v === null ? null : v + 0)));
    }
  }
  db.close();
}

/** Integers around every boundary of SQLite's serial types, and NULL. */
const BOUNDARIES = [0, 1, 2, 7, 15, 23, 31, 39, 47, 52].flatMap((bits) => {
  const v = 2 ** bits;
  return [v - 1, v, v + 1, -v - 1, -v, -v + 1];
});
const anyValue = fc.oneof(fc.constantFrom(...BOUNDARIES), fc.maxSafeInteger(), fc.nat(3), fc.constant(null));

const anyTable = (name: string): fc.Arbitrary<Table> =>
  fc.integer({ min: 2, max: 14 }).chain((columns) =>
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 ** 44 })),
          fc.array(anyValue, { minLength: columns - 1, maxLength: columns - 1 }),
        ),
        {
          maxLength: 120,
        },
      )
      .map((steps) => {
        let key = -1;
        const rows = steps.map(([gap, values]) => [(key += gap), ...values]);
        return { name, columns, rows };
      }),
  );

describe("the page writer writes what run() writes", () => {
  test("any integers, any keys, several tables in one file, two page sizes", () => {
    fc.assert(
      fc.property(
        anyTable("a"),
        anyTable("b"),
        fc.constantFrom(512, 4096),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 4 }),
        (a, b, size, turn, buffer) => {
          const path = writeAts([a, b], size, turn, buffer);
          expectSame(path, [a, b]);
          fs.rmSync(path);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("every serial type in one row", () => {
    const table = {
      name: "a",
      columns: BOUNDARIES.length + 1,
      rows: [
        [5, ...BOUNDARIES],
        [6, ...BOUNDARIES.map((v) => -v)],
      ],
    };
    expectSame(writeAts([table], 4096, 9, 2), [table]);
  });

  test("an empty table, a table of one page, one of many", () => {
    const rows = (n: number) => Array.from({ length: n }, (_, i) => [i, i * 3 - 7, null]);
    const tables = [0, 1, 20, 5000].map((n) => ({ name: `t${n}`, columns: 3, rows: rows(n) }));
    expectSame(writeAts(tables, 4096, 300, 8), tables);
  });

  test("trees of each size around a full interior page, on pages of 512 bytes", () => {
    // 9 rows of this width fill a leaf and some 60 leaves an interior page, so this passes the border many times.
    const counts = Array.from({ length: 70 }, (_, i) => 440 + i * 4);
    const wide = (n: number) => Array.from({ length: n }, (_, i) => [i, 2 ** 50, 2 ** 50, 2 ** 50, 2 ** 50, 2 ** 50]);
    const tables = counts.map((n) => ({ name: `t${n}`, columns: 6, rows: wide(n) }));
    expectSame(writeAts(tables, 512, 1000, 4), tables);
  });

  test("interior depth of 3 and more", () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => [i * 1000, i, -i, 2 ** 40 + i]);
    const table = { name: "deep", columns: 4, rows };
    const path = writeAts([table], 512, 16_384, 16);
    expectSame(path, [table]);
    expect(depthOf(path, 2)).toBeGreaterThanOrEqual(4);
  });

  test("types of arrays: each integer array gives the same as float64", () => {
    const path = fresh("types.db");
    const db = new Sqlite(path);
    db.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, u8, i8, u16, i16, u32, i32)");
    db.close();
    const file = openPageFile(path);
    const writer = createTableWriter(file, 2, 7);
    const columns = [
      Uint32Array.of(3, 4_000_000_000),
      Uint8Array.of(0, 255),
      Int8Array.of(-128, 127),
      Uint16Array.of(1, 65_535),
      Int16Array.of(-32_768, 32_767),
      Uint32Array.of(2, 4_294_967_295),
      Int32Array.of(-2_147_483_648, 2_147_483_647),
    ];
    writer.put(columns, 2);
    writer.finish();
    file.finish();
    const read = new Sqlite(path, { readonly: true });
    expect(read.prepare("SELECT * FROM a").raw().all()).toEqual([0, 1].map((row) => columns.map((c) => c[row])));
    read.close();
  });
});

/** Levels of the b-tree whose root is `page`. */
function depthOf(path: string, page: number): number {
  const bytes = fs.readFileSync(path);
  const size = bytes.readUInt16BE(16);
  const at = (page - 1) * size;
  return bytes[at] === 0x05 ? 1 + depthOf(path, bytes.readUInt32BE(at + 8)) : 1;
}

describe("the file", () => {
  const table = { name: "a", columns: 3, rows: Array.from({ length: 5000 }, (_, i) => [i, i, null]) };

  test.runIf(hasCli)("is read by the sqlite3 of the system", () => {
    const path = writeAts([table], 4096, 1000, 8);
    const out = execFileSync("sqlite3", [path, "PRAGMA integrity_check; SELECT count(*), sum(c1), count(c2), max(id) FROM a"]);
    expect(out.toString()).toBe("ok\n5000|12497500|0|4999\n");
  });

  test("can be changed by SQLite afterwards", () => {
    const path = writeAts([table], 512, 1000, 8);
    const db = new Sqlite(path);
    db.exec(
      "DELETE FROM a WHERE id % 3 = 0; INSERT INTO a VALUES (100000, 1, 2); CREATE INDEX i ON a (c1); UPDATE a SET c2 = c1 WHERE id < 100",
    );
    expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
    db.exec("VACUUM");
    expect(db.prepare("SELECT count(*) FROM a").pluck().get()).toBe(3334);
    db.close();
  });

  test("is a valid database with empty tables when the writer is killed", () => {
    const path = fresh("killed.db");
    const db = new Sqlite(path);
    db.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER)");
    db.close();
    const file = openPageFile(path);
    const writer = createTableWriter(file, 2, 2, 1);
    writer.put([Float64Array.from({ length: 5000 }, (_, i) => i), new Float64Array(5000)], 5000);
    file.abandon();
    const read = new Sqlite(path, { readonly: true });
    expect(read.prepare("SELECT count(*) FROM a").pluck().get()).toBe(0);
    read.close();
  });

  test("refuses keys that do not rise, and files that are no database", () => {
    const path = writeAts([{ ...table, rows: [] }], 4096, 1, 1);
    const file = openPageFile(path);
    const writer = createTableWriter(file, 2, 3);
    const values = new Float64Array(2);
    expect(() => writer.put([Float64Array.of(1, 1), values, values], 2)).toThrow("key 1 after 1: keys must rise");
    file.abandon();
    const other = fresh("text");
    fs.writeFileSync(other, "hello");
    expect(() => openPageFile(other)).toThrow("is not a SQLite database");
  });
});

test("the lock page is never used", () => {
  expect(takePages(10, 5, 100)).toEqual({ first: 11, count: 5 });
  expect(takePages(97, 5, 100)).toEqual({ first: 98, count: 2 });
  expect(takePages(99, 5, 100)).toEqual({ first: 101, count: 5 });
  expect(takePages(101, 5, 100)).toEqual({ first: 102, count: 5 });
});

test("varints are those of SQLite", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (v) => {
      const bytes = new Uint8Array(9);
      const length = putVarint(bytes, 0, v);
      expect(length).toBe(varintBytes(v));
      const back = bytes.subarray(0, length).reduce((sum, byte) => sum * 128n + BigInt(byte & 0x7f), 0n);
      expect(back).toBe(BigInt(v));
      expect([...bytes.subarray(0, length)].map((byte) => byte >> 7)).toEqual(Array.from({ length }, (_, i) => (i < length - 1 ? 1 : 0)));
    }),
  );
});
