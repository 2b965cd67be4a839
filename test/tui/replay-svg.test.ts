/**
 * The picture in the README: what `s` writes of the wrong turn of the built-in case.
 * EINTR_UPDATE=1 npx vitest run test/tui/replay-svg.test.ts draws it anew.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { svgOf } from "../../tui/replay/svg.ts";
import { sessionOf, worldOf } from "../support/replay.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const PICTURE = fileURLToPath(new URL("../../tui/replay/screen.svg", import.meta.url));
const SIZE = { width: 120, height: 36 } as const;

test("tui/replay/screen.svg is the screen of the wrong turn", async () => {
  const world = await worldOf("lost-interrupted-error", fresh("picture.trace"), { color: true });
  try {
    const s = sessionOf(world, SIZE);
    await s.press("enter");
    while (!s.state().message.startsWith("the wrong turn")) await s.press("enter");
    const svg = svgOf(s.screen().split("\n"), SIZE.width);
    if (process.env.EINTR_UPDATE === "1") writeFileSync(PICTURE, svg);
    expect(svg).toBe(readFileSync(PICTURE, "utf8"));
  } finally {
    world.trace.close();
  }
});

test("a picture is well-formed whatever the lines hold, and as wide as the screen", () => {
  const svg = svgOf(['<script>"&', "\u001b[7m \u001b[27m\u001b[2m日本\u001b[22m", ""], 20);
  expect(svg).toContain('&lt;script&gt;"&amp;');
  expect(svg).not.toContain("<script>");
  // Margins and twenty cells.
  expect(svg).toMatch(/^<svg [^>]*width="192" /);
});
