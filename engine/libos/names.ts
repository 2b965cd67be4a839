/** Names of LibOS locks, as in C. */

import type { Thread } from "../state.ts";

export const threadLock = (t: Thread): string => lockOfThread(t.id);
export const lockOfThread = (id: number): string => `lock of thread ${id}`;
export const THREAD_LIST_LOCK = "thread_list_lock";
export const ASYNC_HELPER_LOCK = "async_helper_lock";
export const HANDLE_MAP_LOCK = "handle_map.lock";
/** The LibOS heap's. */
export const SLAB_LOCK = "slab_mgr_lock";
