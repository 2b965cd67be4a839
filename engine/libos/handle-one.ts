/** __handle_one_signal: disposition, the application's handler, the default action (reference, 2.12, 2.16). */

import { newFrame } from "../control.ts";
import { running } from "../cpu.ts";
import type { Flow } from "../flow.ts";
import { enter, findDown, localsOf } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { type PalContext, SIG_DFL } from "../generations/graphene-2019/state.ts";
import { genericEventTrigger, type PalEvent } from "../pal/flows.ts";
import type { SigInfo } from "../siginfo.ts";
import { linuxDefault, SIG } from "../signals.ts";
import { type Frame, SA_RESETHAND } from "../state.ts";
import { KIND } from "../transition.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { killArgs } from "./kill.ts";
import { threadLock } from "./names.ts";
import { UNDEFINED } from "./ring.ts";
import { othersAlive } from "./thread-list.ts";

/** The LibOS's own signal: a thread that gets it joins a checkpoint (1.7). */
const SIGCP = 33;

export interface Signal {
  signal: number;
  id: number;
  info: SigInfo;
  context: PalContext;
  stored: boolean;
}

/** To deliver_signal. */
export interface Delivery extends Signal {
  /** An event of the PAL brings it; else the thread has sent it to itself. */
  event: boolean;
}

export function args(c: Cpu, v: Signal): void {
  c.signal = v.signal;
  c.extra = v.id;
}

export interface OneSignal extends Signal {
  disposition: number;
  handler: number;
  /** The action was taken away. */
  reset: boolean;
  savedNr: number;
  savedPreempt: number;
  savedDelayed: boolean;
  saved: boolean;
  /** The handler has moved RIP in its ucontext past the faulting instruction. */
  skip: boolean;
}

const oneSignal = (v: Signal): OneSignal => ({
  signal: v.signal,
  id: v.id,
  info: v.info,
  context: v.context,
  stored: v.stored,
  disposition: 0,
  handler: -1,
  reset: false,
  savedNr: 0,
  savedPreempt: 0,
  savedDelayed: false,
  saved: false,
  skip: false,
});

/** Calls __handle_one_signal. Its first lines are about SIGCP alone and stand apart, so that the rest reads as the page draws it. */
export const handleOneSignal = (c: Cpu, v: Signal): Frame =>
  enter(c.program, v.signal === SIGCP ? LIBOS["__handle_one_signal (SIGCP)"] : LIBOS.__handle_one_signal, oneSignal(v));

const joinCheckpoint = flow(LIBOS["__handle_one_signal (SIGCP)"], "libos", "2.12", ({ act, ret }) => [
  act(
    "sig == SIGCP: join_checkpoint(); the application's handler is not looked at",
    (c, v) => {
      args(c, v);
      c.value = 0;
    },
    "libos.signal.ignore",
  ),
  ret(),
]);

/** signal_handles[sig - 1].action. Signal 0 has none: what lies before the table is read (3.5 kill-signal-zero-oob). */
function look(c: Cpu, v: OneSignal): void {
  args(c, v);
  const action = c.t.libos.actions[v.signal];
  v.disposition = action === undefined || action.flow === SIG_DFL ? 0 : action.flow < 0 ? 1 : 2;
  v.handler = action?.flow ?? -1;
  c.value = v.disposition;
  if (action?.garbage) c.detail = c.text("sa_flags and sa_mask were not copied by clone or fork: taken as 0");
  v.reset = action !== undefined && (action.flags & SA_RESETHAND) !== 0;
  if (v.reset) delete c.t.libos.actions[v.signal];
  if (v.signal !== 0) return;
  c.kind = KIND["undefined.read"];
  c.value = UNDEFINED.OUT_OF_BOUNDS;
  c.detail = c.text("signal_handles[-1]: the memory before the table");
}

/** The event of an upcall that has not ended, null when there is none. */
function eventOf(c: Cpu, id: number): PalEvent | null {
  const stack = running(c.t);
  for (let at = findDown(c, stack, genericEventTrigger); at >= 0; at = findDown(c, stack, genericEventTrigger, at)) {
    const event = localsOf(c, stack[at], genericEventTrigger);
    if (event?.id === id) return event;
  }
  return null;
}

/** pal_context: an upcall that has not ended, or somewhere (3.2 append-signal-garbage-context-pointer). Null: nobody reads what is written there. */
export function contextOf(c: Cpu, v: Signal): PalEvent | null {
  if (v.context === "none") return null;
  const upcall = v.context === "pal" ? eventOf(c, v.id) : null;
  if (upcall) return upcall;
  c.kind = KIND["undefined.read"];
  c.value = v.context === "pal" ? UNDEFINED.FREED : UNDEFINED.NEVER_WRITTEN;
  c.extra = v.id;
  c.detail = c.text(v.context === "pal" ? "signal.pal_context: the stack of an upcall that is over" : "signal.pal_context: never written");
  return null;
}

/** The registers go back. */
function copyContext(c: Cpu, v: OneSignal): void {
  const upcall = contextOf(c, v);
  if (!upcall) return;
  if (v.skip) upcall.skip = true;
  c.value = v.skip ? 1 : 0;
}

/** `whole`: with the default action of each standard signal [H 0b244f67d]. */
const handleOne = (whole: boolean): Flow =>
  flow(
    LIBOS.__handle_one_signal,
    "libos",
    "2.12",
    ({ act, test, jump, call, callDynamic, at, ret }) => [
      call("lock(cur.lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
      act("handler := action.k_sa_handler; SA_RESETHAND: action := NULL", look, "libos.signal.deliver"),
      test("no SA_RESETHAND?", (_, v) => !v.reset, "looked"),
      call("free(action)", LIBOS.free),
      at("looked"),
      call("unlock(cur.lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
      test("SIG_IGN?", (_, v) => v.disposition === 1, "ignore"),
      test("SIG_DFL?", (_, v) => v.disposition === 0, "default"),
      act("save LibOS-syscall context and reset it", (c, v) => {
        v.saved = c.t.libos.syscallNr !== 0;
        v.savedNr = c.t.libos.syscallNr;
        v.savedPreempt = c.t.libos.preempt;
        v.savedDelayed = c.t.libos.delayed;
        if (v.saved) c.t.libos.syscallNr = 0;
      }),
      callDynamic("user signal handler(sig, signal.info, signal.context)", (c, v) =>
        newFrame(c.program, v.handler, { signal: v.signal, id: v.id, event: 0, info: v.info }),
      ),
      act("restore tcb.context (if saved)", (c, v) => {
        if (!v.saved) return;
        c.t.libos.syscallNr = v.savedNr;
        c.t.libos.preempt = v.savedPreempt;
        c.t.libos.delayed = v.savedDelayed;
      }),
      act("copy signal.context.<regs> in signal.pal_context if not NULL", copyContext, ["step", "undefined.read"]),
      jump("return", "return"),
      at("default"),
      test("default action: terminate?", (c, v) => terminates(v.signal, whole) && c.t.libos.ready, "kill"),
      at("ignore"),
      act(
        "nothing to do",
        (c, v) => {
          args(c, v);
          c.value = v.disposition;
        },
        "libos.signal.ignore",
      ),
      jump("return", "return"),
      at("kill"),
      act(
        "killed by the signal",
        (c, v) => {
          args(c, v);
          c.value = othersAlive(c).length;
        },
        "libos.signal.kill",
      ),
      test(
        "from the host (si_pid == 0), SIGTERM or SIGINT?",
        (_, v) => v.info.pid !== 0 || (v.signal !== SIG.TERM && v.signal !== SIG.INT),
        "exit",
      ),
      call("shim_do_kill(-1, sig)", SHIM_DO.kill, (_, v) => killArgs("all", v.signal)),
      at("exit"),
      call("try_process_exit(0, sig)", LIBOS.try_process_exit, (_, v) => ({ status: 0, signal: v.signal, turns: 0, returns: false })),
      at("return"),
      ret(),
    ],
    { note: "D12: mask, sa_mask, flags (but SA_RESETHAND) and alternate stacks play no part" },
  );

const LAST_STANDARD = 31;

/** default_sighandler at the base revision (1.7): USR1, USR2, STKFLT, stop signals and everything above 22 are ignored. */
export function terminates(signal: number, whole: boolean): boolean {
  if (whole) return signal <= LAST_STANDARD && linuxDefault(signal) === "terminate";
  if (signal === 0 || signal > 22 || signal === SIG.USR1 || signal === SIG.USR2 || signal === 16) return false;
  return linuxDefault(signal) === "terminate";
}

export const handleOneFlows = (fixes: { defaults: boolean }): Flow[] => [handleOne(fixes.defaults), joinCheckpoint];
