/** LibOS locks and heap: taking one raises preempt, releasing the last one delivers what is pending (reference, 2.13; shim_internal.h). */

import type { Flow, Step } from "../flow.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import { dkMutex } from "../pal/flows.ts";
import { mutexArgs } from "../pal/sync-calls.ts";
import { SCAN_ALL } from "./deliver.ts";
import { LIBOS } from "./flows.ts";
import { dkQuiet } from "./io.ts";
import { SLAB_LOCK, VMA_LIST_LOCK } from "./names.ts";
import { disablePreempt, enablePreempt } from "./preempt.ts";

export interface Lock {
  name: string;
}

/** The PAL mutex behind a lock: level 1 = free. */
function lockObject(c: Cpu, name: string): number {
  return (c.process(c.t).pal.lockObjects[name] ??= c.newObject(name, 1));
}

/** A call of the PAL on the lock's mutex. */
const mutexCall = (s: Steps<Lock>, label: string, name: keyof typeof dkMutex): Step =>
  s.call(
    label,
    dkMutex[name],
    (c, v) => {
      c.value = c.t.libos.palErrno;
      return mutexArgs(v.name, lockObject(c, v.name));
    },
    "pal.call.enter",
  );

/**
 * preempt goes up before the mutex is asked for, and asking is a PAL call even when it is free: what is pended is taken at its end, and
 * deferred (shim_internal.h:502, 508).
 */
const lock = flow(LIBOS.lock, "libos", "2.13", (s) => [
  disablePreempt(s, "disable_preempt"),
  s.at("again"),
  mutexCall(s, "DkObjectsWaitAny(1, { lock }, NO_TIMEOUT)", "DkObjectsWaitAny"),
  s.test("NULL: try again", (c) => c.t.rax === 0, "again"),
  s.ret(),
]);

const unlock = flow(LIBOS.unlock, "libos", "2.13", (s) => [
  mutexCall(s, "DkMutexRelease(lock)", "DkMutexRelease"),
  s.test("enable_preempt: preempt != 1 or nothing pending?", (c) => c.t.libos.preempt !== 1 || c.t.libos.hasSignal === 0, "down"),
  s.call("__handle_signal(0)", LIBOS.__handle_signal, () => ({ ...SCAN_ALL })),
  s.at("down"),
  enablePreempt(s, "preempt - 1"),
  s.ret(),
]);

/** Of a generation that delivers at the end of a call only. */
export const unlockAlone = flow(LIBOS.unlock, "libos", "pr1218 5", (s) => [
  mutexCall(s, "DkMutexRelease(lock)", "DkMutexRelease"),
  enablePreempt(s, "enable_preempt"),
  s.ret(),
]);

/** The LibOS heap with its lock: an upcall that allocates inside it waits for itself (3.2 libos-heap-lock-self-deadlock). */
const heap = (name: "malloc" | "free", label: string): Flow =>
  flow(name, "libos", "2.12", ({ act, call, ret }) => [
    call("lock(slab_mgr_lock)", LIBOS.lock, () => ({ name: SLAB_LOCK })),
    act(label),
    call("unlock(slab_mgr_lock)", LIBOS.unlock, () => ({ name: SLAB_LOCK })),
    ret(),
  ]);

/** More than 2000 bytes come from the PAL; the lock is that of the mappings (slabmgr.h:382, shim_malloc.c:63). */
const largeMalloc = flow(LIBOS["malloc (large)"], "libos", "2.12", (s) => [
  s.call("bkeep_unmapped_any: lock(vma_list_lock)", LIBOS.lock, () => ({ name: VMA_LIST_LOCK })),
  s.call("bkeep_unmapped_any: unlock(vma_list_lock)", LIBOS.unlock, () => ({ name: VMA_LIST_LOCK })),
  dkQuiet(s, "DkVirtualMemoryAlloc()", "DkVirtualMemoryAlloc"),
  s.ret(),
]);

const largeFree = flow(LIBOS["free (large)"], "libos", "2.12", (s) => [
  dkQuiet(s, "DkVirtualMemoryFree()", "DkVirtualMemoryFree"),
  s.call("bkeep_munmap: lock(vma_list_lock)", LIBOS.lock, () => ({ name: VMA_LIST_LOCK })),
  s.call("bkeep_munmap: unlock(vma_list_lock)", LIBOS.unlock, () => ({ name: VMA_LIST_LOCK })),
  s.ret(),
]);

export const lockFlows: readonly Flow[] = [
  lock,
  unlock,
  heap("malloc", "take a block"),
  heap("free", "give a block back"),
  largeMalloc,
  largeFree,
];
