/** The LibOS decision and delivery of one signal, and the delivery points (reference, 2.12, 2.13, 2.16). */

import type { Cpu } from "../cpu.ts";
import { cut, findDown, running, stackOf } from "../cpu.ts";
import { type Flow, flow } from "../flow.ts";
import { dkArgs } from "../pal/calls.ts";
import { lost } from "../sgx/leaf.ts";
import { hasSignal, linuxDefault, SIG } from "../signals.ts";
import { SA_RESETHAND, type Thread } from "../state.ts";
import { othersAlive } from "../threads.ts";
import { KIND } from "../transition.ts";
import { killArgs } from "./kill.ts";
import { threadLock } from "./names.ts";

/** 32 pointers, one always free. */
export const RING_CAPACITY = 31;
/** Pending scans look at these numbers only (3.2 rt-signal-never-flushed). */
const SCANNED = 31;

interface Signal {
  signal: number;
  id: number;
  /** Process id of the sender, 0 = the host. */
  from: number;
  /** pal_context is not NULL: registers changed by the handler go back to the interrupted code. */
  hasContext: boolean;
  stored: boolean;
}

function args(c: Cpu, v: Signal): void {
  c.signal = v.signal;
  c.extra = v.id;
}

/** Reserve a ring slot and store the signal. The row says into whose ring. False: no slot is free, the signal is dropped. */
export function append(c: Cpu, target: Thread, v: { signal: number; id: number; from: number }): boolean {
  c.signal = v.signal;
  c.value = target.id;
  c.extra = v.id;
  const ring = (target.libos.rings[v.signal] ??= []);
  if (ring.length >= RING_CAPACITY) {
    c.kind = KIND["libos.signal.drop"];
    return false;
  }
  ring.push({ id: v.id, from: v.from });
  target.libos.hasSignal += 1;
  return true;
}

const deliver = flow<Signal>("deliver_signal", "libos", "2.12", ({ act, test, call, at, ret }) => [
  test("tcb.tp == NULL or thread not alive?", (c) => !c.t.libos.ready || !c.t.libos.alive, "lost"),
  act("tcb.context.preempt + 1  < __disable_preempt() >", (c) => {
    c.t.libos.preempt += 1;
  }),
  act("shim_signal signal = (info, context_stored, context, pal_context)", (c, v) => {
    v.stored = c.t.libos.syscallNr !== 0;
    c.value = v.stored ? 1 : 0;
    args(c, v);
  }),
  act(
    "goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
    (c, v) => {
      args(c, v);
      c.value = c.t.libos.preempt > 1 || hasSignal(c.t.libos.mask, v.signal) ? 1 : 0;
      v.stored = v.stored && c.value === 0;
    },
    "libos.signal.decide",
  ),
  test("deferred?", (c, v) => c.t.libos.preempt > 1 || hasSignal(c.t.libos.mask, v.signal), "delay"),
  call("__handle_signal(sig, signal.context)  < deliver pending >", "__handle_signal", (_, v) => ({
    only: v.signal,
    at: v.signal,
    found: 0,
    id: 0,
    from: 0,
  })),
  call("__handle_one_signal(sig, signal)  < deliver this signal >", "__handle_one_signal", (_, v) => oneSignal(v)),
  test("done", () => true, "enable"),
  at("delay"),
  call("malloc(shim_signal)", "malloc"),
  act("allocate_signal_log(sig) and append signal to it", (c, v) => append(c, c.t, v), "libos.signal.append"),
  at("enable"),
  act("tcb.context.preempt - 1  < __enable_preempt() >", (c) => {
    c.t.libos.preempt -= 1;
  }),
  test("return", () => true, "return"),
  at("lost"),
  act(
    "return silently",
    (c, v) => {
      args(c, v);
      c.value = c.t.libos.ready ? 3 : 2;
    },
    "libos.signal.lost",
  ),
  at("return"),
  ret(),
]);

interface OneSignal extends Signal {
  disposition: number;
  handler: number;
  savedNr: number;
  savedPreempt: number;
  savedDelayed: boolean;
  saved: boolean;
}

const oneSignal = (v: Signal): OneSignal => ({
  ...v,
  disposition: 0,
  handler: -1,
  savedNr: 0,
  savedPreempt: 0,
  savedDelayed: false,
  saved: false,
});

const handleOne = flow<OneSignal>(
  "__handle_one_signal",
  "libos",
  "2.12",
  ({ act, test, call, callDynamic, at, ret }) => [
    call("lock(cur.lock)", "lock", (c) => ({ name: threadLock(c.t) })),
    act(
      "handler := action.k_sa_handler; SA_RESETHAND: action := NULL",
      (c, v) => {
        args(c, v);
        const action = c.t.libos.actions[v.signal];
        v.disposition = action === undefined ? 0 : action.flow < 0 ? 1 : 2;
        v.handler = action?.flow ?? -1;
        c.value = v.disposition;
        if (action && (action.flags & SA_RESETHAND) !== 0) delete c.t.libos.actions[v.signal];
      },
      "libos.signal.deliver",
    ),
    call("unlock(cur.lock)", "unlock", (c) => ({ name: threadLock(c.t) })),
    test("SIG_IGN?", (_, v) => v.disposition === 1, "ignore"),
    test("SIG_DFL?", (_, v) => v.disposition === 0, "default"),
    act("save LibOS-syscall context and reset it", (c, v) => {
      v.saved = c.t.libos.syscallNr !== 0;
      v.savedNr = c.t.libos.syscallNr;
      v.savedPreempt = c.t.libos.preempt;
      v.savedDelayed = c.t.libos.delayed;
      if (v.saved) c.t.libos.syscallNr = 0;
    }),
    callDynamic("user signal handler(sig, signal.info, signal.context)", (_, v) => ({
      flow: v.handler,
      v: { signal: v.signal, id: v.id, event: 0, from: v.from },
    })),
    act("restore tcb.context (if saved)", (c, v) => {
      if (!v.saved) return;
      c.t.libos.syscallNr = v.savedNr;
      c.t.libos.preempt = v.savedPreempt;
      c.t.libos.delayed = v.savedDelayed;
    }),
    act("copy signal.context.<regs> in signal.pal_context if not NULL", (c, v) => {
      if (!v.hasContext || !c.t.app.skip) return;
      c.t.app.skip = false;
      const stack = running(c.t);
      const event = stack[findDown(stack, c.wiring.trigger)];
      if (event) event.v.skip = true;
      c.value = 1;
    }),
    test("return", () => true, "return"),
    at("default"),
    test("default action: terminate?", (c, v) => terminates(v.signal) && c.t.libos.ready, "kill"),
    at("ignore"),
    act(
      "nothing to do",
      (c, v) => {
        args(c, v);
        c.value = v.disposition;
      },
      "libos.signal.ignore",
    ),
    test("return", () => true, "return"),
    at("kill"),
    act(
      "killed by the signal",
      (c, v) => {
        args(c, v);
        c.value = othersAlive(c, c.t).length;
      },
      "libos.signal.kill",
    ),
    test(
      "from the host (si_pid == 0), SIGTERM or SIGINT?",
      (_, v) => v.from !== 0 || (v.signal !== SIG.TERM && v.signal !== SIG.INT),
      "exit",
    ),
    call("shim_do_kill(-1, sig)", "shim_do_kill", (_, v) => killArgs("all", v.signal)),
    at("exit"),
    call("try_process_exit(0, sig)", "try_process_exit", (_, v) => ({ status: 0, signal: v.signal })),
    at("return"),
    ret(),
  ],
  { note: "D12: mask, sa_mask, flags (but SA_RESETHAND) and alternate stacks play no part" },
);

/** default_sighandler at the base revision (1.7): USR1, USR2, STKFLT, stop signals and everything above 22 are ignored. */
export function terminates(signal: number): boolean {
  if (signal > 22 || signal === SIG.USR1 || signal === SIG.USR2 || signal === 16) return false;
  return linuxDefault(signal) === "terminate";
}

interface Scan {
  /** One number to look at, or 0 for all of 1..31. */
  only: number;
  /** Next number to look at; never goes back. */
  at: number;
  found: number;
  id: number;
  from: number;
}

/** Next unmasked number with something pending, 0 when the scan is over. */
function scan(c: Cpu, v: Scan): number {
  const { rings, mask } = c.t.libos;
  const last = v.only === 0 ? SCANNED : v.only;
  for (let signal = v.at; signal <= last; signal += 1) {
    if ((rings[signal]?.length ?? 0) > 0 && !hasSignal(mask, signal)) return signal;
  }
  return 0;
}

const handleSignals = (fixed: boolean): Flow =>
  flow<Scan>("__handle_signal", "libos", "2.12, 3.1 spurious-yield-per-pending", ({ act, test, call, at, ret }) => [
    at("next"),
    test("has_signal == 0?", (c) => c.t.libos.hasSignal === 0, "done"),
    act(
      "next pending unmasked signal, upward",
      (c, v) => {
        v.found = scan(c, v);
        c.signal = v.found;
        if (v.found === 0) {
          c.kind = KIND["libos.signal.pending"];
          c.value = c.t.libos.hasSignal;
          return;
        }
        v.at = v.found;
        const entry = c.t.libos.rings[v.found]?.shift();
        c.t.libos.hasSignal -= 1;
        v.id = entry?.id ?? 0;
        v.from = entry?.from ?? 0;
        c.value = c.t.libos.hasSignal;
        c.extra = v.id;
      },
      "libos.signal.fetch",
    ),
    test("none?", (_, v) => v.found === 0, "done"),
    call("__handle_one_signal(signo, pending-signal)", "__handle_one_signal", (_, v) =>
      oneSignal({ signal: v.found, id: v.id, from: v.from, hasContext: false, stored: false }),
    ),
    act("free(signal)"),
    fixed
      ? null
      : call(
          "DkThreadYieldExecution()",
          "DkThreadYieldExecution",
          (c) => {
            c.value = c.t.libos.palErrno;
            return dkArgs();
          },
          "pal.call.enter",
        ),
    act("clear SIGNAL_DELAYED", (c) => {
      c.t.libos.delayed = false;
    }),
    test("next", () => true, "next"),
    at("done"),
    ret(),
  ]);

/** At END_SHIM, and when the heap grows (delayedOnly). */
const handleSignal = (fixed: boolean): Flow =>
  flow<{ delayedOnly: boolean }>("handle_signal", "libos", "2.12, 2.13", ({ act, test, call, at, ret }) => [
    test("no thread or has_signal == 0?", (c) => !c.t.libos.ready || c.t.libos.hasSignal === 0, "done"),
    act("tcb.context.preempt + 1  < __disable_preempt() >", (c) => {
      c.t.libos.preempt += 1;
    }),
    test("tcb.context.preempt > 1?", (c) => c.t.libos.preempt > 1, "delayed"),
    test("only delayed signals, and none is?", (c, v) => v.delayedOnly && !c.t.libos.delayed, "enable"),
    call("__handle_signal(signal-num = 0, context = NULL)", "__handle_signal", () => ({ only: 0, at: 1, found: 0, id: 0, from: 0 })),
    test("done", () => true, "enable"),
    at("delayed"),
    fixed
      ? act("leave it for the next delivery point")
      : act(
          'log "signal delayed", set SIGNAL_DELAYED',
          (c) => {
            c.t.libos.delayed = true;
            c.value = c.t.libos.preempt;
          },
          "libos.signal.delayed",
        ),
    at("enable"),
    act("tcb.context.preempt - 1  < __enable_preempt() >", (c) => {
      c.t.libos.preempt -= 1;
    }),
    at("done"),
    ret(),
  ]);

/** 2.16: another live thread: only this one ends; else the process, whose host status is 0. */
const processExit = flow<{ status: number; signal: number }>("try_process_exit", "libos", "2.16", ({ act, test, call, at }) => [
  act("exit_code, term_signal; the thread is not alive any more", (c, v) => {
    c.signal = v.signal;
    c.value = v.status;
    c.t.libos.alive = false;
  }),
  test("another local thread is alive?", (c) => othersAlive(c, c.t).length > 0, "thread"),
  call("tell the parent", "ipc_exit"),
  call("DkProcessExit(exit_code)", "DkProcessExit", (c, v) => ({
    ...dkArgs(),
    status: c.process(c.t).exitStatus || v.status,
    how: v.signal > 0 ? 1 : 0,
  })),
  at("thread"),
  call("DkThreadExit()", "DkThreadExit", (_, v) => ({ ...dkArgs(), status: v.status, how: v.signal > 0 ? 1 : 0 })),
]);

export const deliverFlows = (fixes: { yieldAfterSignal: boolean; delayedBit: boolean }): Flow[] => [
  deliver,
  handleOne,
  handleSignals(fixes.yieldAfterSignal),
  handleSignal(fixes.delayedBit),
  processExit,
];

/**
 * What siglongjmp does to the LibOS: nothing but the mask system call; preempt stays as it was (3.2 handler-longjmp-preempt-leak).
 * A place that was never set, or whose function has returned, is undefined in C.
 */
export function longjmp(c: Cpu, place: string): void {
  const t = c.t;
  const target = t.app.places[place];
  const frame = target && stackOf(t, target.stack)[target.depth - 1];
  c.value = target?.depth ?? -1;
  if (!target || frame?.flow !== target.flow) return lost(c, t, "siglongjmp: the place was not set, or its function has returned");
  t.stack = target.stack;
  cut(c, t, target.stack, target.depth);
  frame.pc = target.pc;
}
