/** wait4 and waitid: natural waits for children of the scenario, when the log shows those children. */

import { field, splitArgs, wholeNumber } from "./args.ts";
import { endOf } from "./arrivals.ts";
import { ECHILD } from "./errno.ts";
import type { ProcessState } from "./facts.ts";
import type { CallEvent } from "./log.ts";
import type { Process } from "./tree.ts";

export interface Wait {
  readonly operation: "wait4" | "waitid";
  /** Program of the one child waited for; undefined for any. */
  readonly child: string | undefined;
  readonly nohang: boolean;
  /** It can be waited for again (WNOWAIT). */
  readonly keep: boolean;
  readonly expect: number | null;
  readonly found: Process | null;
  /** When that child had ended, ns of the log: the emulated wait is over then. */
  readonly until: number | null;
}

/** Null when the children of the scenario would not answer as the kernel did: the call stays opaque. */
export function waitOf(call: CallEvent, { unreaped }: ProcessState): Wait | null {
  const asked = call.name === "wait4" ? wait4(call) : waitid(call);
  if (asked === null) return null;
  const { pid, nohang, keep, found, changed } = asked;
  const operation = call.name === "wait4" ? "wait4" : "waitid";
  const wanted = pid === null ? null : byPid(unreaped, pid);
  const some = pid === null ? unreaped.size > 0 : wanted !== undefined;
  const child = wanted?.name;
  const nobody = { operation, child, nohang, keep, found: null, until: null } as const;
  if (call.value === ECHILD) return unreaped.size === 0 ? { ...nobody, expect: ECHILD } : null;
  if (call.value !== null && call.value < 0) return null;
  if (found !== null) {
    const process = byPid(unreaped, found);
    // A child that stopped or went on is not one that ended.
    if (!process || changed) return null;
    if (!keep) unreaped.delete(process);
    const expect = operation === "wait4" ? process.leader.emulatedPid : 0;
    return { ...nobody, expect, found: process, until: endOf(process) };
  }
  return some ? { ...nobody, expect: call.value } : null;
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
