/** One interior page of a b-tree, of a table or an index: how it is begun, and how it is written. Source: "Database File Format", 1.6. */

import { writeAt } from "../format/files.ts";
import type { PageFile } from "./pages.ts";

/** First byte of such a page. */
export const TABLE_INTERIOR = 0x05;
export const INDEX_INTERIOR = 0x02;

/** Bytes before the pointers to the cells. */
export const INTERIOR_HEADER = 12;

/** The page that is being filled, from its end towards its header. */
export interface InteriorPage {
  readonly page: Buffer;
  cells: number;
  /** Where the newest cell begins. */
  top: number;
  /** Pages of this level that are written. */
  written: number;
}

export const newInteriorPage = (pageSize: number): InteriorPage => ({ page: Buffer.alloc(pageSize), cells: 0, top: pageSize, written: 0 });

/** Writes the page with its right-most child, and begins the next one in the same memory. */
export function writeInteriorPage(file: PageFile, level: InteriorPage, first: number, pageNumber: number, rightMost: number): void {
  const { fd, pageSize } = file;
  level.page[0] = first;
  level.page.writeUInt16BE(level.cells, 3);
  level.page.writeUInt16BE(level.top === 65_536 ? 0 : level.top, 5);
  level.page.writeUInt32BE(rightMost, 8);
  writeAt(fd, level.page, (pageNumber - 1) * pageSize);
  level.page.fill(0);
  level.cells = 0;
  level.top = pageSize;
  level.written += 1;
}
