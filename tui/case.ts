/** What a user may name as a case: a built-in scenario, a scenario file, a file that an importer knows. */

import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { parseDocument } from "yaml";
import { parseScenario, type Scenario, ScenarioError } from "../engine/index.ts";
import {
  type ImportedScenario,
  type ImportedTransitions,
  type Importer,
  importerFor,
  threadFiles,
  whatIs,
} from "../recorder/import/index.ts";
import type { QualityCounter } from "../recorder/index.ts";
import { isCaseText } from "./cases/file.ts";
import { openInput } from "./input.ts";
import { InputError, type Io } from "./io.ts";
import { findScenario, listScenarios } from "./scenarios.ts";

/** A scenario is read whole. */
const MAX_BYTES = 256 * 1024 * 1024;

export interface Limits {
  readonly rows?: number | undefined;
  /** ns of virtual time. */
  readonly time?: number | undefined;
}

/** A program to be emulated. */
export interface ScenarioCase {
  readonly is: "scenario";
  readonly name: string;
  readonly scenario: Scenario;
  /** What to keep with the trace: parsing it gives the scenario again, limits included. */
  readonly text: string;
  /** What the importer counted. */
  readonly counters: readonly QualityCounter[];
  /** True when it came from a real program's log. */
  readonly real: boolean;
}

/** What really happened, to be kept as it is. */
export interface TransitionsCase extends ImportedTransitions {
  readonly name: string;
  readonly importer: Importer;
  readonly limits: Limits;
  /** Close the file, when all is read. */
  close(): void;
}

export type Case = ScenarioCase | TransitionsCase;

/** What `-` means. */
const STDIN = "/dev/stdin";

/**
 * Reads our own stdin too (`-`, `/dev/stdin`, `/dev/fd/63`): its end is waited for with Ctrl-C heard. Throws InputError, ScenarioError or
 * ImportError, each with the place.
 */
export async function openCase(io: Pick<Io, "signal">, named: string, limits: Limits = {}): Promise<Case> {
  const nameOrPath = named === "-" ? STDIN : named;
  if (!isPath(nameOrPath)) return builtInCase(nameOrPath, limits);
  const input = await openInput(nameOrPath, io);
  let isRead = true;
  try {
    const importer = importerFor(input.start);
    if (importer === undefined) {
      const what = /\.ya?ml$/i.test(nameOrPath) ? null : whatIs(input.start);
      if (what !== null) throw new InputError(`${nameOrPath}: ${what}`);
      return scenarioCase(nameOrPath, await input.text(MAX_BYTES), limits);
    }
    growSlowly();
    const imported = await importer.read(input.chunks(importer.mostBytes), nameOrPath);
    if (imported.is === "scenario") return importedCase(imported, nameOrPath, limits);
    isRead = false;
    return { ...imported, name: nameOfFile(nameOrPath), importer, limits, close: () => input.close() };
  } finally {
    if (isRead) input.close();
  }
}

/**
 * An import makes many objects and keeps few. V8 lets the heap grow to four times what is kept before it looks; by a third as much costs a
 * tenth more time, and a log of 500,000 lines takes half the memory (`npm run bench -- imports`).
 */
const growSlowly = (): void => setFlagsFromString("--heap-growing-percent=35");

/** Throws InputError for a name that is none. */
export function builtInCase(name: string, limits: Limits = {}): ScenarioCase {
  const { file, text } = findScenario(name);
  return scenarioCase(file, text, limits);
}

/** A scenario that is a text. `file` names it in errors. Throws ScenarioError. */
export function scenarioCase(file: string, text: string, limits: Limits): ScenarioCase {
  if (isCaseText(text))
    throw new InputError(
      `${file} is a case with its stack and what is expected of it: eintr check ${file} runs it, eintr replay ${file} opens it`,
    );
  const written = parseScenario(text, file);
  const chosen = setOnly({ transitions: limits.rows, time: limits.time });
  const scenario = { ...written, limit: { ...written.limit, ...chosen } };
  return { is: "scenario", name: scenario.name, scenario, text: withLimits(text, scenario, chosen), counters: [], real: false };
}

/** Something is there by this name; but a folder `server` beside the user does not hide the built-in scenario "server". */
function isPath(name: string): boolean {
  const isBuiltIn = listScenarios().some((scenario) => scenario.name === name);
  if (!existsSync(name)) return !isBuiltIn && threadFiles(name) !== null;
  return /[./\\]/.test(name) || statSync(name).isFile() || !isBuiltIn;
}

const nameOfFile = (file: string): string =>
  path
    .basename(file)
    .replace(/\.(gz|zst)$/i, "")
    .replace(/\.(strace|log|txt)$/i, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "") || "log";

function importedCase({ scenario: input, counters }: ImportedScenario, file: string, limits: Limits): ScenarioCase {
  const name = nameOfFile(file);
  const limit = { ...input.limit, ...setOnly({ transitions: limits.rows, time: limits.time }) };
  const text = JSON.stringify({ ...input, name, limit });
  return { is: "scenario", name, scenario: parseScenario(text, file), text, counters, real: true };
}

/**
 * Limits of the command line become part of the scenario, so that the trace says how it was made. The text stays as its author wrote it,
 * comments and all, where that can be done; else it is written anew, as JSON.
 */
function withLimits(text: string, scenario: Scenario, chosen: Record<string, number>): string {
  if (Object.keys(chosen).length === 0) return text;
  const json = /^\s*\{/.test(text) ? asJson(text) : undefined;
  const doc = json === undefined ? parseDocument(text, QUIETLY) : null;
  const plain = (doc === null ? json : doc.toJS()) as Record<string, unknown>;
  const limit = { ...(plain.limit as object | undefined), ...chosen };
  if (doc !== null) {
    doc.set("limit", limit);
    const edited = doc.toString();
    if (isScenario(edited, scenario)) return edited;
  }
  return JSON.stringify({ ...plain, limit });
}

/** A library's warnings are for its developers; and it compares each key with each other to find one that stands there twice. */
const QUIETLY = { logLevel: "silent", uniqueKeys: false } as const;

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An anchor in the old limit, for instance, may be missed elsewhere. */
function isScenario(text: string, scenario: Scenario): boolean {
  try {
    return JSON.stringify(parseScenario(text, "")) === JSON.stringify(scenario);
  } catch (error) {
    if (error instanceof ScenarioError) return false;
    throw error;
  }
}

const setOnly = (values: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined));
