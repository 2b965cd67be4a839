/** What a user may name as a case: a built-in scenario, a scenario file, a strace log. */

import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { StringDecoder } from "node:string_decoder";
import { parseDocument } from "yaml";
import { parseScenario, type Scenario } from "../engine/index.ts";
import { IMPORTERS, type Importer } from "../recorder/importers.ts";
import type { QualityCounter } from "../recorder/index.ts";
import { InputError } from "./io.ts";
import { findScenario, listScenarios } from "./scenarios.ts";

/** Logs and scenarios are read whole; a longer log is to be cut first. */
const MAX_BYTES = 256 * 1024 * 1024;
const PART_BYTES = 1024 * 1024;

export interface Limits {
  readonly rows?: number | undefined;
  /** ns of virtual time. */
  readonly time?: number | undefined;
}

export interface Case {
  readonly name: string;
  readonly scenario: Scenario;
  /** What to keep with the trace: parsing it gives the scenario again, limits included. */
  readonly text: string;
  /** What the importer counted. */
  readonly counters: readonly QualityCounter[];
  /** True when it came from a real program's log. */
  readonly real: boolean;
}

/** Throws InputError, ScenarioError or StraceError, each with the place. */
export function openCase(nameOrPath: string, limits: Limits = {}): Case {
  const file = isPath(nameOrPath) ? readText(nameOrPath) : null;
  const importer = file === null ? undefined : IMPORTERS.find((one) => one.recognizes(file));
  if (file !== null && importer !== undefined) return importedCase(importer, nameOrPath, file, limits);
  const found = file === null ? findScenario(nameOrPath) : { text: file, file: nameOrPath };
  const text = withLimits(found.text, limits);
  const scenario = parseScenario(text, found.file);
  return { name: scenario.name, scenario, text, counters: [], real: false };
}

/** Something is there by this name; but a folder `server` beside the user does not hide the built-in scenario "server". */
function isPath(name: string): boolean {
  if (!existsSync(name)) return false;
  return /[./\\]/.test(name) || statSync(name).isFile() || !listScenarios().some((scenario) => scenario.name === name);
}

function importedCase(importer: Importer, file: string, log: string, limits: Limits): Case {
  const base = path.basename(file).replace(/\.(strace|log|txt)$/i, "");
  const name = base.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "log";
  const { scenario: input, counters } = importer.toScenario(log, file);
  const limit = { ...input.limit, ...setOnly({ transitions: limits.rows, time: limits.time }) };
  const text = JSON.stringify({ ...input, name, limit });
  return { name, scenario: parseScenario(text, file), text, counters, real: true };
}

/** Limits of the command line become part of the scenario, so that the trace says how it was made. */
function withLimits(text: string, limits: Limits): string {
  if (limits.rows === undefined && limits.time === undefined) return text;
  const doc = parseDocument(text);
  // A broken file is reported by the parser, with the place.
  if (doc.errors.length > 0) return text;
  if (limits.rows !== undefined) doc.setIn(["limit", "transitions"], limits.rows);
  if (limits.time !== undefined) doc.setIn(["limit", "time"], limits.time);
  return doc.toString();
}

const setOnly = (values: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined));

function readText(file: string): string {
  try {
    const fd = openSync(file, "r");
    try {
      const text = fstatSync(fd).size > MAX_BYTES ? null : textUpToMost(fd);
      if (text !== null) return text;
      throw new InputError(`${file}: more than ${MAX_BYTES} bytes, which is the most that is read. Cut it: head -c ${MAX_BYTES} ${file}`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const what =
      code === "EISDIR"
        ? "is a folder, and no trace (that has a transitions.arrow); expected a scenario file or a strace log"
        : `cannot be read (${code})`;
    throw new InputError(`${file}: ${what}`);
  }
}

/** Null when more than MAX_BYTES come: the size of a pipe is not known before. */
function textUpToMost(fd: number): string | null {
  const decoder = new StringDecoder("utf8");
  const part = Buffer.alloc(PART_BYTES);
  let text = "";
  let bytes = 0;
  for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) {
    bytes += read;
    if (bytes > MAX_BYTES) return null;
    text += decoder.write(part.subarray(0, read));
  }
  return text + decoder.end();
}
