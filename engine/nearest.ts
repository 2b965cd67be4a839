/** What to say of a name that nobody knows: the known one that was meant, when there is one near, else those that are known. */

import { distance } from "fastest-levenshtein";

/** Longer names are no slips of the pen. */
const LONGEST = 200;
/** Known names that are shown when none is near. */
const SHOWN = 24;
const SHOWN_CHARACTERS = 300;

/** Edits that a name of this length may be away from the known one: 1 of 3, 2 of 4, 4 of 10. */
const mostEdits = (length: number): number => Math.max(1, Math.floor(length * 0.4 + 0.4));

/** The known name that a wrong one stands for: few edits away, or beginning with it; null when none is near. */
export function near(wrong: string, known: readonly string[]): string | null {
  if (wrong === "" || wrong.length > LONGEST) return null;
  let best: string | null = null;
  let bestEdits = mostEdits(wrong.length) + 1;
  const lower = wrong.toLowerCase();
  for (const name of known) {
    if (Math.abs(name.length - wrong.length) >= bestEdits) continue;
    const edits = distance(lower, name.toLowerCase());
    if (edits >= bestEdits || edits >= name.length) continue;
    best = name;
    bestEdits = edits;
  }
  return best ?? (wrong.length < 3 ? null : (known.find((name) => name.toLowerCase().startsWith(lower)) ?? null));
}

/** `; did you mean "read"?`, or `; known are: at, every, from` with not too many of them; to be put after "no x NAME". */
export function hint(wrong: string, known: readonly string[]): string {
  if (known.length === 0) return "; there is none";
  const meant = near(wrong, known);
  return meant === null ? `; known are: ${listed(known)}` : `; did you mean "${meant}"?`;
}

/** The first few of them and how many more. */
function listed(names: readonly string[]): string {
  const shown: string[] = [];
  let characters = 0;
  for (const name of names) {
    characters += name.length + 2;
    if (shown.length === SHOWN || (shown.length > 0 && characters > SHOWN_CHARACTERS)) break;
    shown.push(name);
  }
  const more = names.length - shown.length;
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} and ${more} more`;
}
