/** The tabs of the panes: their lines, and the pane that a click on them means. Every tab is there, however many panes there are. */

/** The number key of the pane at this position; "" beyond the tenth, which `tab` still reaches. */
export const tabKey = (position: number): string => (position < 9 ? String(position + 1) : position === 9 ? "0" : "");

interface Size {
  readonly width: number;
  /** Lines. */
  readonly height: number;
}

/** Lines that give each tab its whole name, two at most. */
export const tabHeight = (ids: readonly string[], width: number): 1 | 2 => (textOf(ids, 0, ids[0] ?? "", "").length <= width ? 1 : 2);

const textOf = (ids: readonly string[], from: number, shown: string, around: string): string => row(ids, from, shown, around).join(" ");

const row = (ids: readonly string[], from: number, shown: string, around: string): string[] =>
  ids.map((id, i) => tab(from + i, id, id === shown, around));

/** The tabs of each line. */
function tabRows(ids: readonly string[], shown: string, { width, height }: Size): string[][] {
  const each = Math.ceil(ids.length / height);
  return Array.from({ length: height }, (_, line) => fitted(ids.slice(line * each, (line + 1) * each), line * each, shown, width));
}

/** Where they do not fit the tabs move together, and names are shortened, all but that of the shown pane. At worst a tab is its number. */
function fitted(ids: readonly string[], from: number, shown: string, width: number): string[] {
  const longest = Math.max(0, ...ids.map((id) => id.length));
  if (textOf(ids, from, shown, " ").length <= width) return row(ids, from, shown, " ");
  for (let letters = longest; letters > 0; letters -= 1) {
    const names = ids.map((id) => (id === shown ? id : id.slice(0, letters)));
    if (textOf(names, from, shown, "").length <= width) return row(names, from, shown, "");
  }
  return row(
    ids.map((id) => (id === shown ? id : "")),
    from,
    shown,
    "",
  );
}

function tab(position: number, name: string, isShown: boolean, around: string): string {
  const text = [tabKey(position), name].filter((part) => part !== "").join(" ");
  return isShown ? `[${text}]` : `${around}${text}${around}`;
}

export const tabLines = (ids: readonly string[], shown: string, size: Size): string[] =>
  tabRows(ids, shown, size).map((tabs) => tabs.join(" "));

/** The pane whose tab is at that place of the tabs; null between two. */
export function tabAt(ids: readonly string[], shown: string, size: Size, line: number, column: number): string | null {
  const each = Math.ceil(ids.length / size.height);
  let from = 0;
  for (const [i, text] of (tabRows(ids, shown, size)[line] ?? []).entries()) {
    if (column >= from && column < from + text.length) return ids[line * each + i] ?? null;
    from += text.length + 1;
  }
  return null;
}
