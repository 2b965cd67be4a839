/**
 * Writes SQLite tables of integers straight from typed arrays, as b-tree pages: no way through SQLite's API keeps up with the
 * engine. Source: "Database File Format", sections 1.3, 1.6.
 *
 * The file was made by SQLite with its whole schema and is closed; this appends pages, fills each table's root
 * and patches the header last. What a killed writer leaves is no database to open: who seals renames the file only when it is whole. No SQLite
 * connection may have the file open meanwhile (closing a descriptor would drop SQLite's locks).
 */

import fs from "node:fs";
import { writeAt } from "../format/files.ts";
import { createInterior, type Interior } from "./interior-pages.ts";
import { createRowEncoder, type IntArray, maxCellBytes, SLICE_ROWS } from "./record-format.ts";

const LEAF = 0x0d;
const LEAF_HEADER = 8;
/** SQLite locks bytes from here on; the page that holds this byte must stay unused. */
const LOCK_BYTE = 0x4000_0000;

export interface PageFile {
  readonly path: string;
  readonly fd: number;
  readonly pageSize: number;
  /** Pages so far. */
  readonly pages: number;
  /** Reserve up to `wanted` successive pages; fewer at the lock page. */
  allocate(wanted: number): { first: number; count: number };
  /** Write the header and close. */
  finish(): void;
  /** Close without writing the header: the tables stay empty. */
  abandon(): void;
}

/** Open a database file made by SQLite for appending pages. Throws when it is not one. */
export function openPageFile(path: string): PageFile {
  const fd = fs.openSync(path, "r+");
  const header = Buffer.alloc(100);
  fs.readSync(fd, header, 0, 100, 0);
  if (header.toString("latin1", 0, 15) !== "SQLite format 3") {
    fs.closeSync(fd);
    throw new Error(`${path} is not a SQLite database`);
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const lockPage = LOCK_BYTE / pageSize + 1;
  let pages = Math.floor(fs.fstatSync(fd).size / pageSize);
  let open = true;
  const close = () => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  return {
    path,
    fd,
    pageSize,
    get pages() {
      return pages;
    },
    allocate(wanted) {
      const granted = takePages(pages, wanted, lockPage);
      pages = granted.first + granted.count - 1;
      return granted;
    },
    finish(): void {
      const changes = header.readUInt32BE(24) + 1;
      const patch = Buffer.alloc(8);
      patch.writeUInt32BE(changes, 0);
      patch.writeUInt32BE(pages, 4);
      fs.writeSync(fd, patch, 0, 8, 24);
      // "Version valid for" must equal the change counter, or the page count is not believed.
      fs.writeSync(fd, patch, 0, 4, 92);
      close();
    },
    abandon: close,
  };
}

/** Which pages follow `pages` pages, `wanted` at most, without the lock page. Exported for its test. */
export function takePages(pages: number, wanted: number, lockPage: number): { first: number; count: number } {
  const first = pages + 1 === lockPage ? lockPage + 1 : pages + 1;
  const count = first < lockPage ? Math.min(wanted, lockPage - first) : wanted;
  return { first, count };
}

export interface TableWriter {
  readonly rows: number;
  /**
   * Append rows `from`..`from + n` of the columns, in table order; column 0 is the INTEGER PRIMARY KEY and must
   * rise, 0 <= key < 2^53. Values are integers below 2^53 in magnitude, NaN in a Float64Array is NULL, and all of a
   * column that is null.
   */
  put(columns: readonly (IntArray | null)[], n: number, from?: number): void;
  /** Write what is left and the root page. */
  finish(): void;
}

/** Writer of one table. `rootPage` is its root in sqlite_schema; `bufferPages` pages are written at a time. */
export function createTableWriter(file: PageFile, rootPage: number, columnCount: number, bufferPages = 256): TableWriter {
  const { pageSize } = file;
  if (maxCellBytes(columnCount) > pageSize - 35) throw new RangeError(`${columnCount} columns do not fit a page of ${pageSize}`);
  const buffer = Buffer.alloc(bufferPages * pageSize);
  const encoder = createRowEncoder(columnCount);
  const interior: Interior = createInterior(file, rootPage);
  /** Largest key of each buffered page. */
  const lastKeys = new Float64Array(bufferPages);
  let page = 0;
  let cells = 0;
  /** Where the cells of the page under construction begin, from the start of the page. */
  let top = pageSize;
  let lastKey = -1;
  let rows = 0;

  const closePage = (): void => {
    const start = page * pageSize;
    buffer[start] = LEAF;
    buffer.writeUInt16BE(cells, start + 3);
    buffer.writeUInt16BE(top === 65_536 ? 0 : top, start + 5);
    lastKeys[page] = lastKey;
    page += 1;
    cells = 0;
    top = pageSize;
  };

  /** Write the first `count` pages of the buffer and hang them into the tree. */
  const flush = (count: number): void => {
    for (let done = 0; done < count; ) {
      const granted = file.allocate(count - done);
      const bytes = buffer.subarray(done * pageSize, (done + granted.count) * pageSize);
      writeAt(file.fd, bytes, (granted.first - 1) * pageSize);
      for (let i = 0; i < granted.count; i++) interior.add(granted.first + i, lastKeys[done + i] as number);
      done += granted.count;
    }
    buffer.fill(0);
    page = 0;
  };

  /** Give each of `n` measured cells its place, opening pages as needed. Returns how many fit into the buffer. */
  const place = (n: number, keys: IntArray, from: number): number => {
    const { sizes, at } = encoder;
    for (let i = 0; i < n; i++) {
      const size = sizes[i] as number;
      if (LEAF_HEADER + 2 * cells + 2 > top - size) {
        closePage();
        if (page === bufferPages) return i;
      }
      const key = keys[from + i] as number;
      if (!(key > lastKey)) throw new RangeError(`key ${key} after ${lastKey}: keys must rise`);
      lastKey = key;
      top -= size;
      const start = page * pageSize;
      const pointer = start + LEAF_HEADER + 2 * cells;
      buffer[pointer] = top >> 8;
      buffer[pointer + 1] = top;
      cells += 1;
      at[i] = start + top;
    }
    return n;
  };

  return {
    get rows() {
      return rows;
    },
    put(columns, n, from = 0): void {
      const keys = columns[0];
      if (keys === undefined || keys === null) throw new RangeError("a table has a key and at least one more column");
      for (let i = from; i < from + n; ) {
        const slice = Math.min(SLICE_ROWS, from + n - i);
        encoder.measure(columns, i, slice);
        const placed = place(slice, keys, i);
        encoder.write(buffer, placed);
        if (placed < slice) flush(bufferPages);
        i += placed;
      }
      rows += n;
    },
    finish(): void {
      // A table of one page is its root; a longer one has its leaves below.
      if (interior.isEmpty && page === 0) {
        closePage();
        writeAt(file.fd, buffer.subarray(0, pageSize), (rootPage - 1) * pageSize);
        return;
      }
      if (cells > 0) closePage();
      flush(page);
      interior.finish();
    },
  };
}
