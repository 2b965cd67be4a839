/** Calls the LibOS's upcall of an event. */

import { enter } from "../../../frames.ts";
import type { Frame } from "../../../state.ts";
import type { Cpu } from "../flow.ts";
import { EVENT } from "./errors.ts";
import { UPCALLS } from "./flows.ts";

const BY_EVENT = Object.fromEntries(Object.entries(EVENT).map(([name, event]) => [event, UPCALLS[name as keyof typeof EVENT]]));

export function callUpcall(c: Cpu, v: { event: number; id: number; addr: number; inPal: boolean }): Frame {
  const upcall = BY_EVENT[v.event];
  if (!upcall) throw new Error(`event ${v.event} has no upcall`);
  c.value = v.event;
  c.extra = v.id;
  return enter(c.program, upcall, { event: v.event, id: v.id, addr: v.addr, inPal: v.inPal });
}
