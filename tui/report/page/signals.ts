/** The roads of the signals: layers from top to bottom, hops from left to right. */

import { durationText, momentText } from "../../present/time.ts";
import type { ReportHop, ReportSignal } from "../data.ts";
import type { Page } from "./context.ts";
import { count, el, reveal, svg } from "./dom.ts";
import { seqButton } from "./findings.ts";

/** From the application down to the host. */
const LAYERS = ["app", "libos", "pal", "untrusted-pal", "host"];
const STEP = 46;
const ROW = 12;
const MARGIN = 8;
/** Roads drawn when the page opens; the others when their part is unfolded. */
const DRAWN = 40;

export function signalsSection(page: Page): HTMLElement {
  const { signals } = page.data;
  const section = el("section", { id: "signals" }, el("h2", {}, `Signals (${count(signals.length)})`));
  if (signals.length === 0) section.append(el("p", {}, "No signal was made."));
  else section.append(el("p", { class: "hint" }, `A road leads through the layers, from the top: ${LAYERS.join(", ")}.`));
  const list = el("ol", { class: "signals" }, ...signals.slice(0, DRAWN).map((signal) => item(page, signal)));
  section.append(list);
  const rest = signals.slice(DRAWN);
  if (rest.length > 0)
    section.append(
      el(
        "details",
        {},
        el("summary", {}, `${count(rest.length)} more`),
        el("ol", { class: "signals" }, ...rest.map((one) => item(page, one))),
      ),
    );
  return section;
}

function item(page: Page, signal: ReportSignal): HTMLElement {
  const { id, signal: name, thread, outcome, delay, hops } = signal;
  const took = delay === null ? "" : `, after ${durationText(delay)}`;
  const title = `${name} to ${thread}: ${outcome}${took}`;
  const list = el(
    "ol",
    { class: "hops" },
    ...hops.map((hop) => el("li", {}, seqButton(page, hop.seq), ` ${hop.name}, ${hop.layer}, at ${momentText(hop.time)}`)),
  );
  const made = el(
    "li",
    { class: outcome === "handled" ? "signal" : "signal unhandled", tabindex: -1 },
    el("details", {}, el("summary", {}, el("span", { class: "title" }, `#${id} ${title}`), road(hops, title)), list),
  );
  page.hits.push({ sort: "signal", text: `#${id} ${title}`, go: () => reveal(made) });
  return made;
}

function road(hops: readonly ReportHop[], title: string): SVGElement {
  const place = (hop: ReportHop, i: number): readonly [number, number] => [
    MARGIN + i * STEP,
    MARGIN + Math.max(0, LAYERS.indexOf(hop.layer)) * ROW,
  ];
  const points = hops.map(place);
  const width = 2 * MARGIN + Math.max(0, hops.length - 1) * STEP;
  const height = 2 * MARGIN + (LAYERS.length - 1) * ROW;
  return svg(
    "svg",
    { class: "road", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    ...LAYERS.map((_, i) => svg("line", { class: "layer", x1: 0, x2: width, y1: MARGIN + i * ROW, y2: MARGIN + i * ROW })),
    svg("polyline", { class: "way", points: points.map((point) => point.join(",")).join(" ") }),
    ...hops.map((hop, i) => {
      const [cx, cy] = points[i] ?? [0, 0];
      return svg("circle", { class: hop.name, cx, cy, r: 4 }, svg("title", {}, `${hop.name}: seq ${hop.seq}, ${hop.layer}`));
    }),
  );
}
