/** append_signal: a signal into a thread's ring, and the thread is woken (reference, 2.15, 2.19; shim_signal.c). */

import type { Flow } from "../flow.ts";
import { flow } from "../generations/graphene-2019/flow.ts";
import type { PalContext } from "../generations/graphene-2019/state.ts";
import type { SigInfo } from "../siginfo.ts";
import { setEvent } from "./events.ts";
import { LIBOS } from "./flows.ts";
import { dk } from "./io.ts";
import { reservation, store } from "./ring.ts";

export interface Append {
  target: number;
  signal: number;
  id: number;
  info: SigInfo;
  /** Of a siginfo only the siginfo is copied into the new block; without one the block is cleared. */
  context: PalContext;
}

/** No look at mask, disposition or liveness. `wakes`: the thread's scheduler_event is set as well [H 8c65f67a6]. */
const appendSignal = (wakes: boolean): Flow =>
  flow(LIBOS.append_signal, "libos", "2.15, 2.19", ({ act, test, jump, call, at, ret }) => [
    call("malloc(shim_signal)", LIBOS.malloc),
    call("allocate_signal_log(sig): reserve a slot", LIBOS.allocate_signal_log, (_, v) => reservation(v.target, v)),
    act("append signal", (c, v) => store(c, v.target, v), "libos.signal.append"),
    test("no slot: the queue is full, dropped?", (c) => c.t.rax < 0, "full"),
    act(
      'log "resuming thread"',
      (c, v) => {
        c.signal = v.signal;
        c.value = v.target;
        c.extra = v.id;
      },
      "libos.wake",
    ),
    wakes
      ? setEvent<Append>(
          { call },
          "thread_wakeup: DkEventSet(scheduler_event)",
          (c, v) => c.m.threads[v.target]?.libos.schedulerEvent ?? -1,
        )
      : null,
    dk<Append>({ call }, "DkThreadResume(thread)  < SIGCONT via tgkill() >", "DkThreadResume", (_, v) => ({ target: v.target })),
    jump("done", "done"),
    at("full"),
    call('sys_printf("signal queue is full")', LIBOS.sys_printf),
    call("free(shim_signal)", LIBOS.free),
    at("done"),
    ret(),
  ]);

export const appendFlows = (fixes: { wakes: boolean }): Flow[] => [appendSignal(fixes.wakes)];
