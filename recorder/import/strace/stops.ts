/** Job control that the log shows from both ends: who stopped a process, and who let it go on. */

import { SIG } from "../../../engine/index.ts";
import { field, wholeNumber } from "./args.ts";
import { SIG_STOPS } from "./arrivals.ts";
import type { LogEvent } from "./log.ts";
import type { Process, Tree } from "./tree.ts";

/**
 * Processes of one thread whose every stop was sent by a process of the log, as was what ended it. Any other stop is not emulated: nobody
 * would let the process go on.
 */
export function stoppedByOthers(tree: Tree): ReadonlySet<Process> {
  const inLog = new Set(tree.tasks.map(({ life }) => life.pid));
  const sentHere = (event: LogEvent | undefined): boolean =>
    event?.kind === "signal" && inLog.has(wholeNumber(field(event.info, "si_pid")) ?? -1);
  const goesOn = (event: LogEvent | undefined): boolean =>
    (event?.kind === "signal" && event.signal === SIG.CONT && sentHere(event)) ||
    (event?.kind === "end" && event.how === "killed" && event.value === SIG.KILL);
  const found = new Set<Process>();
  for (const { process, life } of tree.tasks) {
    if (process.tasks.length > 1) continue;
    const stops = life.events.flatMap((event, i) => (event.kind === "stop" ? [i] : []));
    const sent = life.events.filter((event) => event.kind === "signal" && SIG_STOPS.has(event.signal));
    const whole = stops.every((i) => sentHere(life.events[i - 1]) && goesOn(life.events[i + 1]));
    if (stops.length > 0 && stops.length === sent.length && whole) found.add(process);
  }
  return found;
}
