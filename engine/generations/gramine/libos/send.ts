/** Sending signals (gramine-today.md 6; libos_signal.c, libos_sigaction.c). */

import { E } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { SI, type SigInfo, sentBy } from "../../../siginfo.ts";
import { hasSignal } from "../../../signals.ts";
import type { KillArgs, TgkillArgs } from "../../../syscalls.ts";
import { processesNamed, threadNamed } from "../../../targets.ts";
import { KIND } from "../../../transition.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { lockOfThread, PROCESS_QUEUE_LOCK, THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { append } from "./queue.ts";

/** `thread` -1: the process's queue. A signal that finds no place is dropped, and that is success. */
const appendSignal = flow(LIBOS.append_signal, "libos", "6 K2", (s) => [
  s.call("lock of the queue", LIBOS.lock, (c, v) => ({ name: v.thread < 0 ? PROCESS_QUEUE_LOCK : lockOfThread(c, v.thread) })),
  s.act(
    "queue_append_signal",
    (c, v) => {
      const queue = v.thread < 0 ? c.process(c.t).libos.queue : c.m.threads[v.thread]?.libos.queue;
      const entry = { signal: v.info.signo, id: v.id, info: v.info };
      const kept = queue !== undefined && append(queue, entry);
      c.signal = v.info.signo;
      c.row(kept ? KIND["libos.signal.append"] : KIND["libos.signal.drop"], v.thread, v.id);
    },
    "libos.signal.append",
  ),
  s.call("unlock", LIBOS.unlock, (c, v) => ({ name: v.thread < 0 ? PROCESS_QUEUE_LOCK : lockOfThread(c, v.thread) })),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

interface Walk {
  signal: number;
  id: number;
  rest: readonly number[];
  target: number;
  ret: number;
}

/** walk_thread_list, one shot: the first other thread, in the order of tids, whose mask lets the signal through. An error of its wake ends it. */
const wakeOne = flow<Walk>(LIBOS.wakeup_one_thread_on_signal, "libos", "6 K4", (s) => [
  s.own({ rest: [], target: -1, ret: E.SRCH }),
  s.call("walk_thread_list: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("the threads of the list but this one", (c, v) => {
    v.rest = c.process(c.t).libos.threadList.filter((id) => id !== c.t.id);
    c.signal = v.signal;
    c.value = v.rest.length;
  }),
  s.at("next"),
  s.test("none left?", (_, v) => v.rest.length === 0, "walked"),
  s.act("next thread", (c, v) => {
    v.target = v.rest[0] ?? -1;
    v.rest = v.rest.slice(1);
    c.value = v.target;
  }),
  s.call("lock(thread->lock)", LIBOS.lock, (c, v) => ({ name: lockOfThread(c, v.target) })),
  s.test("its mask blocks the signal?", (c, v) => hasSignal(c.m.threads[v.target]?.libos.mask ?? [0, 0], v.signal), "blocked"),
  s.call("thread_wakeup(thread)", LIBOS.thread_wakeup, (_, v) => ({ target: v.target })),
  s.call("PalThreadResume(thread)  < SIGCONT by tgkill >", PAL.PalThreadResume, (_, v) => ({ target: v.target }), "pal.call.enter"),
  s.act("found, or the error", (c, v) => {
    v.ret = c.t.rax < 0 ? palToUnix(c.t.rax) : 0;
    c.value = v.ret;
  }),
  s.call("unlock(thread->lock)", LIBOS.unlock, (c, v) => ({ name: lockOfThread(c, v.target) })),
  s.jump("walked", "one shot"),
  s.at("blocked"),
  s.call("unlock(thread->lock)", LIBOS.unlock, (c, v) => ({ name: lockOfThread(c, v.target) })),
  s.jump("next", "next thread"),
  s.at("walked"),
  s.call("walk_thread_list: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

/** Of an application's thread that does not block it the signal is left to itself: its own tail takes it (K3; B26 where it does not come there). */
const killCurrent = flow<{ info: SigInfo; id: number; mine: boolean }>(LIBOS.kill_current_proc, "libos", "6 K1-K4", (s) => [
  s.own({ mine: false }),
  s.test("signal 0?", (_, v) => v.info.signo === 0, "done"),
  s.call("append_signal(NULL, info)", LIBOS.append_signal, (_, v) => ({ thread: -1, info: v.info, id: v.id })),
  s.test("an internal thread?", (c) => c.t.internal, "walk"),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act("does this thread let it through?", (c, v) => {
    v.mine = !hasSignal(c.t.libos.mask, v.info.signo);
    c.value = v.mine ? 1 : 0;
  }),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.test("it does: this thread takes it", (_, v) => v.mine, "done"),
  s.at("walk"),
  s.call("walk_thread_list(wakeup_one_thread_on_signal)", LIBOS.wakeup_one_thread_on_signal, (_, v) => ({
    signal: v.info.signo,
    id: v.id,
  })),
  s.test("found, or nobody is able to take it: 0", (c) => c.t.rax === 0 || c.t.rax === E.SRCH, "done"),
  s.ret("return the error", (c) => {
    c.value = c.t.rax;
  }),
  s.at("done"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** What a call answers with is in RAX already. */
export const answer = <V extends object>(s: Steps<V>): Step =>
  s.ret("return", (c) => {
    c.value = c.t.rax;
  });

/** kill of this process; others are reached by IPC. */
const kill = flow<KillArgs>(SYSCALL_FLOWS.kill, "libos", "6", (s) => [
  s.test("not this process?", (c, v) => !meansSelf(c, v), "other"),
  s.call("do_kill_proc: kill_current_proc(info)", LIBOS.kill_current_proc, (c, v) => ({
    info: sentBy(v.signal, c.process(c.t).pid),
    id: v.signal === 0 ? 0 : c.newSignalId(),
  })),
  answer(s),
  s.at("other"),
  s.act("no such process: -ESRCH", (c) => {
    c.t.rax = E.SRCH;
  }),
  answer(s),
]);

const meansSelf = (c: Cpu, v: KillArgs): boolean => processesNamed(c, v.wanted, v.group).some((p) => p.id === c.t.process);

/** Both ways in which a thread may sleep: in the LibOS, and in the host. */
export const wake = <V extends object>(s: Steps<V>, target: (v: V) => number): (Step | Mark)[] => [
  s.call("thread_wakeup(thread)", LIBOS.thread_wakeup, (_, v) => ({ target: target(v) })),
  s.call("PalThreadResume(thread)  < SIGCONT by tgkill >", PAL.PalThreadResume, (_, v) => ({ target: target(v) }), "pal.call.enter"),
];

/** Whatever the target's mask and disposition are, it is woken. PalThreadResume's error is the result. */
const tgkill = flow<TgkillArgs>(SYSCALL_FLOWS.tgkill, "libos", "6", (s) => [
  s.call("lookup_thread: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("the thread of that tid on g_thread_list", (c, v) => {
    const t = threadNamed(c, v.thread);
    v.target = t && c.process(c.t).libos.threadList.includes(t.id) ? t.id : -1;
    v.sender = c.process(c.t).pid;
    c.signal = v.signal;
    c.value = v.target;
  }),
  s.call("lookup_thread: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
  s.test("none?", (_, v) => v.target < 0, "none"),
  s.test("signal 0: only a question", (_, v) => v.signal === 0, "zero"),
  s.call("append_signal(thread, info)", LIBOS.append_signal, (c, v) => ({
    thread: v.target,
    info: sentBy(v.signal, v.sender, SI.TKILL),
    id: c.newSignalId(),
  })),
  s.test("this thread?", (c, v) => v.target === c.t.id, "zero"),
  ...wake(s, (v) => v.target),
  s.act("pal_to_unix_errno(result)", (c) => {
    c.t.rax = palToUnix(c.t.rax);
    c.value = c.t.rax;
  }),
  answer(s),
  s.at("zero"),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
  s.at("none"),
  s.act("-ESRCH", (c) => {
    c.t.rax = E.SRCH;
  }),
  answer(s),
]);

export const sendFlows: readonly Flow[] = [appendSignal, wakeOne, killCurrent, kill, tgkill];
