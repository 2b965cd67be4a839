/** The page of a report. Its data stands in the document as JSON; nothing is fetched, and no text of it becomes HTML. */

import { momentText } from "../../present/time.ts";
import type { ReportData } from "../data.ts";
import type { Page } from "./context.ts";
import { differencesSection } from "./differences.ts";
import { count, el, reveal } from "./dom.ts";
import { findingsSection } from "./findings.ts";
import { createLanes } from "./lanes.ts";
import { notesSection } from "./notes.ts";
import { createSearch } from "./search.ts";
import { signalsSection } from "./signals.ts";

const data = JSON.parse(document.getElementById("eintr-data")?.textContent ?? "{}") as ReportData;
const rows = new Map<number, HTMLElement>();
const page: Page = {
  data,
  hits: [],
  rows,
  goTo(seq) {
    const row = rows.get(seq);
    if (row !== undefined) reveal(row);
    else if (!lanes.showSeq(seq)) return;
    history.replaceState(null, "", `#seq-${seq}`);
  },
  showTime: (time, thread) => lanes.showTime(time, thread),
};
const lanes = createLanes(page);
const search = createSearch(page);
const findings = findingsSection(page);
const differences = differencesSection(page);
const notes = notesSection(page);
const signals = signalsSection(page);
addCalls();

const title = `${data.run.scenario} on ${[data.run.stack, ...data.run.fixes, ...data.run.options].join(" + ")}`;
document.body.append(
  el(
    "header",
    {},
    el("h1", {}, title),
    el(
      "nav",
      { "aria-label": "Parts of the report" },
      ...[findings, differences, ...(notes === null ? [] : [notes]), lanes.element, signals].map((section) =>
        el("a", { href: `#${section.id}` }, section.querySelector("h2")?.textContent ?? ""),
      ),
    ),
    search.element,
  ),
  el("main", {}, verdictSection(), findings, differences, ...(notes === null ? [] : [notes]), lanes.element, signals, facts()),
);
lanes.redraw();
new ResizeObserver(() => lanes.redraw()).observe(lanes.element);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => lanes.redraw());
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  lanes.redraw();
});
addEventListener("keydown", onKey);
addEventListener("hashchange", followHash);
followHash();

function verdictSection(): HTMLElement {
  const [what = "", ...rest] = data.verdict;
  const section = el(
    "section",
    { id: "verdict" },
    el("h2", {}, "Verdict"),
    el("p", { class: "what" }, what),
    ...rest.map((line) => el("p", {}, line)),
  );
  if (data.cuts.length > 0)
    section.append(el("ul", { class: "cuts", "aria-label": "What is left out" }, ...data.cuts.map((cut) => el("li", {}, cut))));
  const others = data.outcomes.filter(({ subject }) => subject !== "run");
  if (others.length > 0) {
    const head = ["", "name", "here", "on Linux"].map((text) => el("th", { scope: "col" }, text));
    const lines = others.map(({ subject, name, text, other }) =>
      el(
        "tr",
        { class: other !== null && other !== text ? "cause" : undefined },
        ...[subject, name, text, other ?? "–"].map((cell) => el("td", {}, cell)),
      ),
    );
    const table = el("table", { class: "list" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines));
    section.append(el("details", {}, el("summary", {}, "How processes and threads ended"), el("div", { class: "scroll" }, table)));
  }
  return section;
}

function facts(): HTMLElement {
  const { eintr, transitions, time, clock, reason, digest } = data.run;
  const about = [
    `recorded by eintr ${eintr}`,
    `${count(transitions)} transitions`,
    `${momentText(time)} of ${clock}`,
    `ended: ${reason}`,
    ...(digest === "" ? [] : [`digest ${digest}`]),
  ];
  const quality = data.quality.map(({ name, count: n, severity, advice }) => el("li", {}, `${severity}: ${name}: ${count(n)} (${advice})`));
  return el(
    "footer",
    { id: "facts" },
    el("p", {}, about.join(" · ")),
    quality.length > 0 && el("ul", { "aria-label": "Quality of the recording" }, ...quality),
    el("p", { class: "hint" }, "Keys: / search, f next finding, F previous finding."),
  );
}

/** Calls and handlers are found by their name; the same name twice leads to the first. */
function addCalls(): void {
  const seen = new Set<number>();
  for (const list of data.lanes.slices) {
    if (list.kind === "enclave" || list.kind === "upcall") continue;
    list.name.forEach((name, i) => {
      if (seen.has(name)) return;
      seen.add(name);
      const seq = list.seq[i] as number;
      page.hits.push({
        sort: list.kind,
        text: `${seq} ${data.lanes.names[name]} ${data.threads[list.thread]?.name ?? ""}`,
        go: () => void lanes.showSeq(seq),
      });
    });
  }
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
  if (event.key === "/") search.focus();
  else if (event.key === "f") toFinding(1);
  else if (event.key === "F") toFinding(-1);
  else return;
  event.preventDefault();
}

let finding = -1;
function toFinding(direction: 1 | -1): void {
  const articles = document.querySelectorAll<HTMLElement>("article.finding");
  finding = Math.min(Math.max(finding + direction, 0), articles.length - 1);
  const article = articles[finding];
  if (article !== undefined) reveal(article);
}

/** #seq-313 leads to that transition, also from a link in an issue. */
function followHash(): void {
  const seq = /^#seq-(\d{1,16})$/.exec(location.hash)?.[1];
  if (seq !== undefined) page.goTo(Number(seq));
  const article = /^#finding-\d{1,9}$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
  if (article !== null) reveal(article);
}
