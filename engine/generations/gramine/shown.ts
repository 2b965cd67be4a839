/** How traces and states of this generation are read. */

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
import { eventName } from "./pal/errors.ts";
import { INJECTED_AND_TAKEN, type Process, type SgxProcess, type SgxThread, type SignalQueue, type Thread } from "./state.ts";

type StateView = StateViewOf<Thread, Process>;
type SgxView = StateViewOf<SgxThread, SgxProcess>;

/** An INTERRUPTED is a wake-up: what it is for is in a queue. */
export const events: Events = { name: eventName, withoutSignal: [], consumed: [5] };

export const hops = {
  generated: HOST_HOPS.generated,
  delivered: HOST_HOPS.delivered,
  upcall: "on its way up to the LibOS",
  appended: "in a queue of the LibOS",
  fetched: "taken from the queue",
  decided: "the LibOS decides",
  handled: HOST_HOPS.handled,
  ended: HOST_HOPS.ended,
} as const satisfies Shown["hops"];

const queueText = (queue: SignalQueue): string => (queue.length === 0 ? "none" : queue.map(({ signal }) => signalName(signal)).join(" "));

function queueLines({ thread: { libos }, process }: StateView): StateLine[] {
  const forced = libos.forced === null ? "" : `  forced ${signalName(libos.forced.signal)}`;
  const shared = process?.libos;
  const word =
    shared === undefined || shared.injected === 0
      ? ""
      : shared.injected === INJECTED_AND_TAKEN
        ? "  injected: taken"
        : "  injected SIGTERM";
  return [
    stateLine("queue", `thread queue ${queueText(libos.queue)}${forced}`),
    stateLine("process queue", `process queue ${queueText(shared?.queue ?? [])}${word}`),
  ];
}

function callLines({ thread: { libos } }: StateView): StateLine[] {
  const die = libos.timeToDie ? "  time_to_die" : "";
  return [stateLine("syscall", `syscall_nr ${libos.syscallNr}  alternate stack ${libos.altStack === 0 ? "none" : libos.altStack}${die}`)];
}

function maskLines({ thread: { libos } }: StateView): StateLine[] {
  const saved = libos.savedMask === null ? "" : `  saved ${maskText(libos.savedMask)}`;
  return [stateLine("mask", `LibOS mask ${maskText(libos.mask)}${saved}`)];
}

function processLines({ process, machine }: StateView): StateLine[] {
  if (!process) return [];
  const { owners, actions } = process.libos;
  const held = Object.entries(owners).map(([name, owner]) => `${name} held by ${machine.threads[owner]?.name ?? owner}`);
  const handlers = Object.entries(actions).map(
    ([signal, action]) => `${signalName(Number(signal))}${action.flow < 0 ? (action.flow === -1 ? " ignored" : " default") : ""}`,
  );
  return [
    ...(held.length > 0 ? [stateLine("locks", `locks ${held.join(", ")}`)] : []),
    stateLine("actions", `dispositions ${handlers.length > 0 ? handlers.join(" ") : "none"}`),
  ];
}

/** Lines that both PALs have, before those of the stacks. */
export const libosLines = (v: StateView): StateLine[] =>
  v.thread.libos.ready || v.thread.internal ? [...queueLines(v), ...maskLines(v), ...callLines(v), ...processLines(v)] : [];

export const gramineLinuxShown: Shown<Thread, Process> = {
  events,
  hops,
  stateLines: (v) => [
    threadLine(v),
    resultLine(v),
    ...libosLines(v),
    hostPendingLine(v),
    hostMaskLine(v),
    handlerLine(v),
    ...stackLines("stack", v.thread.host, v.program),
  ],
};

function sgxLines({ thread: { pal } }: SgxView): StateLine[] {
  const { lastAsyncEvent, preOcallStack, readyForExceptions, tcs } = pal.sgx;
  const event = lastAsyncEvent === 0 ? "none" : eventName(lastAsyncEvent);
  return [
    stateLine("async event", `last_async_event ${event}`),
    stateLine(
      "enclave tcb",
      `TCS ${tcs < 0 ? "none" : tcs}  pre_ocall_stack ${preOcallStack < 0 ? "NULL" : preOcallStack}${readyForExceptions ? "" : "  not ready for exceptions"}`,
    ),
  ];
}

export const gramineSgxShown: Shown<SgxThread, SgxProcess> = {
  events,
  hops: { ...hops, pended: "pending outside the enclave" },
  stateLines: (v) => [
    threadLine(v),
    enclaveLine(v),
    resultLine(v),
    ...sgxLines(v),
    ...libosLines(v),
    hostPendingLine(v),
    hostMaskLine(v),
    handlerLine(v),
    ...ssaLines(v),
    ...stackLines("enclave", v.thread.enclave, v.program),
    ...stackLines("untrusted", v.thread.host, v.program),
  ],
};
