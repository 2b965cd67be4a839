/** handlers[event].upcall, the same on both PALs but for the kind of lock (reference, 1.4, 1.5). */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { KIND } from "../transition.ts";
import { lock, unlock, whenTaken } from "./locks.ts";

interface Lookup {
  event: number;
  found: boolean;
}

const slot = (v: Lookup): string => `handlers[${v.event}]`;

const row = (c: Cpu, v: Lookup): void => {
  c.value = v.event;
};

/** The slot's lock is taken on every event: one that comes while this thread holds it waits for ever. */
export const getHandler: Flow = flow<Lookup>("_DkGetExceptionHandler", "pal", "1.5, 2.6, 3.4 handler-table-lock-self-deadlock", (s) => [
  ...lock(s, "lock the slot", slot, row),
  s.act("read handlers[event].upcall", (c, v) => {
    v.found = c.process(c.t).upcalls[v.event] ?? false;
  }),
  unlock(s, "unlock the slot", slot, row),
  s.ret("return", (c, v) => {
    c.t.rax = v.found ? 1 : 0;
    c.value = c.t.rax;
  }),
  ...whenTaken(s, slot, { spins: true }),
]);

/** What _DkGenericSignalHandle returns. Without an upcall the event ends here: whoever called goes on without it, or ends the thread (2.1, 2.8). */
export function handled(c: Cpu, v: { event: number; id: number; handled: boolean }): void {
  c.t.rax = v.handled ? 1 : 0;
  c.value = c.t.rax;
  if (v.handled) return;
  c.kind = KIND["pal.event.lost"];
  c.value = v.event;
  c.extra = v.id;
}

/** One upcall a step: which one runs depends on the event. */
export const upcallName = (event: number): string =>
  ["", "arithmetic_error_upcall", "memfault_upcall", "illegal_upcall", "quit_upcall", "suspend_upcall", "resume_upcall"][event] ?? "";
