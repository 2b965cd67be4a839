/** What a stack declares for those who read its traces and states: names, and what a reader must know of its PAL events. */

import type { Process, Thread } from "../state.ts";
import type { StateLines } from "./state-lines.ts";

/** Columns of a signal in a trace, each the seq of one hop, in the order of a signal that takes all of them. */
export const HOPS = ["generated", "delivered", "pended", "upcall", "decided", "appended", "fetched", "handled", "ended"] as const;
export type Hop = (typeof HOPS)[number];

/** The events by which a PAL tells a library OS of something; kinds of transition carry their numbers. */
export interface Events {
  readonly name: (event: number) => string;
  /** Upcalls of these events carry no signal id: `extra` is something else. */
  readonly withoutSignal: readonly number[];
  /** These events are consumed by the upcall or the wait that they end: no handler follows. */
  readonly consumed: readonly number[];
}

export interface Shown<T extends Thread = Thread, P extends Process = Process> {
  readonly events: Events;
  /** Hops that a signal can take in this stack, and where the signal is after each. */
  readonly hops: Readonly<Partial<Record<Hop, string>>>;
  /** The state of a thread for the state pane. */
  readonly stateLines: StateLines<T, P>;
}

/** Hops that the host kernel and the application give to every stack. */
export const HOST_HOPS = {
  generated: "in the host kernel",
  delivered: "delivered by the host kernel",
  handled: "in the application's handler",
  ended: "over",
} as const satisfies Shown["hops"];

/** A stack without a PAL, and a stack that this build does not know. */
export const NO_EVENTS: Events = { name: (event) => `event ${event}`, withoutSignal: [], consumed: [] };
