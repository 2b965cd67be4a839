/** A two-column diagram as a table. */

import type { ReportDiagram, ReportLine, ReportRow } from "../data.ts";
import type { Page } from "./context.ts";
import { el } from "./dom.ts";

/** Bars beyond that are drawn on top of each other. */
const MOST_BARS = 14;

export function diagramTable(page: Page, { sgx, lines }: ReportDiagram, caption: string): HTMLElement {
  const head = el(
    "tr",
    {},
    el("th", { scope: "col", class: "seq" }, "seq"),
    el("th", { scope: "col", class: "layer" }, "layer"),
    el("th", { scope: "col" }, "Normal context"),
    el("th", { scope: "col" }, "Signal context"),
    sgx && el("th", { scope: "col", class: "sgx" }, "SGX"),
  );
  const body = el("tbody", {}, ...lines.flatMap((line) => linesOf(page, line, sgx)));
  const table = el("table", { class: "diagram" }, el("caption", {}, caption), el("thead", {}, head), body);
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
}

function linesOf(page: Page, line: ReportLine, sgx: boolean): HTMLElement[] {
  if (line.is === "row") return rowLines(page, line, sgx);
  const text =
    line.is === "crossing"
      ? line.toSignal
        ? `${line.text} ►`
        : `◄ ${line.text}`
      : line.is === "others"
        ? `┄ ${line.count} of other threads ┄`
        : `┄ ${line.count} transitions are left out here ┄`;
  return [el("tr", { class: line.is }, el("td", { colspan: 2 }), el("td", { colspan: 2 }, text), sgx && enclave(line.inside, null))];
}

function rowLines(page: Page, row: ReportRow, sgx: boolean): HTMLElement[] {
  const step = el("div", { class: "step" });
  for (let bar = 0; bar < Math.min(row.bars, MOST_BARS); bar += 1) step.append(el("span", { class: "bar", "aria-hidden": "true" }));
  step.append(el("span", { class: "text" }, row.text, row.notes !== "" && el("span", { class: "notes" }, ` [${row.notes}]`)));
  const made = el(
    "tr",
    { class: row.caption === null ? "row" : "row marked", "data-seq": row.seq, tabindex: -1 },
    el("th", { scope: "row", class: "seq" }, String(row.seq)),
    el("td", { class: `layer ${row.layer}` }, row.layer),
    // Beside a step of the normal context there is nothing: its text has the room.
    row.signal && el("td"),
    row.signal ? el("td", {}, step) : el("td", { colspan: 2 }, step),
    sgx && enclave(row.inside, row.gate),
  );
  if (!page.rows.has(row.seq)) {
    page.rows.set(row.seq, made);
    page.hits.push({ sort: "row", text: `${row.seq} ${row.text} ${row.notes}`, go: () => page.goTo(row.seq) });
  }
  if (row.caption === null) return [made];
  const why = el(
    "tr",
    { class: "why" },
    el("td", { colspan: 2 }),
    el("td", { colspan: 2 }, `▲ ${row.caption}`),
    sgx && enclave(row.inside, null),
  );
  return [made, why];
}

const GATE = { enter: "┓", leave: "┛" } as const;

function enclave(inside: boolean, gate: "enter" | "leave" | null): HTMLElement {
  const text = gate === null ? "" : GATE[gate];
  return el("td", { class: inside && gate === null ? "sgx inside" : "sgx", "aria-label": inside ? "in the enclave" : undefined }, text);
}
