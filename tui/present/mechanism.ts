/** How a stack takes signals, as text. */

import type { Mechanism, Stack, StackName } from "../../engine/index.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

const INDENT = "  ";
const WIDTH = 88;

const PARTS: readonly (readonly [keyof Mechanism, string])[] = [
  ["state", "What decides"],
  ["handlers", "Where handlers run"],
  ["nesting", "What nests"],
  ["open", "What is left open"],
];

/** Lines of at most 88 cells. */
export function mechanismText(name: StackName, { text, explain }: Stack, { strong, dim }: Paint): string {
  const parts = PARTS.flatMap(([part, title]): string[] => {
    const told = explain?.[part];
    if (told === undefined) return [];
    const paragraphs = told.text.flatMap((paragraph) =>
      wrapCells(paragraph, WIDTH - 4).map((line, i) => `${i === 0 ? "- " : "  "}${line}`),
    );
    return [[strong(title), ...paragraphs.map((line) => INDENT + line), dim(`${INDENT}[${told.source}]`)].join("\n")];
  });
  const next = [strong("Next"), `${INDENT}eintr stack ${name}`, `${INDENT}eintr compare lost-interrupted-error`];
  return `${[wrapCells(`${name}: ${text}`, WIDTH).join("\n"), ...parts, next.join("\n")].join("\n\n")}\n`;
}
