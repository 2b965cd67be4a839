/** System calls about signals (reference, 2.17, 2.18) and memory probing (2.11). */

import { goTo } from "../control.ts";
import { topFrame } from "../cpu.ts";
import { E } from "../errno.ts";
import { faultAt } from "../faulting.ts";
import type { Flow } from "../flow.ts";
import { enter } from "../frames.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { copyOut, OUT, skipCopyOut, tell, tellAltStack, tellMask, type Writes } from "../host/outputs.ts";
import { blockable } from "../host/signal.ts";
import { actionNumber, tellAction } from "../host/signal-calls.ts";
import { changedMask, emptySet, hasSignal, highOf, lowOf, SIG, type SignalSet, setOf } from "../signals.ts";
import { NO_ACTION, type SigsuspendArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { KIND } from "../transition.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { answer, dk, setWait, threadSleep } from "./io.ts";
import { threadLock } from "./names.ts";

const own = (c: Cpu): { name: string } => ({ name: threadLock(c.t) });

/** The unlock before what is written for the application, if it asked for that. */
function thenCopyOut(c: Cpu, v: Writes): { name: string } {
  skipCopyOut(c, v);
  return own(c);
}

/** Only the calling thread's table (3.2 per-thread-dispositions); pending signals stay. */
const sigaction = flow(SHIM_DO.sigaction, "libos", "2.17", (s) => [
  s.test("SIGKILL or SIGSTOP?", (_, v) => v.signal === SIG.KILL || v.signal === SIG.STOP, "invalid"),
  s.call("lock(cur.lock)", LIBOS.lock, own),
  // Without one to copy nothing is allocated either.
  s.test("an action of this number is there?", (c, v) => v.handler === NO_ACTION || c.t.libos.actions[v.signal] !== undefined, "copy"),
  s.call("malloc(action)", LIBOS.malloc),
  s.at("copy"),
  s.act(
    "signal_handles[sig].action := copy",
    (c, v) => {
      if (v.old) tell(v, OUT.oldHandler, actionNumber(c, c.t.libos.actions[v.signal]));
      if (v.handler === NO_ACTION) {
        c.kind = KIND.step;
        return;
      }
      const action = { flow: v.handler, flags: v.flags, mask: v.mask, garbage: false };
      c.t.libos.actions[v.signal] = action;
      tellAction(c, KIND["libos.sigaction"], v.signal, action);
    },
    ["libos.sigaction", "step"],
  ),
  s.call("unlock(cur.lock)", LIBOS.unlock, thenCopyOut),
  copyOut(s, "*oldact := the action before"),
  s.jump("return", "return"),
  s.at("invalid"),
  s.act("-EINVAL", (_, v) => {
    v.ret = E.INVAL;
  }),
  s.at("return"),
  answer(s),
]);

/** The row of libos.mask tells of it. */
function setMask(c: Cpu, mask: SignalSet): void {
  c.row(KIND["libos.mask"], lowOf(mask), highOf(mask));
  c.tellMask(c.t.libos.mask, mask);
  c.t.libos.mask = mask;
}

const sigprocmask = (keepsKill: boolean): Flow =>
  flow(SHIM_DO.sigprocmask, "libos", "2.17", (s) => [
    s.call("lock(cur.lock)", LIBOS.lock, own),
    s.act(
      "set_sig_mask(new)",
      (c, v) => {
        if (v.old && !v.readOnly) tellMask(v, OUT.oldMask, c.t.libos.mask);
        const mask = changedMask(c.t.libos.mask, v.how, v.mask);
        setMask(c, keepsKill ? mask : blockable(mask));
      },
      "libos.mask",
    ),
    // The flush of this unlock comes before the old mask is stored (errata-2 N12).
    s.call("unlock(cur.lock)", LIBOS.unlock, (c, v) => {
      if (!v.readOnly) return thenCopyOut(c, v);
      goTo(c.program, topFrame(c.t), "read-only");
      return own(c);
    }),
    copyOut(s, "*oldset := the mask before"),
    answer(s),
    // test_user_memory has read the page, and that went well (shim_sigaction.c:109, shim_signal.c:347).
    s.at("read-only"),
    s.act("*oldset := the mask before: the page can only be read", (c) => faultAt(c, "memory", READ_ONLY, "protected"), "app.fault"),
  ]);

/** Address of the page that `old: read-only` names. */
const READ_ONLY = 0x2000;

const sigpending = flow(SHIM_DO.sigpending, "libos", "2.17", (s) => [
  s.act(
    "numbers whose ring is not empty",
    (c, v) => {
      const pending = Object.keys(c.t.libos.rings).filter((signal) => (c.t.libos.rings[Number(signal)]?.length ?? 0) > 0);
      c.value = pending.length;
      // Number 0 stands for the memory before the first ring.
      tellMask(v, OUT.pending, setOf(pending.map(Number).filter((signal) => signal > 0)));
    },
    "libos.signal.pending",
  ),
  copyOut(s, "*set := them"),
  answer(s),
]);

/** Stored and returned as it was stored, never used. Size is checked even with SS_DISABLE, after the old one was told. */
const sigaltstack = flow(SHIM_DO.sigaltstack, "libos", "2.17", (s) => [
  s.test("flags other than SS_DISABLE: -EINVAL", (_, v) => v.onstack && !v.nostack, "invalid"),
  s.call("lock(cur.lock)", LIBOS.lock, own),
  s.act("signal_altstack := copy", (c, v) => {
    const { libos } = c.t;
    if (v.old) tellAltStack(v, libos.altStack, { on: false, disabled: libos.altDisabled });
    v.ret = !v.nostack && v.bytes < 2048 ? E.NOMEM : 0;
    if (v.nostack || v.ret < 0) return;
    libos.altStack = v.bytes;
    libos.altDisabled = v.disable;
  }),
  s.call("unlock(cur.lock)", LIBOS.unlock, thenCopyOut),
  copyOut(s, "*oss := the stack before"),
  answer(s),
  s.at("invalid"),
  s.act("-EINVAL", (_, v) => {
    v.ret = E.INVAL;
  }),
  answer(s),
]);

/** Where it is used it is not NULL. */
const maskOf = (v: SigsuspendArgs): SignalSet => v.mask ?? emptySet();

/** Rings that are not empty, against the mask it was called with. */
const pendingUnder = (c: Cpu, v: SigsuspendArgs): boolean =>
  Object.entries(c.t.libos.rings).some(([signal, ring]) => ring.length > 0 && !hasSignal(maskOf(v), Number(signal)));

export interface SuspendFixes {
  /** Look for pending signals that the new mask lets through, and return before it is in force [H 479d833e7]. */
  looks: boolean;
  /** Release the lock before sleeping, take it again for the old mask [H c295e5cd1]. */
  unlocks: boolean;
  deadFlag: boolean;
}

interface Fixes extends SuspendFixes {
  /** pause sleeps once. */
  pauses: boolean;
  /** SIGKILL and SIGSTOP can be blocked (3.2 sigkill-blockable). */
  keepsKill: boolean;
}

const backToOld = (c: Cpu, v: SigsuspendArgs): void => {
  setMask(c, v.old);
  v.ret = E.INTR;
};

/** At the base it sleeps with its own lock held and without a look at what is pending (2.18). */
const sigsuspend = (fix: Omit<Fixes, "pauses">): Flow =>
  flow(SHIM_DO.sigsuspend, "libos", "2.18, 3.1", (s) => [
    s.callDynamic(
      "if (mask) lock(cur.lock)",
      (c, v) => {
        if (v.mask) return enter(c.program, LIBOS.lock, own(c));
        c.kind = KIND.step;
        goTo(c.program, topFrame(c.t), "no mask");
        return null;
      },
      ["call", "step"],
    ),
    fix.looks ? s.test("pending, and not blocked by the new mask?", pendingUnder, "pending") : null,
    s.act(
      fix.deadFlag ? "old := mask; mask := new" : "old := mask; mask := new; suspend_on_signal := true",
      (c, v) => {
        v.old = c.t.libos.mask;
        setMask(c, fix.keepsKill ? maskOf(v) : blockable(maskOf(v)));
        if (!fix.deadFlag) c.t.libos.suspendOnSignal = true;
      },
      "libos.mask",
    ),
    fix.unlocks ? s.call("unlock(cur.lock): flush under the new mask", LIBOS.unlock, own) : null,
    setWait(s),
    threadSleep(s),
    ...(fix.unlocks
      ? [
          s.call("lock(cur.lock)", LIBOS.lock, own),
          s.act("mask := old", backToOld, "libos.mask"),
          s.call("unlock(cur.lock)", LIBOS.unlock, own),
        ]
      : [s.call("unlock(cur.lock): flush under the new mask", LIBOS.unlock, own), s.act("mask := old", backToOld, "libos.mask")]),
    ...(fix.looks
      ? [
          s.jump("return", "return"),
          s.at("pending"),
          s.call("unlock(cur.lock): flush under the old mask", LIBOS.unlock, own),
          s.act("-EINTR at once: the new mask was never in force", (_, v) => {
            v.ret = E.INTR;
          }),
          s.at("return"),
        ]
      : []),
    answer(s),
    s.at("no mask"),
    s.act("-EFAULT", (_, v) => {
      v.ret = E.FAULT;
    }),
    answer(s),
  ]);

/** Leaves the loop only when the delay returns 0: never on Linux, at the first signal under SGX (2.18). */
const pauseByPieces = flow(SHIM_DO.pause, "libos", "2.18", (s) => [
  s.at("again"),
  dk(s, "DkThreadDelayExecution(1000 microseconds)", "DkThreadDelayExecution", () => ({ timeout: 1_000_000 })),
  s.test("returned != 0: again", (c) => c.t.rax !== 0, "again"),
  answer(s),
]);

/** [H f72cd48ee]: as long as a sleep can be, and whatever it returns an interruption. */
const pauseAtOnce = flow(SHIM_DO.pause, "libos", "2.18", (s) => [
  dk(s, "DkThreadDelayExecution(~0)", "DkThreadDelayExecution", () => ({ timeout: NEVER })),
  s.act("-EINTR", (_, v) => {
    v.ret = E.INTR;
  }),
  answer(s),
]);

/** test_user_memory: a bad pointer is forwarded by the memfault upcall, if it learns the address. */
const probe = flow(SHIM_DO.probe, "libos", "2.11", (s) => [
  s.act("test_range := the pointer's page", (c) => {
    c.t.libos.probing = true;
  }),
  s.test("pointer is good?", (_, v) => v.valid, "good"),
  s.act("touch it", (c, v) => faultAt(c, "memory", v.address), "app.fault"),
  s.act("ret_fault: -EFAULT", (_, v) => {
    v.ret = E.FAULT;
  }),
  s.at("good"),
  s.act("test_range cleared", (c) => {
    c.t.libos.probing = false;
  }),
  answer(s),
]);

export const signalCallFlows = (fix: Fixes): Flow[] => [
  sigaction,
  sigprocmask(fix.keepsKill),
  sigpending,
  sigaltstack,
  sigsuspend(fix),
  fix.pauses ? pauseAtOnce : pauseByPieces,
  probe,
];
