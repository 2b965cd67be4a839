/** What a comparison leaves out, as it is written: "call:poll", "thread:worker", "kind:mask". Of `eintr diff --ignore` and of the replay. */

import { DIFFERENCE_KINDS, type Ignored } from "../analyzer/index.ts";
import { hint } from "../engine/index.ts";
import { InputError } from "./io.ts";

const SORTS = ["call", "thread", "kind"] as const;

/** `where` stands before what is wrong. Throws InputError. */
export function ignoredOf(texts: readonly string[], where = ""): Ignored {
  const sets = { call: new Set<string>(), thread: new Set<string>(), kind: new Set<string>() };
  for (const text of texts) {
    const at = text.indexOf(":");
    const sort = SORTS.find((one) => one === text.slice(0, Math.max(0, at)));
    const name = text.slice(at + 1);
    if (sort === undefined || name === "")
      throw new InputError(`${where}expected call:NAME, thread:NAME or kind:NAME (such as call:futex_wait), found "${text}"`);
    const kinds = DIFFERENCE_KINDS.map((kind): string => kind.name);
    if (sort === "kind" && !kinds.includes(name)) throw new InputError(`${where}no kind "${name}"${hint(name, kinds)}`);
    sets[sort].add(name);
  }
  return { calls: sets.call, threads: sets.thread, kinds: sets.kind };
}
