/** Names of LibOS locks, as in C. */

import type { Thread } from "../generations/graphene-2019/state.ts";
import { naming } from "../naming.ts";
export const lockOfThread: (id: number) => string = naming("lock of thread");
export const threadLock = (t: Thread): string => lockOfThread(t.id);
/** A forked child's record has a lock as any other thread. */
export const childLock: (pid: number) => string = naming("lock of child");
export const THREAD_LIST_LOCK = "thread_list_lock";
export const ASYNC_HELPER_LOCK = "async_helper_lock";
export const HANDLE_MAP_LOCK = "handle_map.lock";
export const IPC_HELPER_LOCK = "ipc_helper_lock";
export const RANGE_MAP_LOCK = "range_map_lock";
export const MSGS_LOCK = "port.msgs_lock";
export const MASTER_LOCK = "__master_lock";
/** LibOS mappings. */
export const VMA_LIST_LOCK = "vma_list_lock";
export const FUTEX_LIST_LOCK = "futex_list_lock";
/** cur_process.lock. */
export const CUR_PROCESS_LOCK = "cur_process.lock";
export const IPC_INFO_LOCK = "ipc_info_lock";
/** The generator of random names. */
export const RANDGEN_LOCK = "randgen_lock";
/** The LibOS heap's. */
export const SLAB_LOCK = "slab_mgr_lock";
