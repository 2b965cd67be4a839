/** wait4 and the lists it looks at: those of the calling thread (reference, 2.20; shim_wait.c). */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { Exited, ShimChild } from "../generations/graphene-2019/state.ts";
import { ANY, NOBODY } from "../host/children.ts";
import type { WaitArgs } from "../syscalls.ts";
import { forgetProcess } from "../threads.ts";
import { clearEvent, waitEvent } from "./events.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { answer } from "./io.ts";
import { lockOf } from "./ipc.ts";
import { childLock, lockOfThread, THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { forget, hasChildren, takeExited } from "./thread-list.ts";

interface Wait4 extends WaitArgs {
  /** Nobody else refers to the record of it. A thread of this process keeps a reference to itself (shim_clone.c:105). */
  last: boolean;
}

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

/** lookup_thread: whoever forked it. A caller keeps a reference, so one that another wait4 takes off meanwhile is still there. */
const wanted = (c: Cpu, v: Wait4): ShimChild | undefined => c.process(c.t).libos.children.find((child) => child.process === v.object);

function lookUp(c: Cpu, v: Wait4): void {
  const child = wanted(c, v);
  if (child?.listed) child.waiters += 1;
  v.ret = child?.listed ? 0 : E.CHILD;
  c.value = v.ret;
}

/** put_thread of what lookUp got. */
function release(c: Cpu, v: Wait4): void {
  const child = wanted(c, v);
  if (child) child.waiters -= 1;
}
const wantedLock = (c: Cpu, v: Wait4): { name: string } => ({ name: childLock(wanted(c, v)?.pid ?? -1) });

/** The one wait4 takes: the first that has ended, of the caller's group when that is asked for. */
const first = (c: Cpu, v: Wait4): Exited | undefined => c.t.libos.exited.find((entry) => v.object === ANY || entry.pgid === c.t.libos.pgid);

/** Bits 0 to 7 the signal, 8 to 15 the exit code; that of a thread of this process is stored with its sign turned (shim_exit.c). */
const statusOf = ({ process, exitCode, termSignal }: Exited | (ShimChild & { process: number })): number =>
  termSignal | (((process < 0 ? -exitCode : exitCode) & 0xff) << 8);

/** The process is waited for: the host's part of it may go, too. */
function reaped(c: Cpu, process: number): void {
  const p = c.m.processes[process];
  if (!p) return;
  p.reaped = true;
  forgetProcess(c, p);
}

function takeFirst(c: Cpu, v: Wait4): void {
  const entry = first(c, v);
  if (!entry) return;
  const taken = takeExited(c.t, entry);
  found(c, v, taken.tid, taken.process, statusOf(taken));
}

function takeWanted(c: Cpu, v: Wait4): void {
  const child = wanted(c, v);
  if (!child) return;
  const parent = c.m.threads[child.parent];
  const entry = parent?.libos.exited.find((known) => known.process === child.process);
  if (parent && entry) takeExited(parent, entry);
  release(c, v);
  found(c, v, child.pid, child.process, statusOf(child));
}

function found(c: Cpu, v: Wait4, tid: number, process: number, status: number): void {
  v.tid = tid;
  v.process = process;
  v.status = status;
  c.value = tid;
}

/**
 * Never EINTR. For one child the wait is for its exit_event, and the lock of its record is taken and released at each turn: a handler runs
 * there. For any child it is for child_exit_event, which is cleared only when the list gets empty (shim_wait.c:137): with a zombie that was
 * taken by pid, or that is of another group, the loop turns without a pause.
 */
const wait4 = flow<Wait4>(SHIM_DO.wait4, "libos", "2.20", (s) => [
  s.own({ last: false }),
  s.test("pid > 0?", (_, v) => v.object >= 0 || v.object === NOBODY, "one"),

  s.call("lock(cur->lock)", LIBOS.lock, own),
  s.test("children and exited_children are empty?", (c) => !hasChildren(c, c.t), "none"),
  s.test("WNOHANG?", (_, v) => v.bytes === 1, "look"),
  s.at("block"),
  s.test("exited_children is not empty?", (c) => c.t.libos.exited.length > 0, "look"),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  waitEvent(s, "DkObjectsWaitAny(cur->child_exit_event)", (c) => c.t.libos.childExitEvent),
  s.call("lock(cur->lock)", LIBOS.lock, own),
  s.jump("block", "look again"),
  s.at("look"),
  s.test("one that is wanted has ended?", (c, v) => first(c, v) !== undefined, "found"),
  s.test("not WNOHANG: block", (_, v) => v.bytes !== 1, "block"),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  s.jump("return", "return 0"),
  s.at("none"),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  s.act("-ECHILD", (_, v) => {
    v.ret = E.CHILD;
  }),
  s.jump("return", "return"),
  s.at("found"),
  s.act("off exited_children", takeFirst),
  s.test("exited_children is not empty?", (c) => c.t.libos.exited.length > 0, "unlock"),
  clearEvent(s, "DkEventClear(cur->child_exit_event)", (c) => c.t.libos.childExitEvent),
  s.at("unlock"),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  s.jump("reap", "found"),

  s.at("one"),
  s.call("lookup_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("find it", lookUp),
  s.call("lookup_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.test("nobody?", (_, v) => v.ret < 0, "return"),
  s.at("block_pid"),
  s.test("WNOHANG?", (_, v) => v.bytes === 1, "look at it"),
  waitEvent(s, "DkObjectsWaitAny(thread->exit_event)", (c, v) => wanted(c, v)?.exitEvent ?? -1),
  s.at("look at it"),
  s.call("lock(thread->lock)", LIBOS.lock, wantedLock),
  s.test("has it ended?", (c, v) => !(wanted(c, v)?.alive ?? false), "ended"),
  s.call("alive: unlock(thread->lock)", LIBOS.unlock, wantedLock),
  s.test("not WNOHANG: wait again", (_, v) => v.bytes !== 1, "block_pid"),
  s.act("put_thread(thread)", release),
  s.jump("return", "return 0"),
  s.at("ended"),
  s.call("lock(parent->lock)", LIBOS.lock, (c, v) => ({ name: lockOfThread(wanted(c, v)?.parent ?? -1) })),
  s.act("off exited_children", takeWanted),
  s.call("unlock(parent->lock)", LIBOS.unlock, (c, v) => ({ name: lockOfThread(wanted(c, v)?.parent ?? -1) })),
  s.call("unlock(thread->lock)", LIBOS.unlock, wantedLock),

  s.at("reap"),
  s.act(
    "*status := exit code and signal",
    (c, v) => {
      c.value = v.status;
      c.extra = 1;
    },
    "app.output",
  ),
  s.call("del_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("off thread_list", (c, v) => {
    v.last = forget(c, c.process(c.t), v.tid);
    reaped(c, v.process);
    v.ret = v.tid;
  }),
  s.call("del_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.test("put_thread(thread): others refer to it?", (_, v) => !v.last, "return"),
  s.call("put_thread(thread): the last reference", LIBOS.put_thread),
  s.at("return"),
  answer(s),
]);

export const wait4Flows: readonly Flow[] = [wait4];
