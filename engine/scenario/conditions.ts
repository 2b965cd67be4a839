/**
 * Conditions on the result of a call: `EINTR`, `error`, `8`, `">= 1"`, or a list of them, any of which may hold.
 */

import * as z from "zod";
import { errnoNumber, resultText } from "../errno.ts";
import { inWords } from "./values.ts";

/** `least <= result <= most`, or, with `not`, anything else. */
export interface Range {
  readonly least: number;
  readonly most: number;
  readonly not: boolean;
}

const MOST = Number.MAX_SAFE_INTEGER;
/** Above this a negative result is an address or a count, not an error. */
const LEAST_ERROR = -4095;
const COMPARISON = /^(<=|>=|!=|==|=|<|>)?\s*(.+)$/s;

const range = (least: number, most: number, not = false): Range => ({ least, most, not });

/** A number, or an errno's name with or without its minus. */
function numberOf(text: string): number | null {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  return errnoNumber(text.startsWith("-") ? text.slice(1) : text);
}

function rangeOf(given: string | number): Range | null {
  const text = String(given).trim();
  if (text === "error") return range(LEAST_ERROR, -1);
  const [, comparison = "=", operand = ""] = COMPARISON.exec(text) ?? [];
  const number = numberOf(operand);
  if (number === null) return null;
  switch (comparison) {
    case "<":
      return range(-MOST, number - 1);
    case "<=":
      return range(-MOST, number);
    case ">":
      return range(number + 1, MOST);
    case ">=":
      return range(number, MOST);
    case "!=":
      return range(number, number, true);
    default:
      return range(number, number);
  }
}

const one = z.union([z.string(), z.number()]);

/** Result: the ranges, any of which may hold. */
export const resultIs = z
  .union([one, z.array(one).min(1).max(100)])
  .transform((given, ctx): Range[] => {
    const ranges = (Array.isArray(given) ? given : [given]).map(rangeOf);
    if (ranges.every((known) => known !== null)) return ranges;
    ctx.addIssue({ code: "custom", message: "no result" });
    return z.NEVER;
  })
  .register(inWords, {
    words: 'a result such as EINTR, 0, error, ">= 1" or "!= EAGAIN", or a list of them',
    json: {
      anyOf: [
        { type: "integer" },
        { type: "string", pattern: "^\\s*(error|(<=|>=|!=|==|=|<|>)?\\s*(-?E[A-Z0-9]+|[+-]?\\d+))\\s*$" },
        {
          type: "array",
          minItems: 1,
          items: { anyOf: [{ type: "integer" }, { type: "string" }] },
        },
      ],
    },
  });

export const holds = (ranges: readonly Range[], value: number): boolean =>
  ranges.some(({ least, most, not }) => (least <= value && value <= most) !== not);

function textOf({ least, most, not }: Range): string {
  if (least === LEAST_ERROR && most === -1) return "an error";
  if (least === most) return `${not ? "not " : ""}${resultText(least)}`;
  return least === -MOST ? `<= ${resultText(most)}` : `>= ${resultText(least)}`;
}

/** For labels: "-EINTR or >= 1". */
export const rangesText = (ranges: readonly Range[]): string => ranges.map(textOf).join(" or ");
