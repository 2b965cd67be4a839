/** Draws the lanes on a canvas: a lane for each thread, and in it a line for each kind of slice. */

import { momentText } from "../../present/time.ts";
import type { ReportLanes, ReportSlices, ReportThread, SliceKind } from "../data.ts";
import { ticks, type View } from "./view.ts";

export const GUTTER = 130;
export const AXIS = 22;
export const LANE = 52;
const TICK_WIDTH = 110;

/** Where a kind lies in its lane. */
const LINE: Readonly<Record<SliceKind, readonly [top: number, height: number]>> = {
  call: [4, 15],
  handler: [21, 11],
  upcall: [34, 5],
  enclave: [42, 5],
};

export interface Scene {
  readonly lanes: ReportLanes;
  readonly threads: readonly ReportThread[];
  /** Threads that have a lane, from top to bottom. */
  readonly shown: readonly number[];
  readonly view: View;
  /** CSS pixels. */
  readonly width: number;
  readonly selected: { readonly list: ReportSlices; readonly index: number } | null;
  /** Lane that the keys speak of. */
  readonly lane: number;
}

export const heightOf = (lanes: number): number => AXIS + lanes * LANE;

export const xOf = ({ view, width }: Pick<Scene, "view" | "width">, time: number): number =>
  GUTTER + ((time - view.from) / (view.to - view.from)) * (width - GUTTER);

export const timeOf = ({ view, width }: Pick<Scene, "view" | "width">, x: number): number =>
  view.from + ((x - GUTTER) / (width - GUTTER)) * (view.to - view.from);

export function drawLanes(canvas: HTMLCanvasElement, scene: Scene): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const height = heightOf(scene.shown.length);
  const scale = window.devicePixelRatio;
  canvas.width = Math.round(scene.width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.height = `${height}px`;
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  drawAxis(context, scene, height, color);
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, scene.width - GUTTER, height);
  context.clip();
  for (const list of scene.lanes.slices) drawSlices(context, scene, list, color);
  drawArrows(context, scene, color("high"));
  context.restore();
}

type Color = (name: string) => string;

function drawAxis(context: CanvasRenderingContext2D, scene: Scene, height: number, color: Color): void {
  const { width, view, lanes, shown, threads } = scene;
  context.fillStyle = color("gap");
  let last = lanes.from;
  for (const [begin, end] of [...lanes.covered, [lanes.to, lanes.to] as const]) {
    const [x0, x1] = [Math.max(xOf(scene, last), GUTTER), Math.min(xOf(scene, begin), width)];
    if (x1 > x0) context.fillRect(x0, AXIS, x1 - x0, height - AXIS);
    last = end;
  }
  context.fillStyle = color("dim");
  context.strokeStyle = color("line");
  context.lineWidth = 1;
  context.beginPath();
  const { times, step } = ticks(view, (width - GUTTER) / TICK_WIDTH);
  for (const time of times) {
    const x = Math.round(xOf(scene, time)) + 0.5;
    context.moveTo(x, AXIS - 5);
    context.lineTo(x, height);
    context.fillText(momentText(time, digitsOf(step)), x + 3, AXIS / 2);
  }
  shown.forEach((_, lane) => {
    context.moveTo(0, AXIS + lane * LANE + 0.5);
    context.lineTo(width, AXIS + lane * LANE + 0.5);
  });
  context.stroke();
  shown.forEach((thread, lane) => {
    context.fillStyle = color(lane === scene.lane ? "strong" : "text");
    const name = `${lane === scene.lane ? "▸ " : ""}${threads[thread]?.name ?? thread}`;
    context.fillText(fitting(context, name, GUTTER - 10), 4, AXIS + lane * LANE + 14);
  });
}

/** Digits that a millisecond needs after its point for steps of so many ns. */
const digitsOf = (step: number): number => Math.min(6, Math.max(0, Math.ceil(6 - Math.log10(step))));

function drawSlices(context: CanvasRenderingContext2D, scene: Scene, list: ReportSlices, color: Color): void {
  const lane = scene.shown.indexOf(list.thread);
  if (lane < 0) return;
  const [top, height] = LINE[list.kind];
  const y = AXIS + lane * LANE + top;
  const { names } = scene.lanes;
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < list.begin.length; i += 1) {
    const [begin, end] = [list.begin[i] as number, list.end[i] as number];
    if (end < scene.view.from) continue;
    if (begin > scene.view.to) break;
    const x0 = xOf(scene, begin);
    const x1 = Math.max(xOf(scene, end), x0 + 1);
    const chosen = scene.selected?.list === list && scene.selected.index === i;
    // What falls on a pixel that is drawn already cannot be seen.
    if (x1 <= drawnTo && !chosen) continue;
    drawnTo = x1;
    context.fillStyle = color(list.kind);
    context.fillRect(x0, y, x1 - x0, height);
    if (chosen) {
      context.strokeStyle = color("strong");
      context.lineWidth = 2;
      context.strokeRect(x0 - 1, y - 1, x1 - x0 + 2, height + 2);
    }
    const [left, room] = [Math.max(x0, GUTTER) + 3, Math.min(x1, scene.width) - Math.max(x0, GUTTER) - 6];
    if (height < 10 || room < 24) continue;
    context.fillStyle = color("on-slice");
    context.fillText(
      fitting(context, `${names[list.name[i] as number]} ${list.kind === "call" ? names[list.left[i] as number] : ""}`, room),
      left,
      y + height / 2 + 0.5,
    );
  }
}

function drawArrows(context: CanvasRenderingContext2D, scene: Scene, color: string): void {
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = 1.5;
  for (const { begin, from, end, to } of scene.lanes.arrows) {
    if (end < scene.view.from || begin > scene.view.to) continue;
    const [one, other] = [scene.shown.indexOf(from), scene.shown.indexOf(to)];
    if (one < 0 || other < 0) continue;
    const [x0, y0] = [xOf(scene, begin), AXIS + one * LANE + LINE.call[0] + LINE.call[1] / 2];
    const [x1, y1] = [xOf(scene, end), AXIS + other * LANE + LINE.handler[0] + LINE.handler[1] / 2];
    context.beginPath();
    context.moveTo(x0, y0);
    context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
    context.stroke();
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x1 - 6, y1 - 3);
    context.lineTo(x1 - 6, y1 + 3);
    context.fill();
  }
}

function fitting(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > room)
    length = Math.min(length - 1, Math.floor(length * 0.9));
  return length > 0 ? `${text.slice(0, length)}…` : "";
}

/** What is drawn at a point of the canvas; the innermost, which is the one that began last. */
export function sliceAt(scene: Scene, x: number, y: number): Scene["selected"] {
  const lane = Math.floor((y - AXIS) / LANE);
  const inLane = y - AXIS - lane * LANE;
  const time = timeOf(scene, x);
  const slack = ((scene.view.to - scene.view.from) / (scene.width - GUTTER)) * 2;
  let found: Scene["selected"] = null;
  for (const list of scene.lanes.slices) {
    const [top, height] = LINE[list.kind];
    if (list.thread !== scene.shown[lane] || inLane < top || inLane > top + height) continue;
    for (let index = 0; index < list.begin.length && (list.begin[index] as number) <= time + slack; index += 1)
      if ((list.end[index] as number) >= time - slack) found = { list, index };
  }
  return found;
}
