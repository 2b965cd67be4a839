/** Process groups: a number in each thread's record (shim_getpid.c). Nobody else hears of a change (errata-2 B12). */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { Process, ShimChild } from "../generations/graphene-2019/state.ts";
import { SHIM_DO } from "./flows.ts";
import { answer } from "./io.ts";
import { childOf } from "./thread-list.ts";

const recordOf = (c: Cpu, p: Process): ShimChild | undefined => childOf(c.process(c.t), p.pid);

const setpgid = flow(SHIM_DO.setpgid, "libos", "2.15, errata-2 B12", (s) => [
  s.act("thread->pgid := pgid, or the thread's tgid", (c, v) => {
    const wanted = c.m.processes[v.process];
    const number = c.m.processes[v.group]?.pid ?? -1;
    // lookup_thread finds the caller and the records of its children, none of which says so to the child.
    if (wanted && wanted === c.process(c.t)) c.t.libos.pgid = number;
    else if (wanted && recordOf(c, wanted)) Object.assign(recordOf(c, wanted) ?? {}, { pgid: number });
    else v.ret = E.SRCH;
    c.value = number;
  }),
  answer(s),
]);

const getpgid = flow(SHIM_DO.getpgid, "libos", "2.15", (s) => [
  s.act("thread->pgid", (c, v) => {
    v.ret = c.t.libos.pgid;
  }),
  answer(s),
]);

/** It returns 0 where Linux gives the number of the session. */
const setsid = flow(SHIM_DO.setsid, "libos", "2.15, errata-2 B12", (s) => [
  s.act("pgid == tgid: -EPERM; else pgid := tgid", (c, v) => {
    const { pid } = c.process(c.t);
    if (c.t.libos.pgid === pid) v.ret = E.PERM;
    else c.t.libos.pgid = pid;
  }),
  answer(s),
]);

export const groupFlows: readonly Flow[] = [setpgid, getpgid, setsid];
