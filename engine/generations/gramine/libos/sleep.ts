/** Calls that wait for signals or for time alone (gramine-today.md 8; libos_sleep.c, libos_sigaction.c). */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { OUT, tell } from "../../../host/outputs.ts";
import { blockable } from "../../../host/signal.ts";
import { type SignalSet, subtract } from "../../../signals.ts";
import type { SigtimedwaitArgs } from "../../../syscalls.ts";
import { NEVER } from "../../../time.ts";
import { KIND } from "../../../transition.ts";
import { flow, type Steps } from "../flow.ts";
import type { Queued } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { setMask } from "./mask.ts";
import { threadLock } from "./names.ts";
import { copyOut } from "./outputs.ts";

/**
 * The loop of all these calls: until something is pending. A wake-up that was for nobody, or a signal that another thread has taken, leads to
 * another turn; an ignored signal ends it (B10, B11).
 */
const untilPending = <V extends object>(s: Steps<V>, timeout: (v: V) => number, turn: (Step | Mark)[]): (Step | Mark)[] => [
  s.call("thread_prepare_wait()", LIBOS.thread_prepare_wait),
  s.at("loop"),
  s.call("have_pending_signals()", LIBOS.have_pending_signals),
  s.test("one is there?", (c) => c.t.rax === 1, "pending"),
  s.call("thread_wait(timeout, false)", LIBOS.thread_wait, (_, v) => ({ timeout: timeout(v), ignorePending: false })),
  ...turn,
  s.jump("loop", "look again"),
];

const returns = <V extends object>(s: Steps<V>, label: string, code: number): Step[] => [
  s.act(label, (c) => {
    c.t.rax = code;
  }),
  answer(s),
];

const pause = flow(SYSCALL_FLOWS.pause, "libos", "8", (s) => [
  ...untilPending(s, () => NEVER, []),
  s.at("pending"),
  ...returns(s, "-ERESTARTNOHAND", LIBOS_RESTART.NOHAND),
]);

/** NULL changes no mask: the call waits with the thread's own. Plain EINTR, whatever ended it. */
const sigsuspend = flow(SYSCALL_FLOWS.sigsuspend, "libos", "8, 10", (s) => [
  s.call("set_user_sigmask(mask)", LIBOS.set_user_sigmask, (_, v) => ({ mask: v.mask })),
  ...untilPending(s, () => NEVER, []),
  s.at("pending"),
  ...returns(s, "-EINTR", E.INTR),
]);

/** do_nanosleep: what is left is written whatever the result is. An absolute time has no rest to write. */
const sleep = (name: "nanosleep" | "clock_nanosleep"): Flow =>
  flow(SYSCALL_FLOWS[name], "libos", "8", (s) => [
    s.act("ret = -EINTR", (_, v) => {
      v.ret = E.INTR;
    }),
    s.test("an absolute time that is over already: 0", (_, v) => v.absolute && v.timeout === 0, "over"),
    ...untilPending(s, (v) => v.timeout, [
      s.act("timeout_us := what is left", (c, v) => {
        v.timeout = Math.max(0, c.t.pal.timeLeft);
        c.value = v.timeout;
      }),
      s.test("-ETIMEDOUT: 0", (c) => c.t.rax === E.TIMEDOUT, "over"),
    ]),
    s.at("over"),
    s.act("ret = 0", (_, v) => {
      v.ret = 0;
    }),
    s.at("pending"),
    s.act("rem, if asked for", (_, v) => {
      if (v.rem && !v.absolute && v.ret !== 0) tell(v, OUT.remaining, v.timeout);
    }),
    ...copyOut(s),
    s.act("the result", (c, v) => {
      c.t.rax = v.ret;
    }),
    answer(s),
  ]);

interface Sigtimedwait extends SigtimedwaitArgs {
  old: SignalSet;
  taken: Queued | null;
  waited: number;
}

const ALL: SignalSet = [-1, -1];

/** Any pending signal ends the wait (B11); only one of the set is taken. The mask that lets the set through is undone at the end. */
const sigtimedwait = flow<Sigtimedwait>(SYSCALL_FLOWS.rt_sigtimedwait, "libos", "8", (s) => [
  s.own({ old: [0, 0], taken: null, waited: E.INTR }),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act(
    "signal_mask := without the set",
    (c, v) => {
      v.old = c.t.libos.mask;
      setMask(c, c.t, subtract(v.old, blockable(v.mask)));
    },
    "libos.mask",
  ),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  ...untilPending(s, (v) => v.timeout, [
    s.act("timeout_us := what is left", (c, v) => {
      v.timeout = c.t.pal.timeLeft;
      v.waited = c.t.rax;
      c.value = v.waited;
    }),
    s.test("-ETIMEDOUT?", (_, v) => v.waited === E.TIMEDOUT, "pending"),
  ]),
  s.at("pending"),
  s.call("pop_unblocked_signal(all but the set, signal)", LIBOS.pop_unblocked_signal, (_, v) => ({
    mask: subtract(ALL, blockable(v.mask)),
  })),
  s.act("the signal, -EAGAIN after a time-out, else -EINTR", (c, v) => {
    v.ret = v.taken ? (v.zero ? 0 : v.taken.signal) : v.waited === E.TIMEDOUT ? E.AGAIN : E.INTR;
    if (v.taken && v.info) tell(v, OUT.signal, v.taken.signal);
    if (v.taken) c.stray(c.t, v.taken, KIND["signal.take"]);
    c.signal = v.taken?.signal ?? 0;
    c.value = v.ret;
  }),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act("signal_mask := as before", (c, v) => setMask(c, c.t, v.old), "libos.mask"),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  ...copyOut(s),
  s.act("the result", (c, v) => {
    c.t.rax = v.ret;
  }),
  answer(s),
]);

export const sleepFlows: readonly Flow[] = [sigtimedwait, pause, sigsuspend, sleep("nanosleep"), sleep("clock_nanosleep")];
