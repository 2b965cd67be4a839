/**
 * What fork needs of the namespaces of pids and of System V IPC: who leads them, and the struct shim_process of the new one
 * (ipc/shim_ipc_nsimpl.h:763-910, shim_ipc.c:249-300, 484). cur_process.lock is NULL in the first process: lock and unlock do nothing there.
 */

import type { Flow, Mark, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import { addMessage } from "../host/calls.ts";
import { LIBOS } from "./flows.ts";
import { dk, dkQuiet } from "./io.ts";
import { lockOf, message, passLock } from "./ipc.ts";
import { CUR_PROCESS_LOCK, IPC_HELPER_LOCK, IPC_INFO_LOCK, RANDGEN_LOCK } from "./names.ts";

const isFirst = (c: Cpu): boolean => c.process(c.t).parent < 0;

/** Two looks at who leads, each under cur_process.lock. */
export const passProcessLock = <V extends object>(s: Steps<V>, who: string, mark: string): (Step | Mark)[] => [
  s.test("cur_process.lock is NULL?", isFirst, mark),
  ...passLock(s, `${who} (pid)`, CUR_PROCESS_LOCK),
  ...passLock(s, `${who} (sysv)`, CUR_PROCESS_LOCK),
  s.at(mark),
];

/** A change of the list of ports that the helper has to see: a byte into its event. ipc_helper_lock is held. */
export const restartHelper = <V extends object>(s: Steps<V>): Step[] => [
  s.act("restart_ipc_helper", (c) => {
    addMessage(c, c.process(c.t).libos.ipc.port, message("event", c.t.process));
  }),
  dk(s, "set_event: DkStreamWrite(ipc_helper_event)", "DkStreamWrite", (c) => ({ object: c.process(c.t).libos.ipc.port, bytes: 1 })),
];

/** The first fork makes the first process the leader of both, with a pipe of its own for each. */
const prepare = flow<{ left: number }>(LIBOS.prepare_ns_leaders, "libos", "2.15", (s) => [
  s.own({ left: 0 }),
  ...passProcessLock(s, "prepare_leader", "leaders"),
  s.test("they are known?", (c) => c.process(c.t).libos.hasForked, "known"),
  s.act("this process becomes the leader", (_, v) => {
    v.left = 2;
  }),
  s.at("next"),
  s.call("create_ipc_port(vmid, true)", LIBOS.create_ipc_port, () => ({ listen: true })),
  ...passLock(s, "put_ipc_info(leader)", IPC_INFO_LOCK),
  ...passLock(s, "add_ipc_port", IPC_HELPER_LOCK),
  s.test("that was one: the other", (_, v) => (v.left -= 1) > 0, "next"),
  s.at("known"),
  s.ret(),
]);

const createPort = flow(LIBOS.create_ipc_port, "libos", "2.15", (s) => [
  ...passLock(s, "get_new_ipc_info", IPC_INFO_LOCK),
  ...passLock(s, "create_pipe: getrand", RANDGEN_LOCK),
  dk(s, "create_pipe: DkStreamOpen(pipe.srv)", "DkStreamOpen", () => ({ takes: 0 })),
  s.test("not to listen on?", (_, v) => !v.listen, "return"),
  s.call("add_ipc_port_by_id: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  dkQuiet(s, "create_lock(port->msgs_lock): DkMutexCreate()", "DkMutexCreate"),
  ...restartHelper(s),
  s.call("add_ipc_port_by_id: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  s.at("return"),
  s.ret(),
]);

const createProcess = flow(LIBOS.create_new_process, "libos", "2.15", (s) => [
  s.call("malloc(shim_process)", LIBOS.malloc),
  ...passLock(s, "parent: get_new_ipc_info", IPC_INFO_LOCK),
  s.test("cur_process.lock is NULL?", isFirst, "unlocked"),
  s.call("lock(cur_process.lock)", LIBOS.lock, lockOf(CUR_PROCESS_LOCK)),
  s.at("unlocked"),
  ...passLock(s, "leader of pids: get_new_ipc_info", IPC_INFO_LOCK),
  ...passLock(s, "leader of sysv: get_new_ipc_info", IPC_INFO_LOCK),
  s.test("cur_process.lock is NULL?", isFirst, "return"),
  s.call("unlock(cur_process.lock)", LIBOS.unlock, lockOf(CUR_PROCESS_LOCK)),
  s.at("return"),
  s.ret(),
]);

const destroyProcess = flow(LIBOS.destroy_process, "libos", "2.15", (s) => [
  dkQuiet(s, "put_ipc_info(self): DkObjectClose(pipe.srv)", "DkObjectClose (event)"),
  ...passLock(s, "put_ipc_info(self)", IPC_INFO_LOCK),
  ...passLock(s, "put_ipc_info(parent)", IPC_INFO_LOCK),
  ...passLock(s, "put_ipc_info(leader of pids)", IPC_INFO_LOCK),
  ...passLock(s, "put_ipc_info(leader of sysv)", IPC_INFO_LOCK),
  s.call("free(shim_process)", LIBOS.free),
  s.ret(),
]);

export const namespaceFlows: readonly Flow[] = [prepare, createPort, createProcess, destroyProcess];
