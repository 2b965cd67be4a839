/** System calls about signals that are otherwise than in 2019 (shim_sigaction.c, shim_sleep.c at 32a89d1d2). */

import { E } from "../../errno.ts";
import type { Flow, Mark, Step } from "../../flow.ts";
import { copyOut, OUT, skipCopyOut, tellAltStack } from "../../host/outputs.ts";
import { LIBOS, SHIM_DO } from "../../libos/flows.ts";
import { answer, dk, nanosleep } from "../../libos/io.ts";
import { threadLock } from "../../libos/names.ts";
import { hasSignal } from "../../signals.ts";
import type { SigaltstackArgs } from "../../syscalls.ts";
import { NEVER } from "../../time.ts";
import { KIND } from "../../transition.ts";
import { type Cpu as BaseCpu, flow as baseFlow, type Steps } from "../graphene-2019/flow.ts";
import { hasAlt, isOnAlt } from "./deliver.ts";
import { type Cpu, flow } from "./flow.ts";
import { PR1218 } from "./flows.ts";

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

const MINSIGSTKSZ = 2048;

function setAltStack(c: Cpu, v: SigaltstackArgs): void {
  const { libos } = c.t;
  const on = hasAlt(c) && isOnAlt(c);
  if (v.old) tellAltStack(v, libos.altStack, { on, disabled: libos.altDisabled });
  skipCopyOut(c, v);
  v.ret = v.nostack ? 0 : on ? E.PERM : !v.disable && v.bytes < MINSIGSTKSZ ? E.NOMEM : 0;
  c.value = v.ret;
  if (v.nostack || v.ret < 0) return;
  libos.altStack = v.disable ? 0 : v.bytes;
  libos.altDisabled = v.disable;
}

/** No flag but SS_DISABLE. What it was is written before anything is refused. On the stack itself: -EPERM. */
const sigaltstack = flow(SHIM_DO.sigaltstack, "libos", "pr1218 9", (s) => [
  s.call("lock(cur->lock)", LIBOS.lock, own),
  s.act("on the active alternate stack: -EPERM; else signal_altstack := *ss", setAltStack),
  copyOut(s, "*oss := the stack before"),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  answer(s),
]);

/** Rings that are not empty, of numbers that the mask lets through. RAX: 1 there is one. */
const signalPending = flow(PR1218.signal_pending, "libos", "pr1218 10", (s) => [
  s.call("lock(cur->lock)", LIBOS.lock, own),
  s.act("in the ring, and not blocked?", (c) => {
    c.value = isPending(c) ? 1 : 0;
  }),
  s.call("unlock(cur->lock)", LIBOS.unlock, own),
  s.ret("return", (c) => {
    c.t.rax = isPending(c) ? 1 : 0;
    c.value = c.t.rax;
  }),
]);

const isPending = (c: Cpu): boolean =>
  Object.entries(c.t.libos.rings).some(([signal, ring]) => ring.length > 0 && !hasSignal(c.t.libos.mask, Number(signal)));

/** Before it sleeps; what comes between this and the sleep does not end it. */
const lookFirst = <V extends { ret: number }>(s: Steps<V>, pending: (c: BaseCpu, v: V) => void): (Step | Mark)[] => [
  s.call("signal_pending()", PR1218.signal_pending),
  s.test("nothing is pending?", (c) => c.t.rax === 0, "sleep"),
  s.act("-EINTR", pending, ["step", "app.output"]),
  answer(s),
  s.at("sleep"),
];

const pause = baseFlow(SHIM_DO.pause, "libos", "pr1218 10", (s) => [
  ...lookFirst(s, (_, v) => {
    v.ret = E.INTR;
  }),
  dk(s, "DkThreadDelayExecution(~0)", "DkThreadDelayExecution", () => ({ timeout: NEVER })),
  s.act("-EINTR", (_, v) => {
    v.ret = E.INTR;
  }),
  answer(s),
]);

/** Nothing was slept: all of it is left. */
const sleep = nanosleep((s) =>
  lookFirst(s, (c, v) => {
    v.ret = E.INTR;
    if (v.rem) c.row(KIND["app.output"], v.timeout, OUT.remaining);
  }),
);

export const signalCallFlows: readonly Flow[] = [sigaltstack, signalPending, pause, sleep];
