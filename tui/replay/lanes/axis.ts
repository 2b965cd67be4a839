/** The axis above the lanes: ticks at round places, with their times or seqs. */

import { momentText } from "../../present/time.ts";
import type { Interval, Scale } from "./view.ts";

/** Cells from tick to tick, at least. */
const TICK = 14;

/** The smallest of 1, 2, 5, 10, 20, ... that is not below `value`. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** Exactly `columns` cells. */
export function axisText(scale: Scale, { from, span }: Interval, columns: number, ascii: boolean): string {
  const step = roundUp((span * TICK) / columns);
  const cells: string[] = Array.from({ length: columns }, () => (ascii ? "-" : "─"));
  for (let tick = Math.ceil(from / step) * step; tick < from + span; tick += step) {
    const at = Math.floor(((tick - from) * columns) / span);
    const label = scale === "time" ? tickTime(tick, step) : String(tick);
    if (at < 0 || at + label.length + 2 > columns) continue;
    cells[at] = ascii ? "+" : "┬";
    for (const [i, character] of [...label].entries()) cells[at + 1 + i] = character;
  }
  return cells.join("");
}

/** As short as the step allows; ticks that are nearer than the digits of a time are told in ns. */
function tickTime(ns: number, step: number): string {
  if (step >= 1000 || ns < 1000) return momentText(ns).replace(/\.0+(?= )|(\.\d*?)0+(?= )/, "$1");
  return `${ns.toLocaleString("en")} ns`;
}
