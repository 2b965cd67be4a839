/** Texts inside XML and HTML, and inside Markdown: inert, whatever they are. */

/** For the content of an element. */
export const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** For an attribute in double quotes. */
export const escapedAttribute = (text: string): string => escaped(text).replaceAll('"', "&quot;");

/** A code span of one line: no mark in it means anything. */
export function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const pad = text === "" || text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${pad}${text}${pad}${fence}`;
}

/** The same in a cell of a table, whose bars end a cell also inside a span. */
export const codeCell = (text: string): string => codeSpan(text.replaceAll("|", "\\|"));

/** A block of code, whose fence is longer than any in it. */
export function fenced(lines: readonly string[]): string {
  const longest = Math.max(2, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((ticks) => ticks.length)));
  const fence = "`".repeat(longest + 1);
  return `${[fence, ...lines, fence].join("\n")}\n`;
}
