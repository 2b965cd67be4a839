/** clone with CLONE_THREAD: a thread of the same process (gramine-today.md 7.6; libos_clone.c). */

import { exitCall } from "../../../app/call.ts";
import { LIBC } from "../../../app/flows.ts";
import { newFrame } from "../../../control.ts";
import type { Flow } from "../../../flow.ts";
import { numberOf } from "../../../frames.ts";
import { callArgs } from "../../../host/calls.ts";
import { extended } from "../../../state.ts";
import type { CloneArgs } from "../../../syscalls.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import type { CloneArgs as StructCloneArgs } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { THREAD_LIST_LOCK } from "./names.ts";

const argsOf = (c: Cpu): StructCloneArgs => c.t.libos.cloned ?? { create: -1, initialize: -1, parent: -1 };

/** A wait that nothing ends but the event: neither a signal nor exit_group is looked at (corrections 1.M1). */
const waitWithRetry = flow(LIBOS.event_wait_with_retry, "libos", "corrections 1.M1", (s) => [
  s.at("again"),
  s.call(
    "PalEventWait(event, NULL)",
    PAL.PalEventWait,
    (_, v) => ({ object: v.object, timeout: NEVER, autoClear: false }),
    "pal.call.enter",
  ),
  s.test("interrupted? again", (c) => c.t.rax < 0, "again"),
  s.ret(),
]);

/** On g_thread_list by its tid. */
export function addThread(c: Cpu): void {
  const { threadList } = c.process(c.t).libos;
  const at = threadList.findIndex((id) => (c.m.threads[id]?.tid ?? 0) > c.t.tid);
  if (at < 0) threadList.push(c.t.id);
  else threadList.splice(at, 0, c.t.id);
}

/** First LibOS function of a thread. It goes to the application without a look for signals or time_to_die (corrections 5.M1). */
const start = flow(LIBOS.clone_implementation_wrapper, "libos", "7.6, corrections 5.M1", (s) => [
  s.act("libos_tcb_init, set_cur_thread: tcb.tp", (c) => {
    c.t.libos.ready = true;
  }),
  s.call("event_wait_with_retry(create_event)", LIBOS.event_wait_with_retry, (c) => ({ object: argsOf(c).create })),
  s.act(
    "the thread starts",
    (c) => {
      c.value = argsOf(c).parent;
    },
    "thread.start",
  ),
  s.call("add_thread: lock(g_thread_list_lock)", LIBOS.lock, () => ({ name: THREAD_LIST_LOCK })),
  s.act("on g_thread_list", addThread),
  s.call("add_thread: unlock(g_thread_list_lock)", LIBOS.unlock, () => ({ name: THREAD_LIST_LOCK })),
  s.call("PalEventSet(initialize_event)", PAL.PalEventSet, (c) => ({ object: argsOf(c).initialize, autoClear: false }), "pal.call.enter"),
  s.act("restore_child_context_after_clone: rax 0, syscall_nr -1", (c) => {
    c.t.libos.syscallNr = -1;
    c.t.libos.cloned = null;
  }),
  s.callDynamic("the thread's program", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
  s.call("exit(0)", LIBC.exit, () => exitCall(0)),
]);

interface Clone extends CloneArgs {
  create: number;
  initialize: number;
}

/** CLONE_VFORK is fork. */
const clone = flow<Clone>(SYSCALL_FLOWS.clone, "libos", "7.5, 7.6", (s) => [
  s.own({ create: -1, initialize: -1 }),
  s.test("CLONE_VFORK?", (_, v) => v.vfork, "vfork"),
  s.act("get_new_thread; create_event, initialize_event", (c, v) => {
    v.create = c.newObject("create_event");
    v.initialize = c.newObject("initialize_event");
  }),
  s.call(
    "PalThreadCreate(clone_implementation_wrapper)",
    PAL.PalThreadCreate,
    (c, v) => ({
      program: v.program,
      start: numberOf(c.program, LIBOS.clone_implementation_wrapper),
      internal: false,
      cloned: { create: v.create, initialize: v.initialize, parent: c.t.id },
    }),
    "pal.call.enter",
  ),
  s.act("pal_to_unix_errno", (c, v) => {
    v.ret = palToUnix(c.t.rax);
    c.value = v.ret;
  }),
  s.test("it failed?", (_, v) => v.ret < 0, "failed"),
  s.call("PalEventSet(create_event)", PAL.PalEventSet, (_, v) => ({ object: v.create, autoClear: false }), "pal.call.enter"),
  s.call("event_wait_with_retry(initialize_event)", LIBOS.event_wait_with_retry, (_, v) => ({ object: v.initialize })),
  s.at("failed"),
  s.act("PalObjectDestroy(both events)", (c, v) => {
    c.freeObject(v.create);
    c.freeObject(v.initialize);
    c.t.rax = v.ret;
  }),
  answer(s),
  s.at("vfork"),
  s.call("as fork: do_clone_new_vm", LIBOS.do_clone_new_vm, (_, v) => extended(callArgs(), { program: v.program })),
  answer(s),
]);

/** Nothing of the thread is in use once the PAL has cleared its word; a thread that is gone has no word any more. */
export const isCleared = (c: Cpu, thread: number): boolean => c.m.threads[thread]?.pal.exited ?? true;

/** ns of a turn that waits for another processor. */
const SPIN = 2000;

const spin = flow(LIBOS["spin until PAL has cleared the word"], "libos", "7.1, 7.2", (s) => [
  s.at("again"),
  s.test("the word is 0?", (c, v) => isCleared(c, v.thread), "done"),
  s.act("CPU_RELAX", (c, v) => {
    c.ns = SPIN;
    c.value = v.thread;
  }),
  s.jump("again", "look again"),
  s.at("done"),
  s.ret(),
]);

export const cloneFlows: readonly Flow[] = [waitWithRetry, start, clone, spin];
