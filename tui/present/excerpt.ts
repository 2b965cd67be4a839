/** The place of a mistake, shown: the line where it is, and a mark below it. */

import { displayWidth, safe } from "./safe.ts";

/** Characters of a line that are shown; of a longer one, how many stand before the mistake at most. */
const WIDTH = 100;
const BEFORE = 40;
/** Longest line that is looked at. */
const LONGEST = 20_000;

/** Two lines, or null where the text has no such place. Line and column from 1, the column in characters. */
export function excerpt(text: string, line: number, column: number, length = 1): string | null {
  const found = text.split(/\r?\n/, line)[line - 1];
  if (found === undefined || found.length > LONGEST || column < 1 || column > found.length + 1) return null;
  const number = `  ${line} | `;
  return below(found, column - 1, length, number, `${" ".repeat(number.length - 2)}| `);
}

/** Of a message that begins "SQL, line 1, column 13: "; null for others. */
export function excerptOfSql(sql: string, message: string): string | null {
  const [, line, column] = /^SQL, line (\d+), column (\d+): /.exec(message) ?? [];
  if (line === undefined) return null;
  const named = /near "(.+?)"|no such \w+: ([\w.]+)/.exec(message);
  return excerpt(sql, Number(line), Number(column), (named?.[1] ?? named?.[2] ?? " ").length);
}

/** A line and a mark of `length` characters below its characters from `at` on; what stands before them, one for each line. */
function below(line: string, at: number, length: number, head: string, headBelow: string): string {
  const from = line.length <= WIDTH ? 0 : Math.max(0, at - BEFORE);
  const cut = from === 0 ? "" : "…";
  const before = safe(`${cut}${line.slice(from, at).replaceAll("\t", " ")}`);
  const rest = safe(line.slice(at).replaceAll("\t", " "), Math.max(8, WIDTH - displayWidth(before)));
  const mark = "^".repeat(Math.max(1, Math.min(length, displayWidth(rest))));
  return `${head}${before}${rest}\n${headBelow}${" ".repeat(displayWidth(before))}${mark}`;
}

/** A word that a shell takes as it is. */
const PLAIN = /^[\w@%+=:,./~^-]+$/;
const quoted = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/**
 * The command line with the word that a message is about marked: the value that it quotes, else the option that it names. Null where it is about
 * none of the words.
 */
export function commandExcerpt(argv: readonly string[], message: string): string | null {
  const place = wordOf(argv, message);
  if (place === null || argv.some((word) => word.includes("\n"))) return null;
  const [word, within, length] = place;
  const texts = argv.map(quoted);
  const start = "eintr ".length + texts.slice(0, word).reduce((sum, text) => sum + text.length + 1, 0);
  const inside = texts[word] === argv[word] ? within : within + 1;
  return below(`eintr ${texts.join(" ")}`, start + inside, length, "  ", "  ");
}

/** Number of the word, and which of its characters. */
function wordOf(argv: readonly string[], message: string): [word: number, at: number, length: number] | null {
  const [first = ""] = message.split("\n");
  const lacking = /\bno (finding|seq) (\d+)/.exec(first);
  const given = lacking === null ? -1 : argv.indexOf(lacking[2] as string);
  if (given > 0) return [given, 0, (argv[given] as string).length];
  const option = /(?:^|\s)(--[a-z][a-z-]*)/.exec(first)?.[1];
  const from = option === undefined ? -1 : argv.findIndex((word) => word === option || word.startsWith(`${option}=`));
  for (const [, value = ""] of first.matchAll(/"([^"]+)"/g)) {
    const at = argv.findIndex((word, i) => i >= from && i <= (from < 0 ? argv.length : from + 1) && word.includes(value));
    if (at >= 0) return [at, (argv[at] as string).lastIndexOf(value), value.length];
  }
  if (from >= 0 && option !== undefined) return [from, 0, option.length];
  const file = /^(.+?):? /.exec(first)?.[1] ?? "";
  const named = argv.findIndex((word, i) => i > 0 && word !== "" && (word === file || file.startsWith(`${word}/`)));
  return named < 0 ? null : [named, 0, (argv[named] as string).length];
}
