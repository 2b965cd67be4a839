/** A picture of the screen: lines with the styles of `paint` as SVG. */

import { displayWidth } from "../present/safe.ts";
import { SGR } from "../present/style.ts";

const CELL = 8.4;
const LINE = 18;
const MARGIN = 12;
const COLORS = { background: "#11141a", text: "#d8dee9", dim: "#7b8494", warn: "#ffb454", cross: "#56b6f2", here: "#2d5b88" } as const;

interface Style {
  strong: boolean;
  dim: boolean;
  warn: boolean;
  cross: boolean;
  here: boolean;
}

const plainStyle = (): Style => ({ strong: false, dim: false, warn: false, cross: false, here: false });

export function svgOf(lines: readonly string[], columns: number): string {
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = lines.length * LINE + 2 * MARGIN;
  const body = lines.flatMap((line, row) => lineSvg(line, row)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="${COLORS.background}"/>
${body}
</svg>
`;
}

function lineSvg(line: string, row: number): string[] {
  const style = plainStyle();
  const out: string[] = [];
  let column = 0;
  let from = 0;
  const put = (text: string): void => {
    if (text === "") return;
    const cells = displayWidth(text);
    const x = MARGIN + column * CELL;
    const y = MARGIN + row * LINE;
    if (style.here)
      out.push(`<rect x="${x.toFixed(1)}" y="${y}" width="${(cells * CELL).toFixed(1)}" height="${LINE}" fill="${COLORS.here}"/>`);
    if (text.trim() !== "") out.push(textSvg(text, x, y, cells, style));
    column += cells;
  };
  for (const match of line.matchAll(SGR)) {
    put(line.slice(from, match.index));
    from = match.index + match[0].length;
    apply(style, Number(match[1]));
  }
  put(line.slice(from));
  return out;
}

function textSvg(text: string, x: number, y: number, cells: number, style: Style): string {
  const color = style.warn ? COLORS.warn : style.cross ? COLORS.cross : style.dim ? COLORS.dim : COLORS.text;
  const weight = style.strong ? ' font-weight="bold"' : "";
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y + 13}" fill="${color}"${weight} textLength="${(cells * CELL).toFixed(1)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escaped}</text>`;
}

/** The codes of `paint`. */
function apply(style: Style, code: number): void {
  if (code === 1) style.strong = true;
  if (code === 2) style.dim = true;
  if (code === 22) style.strong = style.dim = false;
  if (code === 33) style.warn = true;
  if (code === 36) style.cross = true;
  if (code === 39) style.warn = style.cross = false;
  if (code === 7) style.here = true;
  if (code === 27) style.here = false;
}
