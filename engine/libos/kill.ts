/** Sending inside the LibOS: kill and tgkill (reference, 2.15; shim_sigaction.c). What goes to other processes is in `ipc.ts`. */

import { E } from "../errno.ts";
import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { IpcMessage } from "../generations/graphene-2019/state.ts";
import { sentBy } from "../siginfo.ts";
import { takeFirst } from "../state.ts";
import type { KillArgs } from "../syscalls.ts";
import { named, threadNamed } from "../targets.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { killSend, lockOf, message } from "./ipc.ts";
import { childLock, lockOfThread, THREAD_LIST_LOCK } from "./names.ts";
import { childOf, leaderOf, listed, otherThreads } from "./thread-list.ts";
import { type Walk, walkArgs } from "./walk.ts";

export const killArgs = (wanted: string, signal: number, group = "", takers: KillArgs["takers"] = {}): KillArgs => ({
  wanted,
  group,
  signal,
  targets: [],
  self: false,
  sender: 0,
  takers,
  ret: 0,
});

const deliverToSelf = <V extends { signal: number }>(s: Steps<V>): Step =>
  s.call("deliver_signal(info, NULL) to self", LIBOS.deliver_signal, (c, v) => ({
    signal: v.signal,
    id: c.newSignalId(),
    info: sentBy(v.signal, c.t.tid),
    context: "none",
    stored: false,
    event: false,
  }));

const result = <V extends { ret: number }>(s: Steps<V>): Step =>
  s.ret("return", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  });

/** The process group that kill(0) or kill(-pgid) means; -1 for a process that is gone. */
const pgidOf = (c: Cpu, v: KillArgs): number => (v.group === "" ? c.t.libos.pgid : (named(c, v.group)[0]?.pid ?? -1));

const doKill = flow(SHIM_DO.kill, "libos", "2.15", (s) => [
  s.act("who is meant?", (c, v) => {
    const pids = v.group === "" && v.wanted !== "all" && v.wanted !== "group" ? named(c, v.wanted).map((p) => p.pid) : [];
    const me = c.process(c.t).pid;
    v.sender = v.wanted === "group" && v.group === "" ? me : c.t.tid;
    v.self = v.group !== "" ? pgidOf(c, v) === c.t.libos.pgid : v.wanted === "group" || v.wanted === "all" || pids.includes(me);
    v.targets = pids.length === 0 && v.group === "" && v.wanted !== "all" && v.wanted !== "group" ? [-1] : pids;
    v.ret = pids.length === 0 ? E.SRCH : 0;
    c.signal = v.signal;
    c.value = v.targets.length;
  }),
  s.test("pid == -1?", (_, v) => v.group === "" && v.wanted === "all", "all"),
  s.test("pid == 0 or pid < -1?", (_, v) => v.group !== "" || v.wanted === "group", "group"),
  s.at("next"),
  s.test("sent?", (_, v) => v.targets.length === 0, "self"),
  s.call("do_kill_proc(cur->tid, pid, sig, use_ipc = true)", LIBOS.do_kill_proc, (_, v) =>
    walkArgs(takeFirst(v, "targets"), v.signal, v.sender, true),
  ),
  s.act("ret", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.jump("next", "next"),
  s.at("group"),
  s.call("do_kill_pgroup(sender, pgid, sig, use_ipc = true)", LIBOS.do_kill_pgroup, (c, v) =>
    walkArgs(pgidOf(c, v), v.signal, v.sender, true),
  ),
  s.act("ret", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.jump("self", "go on"),
  s.at("all"),
  s.call("broadcast_signal(cur->tid, sig)", LIBOS.broadcast_ipc, (c, v) => ({
    message: message("kill-all", c.t.process, { signal: v.signal, sender: v.sender }),
    except: -1,
    to: [],
  })),
  s.call("kill_all_threads(cur, cur->tid, sig)", LIBOS.kill_all_threads, (_, v) => walkArgs(-1, v.signal, v.sender, false)),
  s.at("self"),
  s.test("not sent to self?", (_, v) => !v.self, "done"),
  s.act("-ESRCH from the others does not matter", (_, v) => {
    v.ret = 0;
  }),
  s.test("signal 0: only a question", (_, v) => v.signal === 0, "done"),
  deliverToSelf(s),
  s.at("done"),
  result(s),
]);

/** One local thread after the other: lock, append_signal, unlock. Signal 0 appends nothing in a walk. */
const sendToThreads = (s: Steps<Walk>, done: string): (Step | Mark)[] => [
  s.at("thread"),
  s.test("no local thread left?", (_, v) => v.threads.length === 0, done),
  s.call("lock(thread->lock)", LIBOS.lock, (_, v) => ({ name: lockOfThread(v.threads[0] ?? -1) })),
  s.test("signal 0?", (_, v) => v.signal === 0, "appended"),
  appendTo(s, (v) => v.threads[0] ?? -1),
  s.at("appended"),
  s.act("found", (_, v) => {
    v.found = true;
  }),
  s.call("unlock(thread->lock)", LIBOS.unlock, (_, v) => ({ name: lockOfThread(takeFirst(v, "threads")) })),
  s.jump("thread", "next thread"),
];

const appendTo = <V extends { signal: number; sender: number }>(s: Steps<V>, target: (v: V) => number): Step =>
  s.call("append_signal(thread, sig, info, wakeup = true)", LIBOS.append_signal, (c, v) => ({
    target: target(v),
    signal: v.signal,
    id: c.newSignalId(),
    info: sentBy(v.signal, v.sender),
    context: "garbage",
  }));

interface WalkOf {
  readonly name: string;
  readonly what: IpcMessage["what"];
  /** Fill in whom the walk meets: local threads but the caller, children that live, and whether the caller is among them. */
  readonly meets: (c: Cpu, v: Walk) => void;
}

/**
 * A walk over thread_list. A child is sent to through the process that owns the number, with the list unlocked meanwhile; when nobody was
 * found that process is asked as well (shim_sigaction.c do_kill_proc, do_kill_pgroup).
 */
const walk = ({ name, what, meets }: WalkOf): Flow =>
  flow<Walk>(name, "libos", "2.15", (s) => [
    s.call("lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
    s.act("who of thread_list is meant?", (c, v) => {
      meets(c, v);
      if (!v.ipc) v.children = [];
      c.signal = v.signal;
      c.value = v.threads.length + v.children.length;
    }),
    ...sendToThreads(s, "child"),
    s.at("child"),
    s.test("no child left?", (_, v) => v.children.length === 0, "walked"),
    s.call("a child: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.call("ipc_pid_kill_send", LIBOS.ipc_pid_kill_send, (c, v) => {
      takeFirst(v, "children");
      return killSend(c, what, v.target, v.signal, v.sender);
    }),
    s.act("found, if there was an answer", (c, v) => {
      v.found ||= c.t.rax === 0;
    }),
    s.call("relock: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
    s.jump("child", "go on"),
    s.at("walked"),
    s.call("unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.test("found, or not by IPC?", (_, v) => v.found || !v.ipc, "done"),
    s.call("simple threads: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
    s.call("simple threads: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.call("ipc_pid_kill_send", LIBOS.ipc_pid_kill_send, (c, v) => killSend(c, what, v.target, v.signal, v.sender)),
    s.act("found, if there was an answer", (c, v) => {
      v.found ||= c.t.rax === 0;
    }),
    s.at("done"),
    s.ret("return", (c, v) => {
      c.t.rax = v.found ? 0 : E.SRCH;
      c.value = c.t.rax;
    }),
  ]);

const killProc = walk({
  name: "do_kill_proc",
  what: "kill-process",
  meets: (c, v) => {
    const p = c.process(c.t);
    const here = p.pid === v.target;
    v.threads = here ? otherThreads(c) : [];
    v.found = here && !c.t.internal;
    v.children = p.libos.children.flatMap((child) => (child.listed && child.alive && child.pid === v.target ? [child.pid] : []));
  },
});

/** The group is what each thread's own record says; the caller itself counts as found, so for its own group nobody else is asked. */
const killPgroup = walk({
  name: "do_kill_pgroup",
  what: "kill-group",
  meets: (c, v) => {
    const p = c.process(c.t);
    v.threads = otherThreads(c).filter((id) => c.m.threads[id]?.libos.pgid === v.target);
    v.found = !c.t.internal && c.t.libos.pgid === v.target;
    v.children = p.libos.children.flatMap((child) => (child.listed && child.alive && child.pgid === v.target ? [child.pid] : []));
  },
});

/** Of a process only the leader, if it is not the caller; children's records are locked and passed over. */
const killAll = flow(LIBOS.kill_all_threads, "libos", "2.15", (s) => [
  s.call("lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("leaders on thread_list", (c, v) => {
    const p = c.process(c.t);
    v.threads = leaderOf(c, p).filter((id) => id !== c.t.id);
    v.children = p.libos.children.flatMap((child) => (child.listed ? [child.pid] : []));
    c.signal = v.signal;
    c.value = v.threads.length;
  }),
  ...sendToThreads(s, "child"),
  s.at("child"),
  s.test("no child left?", (_, v) => v.children.length === 0, "done"),
  s.call("a child: lock(thread->lock)", LIBOS.lock, (_, v) => ({ name: childLock(v.children[0] ?? -1) })),
  s.call("not in_vm: unlock(thread->lock)", LIBOS.unlock, (_, v) => ({ name: childLock(takeFirst(v, "children")) })),
  s.jump("child", "next child"),
  s.at("done"),
  s.call("unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.ret(),
]);

/** No look at liveness: a thread that has ended is on thread_list until wait4 takes it off (shim_sigaction.c:545). */
const doTgkill = flow(SHIM_DO.tgkill, "libos", "2.15", (s) => [
  s.act("tid == cur->tid?", (c, v) => {
    v.target = listed(c, v.thread);
    v.sender = c.process(c.t).pid;
    c.signal = v.signal;
    c.value = v.target;
  }),
  s.test("another thread?", (c, v) => v.target !== c.t.id, "other"),
  s.test("signal 0: nothing", (_, v) => v.signal === 0, "done"),
  deliverToSelf(s),
  s.jump("done", "return 0"),
  s.at("other"),
  s.call("lookup_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.call("lookup_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.test("nobody?", (_, v) => v.target < 0, "nobody"),
  s.call("lock(thread->lock)", LIBOS.lock, (_, v) => ({ name: lockOfThread(v.target) })),
  // The signal's range is not checked: 0 goes on like any other (3.5 kill-signal-zero-oob).
  appendTo(s, (v) => v.target),
  s.call("unlock(thread->lock)", LIBOS.unlock, (_, v) => ({ name: lockOfThread(v.target) })),
  s.jump("done", "return 0"),
  s.at("nobody"),
  s.test("no record of a child?", (c, v) => childOf(c.process(c.t), tidOf(c, v.thread)) === undefined, "send"),
  s.call("a child: lock(thread->lock)", LIBOS.lock, (c, v) => ({ name: childLock(tidOf(c, v.thread)) })),
  s.call("not in_vm: unlock(thread->lock)", LIBOS.unlock, (c, v) => ({ name: childLock(tidOf(c, v.thread)) })),
  s.at("send"),
  s.call("ipc_pid_kill_send", LIBOS.ipc_pid_kill_send, (c, v) => killSend(c, "kill-thread", tidOf(c, v.thread), v.signal, v.sender)),
  s.act("ret", (c, v) => {
    v.ret = c.t.rax;
  }),
  s.at("done"),
  result(s),
]);

/** tid of a thread of another process, -1 when there is none. */
const tidOf = (c: Cpu, wanted: string): number => threadNamed(c, wanted)?.tid ?? -1;

/** A thread of this process, for another one: by its tid alone (shim_ipc_pid.c:145). */
const killThread = flow<Walk>(LIBOS.do_kill_thread, "libos", "2.15", (s) => [
  s.call("lookup_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("the thread of that tid on thread_list", (c, v) => {
    v.threads = c.process(c.t).libos.threadList.filter((id) => c.m.threads[id]?.tid === v.target);
    c.signal = v.signal;
    c.value = v.threads[0] ?? -1;
  }),
  s.call("lookup_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.test("nobody?", (_, v) => v.threads.length === 0, "nobody"),
  s.call("lock(thread->lock)", LIBOS.lock, (_, v) => ({ name: lockOfThread(v.threads[0] ?? -1) })),
  appendTo(s, (v) => v.threads[0] ?? -1),
  s.call("unlock(thread->lock)", LIBOS.unlock, (_, v) => ({ name: lockOfThread(v.threads[0] ?? -1) })),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
  s.at("nobody"),
  s.ret("return -ESRCH", (c) => {
    c.t.rax = E.SRCH;
    c.value = c.t.rax;
  }),
]);

export const killFlows: readonly Flow[] = [doKill, killProc, killPgroup, killAll, killThread, doTgkill];
