/** The manual of scenarios as text. */

import { type Field, type FormMap, type Page, scenarioMaps } from "../../engine/index.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

const INDENT = "  ";
const WIDTH = 88;

/** One page: an operation, or what several of them share. Examples are not wrapped: they are there to be pasted. */
export function pageText(page: Page, style: Paint): string {
  const { strong } = style;
  const parts = [
    wrapCells(`${page.name}: ${page.does}`, WIDTH).join("\n"),
    [strong(page.examples.length === 1 ? "Example" : "Examples"), ...page.examples.map((line) => INDENT + line)].join("\n"),
    ...page.maps.map((map) => mapText(map, style)),
    ...page.sections.map(([title, ...paragraphs]) => [strong(title), ...paragraphs.flatMap(indented)].join("\n")),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The whole form: its maps, then each operation with its arguments. */
export function scenarioFormText(operations: readonly Page[], style: Paint): string {
  const maps = scenarioMaps().map((map) => mapText(map, style));
  const pages = operations.map(({ name, does, examples, maps: [own] }) =>
    [style.strong(name), ...indented(does), ...examples.map((line) => INDENT + line), ...fieldLines(own?.[1] ?? [], style)].join("\n"),
  );
  return `${[...maps, ...pages].join("\n\n")}\n`;
}

const mapText = ([title, fields]: FormMap, style: Paint): string => [style.strong(title), ...fieldLines(fields, style)].join("\n");

/** A field's name, its meaning, and in brackets what it expects and what stands for it when it is left out. */
function fieldLines(fields: readonly Field[], { dim }: Paint): string[] {
  const width = Math.max(0, ...fields.map(({ name }) => name.length));
  const room = WIDTH - INDENT.length - width - 2;
  return fields.flatMap(({ name, expects, absent, meaning }) => {
    const without = absent === null ? "; needed" : absent === "" ? "" : `; ${absent} when left out`;
    const lines = [...wrapCells(meaning, room), ...wrapCells(`[${expects}${without}]`, room).map(dim)];
    return lines.map((line, i) => `${INDENT}${(i === 0 ? name : "").padEnd(width)}  ${line}`);
  });
}

const indented = (text: string): string[] => wrapCells(text, WIDTH - INDENT.length).map((line) => INDENT + line);
