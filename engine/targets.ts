/** Whom kill and tgkill mean by a name of the scenario. */

import type { Cpu } from "./cpu.ts";
import type { Process, Thread } from "./state.ts";

/** "worker" means worker, worker#2, ...; "worker#2" only that one. */
const isNamed = (name: string, wanted: string): boolean => name === wanted || name.startsWith(`${wanted}#`);

/** Of a process that an execve has made it is the parent of the one before, which has the same pid. */
function parentOf(c: Cpu, p: Process): Process | null {
  const parent = c.m.processes[p.parent] ?? null;
  return parent?.pid === p.pid ? parentOf(c, parent) : parent;
}

/** Processes meant by a name; dead ones are none. */
export function named(c: Cpu, wanted: string): Process[] {
  const me = c.process(c.t);
  const alive = c.processes().filter((p) => p.alive);
  if (wanted === "self") return [me];
  if (wanted === "parent") return alive.filter((p) => p.id === parentOf(c, me)?.id);
  return alive.filter((p) => isNamed(p.name, wanted));
}

/** A process of this name has ended, and nobody has waited for it yet: kill(2) finds it. */
export const zombieNamed = (c: Cpu, wanted: string): boolean => c.processes().some((p) => !p.alive && !p.reaped && isNamed(p.name, wanted));

/** As the kernel knows them: whom kill(2) reaches. */
export function processesNamed(c: Cpu, wanted: string, group = ""): Process[] {
  const alive = c.processes().filter((p) => p.alive);
  if (group !== "") {
    const pgids = named(c, group).map((p) => p.pid);
    return alive.filter((p) => pgids.includes(p.pgid));
  }
  if (wanted === "group") return alive.filter((p) => p.pgid === c.process(c.t).pgid);
  // kill(-1) reaches everybody but the caller's own process and init (kernel/signal.c kill_something_info).
  return wanted === "all" ? alive.filter((p) => p !== c.process(c.t)) : named(c, wanted);
}

/** As the host knows them. */
export const threadNamed = (c: Cpu, wanted: string): Thread | undefined =>
  wanted === "self" ? c.t : c.m.live.map((id) => c.thread(id)).find((t) => t.name === wanted);
