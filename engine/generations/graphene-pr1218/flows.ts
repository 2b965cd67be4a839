/** Functions of PR 1218, for those who call them. */

import { type Ref, ref } from "../../ref.ts";
import type { SigInfo } from "../../siginfo.ts";
import type { Found, OneSignal } from "../graphene-pr347/flows.ts";
import { PR } from "../graphene-pr347/flows.ts";

/** The last function that a default action or an exit calls. */
export interface Killed {
  signal: number;
  id: number;
  /** Of a handler's arguments: it is jumped to like one (handle_next_signal). */
  event: number;
  info: SigInfo;
}

export const PR1218 = {
  get_sighandler: ref<{ signal: number; id: number }>("get_sighandler"),
  setup_sigframe: ref<OneSignal>("setup_sigframe"),
  get_signal_to_deliver: ref("get_signal_to_deliver"),
  handle_exit_signal: ref("handle_exit_signal"),
  signal_pending: ref("signal_pending"),
  check_last_thread: ref("check_last_thread"),
  /** The same flow as PR's, with the arguments of a handler. */
  sighandler_kill: ref<Killed>(PR.sighandler_kill.name),
  "syscalldb (isundef)": ref("syscalldb (isundef)"),
} as const;

export type { Found, Ref };
