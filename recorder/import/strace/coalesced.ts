/**
 * Children that ended so close together that one SIGCHLD told of all: the second one ended while the first one's signal was pending. The
 * lines of a log are some microseconds late, each by its own; where they stand, the parent would have been told twice.
 */

import { SIG } from "../../../engine/index.ts";
import { field, wholeNumber } from "./args.ts";
import { ENDED } from "./arrivals.ts";
import type { CallEvent, Log, SignalEvent } from "./log.ts";
import type { Process, Tree } from "./tree.ts";

/** Further apart they did not meet: the signal was blocked, and waits in the emulation, too. */
const CLOSE_NS = 5_000_000;

/** The end of a process by its own call, and when it is over, ns of the log. */
interface Ending {
  readonly process: Process;
  readonly call: CallEvent;
  readonly over: number;
}

function endingOf(process: Process, goneBy: ReadonlyMap<Process, number>): Ending | null {
  const events = process.leader.life.events;
  const end = events.at(-1);
  const call = events.at(-2);
  if (end?.kind !== "end" || call?.kind !== "call" || !call.name.startsWith("exit") || process.tasks.length > 1) return null;
  return { process, call, over: Math.max(call.start, Math.min(end.start, goneBy.get(process) ?? end.start)) };
}

/** When such processes end, ns of the log: the one that the signal tells of first, the others at once after it. */
export function coalescedEnds(log: Log, tree: Tree, goneBy: ReadonlyMap<Process, number>): Map<Process, number> {
  const told = new Map<Process, { readonly lines: SignalEvent[]; readonly pids: Set<number> }>();
  for (const event of log.events) {
    const parent =
      event.kind === "signal" && event.signal === SIG.CHLD && ENDED.has(field(event.info, "si_code"))
        ? tree.taskOf.get(event.life)?.process
        : undefined;
    if (parent === undefined || event.kind !== "signal") continue;
    const known = told.get(parent) ?? { lines: [], pids: new Set() };
    known.lines.push(event);
    known.pids.add(pidIn(event));
    told.set(parent, known);
  }
  const ends = new Map<Process, number>();
  const byParent = new Map<Process, Map<number, Ending>>();
  for (const { process, life } of tree.tasks) {
    const { parent } = process;
    const ending = parent && process.leader.life === life && told.has(parent) ? endingOf(process, goneBy) : null;
    if (!parent || !ending) continue;
    const endings = byParent.get(parent) ?? new Map<number, Ending>();
    byParent.set(parent, endings.set(life.pid, ending));
  }
  for (const [parent, endings] of byParent) {
    const { lines, pids } = told.get(parent) ?? { lines: [], pids: new Set<number>() };
    const untold = [...endings].filter(([pid]) => !pids.has(pid)).map(([, ending]) => ending);
    /** By the one that was told of. */
    const together = new Map<Ending, Ending[]>();
    let i = 0;
    for (const ending of untold.sort((a, b) => a.call.start - b.call.start)) {
      while (i < lines.length && (lines[i]?.start ?? 0) < ending.call.start) i += 1;
      const line = lines[i];
      const first = line && endings.get(pidIn(line));
      if (!first || line.start - Math.min(first.over, ending.over) > CLOSE_NS) continue;
      const others = together.get(first);
      if (others) others.push(ending);
      else together.set(first, [ending]);
    }
    for (const [first, others] of together) {
      const at = others.reduce((latest, { call }) => Math.max(latest, call.start), first.over);
      ends.set(first.process, at);
      for (const { process } of others) ends.set(process, at + 1);
    }
  }
  return ends;
}

const pidIn = ({ info }: SignalEvent): number => wholeNumber(field(info, "si_pid")) ?? -1;
