/**
 * Cases that users brought, or that were read from the source, on the three stacks: what became of the application, and what went
 * otherwise first. Each line is argued in golden/cases/README.md where it needs an argument.
 * EINTR_UPDATE=1 npx vitest run test/analyzer/cases.test.ts writes the tables anew.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { casesIn, caseText } from "../support/cases-table.ts";
import { tempPaths } from "../support/temp-dir.ts";

const temp = tempPaths();
const here = (name: string): string => path.resolve(import.meta.dirname, "..", name);

/** The committed table by file. */
function committed(golden: string): Map<string, string> {
  const text = existsSync(golden) ? readFileSync(golden, "utf8") : "";
  return new Map(text.split(/\n(?=\S)/).map((part) => [part.split("\n")[0] ?? "", `${part.trimEnd()}\n`]));
}

describe.each(["fidelity", "reports", "use"])("%s", (folder) => {
  const golden = here(`golden/cases/${folder}.txt`);
  const known = committed(golden);
  const files = casesIn(here(`fixtures/${folder}`));
  const found: string[] = [];

  test.each(files)("%s", async (file) => {
    const text = await caseText(here(`fixtures/${folder}`), file, temp);
    found.push(text);
    if (process.env.EINTR_UPDATE === "1") return writeFileSync(golden, found.join(""));
    expect(text).toBe(known.get(file));
  });

  test("the table has no other", () => {
    if (process.env.EINTR_UPDATE !== "1") expect([...known.keys()].sort()).toEqual(files);
  });
});
