/** Calls that wait for signals or for time alone (gramine-today.md 8; libos_sleep.c, libos_sigaction.c). */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { OUT, tell } from "../../../host/outputs.ts";
import { NEVER } from "../../../time.ts";
import { flow, type Steps } from "../flow.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { copyOut } from "./outputs.ts";
import { answer } from "./send.ts";

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

export const sleepFlows: readonly Flow[] = [pause, sigsuspend, sleep("nanosleep"), sleep("clock_nanosleep")];
