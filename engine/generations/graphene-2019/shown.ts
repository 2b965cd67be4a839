/** What readers of a Graphene trace see of its state: PAL events, hops of a signal, lines of the state pane. */

import { EVENT, eventName } from "../../pal/events.ts";
import { signalName } from "../../signals.ts";
import { type Events, HOST_HOPS, type Shown } from "../../stack/shown.ts";
import {
  enclaveLine,
  handlerLine,
  hostMaskLine,
  hostPendingLine,
  maskText,
  resultLine,
  type StateLine,
  type StateView as StateViewOf,
  ssaLines,
  stackLines,
  stateLine,
  threadLine,
} from "../../stack/state-lines.ts";
import type { Process, SgxThread, Thread } from "./state.ts";

type StateView = StateViewOf<Thread, Process>;

const events: Events = { name: eventName, withoutSignal: [EVENT.FAILURE], consumed: [EVENT.RESUME] };

const hops = {
  generated: HOST_HOPS.generated,
  delivered: HOST_HOPS.delivered,
  pended: "pending in the PAL",
  upcall: "on its way up to the LibOS",
  decided: "the LibOS decides",
  appended: "in the LibOS queue",
  fetched: "taken from the LibOS queue",
  handled: HOST_HOPS.handled,
  ended: HOST_HOPS.ended,
} as const satisfies Shown["hops"];

export const grapheneLinuxShown: Shown<Thread, Process> = {
  events,
  hops,
  stateLines: (v) => [
    threadLine(v),
    ...lockLines(v),
    palErrnoLine(v),
    ...libosPendingLines(v),
    ...palPendingLines(v),
    hostPendingLine(v),
    ...libosMaskLines(v),
    hostMaskLine(v),
    handlerLine(v),
    ...stackLines("stack", v.thread.host, v.program),
    ...programLines(v),
  ],
};

export const grapheneSgxShown: Shown<SgxThread, Process> = {
  events,
  hops,
  stateLines: (v) => [
    threadLine(v),
    ...lockLines(v),
    enclaveLine(v),
    palErrnoLine(v),
    ...libosPendingLines(v),
    hostPendingLine(v),
    ...libosMaskLines(v),
    hostMaskLine(v),
    handlerLine(v),
    ...ssaLines(v),
    ...stackLines("enclave", v.thread.enclave, v.program),
    ...stackLines("untrusted", v.thread.host, v.program),
    ...programLines(v),
  ],
};

function lockLines({ process, machine }: StateView): StateLine[] {
  const held = Object.entries(process?.pal.locks ?? {}).filter(([, owner]) => owner >= 0);
  if (held.length === 0) return [];
  return [
    stateLine("locks", `locks ${held.map(([name, owner]) => `${name} held by ${machine.threads[owner]?.name ?? owner}`).join(", ")}`),
  ];
}

/** Until the LibOS has initialised the thread's control block there is no pal_errno. */
const palErrnoLine = (v: StateView): StateLine => resultLine(v, v.thread.libos.ready ? `pal_errno ${v.thread.libos.palErrno}  ` : "");

function libosPendingLines({ thread: { libos } }: StateView): StateLine[] {
  if (!libos.ready) return [];
  const rings = Object.entries(libos.rings).filter(([, ring]) => ring.length > 0);
  const queued = rings.map(([signal, ring]) => `  ${signalName(Number(signal))} x${ring.length}`).join("");
  return [
    stateLine("preempt", `preempt ${libos.preempt}${libos.delayed ? " | SIGNAL_DELAYED" : ""}`),
    stateLine("rings", `LibOS pending ${libos.hasSignal}${queued}`),
  ];
}

function palPendingLines({ thread: { libos, pal } }: StateView): StateLine[] {
  if (!libos.ready) return [];
  const queued = pal.queue.map(({ event }) => eventName(event)).join(" ");
  const first = pal.pendingEvent === 0 ? "none" : eventName(pal.pendingEvent);
  return [stateLine("pal", `PAL pending ${first}${queued === "" ? "" : `, queue ${queued}`}`)];
}

function libosMaskLines({ thread: { libos } }: StateView): StateLine[] {
  if (!libos.ready) return [];
  return [stateLine("mask", `LibOS mask ${maskText(libos.mask)}${libos.suspendOnSignal ? "  suspend_on_signal" : ""}`)];
}

function programLines({ thread: { libos }, process }: StateView): StateLine[] {
  if (!libos.ready) return [];
  const handlers = Object.entries(libos.actions).map(
    ([signal, action]) => `${signalName(Number(signal))}${action.flow < 0 ? " ignored" : ""}`,
  );
  const timers = (process?.libos.asyncList ?? []).map((event) => `${event.callback} at ${event.expire}${event.live ? "" : " (cancelled)"}`);
  return [
    stateLine("actions", `handlers ${handlers.length > 0 ? handlers.join(" ") : "none"}`),
    stateLine("syscall", `syscall_nr ${libos.syscallNr}`),
    ...(timers.length > 0 ? [stateLine("async", `async list ${timers.join(", ")}`)] : []),
  ];
}
