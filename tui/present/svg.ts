/** Lines with the styles of `paint` as SVG: a picture of the screen, or of an interval. */

import { escaped } from "./markup.ts";
import { SURFACES } from "./palette.ts";
import { displayWidth } from "./safe.ts";
import { COLOR_OF_CODE, SGR } from "./style.ts";

const CELL = 8.4;
const LINE = 18;
const MARGIN = 12;
const COLORS = SURFACES.dark;

interface Style {
  strong: boolean;
  dim: boolean;
  here: boolean;
  /** Of the letters, `#rrggbb`; null as all text. */
  color: string | null;
}

const plainStyle = (): Style => ({ strong: false, dim: false, here: false, color: null });

/** `columns` wide, in terminal cells; `title` is what somebody is told who cannot see it, without it the first line. */
export function svgOf(
  lines: readonly string[],
  columns: number,
  title = `eintr replay: ${(lines[0] ?? "").replace(SGR, "").trim()}`,
): string {
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = lines.length * LINE + 2 * MARGIN;
  const body = lines.flatMap((line, row) => lineSvg(line, row)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
<title>${escaped(title)}</title>
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
    out.push(...strokesSvg(text, x, y, style));
    const letters = text.replace(BARS, " ");
    const words = letters.trim();
    const before = displayWidth(letters.slice(0, letters.indexOf(words)));
    if (words !== "") out.push(textSvg(words, x + before * CELL, y, style));
    column += cells;
  };
  for (const match of line.matchAll(SGR)) {
    put(line.slice(from, match.index));
    from = match.index + match[0].length;
    apply(style, match[1] ?? "");
  }
  put(line.slice(from));
  return out;
}

/** Bars go on from line to line: as strokes, because no two fonts agree on how high they are. */
const BARS = /[│┃┓┛]/gu;

function strokesSvg(text: string, x: number, y: number, style: Style): string[] {
  let thin = "";
  let thick = "";
  let column = 0;
  for (const character of text) {
    const middle = (x + (column + 0.5) * CELL).toFixed(1);
    const corner = `M${(x + column * CELL).toFixed(1)} ${y + LINE / 2}H${middle}V`;
    if (character === "│") thin += `M${middle} ${y}v${LINE}`;
    if (character === "┃") thick += `M${middle} ${y}v${LINE}`;
    if (character === "┓") thick += `${corner}${y + LINE}`;
    if (character === "┛") thick += `${corner}${y}`;
    column += displayWidth(character);
  }
  const path = (d: string, width: number): string => `<path d="${d}" fill="none" stroke="${colorOf(style)}" stroke-width="${width}"/>`;
  return [...(thin === "" ? [] : [path(thin, 1)]), ...(thick === "" ? [] : [path(thick, 2.5)])];
}

const colorOf = ({ color, dim }: Style): string => color ?? (dim ? COLORS.faint : COLORS.text);

function textSvg(text: string, x: number, y: number, style: Style): string {
  const weight = style.strong ? ' font-weight="bold"' : "";
  const length = (displayWidth(text) * CELL).toFixed(1);
  return `<text x="${x.toFixed(1)}" y="${y + 13}" fill="${colorOf(style)}"${weight} textLength="${length}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escaped(text)}</text>`;
}

/** The codes of `paint`. */
function apply(style: Style, code: string): void {
  if (code === "1") style.strong = true;
  if (code === "2") style.dim = true;
  if (code === "22") style.strong = style.dim = false;
  if (code === "39") style.color = null;
  if (code === "7") style.here = true;
  if (code === "27") style.here = false;
  style.color = COLOR_OF_CODE.get(code) ?? style.color;
}
