/** Names of the LibOS's locks. */

import { naming } from "../../../naming.ts";
import type { Cpu } from "../flow.ts";
import type { Thread } from "../state.ts";

export const DISPOSITIONS_LOCK = "signal_dispositions.lock";
export const PROCESS_QUEUE_LOCK = "g_process_signal_queue_lock";
export const THREAD_LIST_LOCK = "g_thread_list_lock";
export const CHILDREN_LOCK = "children_lock";
export const HANDLE_MAP_LOCK = "handle_map.lock";

const lockOf = naming("lock of thread");

/** thread->lock. */
export const threadLock = (t: Thread): string => lockOf(t.name);

/** The same of a thread by its id; one that is gone has a lock nobody else knows. */
export function lockOfThread(c: Cpu, id: number): string {
  const t = c.m.threads[id];
  return t ? threadLock(t) : lockOf(id);
}
export const ASYNC_LOCK = "async_worker_lock";
export const FS_LOCK_LOCK = "g_fs_lock_lock";
export const RANGES_LOCK = "g_ranges_lock";
export const ID_OWNERS_LOCK = "g_id_owners_tree_lock";
export const SLAB_LOCK = "slab_mgr_lock";
export const WAITERS_LOCK = "g_msg_waiters_tree_lock";
