/** "Did you mean": the known name closest to a wrong one. */

import { closest } from "fastest-levenshtein";

export const nearest = (wrong: string, known: readonly string[]): string => (known.length === 0 ? "" : closest(wrong, known));
