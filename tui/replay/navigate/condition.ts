/**
 * Conditions over a transition and the state it left, in SQL's words or C's: `cssa > 1 && preempt > 0`, `signal = SIGINT and layer = libos`,
 * `flow ~ handle and not value < 0`. A condition becomes a predicate over rows; names are looked up once, not in every row.
 */

import {
  type Block,
  CONTEXTS,
  durationOf,
  errnoNumber,
  hint,
  KINDS,
  LAYERS,
  SIGNAL_NAMES,
  STATE_COLUMNS,
  signalName,
  signalNumber,
} from "../../../engine/index.ts";
import type { Trace } from "../../../recorder/index.ts";
import type { RowPredicate } from "./rows.ts";

/** Fields that are numbers; of `time` in ns, or with a unit. */
const NUMBERS = ["seq", "time", "value", "extra", ...STATE_COLUMNS] as const;
type NumberField = (typeof NUMBERS)[number];
/** Fields that are names: of the row's own numbers, or of the place in the code. */
const NAMES = ["thread", "kind", "signal", "layer", "context", "flow", "label"] as const;
type NameField = (typeof NAMES)[number];

export const CONDITION_FIELDS: readonly string[] = [...NUMBERS, ...NAMES];
const MAX_TEXT = 300;
const MAX_DEPTH = 20;

/** A condition that cannot be understood: where, what was expected. */
export class ConditionError extends Error {
  override readonly name = "ConditionError";
}

interface Token {
  readonly text: string;
  readonly at: number;
  readonly quoted: boolean;
}

const TOKEN = /\s*(?:'([^']*)'|"([^"]*)"|(&&|\|\||[<>!=]=|<>|[()<>=~!])|([^\s()<>=~!&|'"]+))/uy;

function tokensOf(text: string): Token[] {
  if (text.length > MAX_TEXT) throw new ConditionError(`a condition has at most ${MAX_TEXT} characters`);
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new ConditionError(`at character ${at + 1}: "${text.slice(at, at + 10)}" is not understood`);
    const quoted = match[1] ?? match[2];
    tokens.push({ text: quoted ?? match[3] ?? match[4] ?? "", at, quoted: quoted !== undefined });
  }
  return tokens;
}

/** Throws ConditionError. */
export function conditionOf(text: string, trace: Trace): RowPredicate {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = (): string => (tokens[next]?.quoted === true ? "" : (tokens[next]?.text ?? "").toLowerCase());
  const where = (): string => (tokens[next] === undefined ? "at the end" : `at character ${(tokens[next]?.at ?? 0) + 1}`);
  const take = (...words: string[]): boolean => {
    if (!words.includes(peek())) return false;
    next += 1;
    return true;
  };

  function either(depth: number): RowPredicate {
    let left = both(depth);
    while (take("or", "||")) {
      const [one, other] = [left, both(depth)];
      left = (block, i) => one(block, i) || other(block, i);
    }
    return left;
  }

  function both(depth: number): RowPredicate {
    let left = single(depth);
    while (take("and", "&&")) {
      const [one, other] = [left, single(depth)];
      left = (block, i) => one(block, i) && other(block, i);
    }
    return left;
  }

  function single(depth: number): RowPredicate {
    if (depth > MAX_DEPTH) throw new ConditionError(`at most ${MAX_DEPTH} parentheses and nots in each other`);
    if (take("not", "!")) {
      const inner = single(depth + 1);
      return (block, i) => !inner(block, i);
    }
    if (take("(")) {
      const inner = either(depth + 1);
      if (!take(")")) throw new ConditionError(`${where()}: expected ")"`);
      return inner;
    }
    return comparison();
  }

  function comparison(): RowPredicate {
    const field = peek();
    if (!CONDITION_FIELDS.includes(field))
      throw new ConditionError(`${where()}: expected a field, found "${tokens[next]?.text ?? ""}"${hint(field, CONDITION_FIELDS)}`);
    next += 1;
    const operator = OPERATORS[peek()];
    if (operator === undefined) throw new ConditionError(`${where()}: expected = != < <= > >= ~ or like after ${field}`);
    next += 1;
    const value = tokens[next];
    if (value === undefined) throw new ConditionError(`at the end: expected what ${field} is compared with`);
    const made = (NUMBERS as readonly string[]).includes(field)
      ? numberTest(field as NumberField, operator, value, trace)
      : nameTest(field as NameField, operator, value, trace);
    next += 1;
    return made;
  }

  const whole = either(0);
  if (next < tokens.length) throw new ConditionError(`${where()}: expected and, or, or the end`);
  return whole;
}

type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~";
const OPERATORS: Readonly<Record<string, Operator | undefined>> = {
  "=": "=",
  "==": "=",
  is: "=",
  "!=": "!=",
  "<>": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "~": "~",
  like: "~",
};

function numberTest(field: NumberField, operator: Operator, { text, at }: Token, trace: Trace): RowPredicate {
  if ((trace.absent as readonly string[]).includes(field)) throw new ConditionError(`this trace does not have ${field}`);
  const wanted = numberOf(field, text);
  if (wanted === null || operator === "~") throw new ConditionError(`at character ${at + 1}: ${field} is a number; "${text}" is none here`);
  const valueAt = field === "seq" ? (block: Block, i: number) => block.seq0 + i : (block: Block, i: number) => block[field][i] as number;
  switch (operator) {
    case "=":
      return (block, i) => valueAt(block, i) === wanted;
    case "!=":
      return (block, i) => valueAt(block, i) !== wanted;
    case "<":
      return (block, i) => valueAt(block, i) < wanted;
    case "<=":
      return (block, i) => valueAt(block, i) <= wanted;
    case ">":
      return (block, i) => valueAt(block, i) > wanted;
    case ">=":
      return (block, i) => valueAt(block, i) >= wanted;
  }
}

/** 12, -EINTR, 5ms. */
function numberOf(field: NumberField, text: string): number | null {
  if (/^-?\d+$/.test(text)) return Number(text);
  if (field === "time") return durationOf(text);
  const errno = text.startsWith("-") ? errnoNumber(text.slice(1)) : null;
  return errno === null ? null : -Math.abs(errno);
}

/** A field whose values are few: each is tried once. */
function nameTest(field: NameField, operator: Operator, token: Token, trace: Trace): RowPredicate {
  if (operator !== "=" && operator !== "!=" && operator !== "~")
    throw new ConditionError(`at character ${token.at + 1}: ${field} is a name: compare it with = != or ~ (has it in it)`);
  const wanted = token.text.toLowerCase();
  const parts = wanted.split("%").filter((part) => part !== "");
  const hits = (name: string): number => {
    const found = operator === "~" ? inOrder(name.toLowerCase(), parts) : name.toLowerCase() === wanted;
    return found !== (operator === "!=") ? 1 : 0;
  };
  const { sites } = trace;
  switch (field) {
    case "thread":
      return byColumn(
        "thread",
        known(
          field,
          operator,
          token,
          trace.threads.map(({ name }) => name),
        ).map(hits),
      );
    case "kind":
      return byColumn(
        "kind",
        known(
          field,
          operator,
          token,
          KINDS.map(({ name }) => name),
        ).map(hits),
      );
    case "signal":
      return signalTest(operator, token, hits);
    case "layer":
      known(field, operator, token, LAYERS);
      return byColumn(
        "site",
        sites.map(({ layer }) => hits(layer)),
      );
    case "context":
      known(field, operator, token, CONTEXTS);
      return byColumn(
        "site",
        sites.map(({ context }) => hits(context)),
      );
    case "flow":
      return byColumn(
        "site",
        known(
          field,
          operator,
          token,
          sites.map(({ flow }) => flow),
        ).map(hits),
      );
    case "label":
      return byColumn(
        "site",
        known(
          field,
          operator,
          token,
          sites.map(({ label }) => label),
        ).map(hits),
      );
  }
}

function signalTest(operator: Operator, token: Token, hits: (name: string) => number): RowPredicate {
  const number = operator === "~" ? 0 : signalNumber(token.text);
  if (number === 0) known("signal", operator, token, SIGNAL_NAMES);
  const test = (signal: number): number => (number === 0 ? hits(signalName(signal)) : (signal === number) !== (operator === "!=") ? 1 : 0);
  // A row of no signal is none of another signal.
  return byColumn("signal", [0, ...SIGNAL_NAMES.map((_, i) => test(i + 1))]);
}

function inOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** The names as they are; throws when one that is compared for being equal is not among them. */
function known(field: string, operator: Operator, { text, at }: Token, names: readonly string[]): readonly string[] {
  if (operator === "~" || names.some((name) => name.toLowerCase() === text.toLowerCase())) return names;
  throw new ConditionError(`at character ${at + 1}: no ${field} "${text}" in this trace${hint(text, [...new Set(names)])}`);
}

function byColumn(column: "thread" | "kind" | "signal" | "site", hits: readonly number[]): RowPredicate {
  const table = Uint8Array.from(hits);
  return (block, i) => table[block[column][i] as number] === 1;
}

/** Conditions that one may have set. */
export const MAX_CONDITIONS = 20;

const compiled = new WeakMap<Trace, Map<string, RowPredicate>>();

/** Each text is read once. Throws ConditionError. */
export function predicateOf(trace: Trace, text: string): RowPredicate {
  let known = compiled.get(trace);
  if (known === undefined) compiled.set(trace, (known = new Map()));
  let found = known.get(text);
  if (found === undefined) {
    if (known.size >= 2 * MAX_CONDITIONS) known.clear();
    known.set(text, (found = conditionOf(text, trace)));
  }
  return found;
}
