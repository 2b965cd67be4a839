/** What the application saw otherwise than on Linux alone. */

import type { ReportDifference } from "../data.ts";
import type { Page } from "./context.ts";
import { diagramTable } from "./diagram.ts";
import { count, el, reveal } from "./dom.ts";
import { seqButton } from "./findings.ts";

const WEIGHTS: Readonly<Record<string, string>> = { differs: "", timing: "at another moment", cut: "one run ended before it" };

export function differencesSection(page: Page): HTMLElement {
  const { differences } = page.data;
  const section = el("section", { id: "differences" }, el("h2", {}, `Differences (${count(differences.length)})`));
  if (differences.length === 0) {
    section.append(el("p", {}, "There is none, or there is nothing to compare the run with: see the verdict."));
    return section;
  }
  const cause = differences.find((one) => one.diagram !== null);
  if (cause?.diagram !== undefined && cause.diagram !== null) {
    const title = `The first difference: ${cause.what}: ${cause.here}, on Linux ${cause.there}`;
    section.append(
      el("details", { open: page.data.findings.length === 0 }, el("summary", {}, title), diagramTable(page, cause.diagram, title)),
    );
  }
  const head = ["seq", "thread", "call or handler", "here", "on Linux", "kind"].map((title) => el("th", { scope: "col" }, title));
  const table = el(
    "table",
    { class: "list" },
    el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...differences.map((one) => row(page, one))),
  );
  section.append(el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Differences" }, table));
  return section;
}

function row(page: Page, one: ReportDifference): HTMLElement {
  const { seq, thread, what, line, here, there, kind, weight, cause } = one;
  const notes = [kind, WEIGHTS[weight] ?? weight, ...(cause ? ["the first one"] : [])].filter((text) => text !== "");
  const made = el(
    "tr",
    { class: cause ? "cause" : undefined, tabindex: -1 },
    el("td", {}, seq === null ? "–" : seqButton(page, seq)),
    el("td", {}, thread),
    el("td", {}, line === null ? what : `${what} (line ${line} of the log)`),
    el("td", {}, here),
    el("td", {}, there),
    el("td", {}, notes.join(", ")),
  );
  page.hits.push({
    sort: "difference",
    text: `${seq ?? ""} ${thread} ${what} ${here} ${there} ${notes.join(" ")}`,
    go: () => reveal(made),
  });
  return made;
}
