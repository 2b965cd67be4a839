/** The search: all words of the text have to be there, in any order. */

import type { Hit, Page } from "./context.ts";
import { button, count, el } from "./dom.ts";

const MOST_SHOWN = 50;

export interface Search {
  readonly element: HTMLElement;
  focus(): void;
}

export function createSearch(page: Page): Search {
  const input = el("input", {
    type: "search",
    id: "search",
    placeholder: "search ( / )",
    "aria-label": "Search",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("ol", { class: "hits", "aria-label": "Search results" });
  const status = el("p", { class: "status", role: "status" });
  const results = el("div", { class: "results", hidden: true }, status, list);
  let texts: readonly string[] = [];

  const close = (): void => {
    results.hidden = true;
  };
  const look = (): void => {
    const words = input.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    list.replaceChildren();
    results.hidden = words.length === 0;
    if (words.length === 0) return;
    // Made when it is first needed: a long report has many.
    if (texts.length !== page.hits.length) texts = page.hits.map(({ sort, text }) => `${sort} ${text}`.toLowerCase());
    const found = page.hits.filter((_, i) => words.every((word) => texts[i]?.includes(word)));
    status.textContent =
      found.length === 0 ? "nothing found" : `${count(found.length)} found${found.length > MOST_SHOWN ? `, the first ${MOST_SHOWN}` : ""}`;
    for (const hit of found.slice(0, MOST_SHOWN)) list.append(el("li", {}, hitButton(hit, close)));
  };

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const first = list.querySelector("button");
    if (event.key === "Enter") first?.click();
    else if (event.key === "ArrowDown") first?.focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("keydown", (event) => {
    const here = document.activeElement?.parentElement;
    const next = event.key === "ArrowDown" ? here?.nextElementSibling : event.key === "ArrowUp" ? here?.previousElementSibling : undefined;
    if (event.key === "Escape") close();
    if (event.key === "Escape" || next === null) input.focus();
    else if (next === undefined) return;
    else next.querySelector("button")?.focus();
    event.preventDefault();
  });
  return { element: el("search", { class: "search" }, input, results), focus: () => input.focus() };
}

function hitButton(hit: Hit, close: () => void): HTMLButtonElement {
  const made = button("", () => {
    close();
    hit.go();
  });
  made.append(el("span", { class: "sort" }, hit.sort), ` ${hit.text}`);
  return made;
}
