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
