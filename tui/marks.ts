/**
 * Bookmarks and notes that the replay keeps beside a trace, for whoever tells of it: the replay itself, the report, the documents. The file may
 * come from a stranger with the trace: what is not as it should be is left out, and texts are as they stand there.
 */

import { lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { NOTES_NAME, type Trace } from "../recorder/index.ts";

export const KEPT_FORMAT = 1;
/** Longest note, in characters. */
export const MAX_NOTE = 500;
export const MAX_BOOKMARKS = 500;
const MAX_BYTES = 1024 * 1024;

export type Fields = Readonly<Record<string, unknown>>;
export const fieldsOf = (value: unknown): Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : {};
export const listOf = (value: unknown, most: number): readonly unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);
export const isWithin = (value: unknown, end: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

export const keptFile = ({ dir }: Trace): string => path.join(dir, NOTES_NAME);

/** What stands in the file; null where there is none that could be. */
export function readKept(trace: Trace): unknown {
  try {
    const stat = lstatSync(keptFile(trace));
    if (!stat.isFile() || stat.size > MAX_BYTES) return null;
    return JSON.parse(readFileSync(keptFile(trace), "utf8"));
  } catch {
    return null;
  }
}

/** A bookmark; its note is "" when it has none. */
export interface Mark {
  readonly seq: number;
  readonly note: string;
}

/** In order of seq, each seq once. */
export function marksIn(value: unknown, rows: number): Mark[] {
  const { format, transitions, bookmarks } = fieldsOf(value);
  if (format !== KEPT_FORMAT || transitions !== rows) return [];
  const marks = new Map<number, string>();
  for (const { seq, note } of listOf(bookmarks, MAX_BOOKMARKS).map(fieldsOf))
    if (isWithin(seq, rows)) marks.set(seq, typeof note === "string" ? note.slice(0, MAX_NOTE) : "");
  return [...marks].map(([seq, note]) => ({ seq, note })).sort((a, b) => a.seq - b.seq);
}

export const marksOf = (trace: Trace): Mark[] => marksIn(readKept(trace), trace.transitions.rows);
