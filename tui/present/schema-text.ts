/** Tables, views and kinds of transition as text. */

import { DETAILS, KINDS } from "../../engine/index.ts";
import { describeSchema, type TableEntry } from "../../recorder/index.ts";
import type { Paint } from "./style.ts";

export function tableNames(): string[] {
  const { tables, views } = describeSchema();
  return [...tables, ...views].map(({ name }) => name);
}

/** Null when there is none of that name. */
export function tableOrViewText(name: string, style: Paint): string | null {
  const { tables, views } = describeSchema();
  const table = tables.find((entry) => entry.name === name);
  if (table !== undefined) return tableText(table, style);
  const view = views.find((entry) => entry.name === name);
  return view === undefined ? null : `${style.strong(view.name)} (view)\n  ${view.meaning}\n\n${view.select.trim()}\n`;
}

export function tableText(table: TableEntry, { strong, dim }: Paint): string {
  const width = Math.max(...table.columns.map((column) => column.name.length));
  const lines = table.columns.map((column) => {
    const notes = [
      column.type,
      column.key ? "key" : "",
      column.nullable ? "may be NULL" : "",
      column.references ? `-> ${column.references}` : "",
    ];
    return `  ${column.name.padEnd(width)}  ${column.meaning}${dim(`  [${notes.filter((note) => note !== "").join(", ")}]`)}`;
  });
  return `${strong(table.name)}\n  ${table.meaning}\n${lines.join("\n")}\n`;
}

export function kindsText(style: Paint): string {
  const width = Math.max(...KINDS.map((kind) => kind.name.length));
  return `${style.strong("Kinds of transition")}\n${KINDS.map((kind) => kindText(kind, style, width)).join("")}`;
}

/** One line; its name takes `width` cells. */
export function kindText({ name, text, value, extra }: (typeof KINDS)[number], { dim }: Paint, width = 0): string {
  const detail = DETAILS[name] ?? "";
  const more = [`value = ${value}`, `extra = ${extra}`, `detail = ${detail}`].filter((part) => !part.endsWith("= ")).join("; ");
  return `  ${name.padEnd(width)}  ${text}${more === "" ? "" : dim(`  [${more}]`)}\n`;
}
