/** Process groups and sessions: a process knows its own, and nobody else hears of it (libos_getpid.c). */

import { E } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { flow } from "../flow.ts";
import { answer } from "./answer.ts";
import { SYSCALL_FLOWS } from "./flows.ts";

/** Of the caller alone; whether the group exists is not looked at. */
const setpgid = flow(SYSCALL_FLOWS.setpgid, "libos", "6", (s) => [
  s.act("g_process.pgid, or -ESRCH for another process", (c, v) => {
    const p = c.process(c.t);
    const mine = v.process === p.id;
    if (mine) p.pgid = c.m.processes[v.group]?.pid ?? p.pid;
    c.t.rax = mine ? 0 : E.SRCH;
    c.value = c.t.rax;
  }),
  answer(s),
]);

const setsid = flow(SYSCALL_FLOWS.setsid, "libos", "6", (s) => [
  s.act("a group leader: -EPERM; else session and group of its own", (c) => {
    const p = c.process(c.t);
    c.t.rax = p.pid === p.pgid ? E.PERM : p.pid;
    if (c.t.rax > 0) {
      p.sid = p.pid;
      p.pgid = p.pid;
    }
    c.value = c.t.rax;
  }),
  answer(s),
]);

const getpgid = flow(SYSCALL_FLOWS.getpgid, "libos", "6", (s) => [
  s.act("g_process.pgid", (c) => {
    c.t.rax = c.process(c.t).pgid;
    c.value = c.t.rax;
  }),
  answer(s),
]);

export const groupFlows: readonly Flow[] = [setpgid, setsid, getpgid];
