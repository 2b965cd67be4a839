/** Lanes of all threads around now, and the minimap of the whole trace. */

import { fit, safe } from "../../present/safe.ts";
import type { ReplayState } from "../state.ts";
import { MINIMAP_PARTS, type World } from "../world.ts";

const NAME_WIDTH = 14;
const LAYER_LETTER = { app: "a", libos: "l", pal: "p", "untrusted-pal": "u", host: "h" } as const;

/** One column a transition; capital letters are signal context. */
export function lanesPane(world: World, s: ReplayState, width: number, height: number): string[] {
  const { paint, trace, rows } = world;
  const columns = Math.max(10, width - NAME_WIDTH - 1);
  const from = Math.max(0, s.seq - Math.floor(columns / 2));
  const lanes = new Map<number, string[]>();
  for (let column = 0; column < columns; column += 1) {
    const place = rows.block(from + column);
    if (place === null) break;
    const thread = place.block.thread[place.row] as number;
    const site = trace.sites[place.block.site[place.row] as number];
    const letter = site === undefined ? "?" : LAYER_LETTER[site.layer];
    let lane = lanes.get(thread);
    if (lane === undefined) lanes.set(thread, (lane = Array.from({ length: columns }, () => " ")));
    lane[column] = site?.context === "signal" ? letter.toUpperCase() : letter;
  }
  const now = s.seq - from;
  const pointer = `${" ".repeat(NAME_WIDTH + 1 + now)}v now`;
  const legend = paint.dim(safe("a app  l libos  p pal  u untrusted pal  h host; capitals: signal context", width));
  const order = [...lanes.keys()].sort((a, b) => a - b).slice(0, Math.max(1, height - 2));
  return [
    safe(pointer, width),
    ...order.map((thread) => {
      const cells = lanes.get(thread) ?? [];
      const name = fit(safe(`${thread === s.thread ? ">" : " "}${trace.threads[thread]?.name ?? thread}`, NAME_WIDTH), NAME_WIDTH);
      const past = cells.slice(0, now).join("");
      const rest = cells.slice(now + 1).join("");
      return `${name} ${past}${paint.here(cells[now] ?? " ")}${paint.dim(rest)}`;
    }),
    legend,
  ];
}

const LEVELS = " ▁▂▃▄▅▆▇█";
const ASCII_LEVELS = " .:-=+*#%";

/** Where signals are dense, where findings are (!), and where now is. Exactly `width` cells. */
export function minimap(world: World, s: ReplayState, width: number): string {
  const { paint, density, findings, rows } = world;
  const levels = world.ascii ? ASCII_LEVELS : LEVELS;
  const cells: string[] = [];
  let most = 1;
  const sums = Array.from({ length: width }, (_, column) => {
    const first = Math.floor((column * MINIMAP_PARTS) / width);
    const last = Math.max(first + 1, Math.floor(((column + 1) * MINIMAP_PARTS) / width));
    let sum = 0;
    for (let part = first; part < last; part += 1) sum += density[part] ?? 0;
    most = Math.max(most, sum);
    return sum;
  });
  const level = (sum: number): string =>
    sum === 0 ? (world.ascii ? "_" : "─") : (levels[Math.max(1, Math.ceil((sum / most) * (levels.length - 1)))] ?? " ");
  for (const sum of sums) cells.push(level(sum));
  const column = (seq: number): number => Math.min(width - 1, Math.floor((seq * width) / Math.max(1, rows.count)));
  const found = new Set(findings.map((finding) => column(finding.lastSeq)));
  const now = column(s.seq);
  return cells
    .map((cell, i) => (i === now ? paint.here(found.has(i) ? "!" : cell) : found.has(i) ? paint.warn("!") : paint.dim(cell)))
    .join("");
}

/** The seq a click on the minimap means. */
export const seqAtColumn = (column: number, width: number, count: number): number =>
  Math.max(0, Math.min(count - 1, Math.round((column / Math.max(1, width - 1)) * (count - 1))));
