/**
 * The interior pages of a table's b-tree, built along its right edge: one page per level is in memory, so the
 * cost is the depth of the tree, not its size. Source: "Database File Format", section 1.6.
 */

import { writeAt } from "../format/files.ts";
import type { PageFile } from "./pages.ts";
import { putVarint, varintBytes } from "./record-format.ts";

const INTERIOR = 0x05;
const HEADER = 12;

interface Level {
  readonly page: Buffer;
  cells: number;
  top: number;
  /** Child and key of the newest cell: it becomes the right-most pointer when the page is closed early. */
  lastChild: number;
  lastKey: number;
  lastTop: number;
  /** The newest child: not a cell yet, because the last child of a page has no key. 0 for none. */
  pendingChild: number;
  pendingKey: number;
  /** Pages of this level that are written. */
  written: number;
}

export interface Interior {
  readonly isEmpty: boolean;
  /** Hang a finished page into the tree; `key` is its largest. */
  add(child: number, key: number): void;
  /** Close all levels; the topmost page becomes the table's root. At least two pages must have been added. */
  finish(): void;
}

export function createInterior(file: PageFile, rootPage: number): Interior {
  const { pageSize } = file;
  const levels: Level[] = [];

  const levelAt = (index: number): Level => {
    let level = levels[index];
    if (level === undefined) {
      const page = Buffer.alloc(pageSize);
      level = { page, cells: 0, top: pageSize, lastChild: 0, lastKey: 0, lastTop: 0, pendingChild: 0, pendingKey: 0, written: 0 };
      levels[index] = level;
    }
    return level;
  };

  const writeLevel = (level: Level, pageNumber: number, rightMost: number): void => {
    level.page[0] = INTERIOR;
    level.page.writeUInt16BE(level.cells, 3);
    level.page.writeUInt16BE(level.top === 65_536 ? 0 : level.top, 5);
    level.page.writeUInt32BE(rightMost, 8);
    writeAt(file.fd, level.page, (pageNumber - 1) * pageSize);
    level.page.fill(0);
    level.cells = 0;
    level.top = pageSize;
    level.written += 1;
  };

  /** Turn the pending child into a cell of its page; false when the page is full. */
  const addCell = (level: Level): boolean => {
    const size = 4 + varintBytes(level.pendingKey);
    const pointer = HEADER + 2 * level.cells;
    if (pointer + 2 > level.top - size) return false;
    level.lastTop = level.top;
    level.top -= size;
    level.page.writeUInt16BE(level.top, pointer);
    level.page.writeUInt32BE(level.pendingChild, level.top);
    putVarint(level.page, level.top + 4, level.pendingKey);
    level.cells += 1;
    level.lastChild = level.pendingChild;
    level.lastKey = level.pendingKey;
    return true;
  };

  const add = (index: number, child: number, key: number): void => {
    const level = levelAt(index);
    if (level.pendingChild !== 0 && !addCell(level)) {
      // Full. Its newest cell gives up its key to the level above and becomes the right-most pointer, so that the
      // next page begins with a cell: SQLite takes an interior page without cells for corruption.
      const { lastChild, lastKey } = level;
      level.cells -= 1;
      level.page.fill(0, level.top, level.lastTop);
      level.page.writeUInt16BE(0, HEADER + 2 * level.cells);
      level.top = level.lastTop;
      const { first } = file.allocate(1);
      writeLevel(level, first, lastChild);
      addCell(level);
      add(index + 1, first, lastKey);
    }
    level.pendingChild = child;
    level.pendingKey = key;
  };

  return {
    get isEmpty() {
      return levels.length === 0;
    },
    add: (child, key) => add(0, child, key),
    finish(): void {
      for (let index = 0; ; index++) {
        const level = levelAt(index);
        if (level.written === 0) {
          writeLevel(level, rootPage, level.pendingChild);
          return;
        }
        const { first } = file.allocate(1);
        const key = level.pendingKey;
        writeLevel(level, first, level.pendingChild);
        add(index + 1, first, key);
      }
    },
  };
}
