/** The tabs: every pane can be seen and clicked at every width of the side, also when there are more panes than today. */

import { describe, expect, test } from "vitest";
import { PANE_IDS } from "../../../../tui/replay/panes/index.ts";
import { tabAt, tabHeight, tabKey, tabLines } from "../../../../tui/replay/panes/tabs.ts";
import { layoutOf } from "../../../../tui/replay/screen/layout.ts";

const NINE = [...PANE_IDS, "coverage", "schedules"];
const TWELVE = [...NINE, "locks", "masks", "timers"];
const line = (width: number) => ({ width, height: 1 });

describe("tabs", () => {
  test("have whole names where these fit", () => {
    expect(tabLines(["state", "signal"], "signal", line(80))).toEqual([" 1 state  [2 signal]"]);
  });

  test("are shortened where not, the shown one is whole", () => {
    expect(tabLines(["state", "signal", "findings"], "signal", line(26))).toEqual(["1 state [2 signal] 3 findi"]);
    expect(tabLines(["state", "signal", "findings"], "signal", line(19))).toEqual(["1 s [2 signal] 3 f"]);
  });

  test("beside the timeline they take two lines where one has no room for the names", () => {
    expect(tabHeight(PANE_IDS, 70)).toBe(1);
    const { tabs, panels } = layoutOf({ width: 120, height: 39, pane: "findings" });
    expect(tabs.height).toBe(2);
    expect(panels[0]?.top).toBe(tabs.top + 2);
    expect(tabLines(PANE_IDS, "findings", tabs)).toEqual([
      " 1 state   2 signal  [3 findings]  4 lanes ",
      " 5 flow   6 sql   7 compare   8 stops ",
    ]);
    expect(layoutOf({ width: 200, height: 59 }).tabs.height).toBe(1);
  });

  test.each([60, 80, 120, 139, 140, 159, 160, 200])(
    "at %d columns each of seven, nine and twelve is there and found by a click",
    (columns) => {
      const { tabs } = layoutOf({ width: columns, height: 40 });
      for (const ids of [PANE_IDS, NINE, TWELVE])
        for (const shown of ids) {
          const lines = tabLines(ids, shown, tabs);
          for (const text of lines) expect(text.length).toBeLessThanOrEqual(tabs.width);
          expect(lines.join("\n")).toContain(`${shown}]`);
          const found = lines.flatMap((text, i) => Array.from(text, (_, column) => tabAt(ids, shown, tabs, i, column)));
          expect([...new Set(found.filter((id) => id !== null))]).toEqual(ids);
        }
    },
  );

  test("the first ten have a number key", () => {
    expect(TWELVE.slice(0, 12).map((_, i) => tabKey(i))).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "", ""]);
  });
});
