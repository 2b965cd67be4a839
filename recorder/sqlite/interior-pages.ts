/**
 * The interior pages of a table's b-tree, built along its right edge: one page per level is in memory, so the
 * cost is the depth of the tree, not its size. Source: "Database File Format", section 1.6.
 */

import { INTERIOR_HEADER, type InteriorPage, newInteriorPage, TABLE_INTERIOR, writeInteriorPage } from "./interior-page.ts";
import type { PageFile } from "./pages.ts";
import { putVarint, varintBytes } from "./record-format.ts";

interface Level extends InteriorPage {
  /** Child and key of the newest cell: it becomes the right-most pointer when the page is closed early. */
  lastChild: number;
  lastKey: number;
  lastTop: number;
  /** The newest child: not a cell yet, because the last child of a page has no key. 0 for none. */
  pendingChild: number;
  pendingKey: number;
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
      level = { ...newInteriorPage(pageSize), lastChild: 0, lastKey: 0, lastTop: 0, pendingChild: 0, pendingKey: 0 };
      levels[index] = level;
    }
    return level;
  };

  const writeLevel = (level: Level, pageNumber: number, rightMost: number): void =>
    writeInteriorPage(file, level, TABLE_INTERIOR, pageNumber, rightMost);

  /** Turn the pending child into a cell of its page; false when the page is full. */
  const addCell = (level: Level): boolean => {
    const size = 4 + varintBytes(level.pendingKey);
    const pointer = INTERIOR_HEADER + 2 * level.cells;
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
      level.page.writeUInt16BE(0, INTERIOR_HEADER + 2 * level.cells);
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
