/** Goldens: pictures that a person can review, under `test/golden` (or where a document shows them). */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** `file` is relative to `test/golden`. EINTR_UPDATE=1 writes it anew. */
export function expectGolden(file: string, text: string): void {
  const golden = fileURLToPath(new URL(`../golden/${file}`, import.meta.url));
  if (process.env.EINTR_UPDATE === "1") writeFileSync(golden, text);
  expect(existsSync(golden), `${golden} is missing: EINTR_UPDATE=1 writes it`).toBe(true);
  expect(text).toBe(readFileSync(golden, "utf8"));
}

const README = fileURLToPath(new URL("../../README.md", import.meta.url));

/** A part of the README that a test writes, found by its form. EINTR_UPDATE=1 writes it anew. */
export function expectInReadme(pattern: RegExp, expected: string): void {
  const readme = readFileSync(README, "utf8");
  const [shown = ""] = pattern.exec(readme) ?? [];
  expect(shown, `the README has no ${pattern}`).not.toBe("");
  if (process.env.EINTR_UPDATE === "1")
    writeFileSync(
      README,
      readme.replace(shown, () => expected),
    );
  else expect(shown.split("\n"), "the README shows something else: EINTR_UPDATE=1 writes it").toEqual(expected.split("\n"));
}
