/**
 * vfork: the host thread goes on as the child, with the parent's stack and memory, until the child has called exit or execve; then it is the
 * parent again (sys/shim_vfork.c, shim_thread.c:566 switch_dummy_thread). To the LibOS the child is a thread of the same host process with a
 * pid of its own. Here it is an engine's thread and process of its own, with copies of the parent's stacks, and the parent sleeps meanwhile:
 * a host signal for the host process, which the child would take, waits for the parent.
 */

import { addressOf, goTo } from "../control.ts";
import { topFrame } from "../cpu.ts";
import type { Flow } from "../flow.ts";
import { programFlow } from "../flow-names.ts";
import { localsOf } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { newPal, type ShimChild } from "../generations/graphene-2019/state.ts";
import { endProcess, vforkIsOver } from "../host/process-state.ts";
import { block } from "../host/sleep.ts";
import { copyTree, HOST } from "../state.ts";
import type { ProgramArgs } from "../syscalls.ts";
import { endThread, newProcess, newSgx, newThread } from "../threads.ts";
import { NEVER } from "../time.ts";
import { WHY } from "../transition.ts";
import { setEvent } from "./events.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { addRecord, closeStream, type Migrated, migrate } from "./fork.ts";
import { answer, dkQuiet, MAY_READ_ERRNO, minusPalErrno } from "./io.ts";
import { passLock } from "./ipc.ts";
import { childLock, HANDLE_MAP_LOCK, IPC_HELPER_LOCK, lockOfThread, THREAD_LIST_LOCK, threadLock } from "./names.ts";
import { endSelf, moveToExited } from "./thread-list.ts";

interface Vfork extends Migrated, ProgramArgs {
  /** The child has called execve. */
  execed: boolean;
}

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

/** cur_thread->dummy is set. */
export const isDummy = (c: Cpu): boolean => c.process(c.t).dummy;

/** The child has the parent's TCB: its preempt, its pal_errno. The parent's frames are there for both. */
function goOnAsChild(c: Cpu, v: Vfork): void {
  const me = c.t;
  const mine = c.process(me);
  const p = newProcess(c, v.program, mine);
  p.hostActions = copyTree(mine.hostActions);
  p.pal.upcalls = copyTree(mine.pal.upcalls);
  p.dummy = true;
  p.vforkDone = c.newObject("vfork");
  const frames = copyTree(me.host);
  const t = newThread(c, { process: p, name: v.program, internal: false, program: programFlow(v.program), frames, creator: me });
  Object.assign(t, { enclave: copyTree(me.enclave), stack: me.stack, sgx: copyTree(me.sgx), signalFrames: me.signalFrames });
  const { preempt, syscallNr, palErrno } = me.libos;
  Object.assign(t.libos, { ready: true, preempt, syscallNr, palErrno, parent: me.id });
  p.libos.threadList = [t.id];
  goTo(c.program, topFrame(t), "child");
  const known = mine.libos.children.find((child) => child.pid === v.pid);
  if (known) Object.assign(known, { process: p.id, pid: p.pid });
  Object.assign(v, { process: p.id, pid: p.pid, execed: false });
  block(c, { objects: [p.vforkDone], deadline: NEVER, interruptible: false, child: -2 });
  c.value = p.pid;
}

const vfork = flow<Vfork>(SHIM_DO.vfork, "libos", "2.15", (s) => [
  s.own({ pid: 0, process: -1, execed: false }),
  s.call("get_new_thread(0)", LIBOS.get_new_thread),
  s.call("system_malloc(dummy_stack)", LIBOS["malloc (large)"]),
  s.call("lock(cur_thread->lock)", LIBOS.lock, own),
  s.act("new_thread: tgid = tid, in_vm, is_alive, the stack and the TCB", addRecord),
  s.call("unlock(cur_thread->lock)", LIBOS.unlock, own),
  s.call("set_as_child: lock(child->lock)", LIBOS.lock, (_, v) => ({ name: childLock(v.pid) })),
  s.call("set_as_child: lock(cur->lock)", LIBOS.lock, own),
  s.call("set_as_child: unlock(cur->lock)", LIBOS.unlock, own),
  s.call("set_as_child: unlock(child->lock)", LIBOS.unlock, (_, v) => ({ name: childLock(v.pid) })),
  ...passLock(s, "add_thread", THREAD_LIST_LOCK),
  s.call("dup_handle_map: malloc(map)", LIBOS.malloc),
  dkQuiet(s, "dup_handle_map: create_lock(): DkMutexCreate()", "DkMutexCreate"),
  ...passLock(s, "dup_handle_map", HANDLE_MAP_LOCK),
  s.act("set_cur_thread(new_thread): the host thread goes on as the child", goOnAsChild),
  s.test("it has called exit?", (_, v) => !v.execed, "switch"),
  dkQuiet(s, "execve of the child: DkProcessCreate()", "DkProcessCreate (made)"),
  ...migrate(s),
  s.at("switch"),
  s.act("switch_dummy_thread: back on the old stack, ret = tid of the child", (c, v) => {
    v.ret = v.pid;
    c.value = v.ret;
  }),
  dkQuiet(s, "switch_dummy_thread: DkSegmentRegister(FS)", "DkSegmentRegister"),
  answer(s),
  s.at("failed"),
  s.act(
    "execve of the child fails: -PAL_ERRNO",
    (c, v) => {
      v.ret = minusPalErrno(c);
      c.value = v.ret;
      closeStream(c, v);
    },
    MAY_READ_ERRNO,
  ),
  answer(s),
  s.at("child"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** The record of the running child, in its parent's process. */
const recordOf = (c: Cpu): ShimChild | undefined => {
  const p = c.process(c.t);
  return c.m.processes[p.parent]?.libos.children.find((child) => child.process === p.id);
};

const parentLock = (c: Cpu): { name: string } => ({ name: lockOfThread(c.t.libos.parent) });

/** exit_code is never set, so the parent is told 0; and in_vm: there is no SIGCHLD (shim_exit.c:178-181, 90). */
const dummyExit = flow(LIBOS["thread_exit (dummy)"], "libos", "2.15", (s) => [
  ...passLock(s, "ipc_cld_exit_send: broadcast_ipc", IPC_HELPER_LOCK),
  s.call("lock(self->lock)", LIBOS.lock, own),
  s.act("is_alive := false", (c) => {
    const child = recordOf(c);
    if (child) child.alive = false;
    endSelf(c);
    c.value = c.t.tid;
  }),
  s.call("lock(parent->lock)", LIBOS.lock, parentLock),
  s.act("from parent->children to exited_children", (c) => {
    const child = recordOf(c);
    if (child) moveToExited(c, child);
  }),
  s.call("unlock(parent->lock)", LIBOS.unlock, parentLock),
  setEvent(s, "DkEventSet(parent->child_exit_event)", (c) => c.m.threads[c.t.libos.parent]?.libos.childExitEvent ?? -1),
  s.call("unlock(self->lock)", LIBOS.unlock, own),
  setEvent(s, "DkEventSet(self->exit_event)", (c) => recordOf(c)?.exitEvent ?? -1),
  s.act("switch_dummy_thread: the child is no more", (c, v) => {
    endProcess(c, c.process(c.t), { status: v.status & 0xff, why: WHY.EXIT, signal: 0 }, c.t);
  }),
  s.act(
    "its thread is gone",
    (c) => {
      endThread(c, c.t);
    },
    "thread.exit",
  ),
]);

/** The thread starts anew in a host process of its own, which the parent's host thread makes; its program goes on behind the execve. */
function becomeProcess(c: Cpu): void {
  const { t } = c;
  const p = c.process(t);
  const program = [...t.host, ...t.enclave].findLast((frame) => frame.flow === c.flowOf(t.program));
  const parent = c.m.threads[t.libos.parent];
  const call = parent && localsOf<ProgramArgs>(c, topFrame(parent), SHIM_DO.vfork);
  if (call) (call as Vfork).execed = true;
  Object.assign(t, { startPc: program ? addressOf(program) : 0, host: c.wiring.boot(), enclave: [], stack: HOST, sgx: t.sgx && newSgx() });
  Object.assign(t, { signalFrames: 0, hostMask: [0, 0], pal: newPal() });
  Object.assign(t.libos, { ready: false, preempt: 0, syscallNr: 0, delayed: false, palErrno: 0, parent: -1 });
  t.app.inHandler = 0;
  p.hostActions = {};
  p.pal.upcalls = {};
  p.libos.threadList = [];
  p.dummy = false;
  vforkIsOver(c, p);
}

const dummyExec = flow(LIBOS["do_migrate_process (dummy)"], "libos", "2.15", (s) => [
  s.call("lock(cur_thread->lock)", LIBOS.lock, own),
  s.act("in_vm := false"),
  s.call("unlock(cur_thread->lock)", LIBOS.unlock, own),
  s.act("a new process, and switch_dummy_thread", becomeProcess),
]);

export const vforkFlows: readonly Flow[] = [vfork, dummyExit, dummyExec];
