/**
 * `analyzer/real-programs.md`: what its commands answer is what stands below them. EINTR_UPDATE=1 npx vitest run
 * test/real-programs.test.ts writes the answers anew; what the page says besides is then to be read again.
 */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { eintr } from "./support/command-line.ts";
import { tempPaths } from "./support/temp-dir.ts";

const PAGE = path.resolve(import.meta.dirname, "../analyzer/real-programs.md");
const LOGS = path.resolve(import.meta.dirname, "fixtures/real");
const fresh = tempPaths();
/** One folder for the logs and the traces of a page. */
const place = path.dirname(fresh("x"));

/** Names of files as the page has them: no folder. */
const bare = (text: string): string => text.replaceAll(`${place}/`, "");

async function answer(command: string): Promise<string> {
  const args = command.split(" ").slice(1);
  const located = args.map((arg) => (/\.(?:strace|trace)$/.test(arg) ? path.join(place, arg) : arg));
  const { out, talk } = await eintr(located);
  // A digest says nothing to a reader, what to do next stands in the page.
  return bare(out + talk)
    .replace(/^(?:digest|next:) .*\n/gm, "")
    .replace(/[ \t]+$/gm, "");
}

/** "$ eintr ..." and what follows it, up to the next one or the end of the block. */
const ANSWERED = /^\$ (eintr .*)\n((?:(?!\$ |```).*\n)*)/gm;

test("analyzer/real-programs.md: each command answers what stands below it", async () => {
  const page = readFileSync(PAGE, "utf8");
  for (const log of page.match(/\b[a-z]+\.strace\b/g) ?? [])
    writeFileSync(path.join(place, log), gunzipSync(readFileSync(path.join(LOGS, `${log}.gz`))));
  const answers: string[] = [];
  for (const [, command = ""] of page.matchAll(ANSWERED)) answers.push(await answer(command));
  expect(answers.length).toBeGreaterThan(9);
  const now = page.replace(ANSWERED, (_, command: string) => `$ ${command}\n${answers.shift()}`);
  if (process.env.EINTR_UPDATE !== undefined) writeFileSync(PAGE, now);
  else expect(now).toBe(page);
}, 120_000);
