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

/** `lacked`: no library OS sends it. `unseen`: the call that sent it is not in the log, and may be one that is emulated. */
export type Homemade = "no" | "lacked" | "unseen";

/** Who may have sent a signal: the ids of the log's threads, and whether they have other means than the calls that are emulated. */
export interface Senders {
  readonly inLog: ReadonlySet<number>;
  readonly haveOtherMeans: boolean;
}

const SENDS: ReadonlySet<string> = new Set(["pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo"]);

/** A call that sends, or has sent, what others send by kill and tgkill. */
export const isOtherMeans = (name: string, args: string): boolean =>
  SENDS.has(name) || (name === "prctl" && args.startsWith("PR_SET_PDEATHSIG"));

/** `sender`: si_pid, -1 for none. */
export function homemadeBy(signal: number, code: string, sender: number, { inLog, haveOtherMeans }: Senders): Homemade {
  if (SET_UP.test(code)) return "lacked";
  if (code === "SI_KERNEL") return ASKED_FOR.has(signal) ? "lacked" : "no";
  if (!inLog.has(sender)) return "no";
  if (SENT.test(code)) return haveOtherMeans ? "lacked" : "unseen";
  return CHANGED.test(code) ? "lacked" : "no";
}
