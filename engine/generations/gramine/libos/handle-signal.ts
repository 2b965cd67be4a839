/**
 * handle_signal: the one place where a signal meets its disposition (gramine-today.md 5, H1 to H10; libos_signal.c). It is called in the tail
 * of each system call, and by upcalls that interrupted the application's own code; it rewrites the context and pushes no handler.
 */

import { restorer, type Sigframe } from "../../../app/flows.ts";
import { inEnclave, running } from "../../../cpu.ts";
import { E, LIBOS_RESTART } from "../../../errno.ts";
import { writeFaults } from "../../../faulting.ts";
import type { Flow } from "../../../flow.ts";
import { findDown, localsOf, numberOf } from "../../../frames.ts";
import { blockable } from "../../../host/signal.ts";
import { addSignal, hasSignal, type SignalSet, union } from "../../../signals.ts";
import { type Locals, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART } from "../../../state.ts";
import { KIND } from "../../../transition.ts";
import { contextOf } from "../context.ts";
import { type Cpu, flow } from "../flow.ts";
import { type LibosAction, type Queued, SIG_DFL, SIG_IGN } from "../state.ts";
import { CORE, CORE_DUMP, kills } from "./default-action.ts";
import { LIBOS } from "./flows.ts";
import { setMask } from "./mask.ts";
import { DISPOSITIONS_LOCK, threadLock } from "./names.ts";

interface Handle {
  taken: Queued | null;
  /** 0 default, 1 ignore, 2 handler. */
  disposition: number;
  action: LibosAction | null;
  oldMask: SignalSet;
  /** It is a fault of the thread's own. */
  forced: boolean;
}

/** What of today's Gramine is otherwise. */
interface Fixes {
  readonly merges: boolean;
  readonly realTime: boolean;
  /** A fault whose signal is ignored, or blocked, ends the process. */
  readonly ignoredFault: boolean;
  readonly blockedFault: boolean;
}

const look =
  (fixes: Fixes) =>
  (c: Cpu, v: Handle): void => {
    const { signal, id } = v.taken as Queued;
    const action = c.process(c.t).libos.actions[signal];
    const unset = action === undefined || action.flow === SIG_DFL;
    v.disposition = unset ? (kills(signal, fixes.realTime) ? 0 : 1) : action.flow === SIG_IGN ? 1 : 2;
    if (v.forced && fixes.ignoredFault && v.disposition === 1) v.disposition = 0;
    if (v.forced && fixes.blockedFault && hasSignal(c.t.libos.mask, signal)) v.disposition = 0;
    v.action = action === undefined ? null : { flow: action.flow, flags: action.flags, mask: action.mask };
    c.signal = signal;
    c.row(KIND["libos.signal.deliver"], unset ? 0 : v.disposition, id);
  };

const flags = (v: Handle): number => v.action?.flags ?? 0;

/** H6: what the interrupted call becomes. The codes mean something only within a system call. */
function restartOrInterrupt(c: Cpu, v: Handle): void {
  const context = contextOf(c);
  if (c.t.libos.syscallNr < 0) return;
  const code = context.rax;
  if (code === LIBOS_RESTART.NOHAND || (code === LIBOS_RESTART.SYS && (flags(v) & SA_RESTART) === 0)) context.rax = E.INTR;
  else if (code === LIBOS_RESTART.SYS || code === LIBOS_RESTART.NOINTR) {
    context.restart = true;
    c.row(KIND["libos.restart"], code);
  }
}

/** sa_mask, and nothing of the mask before (B8). */
const replaceMask =
  (merges: boolean) =>
  (c: Cpu, v: Handle): void => {
    const { signal } = v.taken as Queued;
    const own = v.action?.mask ?? [0, 0];
    const mask = merges ? union(c.t.libos.mask, own) : own;
    v.oldMask = c.t.libos.savedMask ?? c.t.libos.mask;
    c.t.libos.savedMask = null;
    setMask(c, c.t, blockable((flags(v) & SA_NODEFER) === 0 ? addSignal(mask, signal) : mask));
  };

/** The application's stack pointer is on its alternate stack: the frame nearest to it is there. */
export function onAltStack(c: Cpu, depth: number): boolean {
  const stack = running(c.t);
  return localsOf(c, stack[findDown(c, stack, restorer, depth)], restorer)?.alt === true;
}

/** prepare_sigframe. Nothing checks that the stack can be written to: where it cannot, this is a fault of LibOS code. */
function buildFrame(c: Cpu, v: Handle): void {
  const context = contextOf(c);
  const { signal, id, info } = v.taken as Queued;
  const wantsAlt = (flags(v) & SA_ONSTACK) !== 0 && c.t.libos.altStack > 0;
  const alt = onAltStack(c, context.depth) || wantsAlt;
  c.signal = signal;
  c.row(KIND["libos.sigframe"], alt ? 1 : 0, id);
  if (context.full && !alt) return writeFaults(c, GUARD, "the signal frame does not fit on the stack");
  if (wantsAlt && c.t.libos.altFreed && keepsRights(c)) return writeFaults(c, FREED, "the alternate stack was the program's before execve");
  const frame: Sigframe = {
    signal,
    id,
    mask: v.oldMask,
    rax: context.rax,
    restart: context.restart,
    skip: context.skip,
    alt,
    vectors: context.vectors,
    full: context.full,
  };
  if (alt) context.full = false;
  context.built = [
    ...context.built,
    { flow: numberOf(c.program, restorer), v: frame as unknown as Locals },
    { flow: v.action?.flow ?? -1, v: { signal, id, event: 0, info } },
  ];
  context.rax = 0;
  context.restart = false;
  context.skip = false;
}

/** The guard page below the stack, and some address of a page that was freed. */
const GUARD = 0x7fff_0000;
const FREED = 0x7fd0_0000;

/** Without EDMM memory of an enclave stays as it is, also what is freed (corrections 4.4.M3). */
const keepsRights = ({ t }: Cpu): boolean => !inEnclave(t) || t.sgx.kind.rights;

const handle = (fixes: Fixes): Flow =>
  flow<Handle>(LIBOS.handle_signal, "libos", "5 H1-H10", (s) => [
    s.own({ taken: null, disposition: 0, action: null, oldMask: [0, 0], forced: false }),
    s.at("again"),
    s.test("time_to_die?", (c) => c.t.libos.timeToDie, "die"),
    s.test("a forced signal?", (c) => c.t.libos.forced !== null, "forced"),
    s.call("pop_unblocked_signal(NULL, signal)", LIBOS.pop_unblocked_signal, (_, v) => {
      v.taken = null;
      v.forced = false;
      return { mask: null };
    }),
    s.test("none?", (_, v) => v.taken === null, "none"),
    s.jump("disposition", "a signal"),
    s.at("forced"),
    s.act(
      "get_forced_signal",
      (c, v) => {
        v.taken = c.t.libos.forced;
        c.t.libos.forced = null;
        v.forced = true;
        c.signal = v.taken?.signal ?? 0;
        c.row(KIND["libos.signal.fetch"], 0, v.taken?.id ?? 0);
      },
      "libos.signal.fetch",
    ),
    s.at("disposition"),
    s.call("lock(signal_dispositions->lock)", LIBOS.lock, () => ({ name: DISPOSITIONS_LOCK })),
    s.act("its disposition", look(fixes), "libos.signal.deliver"),
    s.test("a handler?", (_, v) => v.disposition === 2, "handler"),
    s.call("unlock(signal_dispositions->lock)", LIBOS.unlock, () => ({ name: DISPOSITIONS_LOCK })),
    s.test("ignored?", (_, v) => v.disposition === 1, "ignored"),
    s.act(
      "sighandler_kill",
      (c, v) => {
        const { signal, id } = v.taken as Queued;
        c.signal = signal;
        c.row(KIND["libos.signal.kill"], c.process(c.t).libos.threadList.length - 1, id);
      },
      "libos.signal.kill",
    ),
    s.call("process_exit(0, signal)", LIBOS.process_exit, (_, v) => {
      const signal = v.taken?.signal ?? 0;
      return { status: 0, signal: CORE.has(signal) ? signal | CORE_DUMP : signal };
    }),
    s.at("ignored"),
    s.act(
      "ignored: look for another one",
      (c, v) => {
        const { signal, id } = v.taken as Queued;
        c.signal = signal;
        c.row(KIND["libos.signal.ignore"], v.action?.flow === SIG_IGN ? 1 : 0, id);
      },
      "libos.signal.ignore",
    ),
    s.jump("again", "handle_signal(context)"),
    s.at("handler"),
    s.act("a restart code in context.rax: -EINTR, or the call again", restartOrInterrupt, ["step", "libos.restart"]),
    s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
    s.act("old_mask := saved_sigmask or signal_mask; signal_mask := sa_mask + signal", replaceMask(fixes.merges), "libos.mask"),
    s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
    s.act("prepare_sigframe(context, siginfo, handler)", buildFrame, ["libos.sigframe", "app.fault", "host.signal.default"]),
    s.test("no SA_RESETHAND?", (_, v) => (flags(v) & SA_RESETHAND) === 0, "kept"),
    s.act("handler := SIG_DFL; flags and mask stay", (c, v) => {
      const action = c.process(c.t).libos.actions[v.taken?.signal ?? 0];
      if (action) action.flow = SIG_DFL;
    }),
    s.at("kept"),
    s.call("unlock(signal_dispositions->lock)", LIBOS.unlock, () => ({ name: DISPOSITIONS_LOCK })),
    s.ret("return true", (c) => {
      c.t.rax = 1;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return false", (c) => {
      c.t.rax = 0;
    }),
    s.at("die"),
    s.call("thread_exit(0, 0)", LIBOS.thread_exit, () => ({ status: 0, signal: 0 })),
  ]);

export const handleSignalFlows = (fixes: Fixes): Flow[] => [handle(fixes)];
