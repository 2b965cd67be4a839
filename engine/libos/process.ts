/** LibOS start (reference, 2.1 step 5). How threads and processes are made is in `clone.ts`, `fork.ts` and `exec.ts`. */

import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { palGivesUp } from "../pal/calls.ts";
import { EVENT, eventName } from "../pal/events.ts";
import { dkExit as EXITS } from "../pal/flows.ts";
import { LIBOS } from "./flows.ts";
import { dk } from "./io.ts";
import { lockOf } from "./ipc.ts";
import { IPC_HELPER_LOCK } from "./names.ts";
import { addSelf } from "./thread-list.ts";

const register =
  (event: number) =>
  (c: Cpu): void => {
    c.process(c.t).pal.upcalls[event] = true;
    c.value = event;
  };

const isForked = (c: Cpu): boolean => c.process(c.t).parent >= 0;

/**
 * preempt is 1 until the application starts. FAILURE is registered first, the other six after the IPC helper has been started, so that
 * one runs without them at first. A forked process tells its parent that it is there: fork waits for that.
 */
const init = flow(LIBOS.shim_init, "libos", "2.1", (s) => [
  s.act("tcb.context.preempt := 1", (c) => {
    c.t.libos.preempt = 1;
  }),
  s.act(`DkSetExceptionHandler(${eventName(EVENT.FAILURE)})`, register(EVENT.FAILURE)),
  s.act("init_thread: tcb.tp", (c) => {
    c.t.libos.ready = true;
    addSelf(c);
  }),
  s.call("init_ipc_helper: lock(ipc_helper_lock)", LIBOS.lock, lockOf(IPC_HELPER_LOCK)),
  s.call("init_ipc_helper: create_ipc_helper()", LIBOS.create_ipc_helper),
  s.call("init_ipc_helper: unlock(ipc_helper_lock)", LIBOS.unlock, lockOf(IPC_HELPER_LOCK)),
  ...[EVENT.ARITHMETIC_ERROR, EVENT.MEMFAULT, EVENT.ILLEGAL, EVENT.QUIT, EVENT.SUSPEND, EVENT.RESUME].map((event) =>
    s.act(`init_signal: DkSetExceptionHandler(${eventName(event)})`, register(event)),
  ),
  s.test("no parent process?", (c) => !isForked(c), "alone"),
  dk(s, "tell the parent: DkStreamWrite(newproc_response)", "DkStreamWrite (device)", (c) => ({
    object: c.process(c.t).libos.stream,
    bytes: 1,
  })),
  s.test("nobody reads it: the start has failed", (c) => c.t.rax === 0, "failed"),
  s.at("alone"),
  s.act("tcb.context.preempt := 0, jump to the application", (c) => {
    c.t.libos.preempt = 0;
  }),
  s.ret(),
  s.at("failed"),
  s.call("_DkProcessExit()", EXITS.DkProcessExit, () => palGivesUp(0)),
]);

export const processFlows: readonly Flow[] = [init];
