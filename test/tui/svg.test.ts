/** The picture that `s` writes. */

import { expect, test } from "vitest";
import { svgOf } from "../../tui/present/svg.ts";

test("a picture is well-formed whatever the lines hold, and as wide as the screen", () => {
  const svg = svgOf(['<script>"&', "\u001b[7m \u001b[27m\u001b[2m日本\u001b[22m", ""], 20);
  expect(svg).toContain('&lt;script&gt;"&amp;');
  expect(svg).not.toContain("<script>");
  // Margins and twenty cells.
  expect(svg).toMatch(/^<svg [^>]*width="192" /);
});
