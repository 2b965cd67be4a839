/** clone with CLONE_VM: a thread of the same process (reference, 1.6; shim_clone.c). */

import { newFrame } from "../control.ts";
import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { numberOf } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { CloneArgs as StructCloneArgs } from "../generations/graphene-2019/state.ts";
import { callArgs } from "../host/calls.ts";
import { createArgs } from "../pal/calls.ts";
import { dkCreate } from "../pal/flows.ts";
import { extended } from "../state.ts";
import type { CloneArgs } from "../syscalls.ts";
import { setEvent, waitEvent } from "./events.ts";
import { LIBOS, libcExit, SHIM_DO } from "./flows.ts";
import { answer, dk, dkQuiet, MAY_READ_ERRNO, minusPalErrno } from "./io.ts";
import { lockOf, passLock } from "./ipc.ts";
import { lockOfThread, THREAD_LIST_LOCK, threadLock, VMA_LIST_LOCK } from "./names.ts";

const argsOf = (c: Cpu): StructCloneArgs => c.t.libos.cloned ?? { create: -1, initialize: -1, parent: -1 };

/**
 * First LibOS function of a new thread. It has a TCB of its own (DkSegmentRegister) from "thread starts" on, and is on thread_list and among its creator's
 * children before the creator goes on.
 */
const threadStart = flow(LIBOS.clone_implementation_wrapper, "libos", "1.6", (s) => [
  waitEvent(s, "DkObjectsWaitAny(create_event)", (c) => argsOf(c).create),
  dk(s, "DkObjectClose(create_event)", "DkObjectClose (event)", (c) => {
    c.freeObject(argsOf(c).create);
    return {};
  }),
  dk(s, "allocate_tls: DkSegmentRegister(FS)", "DkSegmentRegister", (c) => {
    c.t.libos.ready = true;
    return {};
  }),
  s.act(
    "thread starts with preempt 1",
    (c) => {
      c.t.libos.preempt = 1;
      c.value = argsOf(c).parent;
    },
    "thread.start",
  ),
  ...passLock(s, "lookup_vma(stack)", VMA_LIST_LOCK),
  s.call("add_thread: lock(thread_list_lock)", LIBOS.lock, lockOf(THREAD_LIST_LOCK)),
  s.act("on thread_list", (c) => {
    c.process(c.t).libos.threadList.push(c.t.id);
  }),
  s.call("add_thread: unlock(thread_list_lock)", LIBOS.unlock, lockOf(THREAD_LIST_LOCK)),
  s.call("set_as_child: lock(child->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.call("set_as_child: lock(parent->lock)", LIBOS.lock, (c) => ({ name: lockOfThread(argsOf(c).parent) })),
  s.act("among parent->children", (c) => {
    const parent = c.m.threads[argsOf(c).parent];
    c.t.libos.parent = argsOf(c).parent;
    if (parent) parent.libos.liveThreads += 1;
  }),
  s.call("set_as_child: unlock(parent->lock)", LIBOS.unlock, (c) => ({ name: lockOfThread(argsOf(c).parent) })),
  s.call("set_as_child: unlock(child->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  setEvent(s, "DkEventSet(initialize_event)", (c) => argsOf(c).initialize),
  s.act("tcb.context.preempt := 0, jump to the application", (c) => {
    c.t.libos.preempt = 0;
    c.t.libos.cloned = null;
  }),
  s.callDynamic("the thread's program", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
  s.call("exit(0)", libcExit, () => extended(callArgs(), { status: 0 })),
]);

/** What a flag leads to that it does not know: CLONE_VFORK of posix_spawn. */
type UnknownFlag = "assertion" | "invalid";

interface Clone extends CloneArgs {
  create: number;
  initialize: number;
}

/**
 * The creator waits once for the new thread: a signal ends that wait early. Under SGX one that comes while the host makes the thread leaves it
 * without a creator: -PAL_ERRNO is returned, which may be 0, and create_event is never set.
 */
const clone = (unknownFlag: UnknownFlag): Flow =>
  flow<Clone>(SHIM_DO.clone, "libos", "1.6", (s) => [
    s.own({ create: -1, initialize: -1 }),
    ...(unknownFlag === "assertion"
      ? [
          s.test("assert((flags & ~known) == 0)", (_, v) => v.vfork !== true, "known"),
          s.act("assert failed: CLONE_VFORK", undefined, "libos.assert"),
          s.call("__abort()", LIBOS.__abort),
        ]
      : [
          s.test("flags & ~known == 0?", (_, v) => v.vfork !== true, "known"),
          s.act("CLONE_VFORK: -EINVAL", (_, v) => {
            v.ret = E.INVAL;
          }),
          answer(s),
        ]),
    s.at("known"),
    s.call("get_new_thread(0)", LIBOS.get_new_thread),
    dkQuiet(s, "create_event: DkNotificationEventCreate(false)", "DkNotificationEventCreate"),
    dkQuiet(s, "initialize_event: DkNotificationEventCreate(false)", "DkNotificationEventCreate"),
    s.act("create_event, initialize_event", (c, v) => {
      v.create = c.newObject("create_event");
      v.initialize = c.newObject("initialize_event");
    }),
    s.call(
      "DkThreadCreate(clone_implementation_wrapper)",
      dkCreate.DkThreadCreate,
      (c, v) => {
        c.value = c.t.libos.palErrno;
        const cloned = { create: v.create, initialize: v.initialize, parent: c.t.id };
        return createArgs({ program: v.program, start: numberOf(c.program, LIBOS.clone_implementation_wrapper), cloned });
      },
      "pal.call.enter",
    ),
    s.act(
      "ret = handle ? tid : -PAL_ERRNO",
      (c, v) => {
        v.ret = c.t.rax > 0 ? c.t.rax : minusPalErrno(c);
        c.value = v.ret;
        // The one that was made is on its way to an event whose memory is given back: nobody ever sets it.
        if (c.t.rax === 0) c.freeObject(v.initialize);
      },
      MAY_READ_ERRNO,
    ),
    s.test("no handle?", (c) => c.t.rax === 0, "failed"),
    setEvent(s, "DkEventSet(create_event)", (_, v) => v.create),
    waitEvent(s, "DkObjectsWaitAny(initialize_event), once", (_, v) => v.initialize),
    dk(s, "DkObjectClose(initialize_event)", "DkObjectClose (event)", (c, v) => {
      c.freeObject(v.initialize);
      return {};
    }),
    s.jump("return", "return tid"),
    s.at("failed"),
    dkQuiet(s, "DkObjectClose(create_event)", "DkObjectClose (event)"),
    dkQuiet(s, "DkObjectClose(initialize_event)", "DkObjectClose (event)"),
    s.at("return"),
    answer(s),
  ]);

export const cloneFlows = (unknownFlag: UnknownFlag): Flow[] => [threadStart, clone(unknownFlag)];
