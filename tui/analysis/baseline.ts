/** Accepted findings: a file that a project keeps. New ones fail, those that are gone are told. */

import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import type { FindingGroup } from "../../analyzer/index.ts";
import { InputError } from "../io.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const text = z.string().check(z.maxLength(10_000));
const file = z.object({
  eintr: z.literal("baseline"),
  version: z.literal(1),
  accepted: z.array(z.object({ fingerprint: text, rule: text, title: text })).check(z.maxLength(100_000)),
});

export type Accepted = z.infer<typeof file>["accepted"][number];

export interface Compared {
  /** Groups that the baseline does not have. */
  readonly news: readonly FindingGroup[];
  readonly known: readonly FindingGroup[];
  readonly gone: readonly Accepted[];
}

/** Throws InputError. */
export function readBaseline(name: string): readonly Accepted[] {
  const given = read(name);
  const parsed = file.safeParse(given);
  if (parsed.success) return parsed.data.accepted;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the file" : issue.path.join(".");
  throw new InputError(`--baseline ${name}: ${where}: ${issue?.message ?? "not a baseline"}; make one with --write-baseline FILE`);
}

function read(name: string): unknown {
  let content: string;
  try {
    content = readFileSync(name, "utf8");
  } catch (error) {
    throw new InputError(`--baseline ${name}: cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  if (content.length > MOST_BYTES) throw new InputError(`--baseline ${name}: longer than ${MOST_BYTES} characters`);
  try {
    return JSON.parse(content) as unknown;
  } catch {
    throw new InputError(`--baseline ${name}: not JSON; make one with --write-baseline FILE`);
  }
}

/** Throws InputError. */
export function writeBaseline(name: string, groups: readonly FindingGroup[]): void {
  const accepted = groups.map(({ fingerprint, rule, title }) => ({ fingerprint, rule, title }));
  try {
    writeFileSync(name, `${JSON.stringify({ eintr: "baseline", version: 1, accepted }, null, 2)}\n`);
  } catch (error) {
    throw new InputError(`--write-baseline ${name}: cannot be written (${error instanceof Error ? error.message : String(error)})`);
  }
}

export function besideBaseline(groups: readonly FindingGroup[], accepted: readonly Accepted[]): Compared {
  const known = new Set(accepted.map(({ fingerprint }) => fingerprint));
  const here = new Set(groups.map(({ fingerprint }) => fingerprint));
  return {
    news: groups.filter(({ fingerprint }) => !known.has(fingerprint)),
    known: groups.filter(({ fingerprint }) => known.has(fingerprint)),
    gone: accepted.filter(({ fingerprint }) => !here.has(fingerprint)),
  };
}
