/**
 * What a process gives back at its end (corrections 7.1): its POSIX locks, which the leader keeps, and its id (fs/libos_fs_lock.c,
 * ipc/libos_ipc_fs_lock.c, bookkeep/libos_pid.c, ipc/libos_ipc_pid.c).
 */

import type { Flow } from "../../../flow.ts";
import { exitArgs } from "../../../host/calls.ts";
import { WHY } from "../../../transition.ts";
import { flow } from "../flow.ts";
import { PAL } from "../pal/flows.ts";
import type { IpcMessage } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS } from "./flows.ts";
import { message } from "./ipc.ts";
import { isLeader, leaderOf } from "./ipc-kill.ts";
import { FS_LOCK_LOCK, ID_OWNERS_LOCK, RANGES_LOCK } from "./names.ts";

/** The leader looks for itself; others wait for its answer, whatever comes (corrections 1.M1). A failure is only a warning. */
const clearLocks = flow(LIBOS.file_lock_clear_pid, "libos", "corrections 7.1", (s) => [
  s.test("the leader?", isLeader, "leader"),
  s.call("ipc_file_lock_clear_pid: ipc_send_msg_and_get_response", LIBOS.ipc_send_msg_and_get_response, (c) => ({
    dest: leaderOf(c),
    message: message("clear-locks", c.t.process, { thread: c.t.id }),
  })),
  answer(s),
  s.at("leader"),
  s.call("lock(g_fs_lock_lock)", LIBOS.lock, () => ({ name: FS_LOCK_LOCK })),
  s.act("no POSIX lock is the process's"),
  s.call("unlock(g_fs_lock_lock)", LIBOS.unlock, () => ({ name: FS_LOCK_LOCK })),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

const clearLocksCallback = flow<{ message: IpcMessage }>(LIBOS.ipc_file_lock_clear_pid_callback, "libos", "corrections 7.1", (s) => [
  s.call("file_lock_clear_pid(pid)", LIBOS.file_lock_clear_pid),
  s.call("ipc_send_message(response)", LIBOS.ipc_send_message, (c, v) => ({
    dest: v.message.src,
    message: message("response", c.t.process, { thread: v.message.thread, ret: c.t.rax }),
  })),
  answer(s),
]);

/** The id of a process that was forked is a range of its own, which the leader gets back; without a leader this is the end of it, with status 1. */
const releaseId = flow(LIBOS.release_id, "libos", "corrections 7.1", (s) => [
  s.call("lock(g_ranges_lock)", LIBOS.lock, () => ({ name: RANGES_LOCK })),
  s.act("taken_count - 1"),
  s.call("unlock(g_ranges_lock)", LIBOS.unlock, () => ({ name: RANGES_LOCK })),
  s.test("the leader, which has others in this range?", isLeader, "done"),
  s.call("ipc_release_id_range: ipc_send_message", LIBOS.ipc_send_message, (c) => ({
    dest: leaderOf(c),
    message: message("release-id", c.t.process),
  })),
  s.test("it went off?", (c) => c.t.rax >= 0, "done"),
  s.call("PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true, why: WHY.LIBOS, signal: 0 }), "pal.call.enter"),
  s.at("done"),
  s.ret(),
]);

const releaseIdCallback = flow(LIBOS.ipc_release_id_range_callback, "libos", "corrections 7.1", (s) => [
  s.call("release_id_range: lock(g_id_owners_tree_lock)", LIBOS.lock, () => ({ name: ID_OWNERS_LOCK })),
  s.act("off g_id_owners_tree"),
  s.call("release_id_range: unlock(g_id_owners_tree_lock)", LIBOS.unlock, () => ({ name: ID_OWNERS_LOCK })),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

export const leaveFlows: readonly Flow[] = [clearLocks, clearLocksCallback, releaseId, releaseIdCallback];
