/**
 * Signals that the program caused itself by what is not emulated. For the importer they come from outside; but a host that runs a library
 * OS would not send them, so they come on native-linux alone.
 */

import { SIG } from "../../../engine/index.ts";

/** What the kernel itself sends of these a program has asked for. */
const ASKED_FOR: ReadonlySet<number> = new Set([SIG.URG, SIG.XCPU, SIG.XFSZ, SIG.VTALRM, SIG.PROF, SIG.IO]);
/** Timers, message queues, asynchronous I/O and descriptors with an owner; of a signal that the owner chose strace tells the bare number. */
const SET_UP = /^(?:SI_(?:TIMER|MESGQ|ASYNCIO|SIGIO|ASYNCNL)|POLL_\w+|0x[1-6])$/;
/** Of a child: it has stopped or goes on. */
const CHANGED = /^CLD_(?:STOPPED|CONTINUED|TRAPPED)$/;
const SENT = /^SI_(?:USER|TKILL|QUEUE)$/;

/** `sender`: si_pid, -1 for none; `inLog`: the ids of the log's threads. */
export function isHomemade(signal: number, code: string, sender: number, inLog: ReadonlySet<number>): boolean {
  if (SET_UP.test(code)) return true;
  if (code === "SI_KERNEL") return ASKED_FOR.has(signal);
  return inLog.has(sender) && (CHANGED.test(code) || SENT.test(code));
}
