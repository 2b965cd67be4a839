/** Signals sent by calls of the log, and which of them each signal line tells of: those that were pending already are one with it. */

import type { ProcessState } from "./facts.ts";
import type { CallEvent, LogEvent, SignalEvent } from "./log.ts";
import type { Task } from "./tree.ts";

/** A call that sent a signal; `effect` is when it did, ns of the log: between its beginning and its end. */
export interface Sending {
  readonly call: CallEvent;
  readonly sender: number;
  effect: number;
}

/** SIGRTMIN: from here on signals queue. */
const FIRST_QUEUED = 32;
/** What a call takes to be under way, ns. */
const UNDER_WAY_NS = 2000;

/** What one process, or one thread of it, was sent. */
export class Mailbox {
  /** By signal: sent since the last one of this number was taken. */
  private readonly waiting = new Map<number, Sending[]>();
  private readonly last = new Map<number, { readonly sending: Sending; readonly takenAt: number }>();

  put(signal: number, sending: Sending): void {
    const list = this.waiting.get(signal);
    if (list) list.push(sending);
    else this.waiting.set(signal, [sending]);
  }

  /** The call whose signal arrives at a time; undefined when no call of the log sent it. */
  take(signal: number, sender: number, at: number): Sending | undefined {
    const list = this.waiting.get(signal) ?? [];
    const found = list.findIndex((sending) => sending.sender === sender);
    const sending = list[found] ?? this.underWay(signal, sender);
    if (signal >= FIRST_QUEUED) list.splice(found, found < 0 ? 0 : 1);
    else if (found >= 0) {
      // What was sent before it came after it all the same, and what was sent after it until now is one with it.
      for (const other of list.slice(0, found)) other.effect = Math.max(other.effect, Math.min(other.call.end, list[found]?.effect ?? 0));
      const last = list.at(-1);
      if (last && last !== sending) this.last.set(signal, { sending: last, takenAt: at });
      else this.last.delete(signal);
      this.waiting.set(signal, []);
    }
    return sending;
  }

  /** It seemed to be one with the signal taken before, but was still under way then. */
  private underWay(signal: number, sender: number): Sending | undefined {
    const last = this.last.get(signal);
    this.last.delete(signal);
    if (last === undefined || last.sending.sender !== sender || last.sending.call.end <= last.takenAt) return undefined;
    last.sending.effect = Math.max(last.sending.effect, last.takenAt + 1);
    return last.sending;
  }

  /** The same when the log may not say who sent it. */
  takeAny(signal: number, sender: number | null, at: number): Sending | undefined {
    const first = this.waiting.get(signal)?.[0];
    return first && this.take(signal, sender ?? first.sender, at);
  }

  /** The first that was not taken. */
  first(signal: number): Sending | undefined {
    return this.waiting.get(signal)?.[0];
  }
}

/** Of a thread, or (null) of its process. */
export function mailboxOf(state: ProcessState, thread: Task | null): Mailbox {
  if (thread === null) return state.sent;
  const mailbox = state.sentTo.get(thread) ?? new Mailbox();
  state.sentTo.set(thread, mailbox);
  return mailbox;
}

/** A call that a signal ended. */
export const isCut = (call: CallEvent): boolean => call.restart !== "" || call.value === -4 || !call.ended;

/** `before`: what the receiver's log shows before the signal. A call that it ended had begun, one that it did not end was over. */
export function settleEffect(sending: Sending, before: LogEvent | undefined, { start }: SignalEvent): void {
  const { call } = sending;
  if (before?.kind !== "call" || before === call) return;
  const at = isCut(before) ? Math.min(before.start + UNDER_WAY_NS, before.end) : before.end;
  sending.effect = Math.max(sending.effect, Math.min(at, call.end, start));
}
