/** fork: a checkpoint, sent to a new process by many PAL calls (reference, 2.15; shim_fork.c, shim_checkpoint.c do_migrate_process). */

import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { ShimChild } from "../generations/graphene-2019/state.ts";
import { createArgs } from "../pal/calls.ts";
import { dkCreate } from "../pal/flows.ts";
import type { Ref } from "../ref.ts";
import type { ProgramArgs } from "../syscalls.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { answer, dk, dkQuiet, MAY_READ_ERRNO, minusPalErrno } from "./io.ts";
import { lockOf, message, passLock, tell } from "./ipc.ts";
import { childLock, IPC_HELPER_LOCK, IPC_INFO_LOCK, RANGE_MAP_LOCK, THREAD_LIST_LOCK, threadLock, VMA_LIST_LOCK } from "./names.ts";
import { passProcessLock, restartHelper } from "./namespaces.ts";

export interface Migrated {
  /** The record's pid. */
  pid: number;
  /** The engine's id of the process, -1 before it is made. */
  process: number;
}

type Fork = Migrated & ProgramArgs;

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });
const record = (c: Cpu, v: Migrated): ShimChild | undefined => c.process(c.t).libos.children.find((child) => child.pid === v.pid);
const stream = (c: Cpu, v: Migrated): number => c.m.processes[v.process]?.libos.stream ?? -1;

/** The record is on thread_list and among the children before the process is there. */
export function addRecord(c: Cpu, v: Migrated): void {
  // get_pid: the number the process is going to have.
  v.pid = c.m.nextPid;
  c.process(c.t).libos.children.push({
    process: -1,
    pid: v.pid,
    pgid: c.t.libos.pgid,
    parent: c.t.id,
    alive: true,
    listed: true,
    waiters: 0,
    exitEvent: c.newObject("exit_event"),
    exitCode: 0,
    termSignal: 0,
  });
  c.value = v.pid;
}

/** What DkProcessCreate made. */
function adopt(c: Cpu, v: Fork): void {
  const child = c.m.processes[c.t.rax];
  const known = record(c, v);
  v.process = child?.id ?? -1;
  if (known && child) Object.assign(known, { process: child.id, pid: child.pid });
  v.pid = child?.pid ?? v.pid;
  c.value = v.pid;
}

/** The RPC stream to the child becomes a port of the helper, which it keeps the process for. */
function keepPort(c: Cpu, v: Migrated): void {
  const me = c.process(c.t);
  const child = c.m.processes[v.process];
  me.libos.ipc.children.push(v.process);
  c.value = v.process;
  if (!child?.alive) tell(c, me, message("closed", v.process));
}

/** warn_no_gipc is a variable that a forked process inherits. */
function warned(c: Cpu): boolean {
  const p = c.process(c.t);
  const before = p.libos.hasForked;
  p.libos.hasForked = true;
  return before;
}

export function closeStream(c: Cpu, v: Migrated): void {
  const object = c.m.objects[stream(c, v)];
  if (object) object.closed = true;
}

/** do_migrate_process, once the process is there; "failed" has to follow somewhere in the flow. */
export const migrate = <V extends Migrated>(s: Steps<V>): (Step | Mark)[] => [
  dkQuiet(s, "DkCreatePhysicalMemoryChannel(): none", "DkCreatePhysicalMemoryChannel"),
  s.test("warn_no_gipc is false?", warned, "warned"),
  s.call('sys_printf("no physical memory support")', LIBOS.sys_printf),
  s.at("warned"),
  s.call("create_new_process(true)", LIBOS.create_new_process),
  s.call("create_ipc_port(0, false)", LIBOS.create_ipc_port, () => ({ listen: false })),
  ...passLock(s, "cp_alloc: bkeep_unmapped_any", VMA_LIST_LOCK),
  ...passLock(s, "cp_alloc: bkeep_munmap", VMA_LIST_LOCK),
  dkQuiet(s, "cp_alloc: DkVirtualMemoryAlloc()", "DkVirtualMemoryAlloc"),
  ...passLock(s, "checkpoint of all_vmas", VMA_LIST_LOCK),
  ...passLock(s, "checkpoint of the handles", "hdl.lock of each handle"),
  dk(s, "DkStreamWrite(newproc_header)", "DkStreamWrite (device)", () => ({ takes: 0, result: 1 })),
  s.test("nothing written?", (c) => c.t.rax === 0, "failed"),
  dk(s, "send_checkpoint_on_stream: DkStreamWrite(checkpoint)", "DkStreamWrite (device)", () => ({ takes: 0, result: 1 })),
  dk(s, "send_checkpoint_on_stream: DkStreamWrite(memory)", "DkStreamWrite (device)", () => ({ takes: 0, result: 1 })),
  ...passLock(s, "bkeep_munmap(checkpoint)", VMA_LIST_LOCK),
  dkQuiet(s, "DkVirtualMemoryFree(checkpoint)", "DkVirtualMemoryFree"),
  dk(s, "DkStreamRead(newproc_response): wait for the child", "DkStreamRead (device)", (c, v) => ({ object: stream(c, v), bytes: 1 })),
  s.test("nothing read?", (c) => c.t.rax === 0, "failed"),
  ...passProcessLock(s, "connect_ns", "connected"),
  s.call("add_pid_subrange: malloc(subrange)", LIBOS.malloc),
  s.call("ipc_pid_sublease_send: lock(range_map_lock)", LIBOS.lock, lockOf(RANGE_MAP_LOCK)),
  ...passLock(s, "lookup_and_alloc_client", IPC_INFO_LOCK),
  s.call("ipc_pid_sublease_send: unlock(range_map_lock)", LIBOS.unlock, lockOf(RANGE_MAP_LOCK)),
  s.call("add_ipc_port_by_id: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.act("the stream to the child is a port, KEEPALIVE", keepPort),
  dkQuiet(s, "create_lock(port->msgs_lock): DkMutexCreate()", "DkMutexCreate"),
  ...restartHelper(s),
  s.call("add_ipc_port_by_id: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.call("destroy_process(new_process)", LIBOS.destroy_process),
];

/**
 * The checkpoint goes out by writes; the answer of the child is read, and that is the long wait. A signal that ends it makes fork fail with
 * -PAL_ERRNO (shim_checkpoint.c:1092), which under SGX is what an earlier call left: that there is no memory channel (-ENOSYS), or, when a
 * handler has met the end of a stream since, 0: then fork succeeds, and of the child nothing is ever heard. The record of a child that came to nothing stays among the children.
 */
export const fork = (of: Ref<ProgramArgs>): Flow =>
  flow<Fork>(of, "libos", "2.15", (s) => [
    s.own({ pid: 0, process: -1 }),
    s.call("prepare_ns_leaders()", LIBOS.prepare_ns_leaders),
    s.call("get_new_thread(0)", LIBOS.get_new_thread),
    s.call("add_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
    s.act("on thread_list, in_vm = false", addRecord),
    s.call("add_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
    s.call("set_as_child: lock(child->lock)", LIBOS.lock, (_, v) => ({ name: childLock(v.pid) })),
    s.call("set_as_child: lock(cur->lock)", LIBOS.lock, own),
    s.act("among cur->children"),
    s.call("set_as_child: unlock(cur->lock)", LIBOS.unlock, own),
    s.call("set_as_child: unlock(child->lock)", LIBOS.unlock, (_, v) => ({ name: childLock(v.pid) })),
    s.call(
      "DkProcessCreate()",
      dkCreate.DkProcessCreate,
      (c, v) => {
        c.value = c.t.libos.palErrno;
        return createArgs({ program: v.program });
      },
      "pal.call.enter",
    ),
    s.act("the process", adopt),
    s.test("none?", (_, v) => v.process < 0, "none"),
    ...migrate(s),
    s.call("lock(new_thread->lock)", LIBOS.lock, (_, v) => ({ name: childLock(v.pid) })),
    s.call("unlock(new_thread->lock)", LIBOS.unlock, (_, v) => ({ name: childLock(v.pid) })),
    s.act("ret = pid of the child", (c, v) => {
      v.ret = v.pid;
      c.value = v.ret;
    }),
    s.jump("return", "return"),
    s.at("failed"),
    s.act(
      "ret = -PAL_ERRNO",
      (c, v) => {
        v.ret = minusPalErrno(c);
        c.value = v.ret;
      },
      MAY_READ_ERRNO,
    ),
    dk(s, "DkObjectClose(process stream)", "DkObjectClose (event)", (c, v) => {
      closeStream(c, v);
      return {};
    }),
    s.call("destroy_process(new_process)", LIBOS.destroy_process),
    s.jump("message"),
    s.at("none"),
    s.act(
      "ret = -PAL_ERRNO",
      (c, v) => {
        v.ret = minusPalErrno(c);
        c.value = v.ret;
      },
      MAY_READ_ERRNO,
    ),
    s.at("message"),
    s.call('sys_printf("process creation failed")', LIBOS.sys_printf),
    s.test("ret < 0?", (_, v) => v.ret < 0, "return"),
    s.act("0 is taken for success: ret = tid", (_, v) => {
      v.ret = v.pid;
    }),
    s.at("return"),
    answer(s),
  ]);

export const forkFlows: readonly Flow[] = [fork(SHIM_DO.fork)];
