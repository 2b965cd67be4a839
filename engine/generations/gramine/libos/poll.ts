/** poll, ppoll, select, pselect6, epoll_wait, epoll_pwait (gramine-today.md 8; libos_poll.c, libos_epoll.c). */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import type { PollArgs } from "../../../syscalls.ts";
import { goOnWith } from "../context.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR, palToUnix } from "../pal/errors.ts";
import { PAL, type WaitLocals } from "../pal/flows.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { kindOf } from "./io.ts";

/** A regular file has a poll function of its own, which says that it is ready; the PAL is asked about the others. */
function ask(c: Cpu, v: PollArgs): void {
  v.ready = v.objects.filter((object) => kindOf(c, object) === "file");
  v.rest = v.objects.filter((object) => kindOf(c, object) !== "file");
  c.value = v.rest.length;
}

const waitArgs = (v: PollArgs, more: readonly number[] = []): WaitLocals => ({
  objects: [...v.rest, ...more],
  timeout: v.ready.length > 0 ? 0 : v.timeout,
  takes: v.takes,
  result: v.result,
  ends: v.ends,
});

/**
 * The time-out in the application's memory, which ppoll, select and pselect6 write back: a call made again goes on with it. That of poll is a
 * number, and starts over (B15).
 */
const writeBack =
  (always: boolean) =>
  (c: Cpu, v: PollArgs): void => {
    c.value = c.t.pal.timeLeft;
    if (always || v.mask !== null || v.select) goOnWith(c, c.t.pal.timeLeft);
  };

function outcome(c: Cpu, v: PollArgs): void {
  const result = c.t.rax;
  if (result === PAL_ERROR.TRYAGAIN) v.ret = v.ready.length;
  else if (result < 0) v.ret = palToUnix(result);
  else v.ret = result + v.ready.length;
  if (v.ret === E.INTR) v.ret = LIBOS_RESTART.NOHAND;
  c.value = v.ret;
}

const result = (s: Steps<PollArgs>): Step =>
  s.act("the result", (c, v) => {
    c.t.rax = v.ret;
  });

/** What of today's Gramine is otherwise. */
interface Fixes {
  /** A call that is made again goes on with what is left of its time-out. */
  readonly goesOn: boolean;
  /** Something pending ends the call before it waits. */
  readonly looks: boolean;
}

const lookFirst = (s: Steps<PollArgs>): (Step | Mark)[] => [
  s.call("have_pending_signals()", LIBOS.have_pending_signals),
  s.test("none is there?", (c) => c.t.rax === 0, "wait"),
  s.act("-ERESTARTNOHAND", (_, v) => {
    v.ret = LIBOS_RESTART.NOHAND;
  }),
  s.jump("leave", "leave"),
  s.at("wait"),
];

/** Nobody looks at pending signals before the wait, whatever the temporary mask lets through (libos_poll.c:286, 478). */
const poll = (name: "poll" | "select", { goesOn, looks }: Fixes): Flow =>
  flow(SYSCALL_FLOWS[name], "libos", "8", (s) => [
    s.call("set_user_sigmask(mask)", LIBOS.set_user_sigmask, (_, v) => ({ mask: v.mask })),
    ...(looks ? lookFirst(s) : []),
    s.act("under the lock of the handles: which ones does the PAL know?", ask),
    s.call("PalStreamsWaitEvents(handles, timeout)", PAL.PalStreamsWaitEvents, (_, v) => waitArgs(v), "pal.call.enter"),
    s.act("a time-out is 0; -EINTR becomes -ERESTARTNOHAND", outcome),
    s.act("what is left of the time-out", writeBack(goesOn)),
    s.at("leave"),
    result(s),
    answer(s),
  ]);

const EPOLL_LOCK = "epoll.lock";

/** One that does look: something pending ends it before it waits. Its own pollable event is among the handles. */
const epoll = (goesOn: boolean): Flow =>
  flow(SYSCALL_FLOWS.epoll_wait, "libos", "8", (s) => [
    s.call("set_user_sigmask(mask)", LIBOS.set_user_sigmask, (_, v) => ({ mask: v.mask })),
    s.call("lock(epoll->lock)", LIBOS.lock, () => ({ name: EPOLL_LOCK })),
    s.act("the items, and the thread's pollable event", ask),
    s.call("unlock(epoll->lock)", LIBOS.unlock, () => ({ name: EPOLL_LOCK })),
    s.call("have_pending_signals()", LIBOS.have_pending_signals),
    s.test("one is there: -EINTR", (c) => c.t.rax === 1, "pending"),
    s.call(
      "PalStreamsWaitEvents(items + own event, timeout)",
      PAL.PalStreamsWaitEvents,
      (c, v) => waitArgs(v, [c.t.libos.pollableEvent]),
      "pal.call.enter",
    ),
    s.act("a time-out is 0; -EINTR becomes -ERESTARTNOHAND", outcome),
    goesOn ? s.act("what is left of the time-out", writeBack(true)) : null,
    s.jump("leave", "waited"),
    s.at("pending"),
    s.act("-ERESTARTNOHAND", (_, v) => {
      v.ret = LIBOS_RESTART.NOHAND;
    }),
    s.at("leave"),
    s.call("lock(epoll->lock)", LIBOS.lock, () => ({ name: EPOLL_LOCK })),
    s.call("unlock(epoll->lock)", LIBOS.unlock, () => ({ name: EPOLL_LOCK })),
    result(s),
    answer(s),
  ]);

export const pollFlows = (fixes: Fixes): Flow[] => [poll("poll", fixes), poll("select", fixes), epoll(fixes.goesOn)];
