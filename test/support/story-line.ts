/** The story of a thread in one line. */

import type { Ran } from "./run-scenario.ts";
import { story } from "./story.ts";

/** Calls that only prepare: they succeed and tell nothing. */
const PREPARES = /^(?:sigaction|sigprocmask|sigaltstack|setpgid|clone|getpid|gettimeofday|close|write) \d+$/;

/** What comes several times in a row is told once. */
export function storyLine(ran: Ran, who: string): string {
  const told: { text: string; times: number }[] = [];
  for (const text of story(ran, who).filter((each) => !PREPARES.test(each))) {
    const last = told.at(-1);
    if (last?.text === text) last.times += 1;
    else told.push({ text, times: 1 });
  }
  return told.map(({ text, times }) => (times > 1 ? `${times} x ${text}` : text)).join("; ");
}
