/** struct shim_thread: made by clone, fork and vfork, given back by whoever drops the last reference (bookkeep/shim_thread.c). */

import type { Flow } from "../flow.ts";
import { flow } from "../generations/graphene-2019/flow.ts";
import { LIBOS } from "./flows.ts";
import { dkQuiet } from "./io.ts";
import { passLock } from "./ipc.ts";
import { RANGE_MAP_LOCK, THREAD_LIST_LOCK } from "./names.ts";

/** Of each action of the creator a copy of 8 bytes is made, in a block of its own (shim_thread.c:202-209). */
const newThread = flow<{ actions: number }>(LIBOS.get_new_thread, "libos", "1.6", (s) => [
  s.own({ actions: 0 }),
  ...passLock(s, "get_pid", RANGE_MAP_LOCK),
  s.call("malloc(shim_thread)", LIBOS.malloc),
  s.act("signal_handles of the creator", (c, v) => {
    v.actions = Object.keys(c.t.libos.actions).length;
    c.value = v.actions;
  }),
  s.at("next"),
  s.test("no action left to copy?", (_, v) => v.actions === 0, "copied"),
  s.call("malloc_copy(action)", LIBOS.malloc),
  s.act("next action", (_, v) => {
    v.actions -= 1;
  }),
  s.jump("next"),
  s.at("copied"),
  s.call("malloc(signal_logs)", LIBOS["malloc (large)"]),
  dkQuiet(s, "create_lock(thread->lock): DkMutexCreate()", "DkMutexCreate"),
  dkQuiet(s, "scheduler_event: DkNotificationEventCreate(true)", "DkNotificationEventCreate"),
  dkQuiet(s, "exit_event: DkNotificationEventCreate(false)", "DkNotificationEventCreate"),
  dkQuiet(s, "child_exit_event: DkNotificationEventCreate(false)", "DkNotificationEventCreate"),
  s.ret(),
]);

const newInternalThread = flow(LIBOS.get_new_internal_thread, "libos", "1.6", (s) => [
  ...passLock(s, "get_internal_pid", THREAD_LIST_LOCK),
  s.call("malloc(shim_thread)", LIBOS.malloc),
  dkQuiet(s, "create_lock(thread->lock): DkMutexCreate()", "DkMutexCreate"),
  dkQuiet(s, "exit_event: DkNotificationEventCreate(false)", "DkNotificationEventCreate"),
  s.ret(),
]);

/** The last reference to the record of a forked child: it has no pal_handle (shim_thread.c:296-322). */
const putThread = flow(LIBOS.put_thread, "libos", "1.6", (s) => [
  ...passLock(s, "release_pid", RANGE_MAP_LOCK),
  dkQuiet(s, "DkObjectClose(scheduler_event)", "DkObjectClose (event)"),
  dkQuiet(s, "DkObjectClose(exit_event)", "DkObjectClose (event)"),
  dkQuiet(s, "DkObjectClose(child_exit_event)", "DkObjectClose (event)"),
  dkQuiet(s, "destroy_lock(thread->lock): DkObjectClose()", "DkObjectClose (mutex)"),
  s.call("free(signal_logs)", LIBOS["free (large)"]),
  s.call("free(thread)", LIBOS.free),
  s.ret(),
]);

export const threadRecordFlows: readonly Flow[] = [newThread, newInternalThread, putThread];
