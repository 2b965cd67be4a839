/**
 * execve (sys/shim_exec.c). On the Linux PAL, without other threads, the program is loaded in place; else a new host process runs it, which
 * gets a checkpoint of the calling thread. Dispositions are kept on both roads, flags and masks with them.
 *
 * Here the engine's thread goes on as the new process's first one. What is left of its host thread sends the checkpoint as a thread of the
 * engine's own with the same tid; to the LibOS it is not in_vm any more: on thread_list there is a record like that of a forked child.
 */

import { addressOf, newFrame } from "../control.ts";
import { topFrame } from "../cpu.ts";
import type { Flow } from "../flow.ts";
import { localsOf, numberOf } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { newPal, type Process, type Thread } from "../generations/graphene-2019/state.ts";
import { retarget } from "../host/generate.ts";
import { copyTree, HOST } from "../state.ts";
import type { ExecArgs } from "../syscalls.ts";
import { newProcess, newSgx, newThread } from "../threads.ts";
import { behindExecve, LIBOS, SHIM_DO } from "./flows.ts";
import { closeStream, type Migrated, migrate } from "./fork.ts";
import { answer, dk, dkQuiet, minusPalErrno } from "./io.ts";
import { passLock } from "./ipc.ts";
import { HANDLE_MAP_LOCK, THREAD_LIST_LOCK, threadLock, VMA_LIST_LOCK } from "./names.ts";
import { othersAlive } from "./thread-list.ts";
import { isDummy } from "./vfork.ts";

type Exec = Migrated & ExecArgs;

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

/** Of the program's own function only what stands behind execve is left: the program itself goes on elsewhere. */
function framesLeft(c: Cpu, t: Thread, stack: "host" | "enclave"): Thread["host"] {
  const program = c.flowOf(t.program);
  const at = t[stack].findLastIndex((frame) => frame.flow === program);
  return t[stack].map((frame, i) => (i === at ? newFrame(c.program, numberOf(c.program, behindExecve), {}) : copyTree(frame)));
}

/** The host thread stays in its process, with all that the LibOS of that process knows of it. */
function leaveBehind(c: Cpu, p: Process, t: Thread): Thread {
  const frames = framesLeft(c, t, "host");
  const left = newThread<Thread, Process>(c, {
    process: p,
    name: `${t.name} before exec`,
    internal: false,
    program: t.program,
    frames,
    creator: t,
    leftBy: t,
  });
  Object.assign(left, {
    enclave: framesLeft(c, t, "enclave"),
    stack: t.stack,
    sgx: copyTree(t.sgx),
    signalFrames: t.signalFrames,
    hostPending: copyTree(t.hostPending),
    pal: copyTree(t.pal),
  });
  const { schedulerEvent, childExitEvent } = left.libos;
  Object.assign(left.libos, { ...copyTree(t.libos), schedulerEvent, childExitEvent });
  left.app.inHandler = t.app.inHandler;
  // Those that it made are its children still.
  for (const other of c.threadsOf(p)) if (other.libos.parent === t.id) other.libos.parent = left.id;
  for (const child of p.libos.children) if (child.parent === t.id) child.parent = left.id;
  for (const event of p.libos.asyncList) if (event.caller === t.id) event.caller = left.id;
  p.threads.splice(p.threads.indexOf(t.id), 1);
  p.libos.threadList.splice(p.libos.threadList.indexOf(t.id), 1);
  return left;
}

/** The signal logs of the new process's thread are new, its count of signals is not (shim_thread.c:612, 741). */
function startAnew(t: Thread, p: Process, startPc: number, boot: Thread["host"]): void {
  Object.assign(t, { process: p.id, startPc, host: boot, enclave: [], stack: HOST, sgx: t.sgx && newSgx() });
  Object.assign(t, { signalFrames: 0, hostMask: [0, 0], hostPending: [], pal: newPal() });
  Object.assign(t.libos, { ready: false, preempt: 0, syscallNr: 0, delayed: false, palErrno: 0, parent: -1 });
  Object.assign(t.libos, { rings: {}, exited: [], liveThreads: 0, suspendOnSignal: false });
  t.app.inHandler = 0;
}

function becomeProcess(c: Cpu): void {
  const { t } = c;
  const old = c.process(t);
  const program = [...t.host, ...t.enclave].findLast((frame) => frame.flow === c.flowOf(t.program));
  const creator = c.m.threads[t.libos.parent];
  const left = leaveBehind(c, old, t);
  const p = newProcess(c, `${old.name} after exec`, old);
  p.pid = old.pid;
  old.libos.children.push({
    process: p.id,
    pid: t.tid,
    pgid: t.libos.pgid,
    parent: t.libos.parent,
    alive: true,
    listed: true,
    waiters: 0,
    exitEvent: c.newObject("exit_event"),
    exitCode: 0,
    termSignal: 0,
  });
  if (creator) creator.libos.liveThreads -= 1;
  const call = localsOf(c, topFrame(left), SHIM_DO.execve);
  if (call) Object.assign(call, { process: p.id, pid: t.tid });
  startAnew(t, p, program ? addressOf(program) : 0, c.wiring.boot());
  p.threads.push(t.id);
  c.dirty = true;
  retarget(c, old);
  c.value = p.pid;
}

/** It came to nothing: the thread is in_vm again. */
function stay(c: Cpu, v: Exec): void {
  const p = c.process(c.t);
  const at = p.libos.children.findIndex((child) => child.process === v.process);
  const record = p.libos.children[at];
  if (!record) return;
  c.freeObject(record.exitEvent);
  p.libos.children.splice(at, 1);
  p.libos.threadList.push(c.t.id);
  const creator = c.m.threads[c.t.libos.parent];
  if (creator) creator.libos.liveThreads += 1;
}

/** The END_SHIM that follows stands for the first calls of the new program's loader. */
const rtld = flow(LIBOS.shim_do_execve_rtld, "libos", "2.20, errata B11", (s) => [
  ...passLock(s, "close_cloexec_handle", HANDLE_MAP_LOCK),
  s.call("malloc(tcb)", LIBOS.malloc),
  dkQuiet(s, "populate_tls: DkSegmentRegister(FS)", "DkSegmentRegister"),
  s.act("__disable_preempt", (c) => {
    c.t.libos.preempt += 1;
  }),
  ...passLock(s, "init_stack: bkeep_unmapped_heap", VMA_LIST_LOCK),
  dkQuiet(s, "init_stack: DkVirtualMemoryAlloc()", "DkVirtualMemoryAlloc"),
  ...passLock(s, "init_stack: bkeep_mprotect", VMA_LIST_LOCK),
  dkQuiet(s, "DkVirtualMemoryFree(old_stack)", "DkVirtualMemoryFree"),
  ...passLock(s, "bkeep_munmap(old_stack)", VMA_LIST_LOCK),
  ...passLock(s, "dump_all_vmas", VMA_LIST_LOCK),
  dkQuiet(s, "DkVirtualMemoryFree(all else)", "DkVirtualMemoryFree"),
  ...passLock(s, "bkeep_munmap(all else)", VMA_LIST_LOCK),
  ...passLock(s, "load_elf_object: bkeep_mmap", VMA_LIST_LOCK),
  s.act("execute_elf_object: __enable_preempt", (c) => {
    c.t.libos.preempt -= 1;
  }),
  s.ret(),
]);

/** 0 for an error is taken for success, as in fork. */
const exec = flow<Exec>(SHIM_DO.execve, "libos", "2.20, errata B11", (s) => [
  s.own({ pid: 0, process: -1 }),
  dk(s, "load the program", "DkStreamOpen", (_, v) => ({ takes: v.takes, result: v.result })),
  s.test("it is what started the program: no call of the LibOS", (_, v) => v.loader, "return"),
  s.test("cur_thread->dummy?", isDummy, "dummy"),
  s.test('host_type is "Linux-SGX"?', (c) => c.wiring.stack.enclave, "migrate"),
  ...passLock(s, "check_last_thread", THREAD_LIST_LOCK),
  s.test("another local thread is alive?", (c) => othersAlive(c).length > 0, "migrate"),
  s.call("execve() in the same process", LIBOS.shim_do_execve_rtld),
  s.at("return"),
  answer(s),

  s.at("migrate"),
  s.call("lock(cur_thread->lock)", LIBOS.lock, own),
  s.act("in_vm := false"),
  s.call("unlock(cur_thread->lock)", LIBOS.unlock, own),
  s.act("execve() in a new process", becomeProcess),
  dkQuiet(s, "do_migrate_process: DkProcessCreate()", "DkProcessCreate (made)"),
  ...migrate(s),
  s.at("moved"),
  s.call("lock(cur_thread->lock)", LIBOS.lock, own),
  s.act("handle_map := NULL"),
  s.call("unlock(cur_thread->lock)", LIBOS.unlock, own),
  s.call("try_process_exit(0, 0)", LIBOS.try_process_exit, () => ({ status: 0, signal: 0, turns: 0, returns: true })),
  s.act("other threads are alive: 0", (c, v) => {
    v.ret = 0;
    c.value = 0;
  }),
  answer(s),

  s.at("failed"),
  s.act(
    "ret = -PAL_ERRNO",
    (c, v) => {
      v.ret = minusPalErrno(c);
      c.value = v.ret;
    },
    "pal.errno.read",
  ),
  dk(s, "DkObjectClose(process stream)", "DkObjectClose (event)", (c, v) => {
    closeStream(c, v);
    return {};
  }),
  s.call("destroy_process(new_process)", LIBOS.destroy_process),
  s.call('sys_printf("process creation failed")', LIBOS.sys_printf),
  s.test("0 is taken for success", (_, v) => v.ret === 0, "moved"),
  s.call("lock(cur_thread->lock)", LIBOS.lock, own),
  s.act("in_vm := true", stay),
  s.call("unlock(cur_thread->lock)", LIBOS.unlock, own),
  answer(s),

  s.at("dummy"),
  s.call("do_migrate_process(&migrate_execve)", LIBOS["do_migrate_process (dummy)"]),
]);

export const execFlows: readonly Flow[] = [rtld, exec];
