/** What the program loads when it starts: told by its modules, not by a clock. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const DIST = path.resolve(import.meta.dirname, "../../dist");

/** The files that these import, one through the other, without what they import later. */
function loadedBy(...first: readonly string[]): string[] {
  const found = new Set<string>();
  const open = [...first];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = readFileSync(path.join(DIST, name), "utf8");
    for (const [, imported = ""] of text.matchAll(/(?:^|[;\n])import\s*(?:[^"'()]*?from\s*)?"\.\/([^"]+)"/g)) open.push(imported);
  }
  return [...found];
}

/** Sources of which these files are made. */
const sourcesOf = (names: readonly string[]): string[] =>
  names.flatMap((name) => (JSON.parse(readFileSync(path.join(DIST, `${name}.map`), "utf8")) as { sources: string[] }).sources);

/** The module that `import("./NAME-HASH.js")` means and that is made of this source among others. */
const lateModule = (name: string, source: string): string =>
  readdirSync(DIST).find((file) => new RegExp(`^${name}-[A-Z0-9]+\\.js$`).test(file) && madeOf(loadedBy(file), source).length > 0) ?? "";

const madeOf = (files: readonly string[], part: string): string[] => sourcesOf(files).filter((source) => source.includes(part));

describe("the start of the replay", () => {
  const files = loadedBy("eintr.js", lateModule("replay", "tui/commands/replay.ts"), lateModule("run", "tui/replay/run.tsx"));

  test("draws with Ink what the trace has", () => {
    expect(existsSync(DIST)).toBe(true);
    for (const part of ["node_modules/ink/", "tui/replay/app.tsx", "recorder/trace/open.ts"]) expect(madeOf(files, part)).not.toEqual([]);
  });

  test.each(["analyzer/rules/", "recorder/import/", "node_modules/apache-arrow/", "node_modules/kysely/", "tui/report/", "tui/documents/"])(
    "does without %s",
    (part) => expect(madeOf(files, part)).toEqual([]),
  );
});

test("the version needs no command", () => {
  const files = loadedBy("eintr.js");
  expect(madeOf(files, "node_modules/commander/")).not.toEqual([]);
  for (const part of ["engine/", "analyzer/", "recorder/", "node_modules/zod/"]) expect(madeOf(files, part)).toEqual([]);
});
