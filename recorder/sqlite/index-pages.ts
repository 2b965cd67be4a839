/**
 * Writes an index on a column of bytes straight as b-tree pages: rows come in order, so each value's entries come in order, and a page
 * of each value is filled at a time. `CREATE INDEX` would sort all rows: 25 times as long.
 * Source: "Database File Format", sections 1.6 and 2.5.
 *
 * An entry is the record (value, row). Unlike in a table, an entry that stands between two leaves is in the page above and nowhere else.
 */

import { writeAt } from "../format/files.ts";
import { entryBytes, putEntry } from "./index-entry.ts";
import { createIndexInterior } from "./index-interior.ts";
import type { PageFile } from "./pages.ts";

const LEAF = 0x0a;
const LEAF_HEADER = 8;
const VALUES = 256;
/** Full pages that are written at a time. */
const BUFFER_PAGES = 32;
/** Of the shortest entry, row 0 or 1 of the value 0 or 1, with its pointer. */
const LEAST_BYTES = 4 + 2;

export interface IndexWriter {
  /** The values of `n` rows from `row0` on, which follow those put before. */
  put(values: Uint8Array, n: number, row0: number): void;
  /** Write what is left and the root page. */
  finish(): void;
}

/** Rows of one value that are in no page yet. */
interface Group {
  readonly rows: Float64Array;
  n: number;
  /** Bytes that they take in a page, with their pointers. */
  used: number;
  /** The row that found the page full: it will stand between this page and the next; -1 for none. */
  between: number;
  /** Rows of the value's first page, which is put together at the end with what other values leave over. */
  first: Float64Array | null;
  /** Pages written, and the row that stands behind each. */
  readonly pages: number[];
  readonly behind: number[];
}

/** Writer of one index. `rootPage` is its root in sqlite_schema. */
export function createIndexWriter(file: PageFile, rootPage: number): IndexWriter {
  const { pageSize } = file;
  const room = pageSize - LEAF_HEADER;
  const most = Math.floor(room / LEAST_BYTES);
  const groups: (Group | undefined)[] = new Array<undefined>(VALUES).fill(undefined);
  const buffer = Buffer.alloc(BUFFER_PAGES * pageSize);
  /** Whose the buffered pages are. */
  const owners: { readonly group: Group; readonly at: number }[] = [];
  const values = new Uint8Array(most);

  const newGroup = (): Group => ({
    rows: new Float64Array(most),
    n: 0,
    used: 0,
    between: -1,
    first: null,
    pages: [],
    behind: [],
  });

  const flush = (): void => {
    for (let done = 0; done < owners.length; ) {
      const granted = file.allocate(owners.length - done);
      writeAt(file.fd, buffer.subarray(done * pageSize, (done + granted.count) * pageSize), (granted.first - 1) * pageSize);
      for (let i = 0; i < granted.count; i++) {
        const owner = owners[done + i];
        if (owner !== undefined) owner.group.pages[owner.at] = granted.first + i;
      }
      done += granted.count;
    }
    owners.length = 0;
  };

  /** The group's page is full, its successor in the row between is known, and another row comes. */
  const closePage = (group: Group, value: number): void => {
    if (group.first === null) group.first = Float64Array.of(...group.rows.subarray(0, group.n), group.between);
    else {
      if (owners.length === BUFFER_PAGES) flush();
      const page = buffer.subarray(owners.length * pageSize, (owners.length + 1) * pageSize);
      putLeaf(page, values.fill(value, 0, group.n), group.rows, group.n);
      owners.push({ group, at: group.pages.push(0) - 1 });
      group.behind.push(group.between);
    }
    group.n = 0;
    group.used = 0;
    group.between = -1;
  };

  const add = (value: number, row: number): void => {
    const group = (groups[value] ??= newGroup());
    if (group.between >= 0) closePage(group, value);
    const bytes = entryBytes(value, row) + 2;
    if (group.used + bytes > room) {
      group.between = row;
      return;
    }
    group.rows[group.n++] = row;
    group.used += bytes;
  };

  return {
    put(column, n, row0): void {
      for (let i = 0; i < n; i++) add(column[i] as number, row0 + i);
    },
    finish(): void {
      flush();
      const tree = createTree(file, rootPage, most);
      for (const [value, group] of groups.entries()) {
        if (group === undefined) continue;
        for (const row of group.first ?? []) tree.entry(value, row);
        for (const [i, page] of group.pages.entries()) tree.page(page, value, group.behind[i] as number);
        for (const row of group.rows.subarray(0, group.n)) tree.entry(value, row);
        if (group.between >= 0) tree.entry(value, group.between);
      }
      tree.finish();
    },
  };
}

interface Leaf {
  readonly values: Uint8Array;
  readonly rows: Float64Array;
  n: number;
  used: number;
}

/** Hangs finished leaves and single entries into the tree, in their order. Before a finished leaf come entries for at least one page. */
function createTree(file: PageFile, rootPage: number, most: number) {
  const { pageSize } = file;
  const room = pageSize - LEAF_HEADER;
  const interior = createIndexInterior(file, rootPage);
  const bytes = Buffer.alloc(pageSize);
  const newLeaf = (): Leaf => ({ values: new Uint8Array(most), rows: new Float64Array(most), n: 0, used: 0 });
  let leaf = newLeaf();
  /** A full leaf that waits, should what comes after it be too short for a leaf; and the entry behind it. */
  let full: { readonly leaf: Leaf; readonly value: number; readonly row: number } | null = null;
  let spare = newLeaf();

  const write = (one: Leaf, page: number): number => {
    putLeaf(bytes.fill(0), one.values, one.rows, one.n);
    writeAt(file.fd, bytes, (page - 1) * pageSize);
    return page;
  };
  const hang = (one: Leaf, value: number, row: number): void => interior.add(write(one, file.allocate(1).first), value, row);

  const hangFull = (): void => {
    if (full === null) return;
    hang(full.leaf, full.value, full.row);
    spare = full.leaf;
    full = null;
  };

  /** Hang the full leaf without its last entry, which then stands behind it; what stood there begins the next leaf. */
  const split = (): void => {
    if (full === null) throw new Error("an index leaf with nothing before it");
    const { leaf: before, value, row } = full;
    before.n -= 1;
    hang(before, before.values[before.n] as number, before.rows[before.n] as number);
    full = null;
    spare = before;
    leaf.values[0] = value;
    leaf.rows[0] = row;
    leaf.n = 1;
  };

  /** Everything so far is hung, an entry last. */
  const settle = (): void => {
    if (leaf.n === 0) return hangFull();
    const value = leaf.values[leaf.n - 1] as number;
    const row = leaf.rows[leaf.n - 1] as number;
    if (leaf.n === 1) split();
    else {
      hangFull();
      leaf.n -= 1;
    }
    hang(leaf, value, row);
    leaf.n = 0;
    leaf.used = 0;
  };

  return {
    entry(value: number, row: number): void {
      const size = entryBytes(value, row) + 2;
      if (leaf.used + size > room) {
        hangFull();
        full = { leaf, value, row };
        leaf = spare;
        leaf.n = 0;
        leaf.used = 0;
        return;
      }
      leaf.values[leaf.n] = value;
      leaf.rows[leaf.n++] = row;
      leaf.used += size;
    },
    page(page: number, value: number, row: number): void {
      settle();
      interior.add(page, value, row);
    },
    finish(): void {
      if (leaf.n === 0 && full !== null) split();
      else hangFull();
      if (interior.isEmpty) write(leaf, rootPage);
      else interior.finish(write(leaf, file.allocate(1).first));
    },
  };
}

/** An index leaf of these entries, into a page. */
function putLeaf(page: Uint8Array, values: Uint8Array, rows: Float64Array, n: number): void {
  let top = page.length;
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    const row = rows[i] as number;
    top -= entryBytes(value, row);
    putEntry(page, top, value, row);
    const pointer = LEAF_HEADER + 2 * i;
    page[pointer] = top >> 8;
    page[pointer + 1] = top;
  }
  page.fill(0, LEAF_HEADER + 2 * n, top);
  page[0] = LEAF;
  page[1] = 0;
  page[2] = 0;
  page[3] = n >> 8;
  page[4] = n;
  page[5] = top >> 8;
  page[6] = top;
  page[7] = 0;
}
