/** Logs that went through a table or a program that writes texts as values: CSV, JSON, and whatever else stands before and behind each line. */

import { aroundKnown, MOST, share, type Wrap } from "./wrap.ts";

/** Longer lines are none of strace's, and a regular expression that looks at each character in turn has no room for a million. */
const LONGEST = 65_536;
const isLike = (form: RegExp, line: string): boolean => line.length < LONGEST && form.test(line);

/** A line of CSV that has a quoted field with whatever is in it: `12,"write(1, ""a"", 1) = 1"`. */
const CSV_LINE = /^(?:[^",]{0,64},){0,8}"(?:[^"]|"")*"(?:,[^",]{0,64}){0,8}$/;
const CSV_FIELD = /(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g;

/** A quote as CSV writes it; JSON has a backslash before each. */
const DOUBLED = /[^\\,]""[^,]/;

/** The fields one after the other, as strace has spaces between. */
function fromCsv(line: string): string {
  if (!isLike(CSV_LINE, line) && !/^\d{1,10},[\d.:]{1,20},/.test(line)) return line;
  return [...line.matchAll(CSV_FIELD)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "").join(" ");
}

export const csv: Wrap = {
  name: "csv",
  find: (lines, knows) =>
    !lines.some(knows) && share(lines, (line) => isLike(CSV_LINE, line)) > MOST && lines.some((line) => DOUBLED.test(line))
      ? fromCsv
      : null,
};

/** One object a line: docker's `{"log":"...\n","stream":"stderr"}`, `journalctl -o json`, and those of loggers. */
const TEXTS = ["log", "line", "message", "MESSAGE", "msg", "text"];

function fromObject(line: string): string {
  const value = parsed(line);
  if (value === null || typeof value !== "object") return line;
  for (const name of TEXTS) {
    const text = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof text === "string") return text.replace(/\r?\n$/, "");
  }
  return line;
}

/** gVisor's own log has such objects, which are lines of it. */
export const objects: Wrap = {
  name: "objects",
  find(lines, knows) {
    if (share(lines, (line) => /^\{ ?"/.test(line) && fromObject(line) !== line) <= MOST) return null;
    const isDocker = lines.some((line) => /^\{ ?"log":/.test(line));
    return isDocker || (!lines.some(knows) && lines.some((line) => knows(fromObject(line)))) ? fromObject : null;
  },
};

/** The lines as texts of a JSON array: `  "12 1700000000.1 close(3) = 0",`. */
const TEXT_LINE = /^\s*"((?:[^"\\]|\\.)*)",?$/;
function fromText(line: string): string {
  const [, text] = (line.length < LONGEST ? TEXT_LINE.exec(line) : null) ?? [];
  if (text !== undefined) return String(parsed(`"${text}"`) ?? line);
  return /^\s*[[\]{}],?\s*$/.test(line) ? "" : line;
}

export const list: Wrap = {
  name: "list",
  find: (lines, knows) =>
    !lines.some(knows) && share(lines, (line) => isLike(TEXT_LINE, line)) > MOST && lines.some((line) => knows(fromText(line)))
      ? fromText
      : null,
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Process, time, and what a line of strace goes on with. */
const CORE =
  "(?:\\[pid +\\d{1,10}(?:<[^>]{0,64}>)?\\] +|\\d{1,10}(?:<[^>]{0,64}>)? +)?(?:\\d{1,2}:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?|\\d{1,12}[.,]\\d{1,9}) +" +
  "(?:\\[[ 0-9a-f?]{1,32}\\] +){0,3}(?:[a-z_]\\w{0,40}\\(|--- SIG|\\+\\+\\+ |<\\.\\.\\. \\w)";

/** Whatever a program put before each line: `host: `, `[strace] `, `12. `, `- `, `| `. */
const BEFORE = new RegExp(`^(?!${CORE}).{1,160}?(?<![\\w.:,])(?=${CORE})`);
/** A word right before a time may be the thread, by a name that somebody gave it. */
const LAST_WORD = /(?:^|\s)\[?(\w+)\]? {1,9}$/;
const wordBefore = (line: string): string => LAST_WORD.exec(BEFORE.exec(line)?.[0] ?? "")?.[1] ?? "";

export const before: Wrap = {
  name: "before",
  find(lines, knows) {
    const bare = aroundKnown("before", BEFORE).find(lines, knows);
    // All of a log in one text is no line of it.
    if (bare === null || lines.length < 3) return null;
    if (!lines.some((line) => /^[\d:.,]+ /.test(bare(line)))) return bare;
    // No thread stands behind it: then it is the same before all lines, or it is the thread.
    const words = new Set(lines.map(wordBefore).filter((word) => word !== ""));
    if (words.size > 1) return null;
    return words.size === 0 ? bare : (line) => (words.has(wordBefore(line)) ? bare(line) : line);
  },
};

/** What stands behind a duration or an end. */
const BEHIND = /^.*(?:<\d{1,9}[.,]\d{1,9}>|---|\+\+\+)\s*((?![<>+\s-])\S.{0,39})$/;

/** The same behind each line: a table's border, a tag, a mark of code. A table of Markdown writes `\|` where the line has a bar. */
export const behind: Wrap = {
  name: "behind",
  find(lines) {
    const ends = lines.flatMap((line) => BEHIND.exec(line.trimEnd())?.[1] ?? []);
    const end = ends[ends.length >> 1] ?? "";
    const whole = lines.filter((line) => /(?:<\d{1,9}[.,]\d{1,9}>|---|\+\+\+)\s*$/.test(line)).length;
    // A program's own text may look like the one or the other, now and then.
    if (ends.length < 3 || ends.filter((text) => text === end).length < 0.9 * (ends.length + whole)) return null;
    const bare = (line: string): string => {
      const text = line.trimEnd();
      return text.endsWith(end) ? text.slice(0, -end.length).trimEnd() : line;
    };
    return end.includes("|") ? (line) => bare(line).replaceAll("\\|", "|") : bare;
  },
};
