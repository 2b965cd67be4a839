/**
 * What documents show is what the program does. EINTR_UPDATE=1 npx vitest run test/documents.test.ts writes it anew.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { keyTable } from "../tui/replay/keys.ts";
import { svgOf } from "../tui/replay/svg.ts";
import { expectGolden } from "./support/golden.ts";
import { sessionOf, worldOf } from "./support/replay.ts";
import { tempPaths } from "./support/temp-dir.ts";

const fresh = tempPaths();
const README = fileURLToPath(new URL("../README.md", import.meta.url));
const SIZE = { width: 120, height: 36 } as const;

test("tui/replay/screen.svg, the README's picture, is the screen of the wrong turn", async () => {
  const world = await worldOf("lost-interrupted-error", fresh("picture.trace"), { color: true });
  try {
    const s = sessionOf(world, SIZE);
    await s.press("enter");
    while (!s.state().message.startsWith("the wrong turn")) await s.press("enter");
    expectGolden("../../tui/replay/screen.svg", svgOf(s.screen().split("\n"), SIZE.width));
  } finally {
    world.trace.close();
  }
});

test("the README's table of keys is that of tui/replay/keys.ts", () => {
  const readme = readFileSync(README, "utf8");
  const [shown = ""] = /^\| keys \|.*\n(?:\|.*\n)*/m.exec(readme) ?? [];
  const table = `${keyTable().trim()}\n`;
  if (process.env.EINTR_UPDATE === "1")
    writeFileSync(
      README,
      readme.replace(shown, () => table),
    );
  else
    expect(shown.split("\n"), "the README shows other keys: EINTR_UPDATE=1 npx vitest run test/documents.test.ts").toEqual(
      table.split("\n"),
    );
});
