/** Errors whose message is all the user needs. Anything else is our bug and keeps its stack. */

import { readFileSync, statSync } from "node:fs";
import { RuleError } from "../analyzer/catalogue.ts";
import { ExperimentError } from "../analyzer/index.ts";
import { ScenarioError } from "../engine/index.ts";
import { ImportError } from "../recorder/import/index.ts";
import { QueryError, TraceError } from "../recorder/index.ts";
import { InputError } from "./io.ts";
import { commandExcerpt, excerpt, excerptOfSql } from "./present/excerpt.ts";

const KINDS = [InputError, ScenarioError, TraceError, QueryError, RuleError, ExperimentError, ImportError];

/** What to tell the user, or null for a bug of ours. */
export function wordsFor(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (KINDS.some((kind) => error instanceof kind)) return error.message;
  if (!isOfNativePart(error)) return null;
  const [reason] = error.message.split("\n");
  return `the native part of better-sqlite3 cannot be loaded into node ${process.version}: ${reason}\nIt is built for one version of node: npm rebuild better-sqlite3`;
}

/** After a change of node it is of the wrong version; after an installation without scripts it is not there. */
function isOfNativePart({ message, code }: NodeJS.ErrnoException): boolean {
  return code === "ERR_DLOPEN_FAILED" || (code === "MODULE_NOT_FOUND" && message.includes("better_sqlite3.node"));
}

/** Places that are shown; of more the lines say where they are. */
const MOST_PLACES = 5;
/** Larger files are not read again to show a place in them. */
const MOST_BYTES = 1024 * 1024;

/** The words with the place of the mistake below them: the line of the file, of the SQL, or the word of the command line. */
export function placed(words: string, error: unknown, argv: readonly string[]): string {
  if (error instanceof QueryError && error.sql !== null) return withPlace(words, excerptOfSql(error.sql, words));
  const lines = words.split("\n");
  const shown = lines.map((line, i) => (i < MOST_PLACES ? withPlace(line, excerptOfFile(line)) : line)).join("\n");
  return shown === words ? withPlace(words, commandExcerpt(argv, words)) : shown;
}

const withPlace = (text: string, place: string | null): string => (place === null ? text : `${text}\n${place}`);

/** Of a message that begins "FILE:LINE:COLUMN: ". */
function excerptOfFile(message: string): string | null {
  const [, file = "", line = "", column = ""] = /^(.+?):(\d+):(\d+): /.exec(message) ?? [];
  if (file === "") return null;
  try {
    const stat = statSync(file);
    return stat.isFile() && stat.size <= MOST_BYTES ? excerpt(readFileSync(file, "utf8"), Number(line), Number(column)) : null;
  } catch {
    // From standard input, or gone meanwhile: the message says where it was.
    return null;
  }
}
