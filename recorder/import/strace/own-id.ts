/** The id of a thread whose lines have none. */

import type { Life } from "./log.ts";

/** Calls that answer with the id of the thread that makes them. */
const OWN_ID: ReadonlySet<string> = new Set(["set_tid_address", "gettid", "getpid"]);

/** Without -f no line has an id, but the program may have asked for its own. */
export function nameFromItself(life: Life, lives: readonly Life[]): void {
  const asked = life.events.find((event) => event.kind === "call" && OWN_ID.has(event.name) && event.value !== null && event.value > 0);
  const id = asked?.kind === "call" ? (asked.value ?? 0) : 0;
  if (id === 0 || lives.some((other) => other.pid === id)) return;
  life.pid = id;
  life.bornAs = id;
}
