/** Bookmarks and notes that were set in the replay. */

import { momentText } from "../../present/time.ts";
import type { Page } from "./context.ts";
import { count, el } from "./dom.ts";
import { seqButton } from "./findings.ts";

/** Null when there are none. */
export function notesSection(page: Page): HTMLElement | null {
  const { notes } = page.data;
  if (notes.length === 0) return null;
  const lines = notes.map(({ seq, time, thread, place, note }) =>
    el(
      "li",
      {},
      seqButton(page, seq),
      ` ${momentText(time)} ${thread} `,
      el("code", {}, place),
      ...(note === "" ? [] : [el("p", { class: "note" }, note)]),
    ),
  );
  for (const { seq, note, place } of notes) page.hits.push({ sort: "note", text: `${seq} ${note || place}`, go: () => page.goTo(seq) });
  return el("section", { id: "notes" }, el("h2", {}, `Notes (${count(notes.length)})`), el("ul", { class: "evidence" }, ...lines));
}
