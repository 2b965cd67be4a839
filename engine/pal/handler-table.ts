/** handlers[event].upcall, the same on both PALs (reference, 1.5). */

import type { Cpu } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { KIND } from "../transition.ts";

/** The slot's lock is taken on every event (3.4 handler-table-lock-self-deadlock). */
export const getHandler: Flow = flow<{ event: number; found: boolean }>("_DkGetExceptionHandler", "pal", "1.5, 2.6", ({ act, ret }) => [
  act(
    "lock the slot",
    (c, v) => {
      c.value = v.event;
    },
    "lock",
  ),
  act("read handlers[event].upcall", (c, v) => {
    v.found = c.process(c.t).upcalls[v.event] ?? false;
  }),
  act(
    "unlock the slot",
    (c, v) => {
      c.value = v.event;
    },
    "unlock",
  ),
  ret("return", (c, v) => {
    c.t.rax = v.found ? 1 : 0;
    c.value = c.t.rax;
  }),
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
