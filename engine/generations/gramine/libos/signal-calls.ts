/** System calls about dispositions, masks and the alternate stack (gramine-today.md 10; libos_sigaction.c). */

import { restorer } from "../../../app/flows.ts";
import { running } from "../../../cpu.ts";
import { E } from "../../../errno.ts";
import { writeFaults } from "../../../faulting.ts";
import type { Flow } from "../../../flow.ts";
import { findDown, localsOf } from "../../../frames.ts";
import { OUT, tell, tellAltStack, tellMask } from "../../../host/outputs.ts";
import { blockable } from "../../../host/signal.ts";
import { actionNumber, tellAction } from "../../../host/signal-calls.ts";
import { changedMask, SIG, type SignalSet, setOf, signalsIn } from "../../../signals.ts";
import { SA_NO_RESTORER } from "../../../state.ts";
import { NO_ACTION, type SigactionArgs, type SigaltstackArgs, type SigprocmaskArgs } from "../../../syscalls.ts";
import { KIND } from "../../../transition.ts";
import { contextOf } from "../context.ts";
import { type Cpu, flow } from "../flow.ts";
import { SIG_IGN } from "../state.ts";
import { answer } from "./answer.ts";
import { isIgnored } from "./default-action.ts";
import { LIBOS, rtSigreturn, SYSCALL_FLOWS } from "./flows.ts";
import { onAltStack } from "./handle-signal.ts";
import { setMask } from "./mask.ts";
import { DISPOSITIONS_LOCK, threadLock } from "./names.ts";
import { copyOut } from "./outputs.ts";

/** SA_RESTORER is required. Pending signals stay when they are ignored from now on (B18). */
const sigaction = (flushes: boolean): Flow =>
  flow<SigactionArgs>(SYSCALL_FLOWS.sigaction, "libos", "10", (s) => [
    s.test(
      "SIGKILL, SIGSTOP, or no SA_RESTORER: -EINVAL",
      (_, v) => v.signal === SIG.KILL || v.signal === SIG.STOP || (v.handler !== NO_ACTION && (v.flags & SA_NO_RESTORER) !== 0),
      "invalid",
    ),
    s.call("lock(signal_dispositions->lock)", LIBOS.lock, () => ({ name: DISPOSITIONS_LOCK })),
    s.act(
      "oldact; the action",
      (c, v) => {
        const { actions } = c.process(c.t).libos;
        if (v.old) tell(v, OUT.oldHandler, actionNumber(c, actions[v.signal]));
        if (v.handler === NO_ACTION) return asksOnly(c);
        const action = { flow: v.handler, flags: v.flags, mask: blockable(v.mask) };
        actions[v.signal] = action;
        tellAction(c, KIND["libos.sigaction"], v.signal, action);
      },
      ["libos.sigaction", "step"],
    ),
    flushes ? s.act("what is pending of an ignored signal is thrown away", flush) : null,
    s.call("unlock(signal_dispositions->lock)", LIBOS.unlock, () => ({ name: DISPOSITIONS_LOCK })),
    ...copyOut(s),
    s.act("0", (c) => {
      c.t.rax = 0;
    }),
    answer(s),
    s.at("invalid"),
    s.act("-EINVAL", (c) => {
      c.t.rax = E.INVAL;
    }),
    answer(s),
  ]);

/** Nothing is set. */
function asksOnly(c: Cpu): void {
  c.kind = KIND.step;
}

function flush(c: Cpu, v: SigactionArgs): void {
  if (!isIgnored(c, v.signal)) return;
  const p = c.process(c.t);
  for (const { libos } of [p, ...c.threadsOf(p)]) {
    const { queue } = libos;
    for (let i = queue.length - 1; i >= 0; i -= 1) {
      const queued = queue[i];
      if (queued?.signal !== v.signal) continue;
      queue.splice(i, 1);
      c.stray(c.t, queued, KIND["libos.signal.ignore"], p.libos.actions[v.signal] ? 1 : 0);
    }
  }
}

/** Bytes of a set of signals. */
const SIGSET = 8;
/** Some address of a page that can only be read. */
const READ_ONLY_PAGE = 0x7ff0_0000;

/** `oldset` is only asked whether it can be read (B12): writing it is a fault of LibOS code, unless nothing keeps the enclave from it. */
const sigprocmask = (writesAnyPage: boolean, asks: boolean): Flow =>
  flow<SigprocmaskArgs>(SYSCALL_FLOWS.sigprocmask, "libos", "10", (s) => [
    s.test("not the size of a set: -EINVAL", (_, v) => v.size !== SIGSET, "invalid"),
    asks ? s.test("is_user_memory_writable(oldset)? -EFAULT", (_, v) => v.readOnly, "fault") : null,
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.act(
      "oldset := signal_mask",
      (c, v) => {
        if (!v.old) return;
        if (!v.readOnly) return tellMask(v, OUT.oldMask, c.t.libos.mask);
        if (writesAnyPage) return;
        writeFaults(c, READ_ONLY_PAGE, "oldset is on a page that can only be read");
      },
      ["step", "app.fault", "host.signal.default"],
    ),
    s.act("signal_mask := as `how` says", (c, v) => setMask(c, c.t, blockable(changedMask(c.t.libos.mask, v.how, v.mask))), "libos.mask"),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    ...copyOut(s),
    s.act("0", (c) => {
      c.t.rax = 0;
    }),
    answer(s),
    s.at("invalid"),
    s.act("-EINVAL", (c) => {
      c.t.rax = E.INVAL;
    }),
    answer(s),
    s.at("fault"),
    s.act("-EFAULT", (c) => {
      c.t.rax = E.FAULT;
    }),
    answer(s),
  ]);

interface Pending {
  out: readonly number[];
  ret: number;
  set: SignalSet;
}

/** Blocked, and not ignored by choice. */
const sigpending = flow<Pending>(SYSCALL_FLOWS.sigpending as never, "libos", "10", (s) => [
  s.own({ set: [0, 0] }),
  s.call("get_all_pending_signals(set)", LIBOS.get_all_pending_signals),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act("set and signal_mask", (c, v) => {
    const [low, high] = v.set;
    const [maskLow, maskHigh] = c.t.libos.mask;
    v.set = [low & maskLow, high & maskHigh];
  }),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.call("lock(signal_dispositions->lock)", LIBOS.lock, () => ({ name: DISPOSITIONS_LOCK })),
  s.act("without those that are ignored by choice", (c, v) => {
    const { actions } = c.process(c.t).libos;
    const ignored = setOf(signalsIn(v.set).filter((signal) => actions[signal]?.flow === SIG_IGN));
    v.set = [v.set[0] & ~ignored[0], v.set[1] & ~ignored[1]];
    tellMask(v, OUT.pending, v.set);
  }),
  s.call("unlock(signal_dispositions->lock)", LIBOS.unlock, () => ({ name: DISPOSITIONS_LOCK })),
  ...copyOut(s),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
]);

const MINSIGSTKSZ = 2048;

/** No flag but SS_DISABLE (B29). On the stack itself: -EPERM. */
const sigaltstack = (takesOnstack: boolean): Flow =>
  flow<SigaltstackArgs>(SYSCALL_FLOWS.sigaltstack, "libos", "10", (s) => [
    takesOnstack ? null : s.test("flags other than SS_DISABLE: -EINVAL", (_, v) => v.onstack && !v.nostack, "invalid"),
    s.act("the alternate stack", (c, v) => {
      const { libos } = c.t;
      const on = libos.altStack > 0 && onAltStack(c, contextOf(c).depth);
      // Whatever becomes of the call.
      if (v.old) tellAltStack(v, libos.altStack, { on });
      v.ret = 0;
      if (!v.nostack) {
        if (on) v.ret = E.PERM;
        else if (v.disable) libos.altStack = 0;
        else if (v.bytes < MINSIGSTKSZ) v.ret = E.NOMEM;
        else libos.altStack = v.bytes;
        if (v.ret === 0) libos.altFreed = false;
      }
      c.t.rax = v.ret;
      c.value = v.ret;
    }),
    ...copyOut(s),
    s.act("the result", (c, v) => {
      c.t.rax = v.ret;
    }),
    answer(s),
    s.at("invalid"),
    s.act("-EINVAL", (c) => {
      c.t.rax = E.INVAL;
      c.value = c.t.rax;
    }),
    answer(s),
  ]);

/** Registers and mask of the frame; the tail of the call follows, so the next signal comes at once. uc_stack is not looked at. */
const sigreturn = flow(rtSigreturn, "libos", "5", (s) => [
  s.act(
    "restore_sigreturn_context",
    (c) => {
      const context = contextOf(c);
      const stack = running(c.t);
      // The context's RSP is at the frame.
      const at = findDown(c, stack, restorer, context.depth);
      const frame = localsOf(c, stack[at], restorer);
      if (!frame) throw new Error("rt_sigreturn: RSP is not at a signal frame");
      c.signal = frame.signal;
      c.row(KIND["libos.sigreturn"], frame.restart ? 1 : 0, frame.id);
      context.depth = at;
      context.rax = frame.rax;
      context.restart = frame.restart;
      context.skip = frame.skip;
      context.vectors = frame.vectors;
      context.full = frame.full;
    },
    "libos.sigreturn",
  ),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act(
    "signal_mask := uc_sigmask",
    (c) => {
      const stack = running(c.t);
      const frame = localsOf(c, stack[contextOf(c).depth], restorer);
      if (frame) setMask(c, c.t, blockable(frame.mask));
    },
    "libos.mask",
  ),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.act("tcb.context.syscall_nr := -1", (c) => {
    c.t.libos.syscallNr = -1;
  }),
  s.ret("return context.rax", (c) => {
    c.t.rax = contextOf(c).rax;
    c.value = c.t.rax;
  }),
]);

export const signalCallFlows = (options: { writesAnyPage: boolean; flushes: boolean; asks: boolean; takesOnstack: boolean }): Flow[] => [
  sigaction(options.flushes),
  sigprocmask(options.writesAnyPage, options.asks),
  sigpending,
  sigaltstack(options.takesOnstack),
  sigreturn,
];
