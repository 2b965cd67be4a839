/** A folder of its own for each test file, removed at the end. */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";

/** Returns a function that gives a fresh path (not made yet) in the folder. */
export function tempPaths(): (name?: string) => string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "eintr-test-"));
  let next = 0;
  afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
  return (name = "x") => path.join(root, `${next++}-${name}`);
}
