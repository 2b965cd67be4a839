/** Sending signals (gramine-today.md 6; libos_signal.c, libos_sigaction.c). */

import { E } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { SI, type SigInfo, sentBy } from "../../../siginfo.ts";
import { hasSignal, SIGNAL_COUNT } from "../../../signals.ts";
import type { KillArgs, TgkillArgs } from "../../../syscalls.ts";
import { named, processesNamed, threadNamed } from "../../../targets.ts";
import { KIND } from "../../../transition.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { IpcMessage } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { message } from "./ipc.ts";
import { isLeader, leaderOf } from "./ipc-kill.ts";
import { lockOfThread, PROCESS_QUEUE_LOCK, THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { append, FIRST_REAL_TIME } from "./queue.ts";

/** `thread` -1: the process's queue. A signal that finds no place is dropped, and that is success. */
const appendSignal = flow<{ thread: number; info: SigInfo; id: number; kept: boolean }>(LIBOS.append_signal, "libos", "6 K2", (s) => [
  s.own({ kept: false }),
  s.call("malloc(signal)", LIBOS.malloc),
  s.call("lock of the queue", LIBOS.lock, (c, v) => ({ name: v.thread < 0 ? PROCESS_QUEUE_LOCK : lockOfThread(c, v.thread) })),
  s.act(
    "queue_append_signal",
    (c, v) => {
      const queue = v.thread < 0 ? c.process(c.t).libos.queue : c.m.threads[v.thread]?.libos.queue;
      const entry = { signal: v.info.signo, id: v.id, info: v.info };
      const kept = queue !== undefined && append(queue, entry);
      v.kept = kept && v.info.signo >= FIRST_REAL_TIME;
      c.signal = v.info.signo;
      c.row(kept ? KIND["libos.signal.append"] : KIND["libos.signal.drop"], v.thread, v.id);
    },
    "libos.signal.append",
  ),
  s.call("unlock", LIBOS.unlock, (c, v) => ({ name: v.thread < 0 ? PROCESS_QUEUE_LOCK : lockOfThread(c, v.thread) })),
  s.test("a ring keeps it, until it is popped?", (_, v) => v.kept, "kept"),
  s.call("free(signal)", LIBOS.free),
  s.at("kept"),
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

const give = (s: Steps<KillArgs | TgkillArgs>, label: string, code: number): Step[] => [
  s.act(label, (c) => {
    c.t.rax = code;
  }),
  answer(s),
];

/** Whom a kill means. */
type Meant = "self" | "process" | "all" | "group" | "nobody" | "invalid";

function meant(c: Cpu, v: KillArgs): Meant {
  if (v.signal > SIGNAL_COUNT) return "invalid";
  if (v.wanted === "all" && v.group === "") return "all";
  if (v.wanted === "group" || v.group !== "") return "group";
  const [p] = processesNamed(c, v.wanted);
  if (p?.id === c.t.process) return "self";
  return p || zombieProcess(c, v.wanted) >= 0 ? "process" : "nobody";
}

/** A child that has ended and was not waited for, by its name. */
const zombieProcess = (c: Cpu, wanted: string): number =>
  c.processes().find((p) => !p.alive && !p.reaped && (p.name === wanted || p.name.startsWith(`${wanted}#`)))?.id ?? -1;

const killMessage = (c: Cpu, what: "kill-process" | "kill-all", signal: number, thread: number): IpcMessage =>
  message(what, c.t.process, { sender: c.process(c.t).pid, signal, id: signal === 0 ? 0 : c.newSignalId(), thread });

/** The group that is meant is the caller's own; of another one nobody hears (B27). */
function ownGroup(c: Cpu, v: KillArgs): boolean {
  if (v.group === "") return true;
  const me = c.process(c.t);
  return named(c, v.group).some((p) => p.pid === me.pgid);
}

/** This process, another one by IPC, all others, or a group, of which only the caller's own process is reached. */
const kill = flow<KillArgs>(SYSCALL_FLOWS.kill, "libos", "6", (s) => [
  s.test("a signal that there is not?", (c, v) => meant(c, v) === "invalid", "invalid"),
  s.test("kill(-1)?", (c, v) => meant(c, v) === "all", "all"),
  s.test("a group?", (c, v) => meant(c, v) === "group", "group"),
  s.test("another process?", (c, v) => meant(c, v) !== "self", "other"),
  s.at("self"),
  s.call("kill_current_proc(info)", LIBOS.kill_current_proc, (c, v) => ({
    info: sentBy(v.signal, c.process(c.t).pid),
    id: v.signal === 0 ? 0 : c.newSignalId(),
  })),
  answer(s),
  s.at("other"),
  s.call("ipc_kill_process: ipc_pid_kill_send", LIBOS.ipc_pid_kill_send, (c, v) => ({
    dest: processesNamed(c, v.wanted)[0]?.id ?? zombieProcess(c, v.wanted),
    message: killMessage(c, "kill-process", v.signal, c.t.id),
  })),
  answer(s),
  s.at("all"),
  s.test("the leader?", isLeader, "leader"),
  s.call("ipc_kill_all: ipc_pid_kill_send to the leader", LIBOS.ipc_pid_kill_send, (c, v) => ({
    dest: leaderOf(c),
    message: killMessage(c, "kill-all", v.signal, c.t.id),
  })),
  answer(s),
  s.at("leader"),
  s.call("ipc_kill_all: ipc_broadcast", LIBOS.ipc_broadcast, (c, v) => ({
    exclude: -1,
    message: killMessage(c, "kill-all", v.signal, -1),
  })),
  answer(s),
  s.at("group"),
  s.test("do_kill_pgroup: the own group?", ownGroup, "self"),
  ...give(s, "other groups are not implemented: -ENOSYS", E.NOSYS),
  s.at("invalid"),
  ...give(s, "-EINVAL", E.INVAL),
]);

/** Both ways in which a thread may sleep: in the LibOS, and in the host. */
export function wake<V extends object>(s: Steps<V>, target: (v: V) => number): (Step | Mark)[] {
  return [
    s.call("thread_wakeup(thread)", LIBOS.thread_wakeup, (_, v) => ({ target: target(v) })),
    s.call("PalThreadResume(thread)  < SIGCONT by tgkill >", PAL.PalThreadResume, (_, v) => ({ target: target(v) }), "pal.call.enter"),
  ];
}

interface KillThread {
  name: string;
  signal: number;
  sender: number;
  id: number;
  target: number;
}

/** Whatever the target's mask and disposition are, it is woken. PalThreadResume's error is the result. */
const killThread = flow<KillThread>(LIBOS.do_kill_thread, "libos", "6", (s) => [
  s.own({ target: -1 }),
  s.call("lookup_thread: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("the thread of that tid on g_thread_list", (c, v) => {
    const t = threadNamed(c, v.name);
    v.target = t && c.process(c.t).libos.threadList.includes(t.id) ? t.id : -1;
    c.signal = v.signal;
    c.value = v.target;
  }),
  s.call("lookup_thread: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
  s.test("none?", (_, v) => v.target < 0, "none"),
  s.test("signal 0: only a question", (_, v) => v.signal === 0, "zero"),
  s.call("append_signal(thread, info)", LIBOS.append_signal, (_, v) => ({
    thread: v.target,
    info: sentBy(v.signal, v.sender, SI.TKILL),
    id: v.id,
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

/** A thread of another process is reached by IPC. */
const tgkill = flow<TgkillArgs>(SYSCALL_FLOWS.tgkill, "libos", "6", (s) => [
  s.test("a thread of another process?", (c, v) => elsewhere(c, v) >= 0, "other"),
  s.call("do_kill_thread", LIBOS.do_kill_thread, (c, v) => ({
    name: v.thread,
    signal: v.signal,
    sender: c.process(c.t).pid,
    id: v.signal === 0 ? 0 : c.newSignalId(),
  })),
  answer(s),
  s.at("other"),
  s.call("ipc_kill_thread: ipc_pid_kill_send", LIBOS.ipc_pid_kill_send, (c, v) => ({
    dest: elsewhere(c, v),
    message: message("kill-thread", c.t.process, {
      sender: c.process(c.t).pid,
      signal: v.signal,
      id: v.signal === 0 ? 0 : c.newSignalId(),
      name: v.thread,
      thread: c.t.id,
    }),
  })),
  answer(s),
]);

/** The process of a thread that is not in this one, -1 when it is, or there is none. */
function elsewhere(c: Cpu, v: TgkillArgs): number {
  const t = threadNamed(c, v.thread);
  return t && t.process !== c.t.process ? t.process : -1;
}

export const sendFlows: readonly Flow[] = [appendSignal, wakeOne, killCurrent, kill, killThread, tgkill];
