/** What a signal meets: get_signal_handler, and sighandler_kill, which stands for the default actions (shim_signal.c at 54d9f053c). */

import { running } from "../../cpu.ts";
import type { Flow, Mark, Step } from "../../flow.ts";
import { numberOf } from "../../frames.ts";
import { LIBOS, SHIM_DO } from "../../libos/flows.ts";
import { terminates } from "../../libos/handle-one.ts";
import { dkExit } from "../../libos/io.ts";
import { killArgs } from "../../libos/kill.ts";
import { threadLock } from "../../libos/names.ts";
import { othersAlive } from "../../libos/thread-list.ts";
import type { Ref } from "../../ref.ts";
import { NO_INFO } from "../../siginfo.ts";
import { SIG } from "../../signals.ts";
import { SA_NO_RESTORER, SA_RESETHAND } from "../../state.ts";
import { SIG_DFL } from "../graphene-2019/state.ts";
import { type Cpu, flow, type Steps } from "./flow.ts";
import { addressZero, type Found, PR, userRestorer } from "./flows.ts";
import type { Thread } from "./state.ts";

/** `handler`: SIG_IGN, and a default action that is none. */
export const IGNORED = -1;
export const NO_DEFAULT = 0;

export const isDefault = (c: Cpu, v: { handler: number }): boolean => v.handler === numberOf(c.program, PR.sighandler_kill);

export const NOTHING_FOUND: Found = { found: 0, id: 0, info: NO_INFO, handler: NO_DEFAULT, restorer: 0 };

/** Out parameters: variables of the function that has called the running one. */
export function giveBack<V extends object>(c: Cpu, found: V): void {
  Object.assign(running(c.t).at(-2)?.v ?? {}, found);
}

export interface Lookup extends Pick<Found, "handler" | "restorer"> {
  signal: number;
  id: number;
  reset: boolean;
}

/** The action, which SA_RESETHAND takes away. `whole`: with the default action of each standard signal. */
export function lookUp(c: Cpu, t: Thread, v: Lookup, whole: boolean): void {
  c.signal = v.signal;
  c.extra = v.id;
  const action = t.libos.actions[v.signal];
  const isSet = action !== undefined && action.flow !== SIG_DFL;
  c.value = !isSet ? 0 : action.flow < 0 ? 1 : 2;
  v.handler = isSet ? Math.max(action.flow, IGNORED) : terminates(v.signal, whole) ? numberOf(c.program, PR.sighandler_kill) : NO_DEFAULT;
  // sa_restorer of the action, whatever its handler is; NULL where there is no action.
  v.restorer = numberOf(c.program, action === undefined || (action.flags & SA_NO_RESTORER) !== 0 ? addressZero : userRestorer);
  if (action?.garbage) c.detail = c.text("sa_flags and sa_mask were not copied by clone or fork: taken as 0");
  v.reset = action !== undefined && (action.flags & SA_RESETHAND) !== 0;
  if (v.reset) delete t.libos.actions[v.signal];
}

/** The caller has `handler` and `restorer`. */
export const getHandler = (of: Ref<{ signal: number; id: number }>, source: string, whole: boolean): Flow =>
  flow<Lookup>(of, "libos", source, (s) => [
    s.own({ handler: NO_DEFAULT, restorer: 0, reset: false }),
    s.call("lock(thread->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.act(
      "handler := action.k_sa_handler or default_sighandler[sig - 1]; SA_RESETHAND: action := NULL",
      (c, v) => lookUp(c, c.t, v, whole),
      "libos.signal.deliver",
    ),
    s.test("no SA_RESETHAND?", (_, v) => !v.reset, "unlock"),
    s.call("free(act)", LIBOS.free),
    s.at("unlock"),
    s.call("unlock(thread->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.ret("return *handler, *restorer", (c, { handler, restorer }) => giveBack(c, { handler, restorer })),
  ]);

/** Text of the LibOS, whoever calls it. */
const kill = flow(PR.sighandler_kill, "libos", "pr347 c4; 2.16", (s) => [
  s.act(
    "killed by the signal",
    (c, v) => {
      c.signal = v.signal;
      c.value = othersAlive(c).length;
      c.extra = v.id;
    },
    "libos.signal.kill",
  ),
  s.test(
    "info->si_pid != 0, or neither SIGTERM nor SIGINT?",
    (_, v) => v.info.pid !== 0 || (v.signal !== SIG.TERM && v.signal !== SIG.INT),
    "exit",
  ),
  s.call("shim_do_kill(-1, sig)", SHIM_DO.kill, (_, v) => killArgs("all", v.signal)),
  s.at("exit"),
  s.call("try_process_exit(0, sig)", LIBOS.try_process_exit, (_, v) => ({ status: 0, signal: v.signal, turns: 0, returns: false })),
  dkExit(s, "DkThreadExit()", "DkThreadExit"),
]);

/** Fixed: a default action has no frame, and nobody comes back from it. */
export const callDefault = (s: Steps<Found>): (Step | Mark)[] => [
  s.test("no default action?", (c, v) => !isDefault(c, v), "handler"),
  s.call("handler(sig, &signal->info)", PR.sighandler_kill, (_, v) => ({ signal: v.found, id: v.id, info: v.info })),
  s.at("handler"),
];

export const handlerFlows: readonly Flow[] = [getHandler(PR.get_signal_handler, "pr347 c1", false), kill];
