/** The findings: each with its evidence, its diagram and what the rule says. */

import { durationText } from "../../present/time.ts";
import type { ReportFinding } from "../data.ts";
import type { Page } from "./context.ts";
import { diagramTable } from "./diagram.ts";
import { button, count, el, reveal } from "./dom.ts";

export function findingsSection(page: Page): HTMLElement {
  const { findings } = page.data;
  const section = el("section", { id: "findings" }, el("h2", {}, `Findings (${count(findings.length)})`));
  if (findings.length === 0) section.append(el("p", {}, "The rules found nothing."));
  for (const [i, finding] of findings.entries()) section.append(findingArticle(page, finding, i === 0));
  return section;
}

function findingArticle(page: Page, finding: ReportFinding, open: boolean): HTMLElement {
  const { id, rule, severity, title, thread, from, to, cost, fingerprint, alike, evidence, diagram, about } = finding;
  const facts = [
    `seq ${from} to ${to}`,
    ...(thread === "" ? [] : [`thread ${thread}`]),
    `cost ${durationText(cost)}`,
    `fingerprint ${fingerprint}`,
    ...(alike === 0 ? [] : [`${count(alike)} more like it`]),
  ];
  const article = el(
    "article",
    { id: `finding-${id}`, class: `finding ${severity}`, tabindex: -1 },
    el("h3", {}, el("span", { class: `severity ${severity}` }, severity), ` ${title}`),
    el("p", { class: "facts" }, el("code", {}, rule), ` · ${facts.join(" · ")}`),
    el("ol", { class: "evidence" }, ...evidence.map((one) => el("li", {}, seqButton(page, one.seq), ` ${one.caption}`))),
  );
  if (diagram !== null) {
    const table = diagramTable(page, diagram, `${title}: seq ${from} to ${to}`);
    article.append(el("details", { open }, el("summary", {}, "Diagram"), table));
  }
  if (about !== null) {
    article.append(
      el("details", {}, el("summary", {}, "About the rule"), el("p", {}, about.what), el("p", {}, about.why), el("p", {}, about.remedy)),
    );
  }
  const go = (): void => reveal(article);
  page.hits.push({ sort: "finding", text: `${severity} ${rule} ${title} ${thread}`, go });
  for (const one of evidence) page.hits.push({ sort: "evidence", text: `${one.seq} ${one.caption}`, go: () => page.goTo(one.seq) });
  return article;
}

/** Leads to the transition. */
export const seqButton = (page: Page, seq: number): HTMLButtonElement =>
  button(String(seq), () => page.goTo(seq), { class: "seq", title: `go to seq ${seq}` });
