/** What a user may name as a case: a built-in scenario, a scenario file, a strace log. */

import { closeSync, existsSync, fstatSync, readSync, statSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { parseDocument } from "yaml";
import { parseScenario, type Scenario, ScenarioError } from "../engine/index.ts";
import { openRegular } from "../recorder/format/files.ts";
import { IMPORTERS, type Importer } from "../recorder/import/index.ts";
import type { QualityCounter } from "../recorder/index.ts";
import { InputError, Interrupted, type Io } from "./io.ts";
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
  if (isPath(nameOrPath)) return caseOf(nameOrPath, readText(nameOrPath), limits);
  const { file, text } = findScenario(nameOrPath);
  return scenarioCase(file, text, limits);
}

/** The same, but reads our own stdin too (`/dev/stdin`, `/dev/fd/63`): its end is waited for with Ctrl-C heard. */
export async function openCaseGently(io: Io, nameOrPath: string, limits: Limits = {}): Promise<Case> {
  const input = ownInput(nameOrPath);
  return input === null ? openCase(nameOrPath, limits) : caseOf(nameOrPath, await textOf(input, nameOrPath, io.signal), limits);
}

function caseOf(file: string, text: string, limits: Limits): Case {
  const importer = IMPORTERS.find((one) => one.recognizes(text));
  return importer === undefined ? scenarioCase(file, text, limits) : importedCase(importer, file, text, limits);
}

function scenarioCase(file: string, text: string, limits: Limits): Case {
  const written = parseScenario(text, file);
  const chosen = setOnly({ transitions: limits.rows, time: limits.time });
  const scenario = { ...written, limit: { ...written.limit, ...chosen } };
  return { name: scenario.name, scenario, text: withLimits(text, scenario, chosen), counters: [], real: false };
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

function readText(file: string): string {
  try {
    const opened = openRegular(file);
    if ("is" in opened) throw new InputError(`${file} is ${opened.is}${EXPECTED}`);
    try {
      const text = fstatSync(opened.fd).size > MAX_BYTES ? null : textUpToMost(opened.fd);
      if (text !== null) return text;
      throw tooLong(file);
    } finally {
      closeSync(opened.fd);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

const EXPECTED = ", and no trace (a folder that has a transitions.arrow); expected a scenario file or a strace log";

const tooLong = (file: string): InputError =>
  new InputError(`${file}: more than ${MAX_BYTES} bytes, which is the most that is read. Cut it: head -c ${MAX_BYTES} ${file}`);

/** Null when there is more than MAX_BYTES: the file may grow. */
function textUpToMost(fd: number): string | null {
  const text = new BoundedText();
  const part = Buffer.alloc(PART_BYTES);
  for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) if (!text.add(part.subarray(0, read))) return null;
  return text.end();
}

class BoundedText {
  private readonly decoder = new StringDecoder("utf8");
  private text = "";
  private bytes = 0;

  /** False when it is too long now. */
  add(part: Buffer): boolean {
    this.bytes += part.length;
    if (this.bytes <= MAX_BYTES) this.text += this.decoder.write(part);
    return this.bytes <= MAX_BYTES;
  }

  end(): string {
    return this.text + this.decoder.end();
  }
}

/** The stream behind a name that means an open descriptor of ours and no regular file; null for any other name. */
function ownInput(name: string): Readable | null {
  const fd = name === "/dev/stdin" ? 0 : Number(/^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(fd)) return null;
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() || stat.isDirectory()) return null;
    if (fd === 0) return process.stdin;
    return stat.isFIFO() || stat.isSocket() ? new Socket({ fd, readable: true, writable: false }) : null;
  } catch {
    return null;
  }
}

async function textOf(input: Readable, name: string, signal: AbortSignal): Promise<string> {
  const text = new BoundedText();
  try {
    for await (const part of addAbortSignal(signal, input)) if (!text.add(part as Buffer)) throw tooLong(name);
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  }
  return text.end();
}
