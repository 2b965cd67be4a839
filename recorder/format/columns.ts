/** The columns of `transitions.arrow`: how each lies in the file, what it means, and since which format files have it. */

import { COLUMN_NAMES, COLUMNS, type ColumnName, STATE_COLUMNS, type StateColumn } from "../../engine/index.ts";
import { FORMAT_VERSION, SINCE } from "./version.ts";

/** Meaning of each stored column: field metadata in Arrow, comments in SQL. */
export const COLUMN_MEANING: Readonly<Record<ColumnName, string>> = {
  time: "ns since the run began",
  thread: "row of the thread table",
  site: "row of the site table: the place in the stack's code",
  kind: "row of the kind table: what sort of transition",
  signal: "signal number, 0 none",
  value: "first argument of the kind",
  extra: "second argument of the kind",
  depth: "call depth of the thread after the transition; NULL not known",
  cssa: "current SSA frame after the transition; NULL outside SGX, or not known",
  preempt: "LibOS preempt counter after the transition; NULL without a LibOS, or not known",
  pending: "signals pended on the thread after the transition, in PAL and LibOS; NULL without them, or not known",
  detail: "row of the text table, 0 none",
};

/** How a column lies in the file: as in memory. */
export interface StoredColumn {
  readonly name: ColumnName;
  /** "uint8", "int32", "float64", ...; a float64 holds integers below 2^53. */
  readonly type: string;
  /** Bytes of a value. */
  readonly size: number;
  /** May hold nothing in a trace, as a whole. */
  readonly nullable: boolean;
}

export const isStateColumn = (name: ColumnName): name is StateColumn => (STATE_COLUMNS as readonly ColumnName[]).includes(name);

const EVERY_COLUMN: readonly StoredColumn[] = COLUMN_NAMES.map((name) => ({
  name,
  type: COLUMNS[name].name.replace("Array", "").toLowerCase(),
  size: COLUMNS[name].BYTES_PER_ELEMENT,
  nullable: isStateColumn(name),
}));

const isYetToCome = (name: ColumnName, format: number): boolean => isStateColumn(name) && SINCE[name] > format;

/** The columns of files of that format, in their order. */
export const columnsOf = (format: number): readonly StoredColumn[] => EVERY_COLUMN.filter(({ name }) => !isYetToCome(name, format));

/** The columns that files of that format do not have yet: NULL in their traces. */
export const notYetIn = (format: number): readonly StateColumn[] => STATE_COLUMNS.filter((name) => isYetToCome(name, format));

/** The columns as they are written. */
export const STORED_COLUMNS = columnsOf(FORMAT_VERSION);
