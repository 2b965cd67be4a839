/**
 * Files of `strace -ff -o NAME`, one a thread, as one log: put in the order of their times, each line with the id that its file's name
 * has, as strace-log-merge does it. Lines are counted as that program writes them.
 */

import fs from "node:fs";
import path from "node:path";
import { openRegular } from "../../format/files.ts";
import { createLineSplitter } from "../lines.ts";
import { StraceError } from "./errors.ts";
import { parseLine, type Stamp } from "./lines.ts";
import { looksLikeStrace } from "./recognize.ts";

export interface ThreadFile {
  readonly file: string;
  readonly pid: number;
}

const NAME = /^(.+)\.(\d{1,10})$/;
const PART_BYTES = 64 * 1024;
const MOST_FILES = 10_000;
const DAY_SECONDS = 86_400;

/** The files of a folder, or those whose name goes on after `place`: null when none of them is strace's. Throws StraceError for several logs. */
export function threadFiles(place: string): readonly ThreadFile[] | null {
  const kind = kindOf(place);
  if (kind === "other") return null;
  const folder = kind === "nothing" ? path.dirname(place) : place;
  const groups = new Map<string, ThreadFile[]>();
  for (const name of namesIn(folder)) {
    const [, base = "", pid = ""] = NAME.exec(name) ?? [];
    if (base === "" || (kind === "nothing" && base !== path.basename(place))) continue;
    const list = groups.get(base) ?? [];
    list.push({ file: path.join(folder, name), pid: Number(pid) });
    groups.set(base, list);
  }
  const logs = [...groups].filter(([, files]) => files.some(({ file }) => looksLikeStrace(startOf(file))));
  const [first, second] = logs;
  if (second !== undefined)
    throw new StraceError(
      place,
      `files of several logs of strace -ff: ${logs
        .slice(0, 3)
        .map(([base]) => base)
        .join(", ")}`,
      `name one of them: eintr record ${path.join(folder, first?.[0] ?? "")}`,
    );
  const files = first?.[1] ?? null;
  if (files !== null && files.length > MOST_FILES) throw new StraceError(place, `more than ${MOST_FILES} files of strace -ff`);
  return files;
}

function kindOf(place: string): "nothing" | "folder" | "other" {
  try {
    const stat = fs.statSync(place, { throwIfNoEntry: false });
    return stat === undefined ? "nothing" : stat.isDirectory() ? "folder" : "other";
  } catch {
    // A name that is too long, or a way that may not be gone: whoever opens it says so.
    return "other";
  }
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Empty for what cannot be read. */
function startOf(file: string): Uint8Array {
  const part = Buffer.alloc(PART_BYTES);
  try {
    return part.subarray(0, readPart(file, 0, part));
  } catch {
    return part.subarray(0, 0);
  }
}

/** Opened for each part: there may be more files than a process may have open. 0 for what cannot be read. */
function readPart(file: string, at: number, part: Buffer): number {
  const opened = openRegular(file);
  if ("is" in opened) return 0;
  try {
    return fs.readSync(opened.fd, part, 0, part.length, at);
  } finally {
    fs.closeSync(opened.fd);
  }
}

/** A line with a time, and those after it that have none. */
interface Group {
  readonly pid: number;
  /** Seconds and ns of its time; before all others when there is none. */
  readonly seconds: number;
  readonly ns: number;
  readonly text: string;
}

function* groupsOf({ file, pid }: ThreadFile): Generator<Group, void> {
  let held: Group = { pid, seconds: -1, ns: 0, text: "" };
  let days = 0;
  let last = 0;
  for (const line of linesOf(file)) {
    const { stamp } = parseLine(line);
    if (stamp === null) {
      held = { ...held, text: `${held.text}${line}\n` };
      continue;
    }
    refuseRelative(stamp, file);
    if (stamp.clock === "day" && stamp.seconds < last - DAY_SECONDS / 2) days += 1;
    last = stamp.seconds;
    if (held.text !== "") yield held;
    held = { pid, seconds: stamp.seconds + days * DAY_SECONDS, ns: stamp.ns, text: `${pid} ${line}\n` };
  }
  if (held.text !== "") yield held;
}

function refuseRelative({ clock, seconds }: Stamp, file: string): void {
  if (clock === "epoch" && seconds < 1e9)
    throw new StraceError(
      file,
      "times count from line to line (-r): those of several files (-ff) cannot be put in order",
      "record with -ttt",
    );
}

function* linesOf(file: string): Generator<string, void> {
  const splitter = createLineSplitter();
  let at = 0;
  for (;;) {
    const part = Buffer.alloc(PART_BYTES);
    const bytes = readPart(file, at, part);
    if (bytes === 0) break;
    at += bytes;
    yield* splitter.add(part.subarray(0, bytes));
  }
  const rest = splitter.rest();
  if (rest !== "") yield rest;
}

const isBefore = (a: Group, b: Group): boolean => (a.seconds === b.seconds ? a.ns < b.ns : a.seconds < b.seconds);

interface Source {
  readonly groups: Generator<Group, void>;
  next: Group;
}

/** Moves the first one of a heap down to its place. */
function sift(heap: Source[]): void {
  for (let at = 0; ; ) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isBefore(of(heap, child), of(heap, least))) least = child;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least] as Source, heap[at] as Source];
    at = least;
  }
}

const of = (heap: readonly Source[], at: number): Group => (heap[at] as Source).next;

/** The log as strace-log-merge writes it, in parts. */
export async function* mergedLog(files: readonly ThreadFile[]): AsyncGenerator<Uint8Array, void> {
  const heap = files.flatMap((file): Source[] => {
    const groups = groupsOf(file);
    const first = groups.next();
    return first.done === true ? [] : [{ groups, next: first.value }];
  });
  // A sorted list is a heap.
  heap.sort((a, b) => (isBefore(a.next, b.next) ? -1 : isBefore(b.next, a.next) ? 1 : 0));
  let part: string[] = [];
  let length = 0;
  for (let first = heap[0]; first !== undefined; first = heap[0]) {
    part.push(first.next.text);
    length += first.next.text.length;
    const next = first.groups.next();
    if (next.done !== true) first.next = next.value;
    else {
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) heap[0] = last;
    }
    sift(heap);
    if (length < PART_BYTES) continue;
    yield Buffer.from(part.join(""));
    part = [];
    length = 0;
  }
  if (length > 0) yield Buffer.from(part.join(""));
}
