/** handlers[event].upcall, the same on both PALs but for the kind of lock (reference, 1.4, 1.5). */

import type { Flow } from "../flow.ts";
import { enter } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { Frame } from "../state.ts";
import { KIND } from "../transition.ts";
import { EVENT_NAMES } from "./events.ts";
import { getExceptionHandler, UPCALLS } from "./flows.ts";
import { lock, unlock, whenTaken } from "./locks.ts";

interface Lookup {
  event: number;
  found: boolean;
}

const slot = (v: Lookup): string => `handlers[${v.event}]`;

/** The slot's lock is taken on every event: one that comes while this thread holds it waits for ever. */
export const getHandler: Flow = flow(getExceptionHandler, "pal", "1.5, 2.6, 3.4 handler-table-lock-self-deadlock", (s) => [
  ...lock(s, "lock the slot", slot),
  s.act("read handlers[event].upcall", (c, v) => {
    v.found = c.process(c.t).pal.upcalls[v.event] ?? false;
  }),
  unlock(s, "unlock the slot", slot),
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

const BY_NUMBER = EVENT_NAMES.map((name) => (name in UPCALLS ? UPCALLS[name as keyof typeof UPCALLS] : null));

/** Calls the upcall of an event that has one. Its row says which event it is. */
export function upcall(c: Cpu, v: { event: number; id: number; arg: number; hasContext: boolean }): Frame {
  const { event, id, arg, hasContext } = v;
  const callee = BY_NUMBER[event];
  if (!callee) throw new Error(`event ${event} has no upcall`);
  c.value = event;
  c.extra = id;
  return enter(c.program, callee, { event, id, arg, hasContext, signal: 0, code: 0 });
}
