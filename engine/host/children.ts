/** wait4, waitid and process groups (kernel/exit.c, kernel/sys.c), as native-linux has them. */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import type { Process } from "../state.ts";
import type { GroupArgs, WaitArgs } from "../syscalls.ts";
import { forgetProcess } from "../threads.ts";
import { quick } from "./calls.ts";
import { OUT, tell } from "./outputs.ts";
import { CONTINUED, exitStatus } from "./process-state.ts";
import { restartsSys, waiting } from "./waiting.ts";

/** What a wait for a child is for, when it is not the process of that number: any, a pid that no child has, one of the caller's group. */
export const ANY = -1;
export const NOBODY = -2;
export const GROUP = -3;

const CONTINUED_STATUS = 0xffff;
const stoppedStatus = (signal: number): number => (signal << 8) | 0x7f;

/** What a child has to tell, as a wait status: of those asked for; null nothing. */
function newsOf(p: Process, v: WaitArgs): number | null {
  if (!p.alive) return v.exited ? exitStatus(p) : null;
  if (p.news > 0 && v.stopped) return stoppedStatus(p.news);
  return p.news === CONTINUED && v.continued ? CONTINUED_STATUS : null;
}

/** The children in the order of their making: the first with news is taken (do_wait). `object` is the wanted one, or whom else it may be. */
function look(c: Cpu, v: WaitArgs, result: (child: Process) => number): number | null {
  const me = c.process(c.t);
  const meant = (p: Process): boolean => (v.object === GROUP ? p.pgid === me.pgid : v.object === ANY || p.id === v.object);
  const mine = c.processes().filter((p) => p.parent === me.id && !p.reaped && meant(p));
  if (mine.length === 0) return E.CHILD;
  // What is known of a log's kernel wins: of several children it found that one.
  const found = mine.filter((p) => p.id === v.finds);
  for (const child of found.length > 0 ? found : mine) {
    const status = newsOf(child, v);
    if (status === null) continue;
    tell(v, OUT.status, status);
    if (!v.keep) take(c, child);
    return result(child);
  }
  return v.bytes === 1 ? 0 : null;
}

/** What was told is not told again; a zombie is gone. */
function take(c: Cpu, child: Process): void {
  child.news = 0;
  if (child.alive) return;
  child.reaped = true;
  forgetProcess(c, child);
}

/** setpgid for the caller or a child of it; `group` is a process whose number the group has. */
function setpgid(c: Cpu, v: GroupArgs): number {
  const p = c.m.processes[v.process];
  const me = c.process(c.t);
  if (!p || (p !== me && p.parent !== me.id)) return E.SRCH;
  if (p.sid === p.pid || p.sid !== me.sid) return E.PERM;
  const leader = c.m.processes[v.group];
  if (!leader) return E.PERM;
  p.pgid = leader === p ? p.pid : leader.pgid;
  return 0;
}

function setsid(c: Cpu): number {
  const p = c.process(c.t);
  if (c.processes().some((other) => other.pgid === p.pid)) return E.PERM;
  p.pgid = p.pid;
  p.sid = p.pid;
  return p.pid;
}

export const childCalls: readonly Flow[] = [
  waiting({ name: "wait4", attempt: (c, v) => look(c, v, (child) => child.pid), cut: restartsSys, child: true }),
  waiting({ name: "waitid", attempt: (c, v) => look(c, v, () => 0), cut: restartsSys, child: true }),
  quick("setpgid", setpgid),
  quick("setsid", setsid),
  quick("getpgid", (c) => c.process(c.t).pgid),
];
