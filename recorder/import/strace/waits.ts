/** wait4 and waitid: natural waits for children of the scenario, when the log shows those children. */

import { SIG } from "../../../engine/index.ts";
import { field, splitArgs, wholeNumber } from "./args.ts";
import { endOf } from "./arrivals.ts";
import { ECHILD } from "./errno.ts";
import type { ProcessState } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import type { Item } from "./registrations.ts";
import type { Process } from "./tree.ts";

export interface Wait {
  readonly operation: "wait4" | "waitid";
  /** Program of the one child waited for; undefined for any. */
  readonly child: string | undefined;
  readonly nohang: boolean;
  /** It found a child that has stopped, or goes on: what else it waits for, as the operation says it; null for an end. */
  readonly changed: Item | null;
  /** It can be waited for again (WNOWAIT). */
  readonly keep: boolean;
  readonly expect: number | null;
  readonly found: Process | null;
  /** Children that ended unseen, because SIGCHLD is ignored: with the last of them nobody was left to wait for. */
  readonly gone: readonly Process[];
  /** When the child it found, or the last one that ended unseen, had ended, ns of the log: the emulated wait is over then. */
  readonly until: number | null;
}

/** Children of a process that ignores SIGCHLD, or says SA_NOCLDWAIT, leave no zombie. */
export function leavesNoZombies({ actions }: ProcessState): boolean {
  const action = actions.get(SIG.CHLD);
  return action?.what === "ignore" || (action?.what === "handler" && action.flags.includes("SA_NOCLDWAIT"));
}

/** Null when the children of the scenario would not answer as the kernel did: the call stays opaque. */
export function waitOf(call: CallEvent, state: ProcessState, stoppable: ReadonlySet<Process>): Wait | null {
  const { unreaped } = state;
  const asked = call.name === "wait4" ? wait4(call) : waitid(call);
  if (asked === null) return null;
  const { pid, nohang, keep, found, changed } = asked;
  const operation = call.name === "wait4" ? "wait4" : "waitid";
  const wanted = pid === null ? null : byPid(unreaped, pid);
  const some = pid === null ? unreaped.size > 0 : wanted !== undefined;
  const child = wanted?.name;
  const nobody = { operation, child, nohang, changed: null, keep, found: null, gone: [], until: null } as const;
  if (call.value === ECHILD) {
    const reaped = pid === null ? undefined : state.children.get(pid)?.name;
    if (!some) return pid === null || reaped !== undefined || unreaped.size === 0 ? { ...nobody, child: reaped, expect: ECHILD } : null;
    if (!leavesNoZombies(state)) return null;
    const gone = [...unreaped].filter((process) => wanted === null || process === wanted);
    for (const process of gone) unreaped.delete(process);
    return { ...nobody, expect: ECHILD, gone, until: latest(gone) };
  }
  if (call.value !== null && call.value < 0) return null;
  if (found !== null) {
    const process = byPid(unreaped, found);
    if (!process) return null;
    const answer = operation === "wait4" ? process.leader.emulatedPid : 0;
    if (changed) return stoppable.has(process) ? { ...nobody, expect: answer, found: process, changed: changesIn(call) } : null;
    if (!keep) unreaped.delete(process);
    return { ...nobody, expect: answer, found: process, until: endOf(process) };
  }
  return some ? { ...nobody, expect: call.value } : null;
}

/** What the options say besides ends. */
function changesIn({ name, args }: CallEvent): Item {
  const options = splitArgs(args).find((arg) => /^W\w+(?:\|\w+)*$/.test(arg)) ?? "";
  const stopped = /WUNTRACED|WSTOPPED/.test(options) ? { [name === "wait4" ? "untraced" : "stopped"]: true } : {};
  const continued = options.includes("WCONTINUED") ? { continued: true } : {};
  return { ...(name === "waitid" && !options.includes("WEXITED") ? { exited: false } : {}), ...stopped, ...continued };
}

/** When the last of them had ended; null when the log does not show it. */
function latest(processes: readonly Process[]): number | null {
  const ends = processes.map(endOf);
  return ends.some((end) => end === null) ? null : ends.reduce((last, end) => Math.max(last ?? 0, end ?? 0), null);
}

interface Asked {
  /** Id of the child, null for any. */
  readonly pid: number | null;
  readonly nohang: boolean;
  readonly keep: boolean;
  /** Id of the child it found. */
  readonly found: number | null;
  readonly changed: boolean;
}

function wait4({ args, value }: CallEvent): Asked | null {
  const [pid, status = "", options = ""] = splitArgs(args);
  const id = wholeNumber(pid);
  if (id === null) return null;
  return {
    pid: id > 0 ? id : null,
    nohang: options.includes("WNOHANG"),
    keep: false,
    found: value !== null && value > 0 ? value : null,
    changed: /WIF(?:STOPPED|CONTINUED)/.test(status),
  };
}

function waitid({ args, value }: CallEvent): Asked | null {
  const [type, id, info = "", options = ""] = splitArgs(args);
  const pid = type === "P_PID" ? wholeNumber(id) : null;
  if (type !== "P_ALL" && pid === null) return null;
  const code = field(info, "si_code");
  return {
    pid,
    nohang: options.includes("WNOHANG"),
    keep: options.includes("WNOWAIT"),
    found: value === 0 ? wholeNumber(field(info, "si_pid")) || null : null,
    changed: /^CLD_(?:STOPPED|CONTINUED|TRAPPED)$/.test(code),
  };
}

const byPid = (processes: ReadonlySet<Process>, pid: number): Process | undefined =>
  [...processes].find((process) => process.leader.life.pid === pid);
