/** The preempt counter: above 0 signals are not delivered but kept (reference, 1.6, 2.13; shim_internal.h). */

import type { Step, Steps } from "../generations/graphene-2019/flow.ts";

export const disablePreempt = <V>(s: Pick<Steps<V>, "act">, label = "tcb.context.preempt + 1  < __disable_preempt() >"): Step =>
  s.act(label, (c) => {
    c.t.libos.preempt += 1;
  });

/** It delivers nothing itself, whatever has come meanwhile. */
export const enablePreempt = <V>(s: Pick<Steps<V>, "act">, label = "tcb.context.preempt - 1  < __enable_preempt() >"): Step =>
  s.act(label, (c) => {
    c.t.libos.preempt -= 1;
  });
