/** The tabs above the pane: their text, and the pane that a click on them means. Every tab is on the line, however many panes there are. */

/** The number key of the pane at this position; "" beyond the tenth, which `tab` still reaches. */
export const tabKey = (position: number): string => (position < 9 ? String(position + 1) : position === 9 ? "0" : "");

/**
 * Where they do not fit into `width` cells the tabs move together, and names are shortened, all but that of the shown pane. At worst a tab
 * is its number.
 */
function tabs(ids: readonly string[], shown: string, width: number): string[] {
  const longest = Math.max(...ids.map((id) => id.length));
  let texts = ids.map((id, i) => tab(i, id, id === shown, " "));
  if (texts.join(" ").length <= width) return texts;
  for (let letters = longest; letters >= 0; letters -= 1) {
    texts = ids.map((id, i) => tab(i, id === shown ? id : id.slice(0, letters), id === shown, ""));
    if (texts.join(" ").length <= width) return texts;
  }
  return texts;
}

function tab(position: number, name: string, isShown: boolean, around: string): string {
  const text = [tabKey(position), name].filter((part) => part !== "").join(" ");
  return isShown ? `[${text}]` : `${around}${text}${around}`;
}

export const tabLine = (ids: readonly string[], shown: string, width: number): string => tabs(ids, shown, width).join(" ");

/** The pane whose tab is at that column of the line; null between two. */
export function tabAt(ids: readonly string[], shown: string, width: number, column: number): string | null {
  let from = 0;
  for (const [i, tab] of tabs(ids, shown, width).entries()) {
    if (column >= from && column < from + tab.length) return ids[i] ?? null;
    from += tab.length + 1;
  }
  return null;
}
