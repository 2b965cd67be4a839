/** The text of a scenario: its value, and where in the text a path of the value stands. */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  type ParseOptions,
  parseDocument,
  visit,
  type YAMLParseError,
} from "yaml";
import { ScenarioError } from "../errors.ts";
import { quoted, shortened } from "./words.ts";

/** Larger scenarios come from logs, as JSON. */
const MAX_YAML_CHARACTERS = 4_000_000;
/** Mistakes that are shown of a file. */
export const MOST_SHOWN = 20;
/** Lists and maps inside each other; a loop takes four. */
const DEEPEST = 200;

export type Path = readonly PropertyKey[];

/** "x.yaml:4:5" for a path; its nearest part that exists. With `key` the place of the last part's name. */
export type PlaceOf = (path: Path, key?: boolean) => string;

export interface Source {
  readonly value: unknown;
  readonly placeOf: PlaceOf;
}

/** Read a text as JSON or YAML. `where` names the file. Throws ScenarioError when it is neither. */
export function readSource(text: string, where: string): Source {
  try {
    const source = fromJson(text, where) ?? fromYaml(text, where);
    const deep = tooDeep(source.value);
    if (deep !== null) throw nested(source.placeOf(deep));
    return source;
  } catch (error) {
    // Too deep for the parser's call stack.
    if (error instanceof RangeError) throw nested(where);
    throw error;
  }
}

const nested = (place: string): ScenarioError => new ScenarioError(`${place}: nested too deeply (does an alias contain itself?)`);

function fromJson(text: string, where: string): Source | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value = JSON.parse(text) as unknown;
    // JSON is YAML: the places are looked for when they are asked for, as most scenarios are right.
    let placed: PlaceOf | null = null;
    return {
      value,
      placeOf: (path, key) => {
        placed ??= text.length > MAX_YAML_CHARACTERS ? () => where : yamlPlaces(text, where);
        return placed(path, key);
      },
    };
  } catch (error) {
    if (text.length <= MAX_YAML_CHARACTERS) return null;
    throw new ScenarioError(`${where}: not JSON: ${shortened(error instanceof Error ? error.message : String(error), 200)}`);
  }
}

/** `uniqueKeys` compares each key with each other: twice the keys take four times as long. `twice` looks for them instead. */
const QUIET = { uniqueKeys: false, prettyErrors: false, logLevel: "error" } as const;

function yamlPlaces(text: string, where: string): PlaceOf {
  const lines = new LineCounter();
  return places(parse(text, lines), lines, where);
}

const parse = (text: string, lines: LineCounter): Document.Parsed =>
  parseDocument(text, { ...QUIET, lineCounter: lines } as ParseOptions) as Document.Parsed;

function fromYaml(text: string, where: string): Source {
  if (text.length > MAX_YAML_CHARACTERS)
    throw new ScenarioError(`${where}: ${text.length} characters; a YAML scenario may have ${MAX_YAML_CHARACTERS} (write JSON for more)`);
  const lines = new LineCounter();
  const doc = parse(text, lines);
  const errors = [...doc.errors.map(yamlError), ...twice(doc)].sort((a, b) => a.offset - b.offset);
  const shown = errors.slice(0, MOST_SHOWN).map(({ offset, what }) => `${placeText(lines, where, offset)}: ${what}`);
  if (errors.length > shown.length) shown.push(`... and ${errors.length - shown.length} more`);
  if (shown.length > 0) throw new ScenarioError(shown.join("\n"));
  try {
    return { value: doc.toJS({ maxAliasCount: 100 }), placeOf: places(doc, lines, where) };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // A few lines of aliases can stand for more than memory holds, and a tag for what its text does not say: the parser refuses.
    throw new ScenarioError(`${where}:1:1: not YAML: ${shortened(error instanceof Error ? error.message : String(error), 200)}`);
  }
}

interface Broken {
  readonly offset: number;
  readonly what: string;
}

function yamlError({ code, message, pos }: YAMLParseError): Broken {
  const what = code === "MULTIPLE_DOCS" ? "a second --- begins another document; expected one scenario in a file" : message;
  return { offset: pos[0], what: `not YAML: ${shortened(what.split("\n")[0] ?? "", 200)}` };
}

/** Names that stand in a map more than once. */
function twice(doc: Document.Parsed): Broken[] {
  const broken: Broken[] = [];
  visit(doc, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = nameOf(key);
        if (seen.has(name)) broken.push({ offset: startOf(key) ?? 0, what: `${quoted(name)} stands in this map already` });
        seen.add(name);
      }
    },
  });
  return broken;
}

function placeText(lines: LineCounter, where: string, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${where}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

function places(doc: Document.Parsed, lines: LineCounter, where: string): PlaceOf {
  return (path, key = false) => {
    let node: unknown = doc.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const [i, part] of path.entries()) {
      const entry = entryOf(doc, node, part);
      if (entry === null) break;
      node = entry.value;
      const value = key && i === path.length - 1 ? undefined : startOf(node);
      offset = value ?? startOf(entry.key) ?? offset;
    }
    return placeText(lines, where, offset);
  };
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

function entryOf(doc: Document.Parsed, parent: unknown, part: PropertyKey): { key: unknown; value: unknown } | null {
  const node = isAlias(parent) ? parent.resolve(doc) : parent;
  if (isSeq(node)) {
    const value = typeof part === "number" ? node.items[part] : undefined;
    return value === undefined ? null : { key: value, value };
  }
  if (!isMap<ParsedNode>(node)) return null;
  // A key that is a list or a map: JavaScript makes some text of it.
  const pair = node.items.find(({ key }) => nameOf(key) === String(part)) ?? node.items.find(({ key }) => !isScalar(key));
  return pair === undefined ? null : { key: pair.key, value: pair.value };
}

/** A key as JavaScript has it. One that no text can be made of (a map with a merge of nothing, in YAML 1.1) is told by its place. */
function nameOf(key: unknown): string {
  if (isScalar(key)) return key.value === null ? "" : String(key.value);
  try {
    return String(key);
  } catch {
    return `key at ${startOf(key) ?? "?"}`;
  }
}

/** The path at which lists and maps are inside each other too often; null when nowhere. */
function tooDeep(value: unknown, path: PropertyKey[] = []): PropertyKey[] | null {
  if (value === null || typeof value !== "object") return null;
  if (path.length > DEEPEST) return path;
  for (const [key, entry] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    path.push(key);
    const deep = tooDeep(entry, path);
    if (deep !== null) return deep;
    path.pop();
  }
  return null;
}
