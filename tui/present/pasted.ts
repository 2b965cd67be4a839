/** Commands that a reader may paste into a shell as they stand. */

import { safe } from "./safe.ts";

/** In a checkout eintr is called through npm: `eintr` alone is not found there. */
const program = (): string => (["start", "eintr"].includes(process.env.npm_lifecycle_event ?? "") ? "npm run -s eintr --" : "eintr");

/** "eintr show 'my trace' --finding 1". Words that a shell would take apart are quoted. */
export const pasted = (...words: readonly (string | number)[]): string =>
  `${program()} ${words.map((word) => quoted(safe(String(word)))).join(" ")}`;

const quoted = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
