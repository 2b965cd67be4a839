/** Case files as users name them. */

import { readFileSync, statSync } from "node:fs";
import { InputError } from "../io.ts";
import { type CaseFile, parseCase } from "./form.ts";

const MOST_BYTES = 256 * 1024 * 1024;

/** Bytes that tell a case from a scenario: `case` is its first name, and no scenario's. */
const HEAD = 4096;
export const isCaseText = (text: string): boolean => /^case:\s*\d/m.test(text.slice(0, HEAD));

export function readCase(file: string): string {
  try {
    if (statSync(file).size > MOST_BYTES) throw new InputError(`${file}: more than ${MOST_BYTES} bytes`);
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new InputError(`${file}: cannot be read (${code})`);
  }
}

/** The case in a file; null when it is no YAML file, or holds something else. Throws what `parseCase` throws. */
export function caseIn(file: string): CaseFile | null {
  if (!/\.ya?ml$/i.test(file) || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const text = readCase(file);
  return isCaseText(text) ? parseCase(text, file) : null;
}
