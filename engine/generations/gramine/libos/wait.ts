/** Sleeping in the LibOS: on the thread's scheduler_event (gramine-today.md 8; libos_thread.h). */

import { E } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { KIND } from "../../../transition.ts";
import { flow } from "../flow.ts";
import { PAL_ERROR, palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { LIBOS } from "./flows.ts";

const prepare = flow(LIBOS.thread_prepare_wait, "libos", "8", (s) => [
  s.call("PalEventClear(scheduler_event)", PAL.PalEventClear, (c) => ({ object: c.t.libos.schedulerEvent }), "pal.call.enter"),
  s.ret(),
]);

/** 0, -EINTR or -ETIMEDOUT. What is left of the time-out is `pal.timeLeft`. */
const wait = flow(LIBOS.thread_wait, "libos", "8", (s) => [
  s.test("pending signals do not matter?", (_, v) => v.ignorePending, "wait"),
  s.call("have_pending_signals()", LIBOS.have_pending_signals),
  s.test("one is there: -EINTR", (c) => c.t.rax === 1, "pending"),
  s.at("wait"),
  s.call(
    "PalEventWait(scheduler_event, timeout)",
    PAL.PalEventWait,
    (c, v) => ({ object: c.t.libos.schedulerEvent, timeout: v.timeout, autoClear: true }),
    "pal.call.enter",
  ),
  s.ret("return", (c) => {
    c.t.rax = c.t.rax === PAL_ERROR.TRYAGAIN ? E.TIMEDOUT : palToUnix(c.t.rax);
    c.value = c.t.rax;
  }),
  s.at("pending"),
  s.ret("return -EINTR", (c, v) => {
    c.t.rax = E.INTR;
    c.t.pal.timeLeft = v.timeout;
    c.value = E.INTR;
  }),
]);

const wakeup = flow(LIBOS.thread_wakeup, "libos", "6", (s) => [
  s.act("wake the thread", (c, v) => c.row(KIND["libos.wake"], v.target), "libos.wake"),
  s.call(
    "PalEventSet(scheduler_event)",
    PAL.PalEventSet,
    (c, v) => ({ object: c.m.threads[v.target]?.libos.schedulerEvent ?? -1, autoClear: true }),
    "pal.call.enter",
  ),
  s.ret(),
]);

export const waitFlows: readonly Flow[] = [prepare, wait, wakeup];
