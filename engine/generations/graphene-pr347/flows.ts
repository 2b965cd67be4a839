/** Functions of PR 347, for those who call them. */

import { type Entry, type Sigframe, shimRefs } from "../../app/flows.ts";
import type { Scan } from "../../libos/deliver.ts";
import type { Delivery, Signal } from "../../libos/handle-one.ts";
import { type Ref, ref } from "../../ref.ts";
import type { SigInfo } from "../../siginfo.ts";

/** struct sig_deliver, or the out parameters of get_signal_handler: what the callee finds for its caller. */
export interface Found {
  /** 0: nothing was found. */
  found: number;
  id: number;
  info: SigInfo;
  handler: Handler;
  /** sa_restorer; 0 for NULL. */
  restorer: number;
}

/** A handler as the LibOS knows it: SIG_IGN, a default without a function, sighandler_kill, or a flow's number. */
export type Handler = number;

/** Of a signal that meets its disposition in an upcall. */
export interface OneSignal extends Signal, Pick<Found, "handler" | "restorer"> {}

/** Our frame on the application's stack, with the siginfo in it: a handler that uses the frame again reads what is there. */
export interface UserFrame extends Sigframe {
  info: SigInfo;
}

export const PR = {
  deliver_signal: ref<Delivery>("deliver_signal"),
  /** `uc`: there are a ucontext and an event. */
  __handle_signal: ref<Scan & { uc: boolean }>("__handle_signal"),
  __handle_one_signal: ref<Signal>("__handle_one_signal"),
  __setup_sig_frame: ref<OneSignal>("__setup_sig_frame"),
  get_signal_handler: ref<{ signal: number; id: number }>("get_signal_handler"),
  sighandler_kill: ref<{ signal: number; id: number; info: SigInfo }>("sighandler_kill"),

  handle_sysret_signal: ref("handle_sysret_signal"),
  deliver_signal_on_sysret: ref<{ ret: number }>("deliver_signal_on_sysret"),
  __get_signal_to_deliver: ref("__get_signal_to_deliver"),

  "syscalldb (rt_sigreturn)": ref("syscalldb (rt_sigreturn)"),
  shim_rt_sigreturn: ref("shim_rt_sigreturn"),
  shim_do_sigreturn: ref("shim_do_sigreturn"),
  handle_next_signal: ref("handle_next_signal"),
  __setup_next_sig_frame: ref<Pick<Found, "found" | "id" | "info" | "handler" | "restorer">>("__setup_next_sig_frame"),
  __sigreturn: ref("__sigreturn"),
} as const;

/** __restore_rt of libc: the same flow as `restorer`, with the frame as this generation builds it. */
export const userRestorer = ref<UserFrame>("__restore_rt (application)");
/** Nothing is mapped there. */
export const addressZero = ref("(address 0)");

/** The stub of syscallas.S, with the name of the call that it is for. */
export const STUBS = shimRefs((name) => `syscalldb (${name})`);
export const toStub: Entry = { refs: STUBS, label: (name) => `syscalldb(): ${name}` };

export type { Ref };
