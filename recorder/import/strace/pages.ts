/** Pages that a program may read and not write. */

import { splitArgs, wholeNumber } from "./args.ts";
import type { CallEvent } from "./log.ts";
import type { Process } from "./tree.ts";

/** A set of signals that could be read, and an old one that could not be written, on a page that mmap or mprotect made readable alone. */
export function toReadOnlyPage({ args, start }: CallEvent, process: Process): boolean {
  const [, set = "", old = ""] = splitArgs(args);
  const address = addressOf(old);
  if (address === null || !(set === "NULL" || /^~?\[/.test(set))) return false;
  let protection = "";
  let since = -1;
  for (const { life } of process.tasks)
    for (const event of life.events) {
      if (event.kind !== "call" || event.start > start || event.start < since) continue;
      const page = pagesOf(event);
      if (page === null || address < page.from || address >= page.to) continue;
      ({ protection } = page);
      since = event.start;
    }
  return protection === "PROT_READ";
}

const PAGE = 4096;

/** mmap(NULL, 4096, PROT_READ, ...) = 0x7f41985, mprotect(0x7f41985, 4096, PROT_READ) = 0 */
function pagesOf({ name, args, value }: CallEvent): { from: number; to: number; protection: string } | null {
  if ((name !== "mmap" && name !== "mprotect") || value === null || value < 0) return null;
  const [at, length, protection = ""] = splitArgs(args);
  const from = name === "mmap" ? value : addressOf(at);
  // Of those that may be written, the length is not kept.
  return from === null ? null : { from, to: from + (wholeNumber(length) ?? PAGE), protection };
}

const addressOf = (text: string | undefined): number | null => (/^0x[0-9a-f]{1,12}$/.test(text ?? "") ? Number(text) : null);
