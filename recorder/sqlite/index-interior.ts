/** The interior pages of an index's b-tree, built along its right edge. Source: "Database File Format", section 1.6. */

import { entryBytes, putEntry } from "./index-entry.ts";
import { INDEX_INTERIOR, INTERIOR_HEADER, type InteriorPage, newInteriorPage, writeInteriorPage } from "./interior-page.ts";
import type { PageFile } from "./pages.ts";

/** A page below, and the entry behind it. */
interface Cell {
  readonly child: number;
  readonly value: number;
  readonly row: number;
}

interface Level extends InteriorPage {
  last: Cell | null;
  /** The cell that found the page full: its child becomes the right-most one, its entry goes up. Unless it is the last of all. */
  waiting: Cell | null;
}

export interface IndexInterior {
  readonly isEmpty: boolean;
  /** Hang a finished page into the tree, and the entry behind it. */
  add(child: number, value: number, row: number): void;
  /** Hang the last page, close all levels; the topmost page becomes the root. At least one page must have been added. */
  finish(last: number): void;
}

export function createIndexInterior(file: PageFile, rootPage: number): IndexInterior {
  const { pageSize } = file;
  const levels: Level[] = [];

  const levelAt = (index: number): Level => (levels[index] ??= { ...newInteriorPage(pageSize), last: null, waiting: null });

  const write = (level: Level, pageNumber: number, rightMost: number): void =>
    writeInteriorPage(file, level, INDEX_INTERIOR, pageNumber, rightMost);

  /** False when the page is full. */
  const put = (level: Level, cell: Cell): boolean => {
    const size = 4 + entryBytes(cell.value, cell.row);
    const pointer = INTERIOR_HEADER + 2 * level.cells;
    if (pointer + 2 > level.top - size) return false;
    level.top -= size;
    level.page.writeUInt16BE(level.top, pointer);
    level.page.writeUInt32BE(cell.child, level.top);
    putEntry(level.page, level.top + 4, cell.value, cell.row);
    level.cells += 1;
    level.last = cell;
    return true;
  };

  /** Write the page of this level with `cell`'s child right-most, and hand `cell`'s entry up. */
  const close = (index: number, level: Level, cell: Cell): void => {
    const { first } = file.allocate(1);
    write(level, first, cell.child);
    add(index + 1, { child: first, value: cell.value, row: cell.row });
  };

  const add = (index: number, cell: Cell): void => {
    const level = levelAt(index);
    if (level.waiting !== null) close(index, level, level.waiting);
    level.waiting = put(level, cell) ? null : cell;
  };

  /** The page gives up its newest cell, so that the one after it has one: SQLite takes an interior page without cells for corruption. */
  const share = (index: number, level: Level, waiting: Cell): void => {
    const last = level.last as Cell;
    const size = 4 + entryBytes(last.value, last.row);
    level.cells -= 1;
    level.page.fill(0, level.top, level.top + size);
    level.page.writeUInt16BE(0, INTERIOR_HEADER + 2 * level.cells);
    level.top += size;
    close(index, level, last);
    put(level, waiting);
    level.waiting = null;
  };

  return {
    get isEmpty() {
      return levels.length === 0;
    },
    add: (child, value, row) => add(0, { child, value, row }),
    finish(last): void {
      let child = last;
      for (let index = 0; ; index++) {
        const level = levelAt(index);
        if (level.waiting !== null) share(index, level, level.waiting);
        if (level.written === 0) return write(level, rootPage, child);
        const { first } = file.allocate(1);
        write(level, first, child);
        child = first;
      }
    },
  };
}
