/** The tabs above the pane: their text, and the pane that a click on them means. Every tab is on the line, however many panes there are. */

/** The number key of the pane at this position; "" beyond the tenth, which `tab` still reaches. */
export const tabKey = (position: number): string => (position < 9 ? String(position + 1) : position === 9 ? "0" : "");

/**
 * Names are shortened, all but that of the shown pane, until the tabs fit into `width` cells. At worst a tab is its number.
 */
function tabs(ids: readonly string[], shown: string, width: number): string[] {
  const longest = Math.max(...ids.map((id) => id.length));
  let texts: string[] = [];
  for (let letters = longest; letters >= 0; letters -= 1) {
    texts = ids.map((id, i) => {
      const name = id === shown ? id : id.slice(0, letters);
      const text = [tabKey(i), name].filter((part) => part !== "").join(" ");
      return id === shown ? `[${text}]` : ` ${text} `;
    });
    if (texts.join(" ").length <= width) return texts;
  }
  return texts;
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
