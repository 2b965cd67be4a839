/** The LibOS decision about one signal, the delivery points, and the end of a thread or process (reference, 2.12, 2.13, 2.16). */

import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import type { PalContext } from "../generations/graphene-2019/state.ts";
import { NO_INFO, type SigInfo } from "../siginfo.ts";
import { hasSignal } from "../signals.ts";
import { copyOf, extended } from "../state.ts";
import { KIND } from "../transition.ts";
import { undefinedBehaviour } from "../undefined.ts";
import { LIBOS } from "./flows.ts";
import { args, handleOneFlows, handleOneSignal } from "./handle-one.ts";
import { dkQuiet } from "./io.ts";
import { disablePreempt, enablePreempt } from "./preempt.ts";
import { fetch, fetchable, reservation, ringFlows, store } from "./ring.ts";
import { isAlive } from "./thread-list.ts";

/** Pending scans look at these numbers only (3.2 rt-signal-never-flushed). */
const SCANNED = 31;

const deliver = flow(LIBOS.deliver_signal, "libos", "2.12", ({ act, test, jump, call, callDynamic, at, ret }) => [
  test("tcb.tp == NULL or thread not alive?", (c) => !c.t.libos.ready || !isAlive(c), "lost"),
  disablePreempt({ act }),
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
  call("__handle_signal(sig, signal.context)  < deliver pending >", LIBOS.__handle_signal, (_, v) => ({
    ...SCAN_ALL,
    only: v.signal,
    at: Math.max(1, v.signal),
  })),
  callDynamic("__handle_one_signal(sig, signal)  < deliver this signal >", handleOneSignal),
  jump("enable", "done"),
  at("delay"),
  call("malloc(shim_signal)", LIBOS.malloc),
  call("allocate_signal_log(sig): reserve a slot", LIBOS.allocate_signal_log, (c, v) => reservation(c.t.id, v)),
  act("append signal to tcb.thread.signal_logs[sig]", (c, v) => store(c, c.t.id, v), "libos.signal.append"),
  test("it has a slot?", (c) => c.t.rax >= 0, "enable"),
  call('sys_printf("signal queue is full")', LIBOS.sys_printf),
  call("free(shim_signal)", LIBOS.free),
  at("enable"),
  enablePreempt({ act }),
  jump("return", "return"),
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

export interface Scan {
  /** One number to look at, or 0 for all of 1..31. */
  only: number;
  /** Next number to look at; never goes back. */
  at: number;
  found: number;
  id: number;
  info: SigInfo;
  context: PalContext;
}

export const SCAN_ALL: Scan = { only: 0, at: 1, found: 0, id: 0, info: NO_INFO, context: "none" };

/** Next unmasked number with something to fetch, 0 when the scan is over. */
function scan(c: Cpu, v: Scan): number {
  const last = v.only === 0 ? SCANNED : v.only;
  for (let signal = v.at; signal <= last; signal += 1) {
    if (fetchable(c.t, signal) && !hasSignal(c.t.libos.mask, signal)) return signal;
  }
  return 0;
}

export function fetchNext(c: Cpu, v: Scan): void {
  v.found = scan(c, v);
  c.signal = v.found;
  const entry = v.found === 0 ? null : fetch(c.t, v.found);
  c.value = c.t.libos.hasSignal;
  if (!entry) {
    c.kind = KIND["libos.signal.pending"];
    return;
  }
  v.at = v.found;
  v.id = entry.id;
  v.info = entry.info;
  v.context = entry.context;
  c.extra = v.id;
}

/** RESUME before the thread has its TCB set up gets here (2.1, last branch). */
export function noSignal(c: Cpu): boolean {
  if (c.t.libos.ready) return c.t.libos.hasSignal === 0;
  undefinedBehaviour(c, c.t, "tcb.tp->has_signal: tcb.tp is NULL");
  return true;
}

const handleSignals = (fixed: boolean): Flow =>
  flow(LIBOS.__handle_signal, "libos", "2.12, 3.1 spurious-yield-per-pending", ({ act, test, jump, call, callDynamic, at, ret }) => [
    at("next"),
    test("has_signal == 0?", noSignal, "done"),
    act("next pending unmasked signal, upward", fetchNext, "libos.signal.fetch"),
    test("none?", (_, v) => v.found === 0, "done"),
    callDynamic("__handle_one_signal(signo, pending-signal)", (c, v) =>
      handleOneSignal(c, extended(copyOf(v), { signal: v.found, stored: false })),
    ),
    call("free(signal)", LIBOS.free),
    fixed ? null : dkQuiet({ call }, "DkThreadYieldExecution()", "DkThreadYieldExecution"),
    act("clear SIGNAL_DELAYED", (c) => {
      c.t.libos.delayed = false;
    }),
    jump("next", "next"),
    at("done"),
    ret(),
  ]);

/** At END_SHIM, and when the heap grows (delayedOnly). */
const handleSignal = (fixed: boolean): Flow =>
  flow(LIBOS.handle_signal, "libos", "2.12, 2.13", ({ act, test, jump, call, at, ret }) => [
    test("no thread or has_signal == 0?", (c) => !c.t.libos.ready || c.t.libos.hasSignal === 0, "done"),
    disablePreempt({ act }),
    test("tcb.context.preempt > 1?", (c) => c.t.libos.preempt > 1, "delayed"),
    test("only delayed signals, and none is?", (c, v) => v.delayedOnly && !c.t.libos.delayed, "enable"),
    call("__handle_signal(signal-num = 0, context = NULL)", LIBOS.__handle_signal, () => ({ ...SCAN_ALL })),
    jump("enable", "done"),
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
    enablePreempt({ act }),
    at("done"),
    ret(),
  ]);

export const deliverFlows = (fixes: { yieldAfterSignal: boolean; delayedBit: boolean; defaults: boolean }): Flow[] => [
  deliver,
  ...handleOneFlows({ defaults: fixes.defaults }),
  ...ringFlows(),
  handleSignals(fixes.yieldAfterSignal),
  handleSignal(fixes.delayedBit),
];
