/** What every PAL call is made of: ENTER_PAL_CALL, the host call at its bottom, a failure handed up, LEAVE_PAL_CALL (reference, 1.1, 2.8). */

import type { Step } from "../flow.ts";
import { enter as enterFlow, numberOf } from "../frames.ts";
import type { Cpu, Steps } from "../generations/graphene-2019/flow.ts";
import { KERNEL, type KernelLocals } from "../host/flows.ts";
import type { Ref } from "../ref.ts";
import type { Locals } from "../state.ts";
import { KIND } from "../transition.ts";
import { EVENT } from "./events.ts";
import { checkPendingEvent, failureUpcall } from "./flows.ts";
import { HOST_CALLS, type HostName, sgxKernel } from "./host-calls.ts";
import { OCALLS, sgxOcall } from "./sgx/flows.ts";

export type PalName = "linux" | "sgx";

/** What these steps need of a Dk* function's locals. `magic` marks the pal_frame that get_frame looks for (SGX). */
export interface PalLocals {
  magic: boolean;
  /** Error passed to FAILURE, 0 none. */
  raised: number;
  ret: number;
}

/** The bottom of a PAL call: enter the kernel, or leave the enclave to do so. */
export function bottom<V extends object, H extends HostName>(
  pal: PalName,
  s: Steps<V>,
  host: H,
  args: (c: Cpu, v: V) => KernelLocals<(typeof HOST_CALLS)[H]["kernel"]>,
): Step {
  const { kernel, syscall, ocall: name } = HOST_CALLS[host];
  if (pal === "sgx") return ocall(s, `${name}()`, host, args);
  // The compiler does not see that the same name chooses both.
  return s.call(`INLINE_SYSCALL(${syscall})`, KERNEL[kernel] as unknown as Ref<object>, args);
}

/** Leave the enclave for a host call, by way of the ocall that makes it. */
export function ocall<V extends object, H extends HostName>(
  s: Steps<V>,
  label: string,
  host: H,
  args: (c: Cpu, v: V) => KernelLocals<(typeof HOST_CALLS)[H]["kernel"]>,
): Step {
  const [code, asked] = [OCALLS[HOST_CALLS[host].ocall], KERNEL[sgxKernel(host)]];
  return s.call(
    label,
    sgxOcall,
    (c, v) => ({ code: numberOf(c.program, code), asked: numberOf(c.program, asked), args: args(c, v) as Locals, result: 0 }),
    "ocall.enter",
  );
}

export const enter = <V extends PalLocals>(s: Steps<V>): Step =>
  s.act("ENTER_PAL_CALL: mark the pal_frame", (_, v) => {
    v.magic = true;
  });

const CHECK = "LEAVE_PAL_CALL: __check_pending_event()";

const clear = <V extends PalLocals>(s: Steps<V>): Step =>
  s.act("LEAVE_PAL_CALL: clear the pal_frame", (_, v) => {
    v.magic = false;
  });

/** Linux: what was pended is delivered. SGX pends nothing. */
export const leave = <V extends PalLocals>(pal: PalName, s: Steps<V>): Step =>
  pal === "linux" ? s.call(CHECK, checkPendingEvent, () => ({ event: 0, id: 0 })) : clear(s);

/** The same for the calls behind every lock(): when nothing is pended, looking is all there is, and it is one row. */
export const leaveQuickly = <V extends PalLocals>(pal: PalName, s: Steps<V>): Step =>
  pal === "linux"
    ? s.callDynamic(
        CHECK,
        (c) => {
          if (c.t.pal.pendingEvent !== 0) return enterFlow(c.program, checkPendingEvent, { event: 0, id: 0 });
          c.kind = KIND.step;
          return null;
        },
        ["call", "step"],
      )
    : clear(s);

export const done = <V extends PalLocals>(s: Steps<V>): Step =>
  s.ret(
    "return to the LibOS",
    (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
      c.extra = c.t.libos.palErrno;
    },
    "pal.call.leave",
  );

export const failed = <V extends PalLocals>(s: Steps<V>): Step =>
  s.call(
    "_DkRaiseFailure(error): upcall FAILURE",
    failureUpcall,
    (c, v) => {
      c.value = EVENT.FAILURE;
      c.extra = v.raised;
      return { error: v.raised };
    },
    "libos.upcall.enter",
  );
