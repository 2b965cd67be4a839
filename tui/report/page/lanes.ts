/** The lanes of the threads over time: zoom, move, choose; with mouse, wheel, keys and buttons. */

import { durationText, momentText } from "../../present/time.ts";
import type { ReportLanes, ReportSlices } from "../data.ts";
import type { Page } from "./context.ts";
import { button, count, el } from "./dom.ts";
import { seqButton } from "./findings.ts";
import { AXIS, drawLanes, GUTTER, heightOf, LANE, type Scene, sliceAt, timeOf } from "./lanes-draw.ts";
import { centred, panned, type View, zoomed } from "./view.ts";

const MOST_LANES = 60;
/** A pointer that moves so far drags. */
const DRAG_PIXELS = 4;
const ZOOM = 0.7;
const PAN = 0.2;
const KEYS =
  "With the lanes in focus: + and - zoom, left and right move, 0 shows all, up and down choose a lane, n and p go from slice to slice.";

export interface Lanes {
  readonly element: HTMLElement;
  showTime(time: number, thread: number | null): void;
  /** To the slice that a transition is in, or that began last before it; false when there is none. */
  showSeq(seq: number): boolean;
  redraw(): void;
}

export function createLanes(page: Page): Lanes {
  const { lanes, threads, run } = page.data;
  const whole: View = { from: lanes.from, to: Math.max(lanes.to, lanes.from + 1) };
  const withSlices = [...new Set(lanes.slices.map(({ thread }) => thread))].sort((a, b) => a - b);
  const shown = withSlices.slice(0, MOST_LANES);
  let view = whole;
  let selected: Scene["selected"] = null;
  let lane = 0;

  const canvas = el("canvas", {
    class: "lanes",
    tabindex: 0,
    role: "application",
    "aria-label": `Lanes of ${count(shown.length)} threads. ${KEYS}`,
  });
  const details = el("p", { class: "details", role: "status" }, KEYS);
  const scene = (): Scene => ({ lanes, threads, shown, view, width: canvas.clientWidth || 800, selected, lane });
  const redraw = (): void => drawLanes(canvas, scene());
  const look = (to: View): void => {
    view = to;
    redraw();
  };
  const middle = (): number => (view.from + view.to) / 2;

  const choose = (chosen: Scene["selected"]): void => {
    selected = chosen;
    if (chosen === null) details.replaceChildren(KEYS);
    else {
      const { list, index } = chosen;
      lane = Math.max(0, shown.indexOf(list.thread));
      const [begin, end] = [list.begin[index] as number, list.end[index] as number];
      const text = `${lanes.names[list.name[index] as number]} on ${threads[list.thread]?.name ?? list.thread}: ${lanes.names[list.left[index] as number]}, at ${momentText(begin)}, for ${durationText(end - begin)}. Seq `;
      details.replaceChildren(text, seqButton(page, list.seq[index] as number));
      if (begin > view.to || end < view.from) view = centred(view, whole, begin, view.to - view.from);
    }
    redraw();
  };

  /** The next or previous slice of the lane, of any kind, by its begin. */
  const step = (direction: 1 | -1): void => {
    const ofLane = lanes.slices
      .filter(({ thread }) => thread === shown[lane])
      .flatMap((list) => list.seq.map((seq, index) => ({ list, index, seq })));
    ofLane.sort((a, b) => a.seq - b.seq);
    const here = selected === null ? null : (selected.list.seq[selected.index] as number);
    const fresh = here === null || selected?.list.thread !== shown[lane];
    const next = fresh
      ? ofLane.find(({ list, index }) => (list.end[index] as number) >= view.from)
      : direction === 1
        ? ofLane.find(({ seq }) => seq > here)
        : ofLane.findLast(({ seq }) => seq < here);
    if (next !== undefined) choose(next);
  };

  const keys: Readonly<Record<string, () => void>> = {
    "+": () => look(zoomed(view, whole, middle(), ZOOM)),
    "=": () => look(zoomed(view, whole, middle(), ZOOM)),
    "-": () => look(zoomed(view, whole, middle(), 1 / ZOOM)),
    "0": () => look(whole),
    ArrowLeft: () => look(panned(view, whole, -PAN)),
    ArrowRight: () => look(panned(view, whole, PAN)),
    ArrowUp: () => toLane(lane - 1),
    ArrowDown: () => toLane(lane + 1),
    n: () => step(1),
    p: () => step(-1),
  };
  const toLane = (to: number): void => {
    lane = Math.min(Math.max(to, 0), shown.length - 1);
    redraw();
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      // A plain wheel scrolls the page.
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
      event.preventDefault();
      if (event.shiftKey) look(panned(view, whole, Math.sign(event.deltaX + event.deltaY) * PAN * 0.5));
      else look(zoomed(view, whole, timeOf(scene(), event.offsetX), event.deltaY > 0 ? 1 / 0.85 : 0.85));
    },
    { passive: false },
  );
  canvas.addEventListener("dblclick", (event) => look(zoomed(view, whole, timeOf(scene(), event.offsetX), ZOOM * ZOOM)));
  canvas.addEventListener("pointerdown", (event) => {
    const began = { x: event.offsetX, view };
    let dragged = false;
    canvas.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      const by = moved.offsetX - began.x;
      dragged ||= Math.abs(by) > DRAG_PIXELS;
      if (dragged) look(panned(began.view, whole, -by / Math.max(canvas.clientWidth - GUTTER, 1)));
    };
    const up = (ended: PointerEvent): void => {
      canvas.removeEventListener("pointermove", move);
      if (!dragged) choose(sliceAt(scene(), ended.offsetX, ended.offsetY));
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", up, { once: true });
  });

  const tools = el(
    "p",
    { class: "tools" },
    button("+", () => keys["+"]?.(), { "aria-label": "zoom in" }),
    button("−", () => keys["-"]?.(), { "aria-label": "zoom out" }),
    button("◂", () => keys.ArrowLeft?.(), { "aria-label": "back in time" }),
    button("▸", () => keys.ArrowRight?.(), { "aria-label": "on in time" }),
    button("all", () => keys["0"]?.()),
    el("span", { class: "legend" }, ...["call", "handler", "upcall", "enclave"].map((kind) => el("span", { class: kind }, kind))),
  );
  const hint =
    withSlices.length > shown.length
      ? el("p", { class: "hint" }, `The first ${shown.length} of ${count(withSlices.length)} threads have a lane.`)
      : null;
  const element = el(
    "section",
    { id: "lanes" },
    el("h2", {}, "Lanes"),
    el(
      "p",
      { class: "hint" },
      `${run.clock}, ${durationText(whole.to - whole.from)}. The arrow of a signal leads from where it was made to its handler.${isWhole(lanes) ? "" : " Grey stretches are left out."}`,
    ),
    tools,
    hint,
    el("div", { class: "canvas" }, canvas),
    details,
  );

  const showTime = (time: number, thread: number | null): void => {
    if (thread !== null && shown.includes(thread)) lane = shown.indexOf(thread);
    look(centred(view, whole, time, (whole.to - whole.from) / 10));
    canvas.scrollIntoView({ block: "nearest" });
  };
  return {
    element,
    redraw,
    showTime,
    showSeq(seq) {
      const at = sliceBefore(lanes.slices, seq);
      if (at === null) return false;
      showTime(at.list.begin[at.index] as number, at.list.thread);
      choose(at);
      canvas.focus({ preventScroll: true });
      element.scrollIntoView({ block: "nearest" });
      const y = AXIS + lane * LANE;
      canvas.parentElement?.scrollTo({ top: Math.min(y, heightOf(shown.length)) - LANE });
      return true;
    },
  };
}

const isWhole = ({ covered, from, to }: ReportLanes): boolean => covered.some(([begin, end]) => begin <= from && end >= to);

/** The slice with the largest seq up to this one. */
function sliceBefore(slices: readonly ReportSlices[], seq: number): Scene["selected"] {
  let found: Scene["selected"] = null;
  let nearest = -1;
  for (const list of slices) {
    const index = list.seq.findLastIndex((begin) => begin <= seq);
    const begin = list.seq[index] ?? -1;
    if (begin > nearest) {
      nearest = begin;
      found = { list, index };
    }
  }
  return found;
}
