/** The tabs: every pane can be seen and clicked at every width of the side, also when there are more panes than today. */

import { describe, expect, test } from "vitest";
import { PANE_IDS } from "../../../../tui/replay/panes/index.ts";
import { tabAt, tabKey, tabLine } from "../../../../tui/replay/panes/tabs.ts";
import { layoutOf } from "../../../../tui/replay/screen/layout.ts";

const NINE = [...PANE_IDS, "coverage", "schedules"];
const TWELVE = [...NINE, "locks", "masks", "timers"];

describe("tabs", () => {
  test("have whole names where these fit", () => {
    expect(tabLine(["state", "signal"], "signal", 80)).toBe(" 1 state  [2 signal]");
  });

  test("are shortened where not, the shown one is whole", () => {
    expect(tabLine(["state", "signal", "findings"], "signal", 26)).toBe("1 state [2 signal] 3 findi");
    expect(tabLine(["state", "signal", "findings"], "signal", 19)).toBe("1 s [2 signal] 3 f");
  });

  test.each([60, 80, 139, 140, 159, 160, 200])(
    "at %d columns each of seven, nine and twelve is on the line and found by a click",
    (columns) => {
      const { width } = layoutOf({ width: columns, height: 40 }).tabs;
      for (const ids of [PANE_IDS, NINE, TWELVE])
        for (const shown of ids) {
          const line = tabLine(ids, shown, width);
          expect(line.length).toBeLessThanOrEqual(width);
          expect(line).toContain(`${shown}]`);
          const found = Array.from(line, (_, column) => tabAt(ids, shown, width, column)).filter((id) => id !== null);
          expect([...new Set(found)]).toEqual(ids);
        }
    },
  );

  test("the first ten have a number key", () => {
    expect(TWELVE.slice(0, 12).map((_, i) => tabKey(i))).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "", ""]);
  });
});
