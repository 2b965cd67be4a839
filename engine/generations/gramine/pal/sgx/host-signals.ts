/** Untrusted PAL of SGX: host signals (gramine-today.md 2, 4.1; host_exception.c, host_entry.S). */

import { goTo, isAt } from "../../../../control.ts";
import { running } from "../../../../cpu.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { findDown, isFrameOf } from "../../../../frames.ts";
import { exitArgs } from "../../../../host/calls.ts";
import { KERNEL, restoreRt } from "../../../../host/flows.ts";
import { generateFault } from "../../../../host/generate.ts";
import { setMask } from "../../../../host/signal-calls.ts";
import { aep } from "../../../../sgx/flows.ts";
import { eenter, eresume } from "../../../../sgx/leaf.ts";
import { faultInfo, SI } from "../../../../siginfo.ts";
import { addSignal, SIG } from "../../../../signals.ts";
import type { Frame } from "../../../../state.ts";
import { KIND, WHY } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { eventOf, NO_EVENT } from "../errors.ts";
import { type Handler, handleAsyncSignal, handleSyncSignal } from "../flows.ts";
import { setHandler, setHandlers } from "../host-handlers.ts";
import { aexNotifyFlows, EENTER_POINTER, noteSync, putBack } from "./aex-notify.ts";
import { interruptRpcThreads } from "./exitless.ts";
import { doSyscallIntr, handleDummySignal, sgxRaise, sgxSignalSetup } from "./flows.ts";
import { AFTER_CHECK1, AFTER_CHECK2, EINTR_EXIT } from "./host-ocalls.ts";
import { hostTcb, keepEvent } from "./host-tcb.ts";

const SYNC = [SIG.FPE, SIG.SEGV, SIG.BUS, SIG.ILL] as const;

const setup = flow(sgxSignalSetup, "untrusted-pal", "2", ({ act, ret }) => [
  ...setHandlers({ act }, SYNC),
  act("rt_sigaction(SIGUSR2, handle_dummy_signal), unblocked", (c) => setHandler(c, SIG.USR2, handleDummySignal), "host.sigaction"),
  act("block SIGUSR2: it is for RPC threads", (c) => setMask(c, c.t, addSignal(c.t.hostMask, SIG.USR2)), "host.sigprocmask"),
  ret(),
]);

/** That it came is all: the system call of the RPC thread has ended. */
const dummy = flow(handleDummySignal, "untrusted-pal", "11", (s) => [
  s.ret(
    "nothing to do",
    (c, v) => {
      c.signal = v.signal;
      c.row(KIND["pal.event.lost"], NO_EVENT, v.id);
    },
    "pal.event.lost",
  ),
]);

/** What the running handler interrupted: the frame below the kernel's. */
function interrupted(c: Cpu): Frame | undefined {
  const stack = running(c.t);
  return stack[findDown(c, stack, restoreRt) - 1];
}

/** RIP in [async_exit_pointer, async_exit_pointer_end). */
const inEnclave = (c: Cpu): boolean => isFrameOf(c, interrupted(c), aep);

const begin = (s: Steps<Handler>): Step =>
  s.act("event by the signal's number", (c, v) => {
    v.event = eventOf(v.signal);
    c.signal = v.signal;
    c.value = v.event;
    c.extra = v.id;
  });

/** A read through GS: without a host TCB behind it the handler itself faults, in untrusted code. */
const withTcb = (s: Steps<Handler>, label: string, to: string): (Step | Mark)[] => [
  s.act(
    label,
    (c) => {
      if (hostTcb(c) === null && generateFault(c, c.t, faultInfo(SIG.SEGV, SI.SEGV_MAPERR, 0))) c.row(KIND["app.fault"], 2, 0);
    },
    ["step", "app.fault", "host.signal.default"],
  ),
  s.test("not there: SIGSEGV", (c) => hostTcb(c) === null, to),
];

/** A1 of AEX-Notify: handlers do not enter the enclave. */
const noteIt = (s: Steps<Handler>): Step[] => [
  s.act("last_sync_event := event", noteSync, ["step", "pal.event.pend"]),
  s.ret("signal handler done"),
];

const raiseIt = (s: Steps<Handler>): Step[] => [
  s.call("sgx_raise(event)", sgxRaise, (_, v) => ({ event: v.event, id: v.id, signal: v.signal })),
  s.ret("signal handler done"),
];

interface Outside {
  readonly exitless: boolean;
  readonly notify: boolean;
}

/** Anything in untrusted code is the end of the process. */
const syncSignal = ({ exitless, notify }: Outside): Flow =>
  flow(handleSyncSignal, "untrusted-pal", "4.1 HS", (s) => [
    begin(s),
    exitless ? interruptRpcThreads(s) : null,
    ...(notify ? putBack(s) : []),
    s.test("RIP at the AEP?", inEnclave, "in enclave"),
    s.act(
      'print "Unexpected ... occurred inside untrusted PAL"',
      (c, v) => {
        c.signal = v.signal;
        c.row(KIND["pal.event.lost"], v.event, v.id);
      },
      "pal.event.lost",
    ),
    s.call("exit_group(1)", KERNEL.exit, () => exitArgs({ status: 1, group: true, how: 2, why: WHY.PAL })),
    s.at("in enclave"),
    ...(notify ? noteIt(s) : raiseIt(s)),
  ]);

function noteEvent(c: Cpu, v: Handler): void {
  c.signal = v.signal;
  keepEvent(c, v);
}

/** Only between the check and the system call: the ocall leaves as if it had been interrupted. */
function skipSyscall(c: Cpu): void {
  const frame = interrupted(c);
  if (frame === undefined || !isFrameOf(c, frame, doSyscallIntr)) return;
  if (!isAt(c.program, frame, AFTER_CHECK1) && !isAt(c.program, frame, AFTER_CHECK2)) return;
  goTo(c.program, frame, EINTR_EXIT);
  c.value = 1;
}

const asyncSignal = ({ exitless, notify }: Outside): Flow =>
  flow(handleAsyncSignal, "untrusted-pal", "4.1 HA", (s) => [
    begin(s),
    exitless ? interruptRpcThreads(s) : null,
    notify ? null : s.test("RIP at the AEP?", inEnclave, "in enclave"),
    s.at("GS"),
    ...withTcb(s, "the host TCB by GS", "GS"),
    s.act("last_async_event := event, unless QUIT is there", noteEvent, ["pal.event.pend", "pal.event.lost"]),
    s.act("RIP between the check and the system call? RIP := do_syscall_intr_eintr", skipSyscall),
    s.ret("signal handler done"),
    ...(notify ? [] : [s.at("in enclave"), ...raiseIt(s)]),
  ]);

/** Mark of the label that RDX leads to after stage one of an exception. */
export const AFTER_RESUME = "after_resume";

const raise = flow(sgxRaise, "untrusted-pal", "4.1", (s) => [
  s.act("RDX := after_resume; save registers", (c) => {
    c.t.rdx = AFTER_RESUME;
  }),
  s.act("count the EENTER; RBX := TCS, RCX := async_exit_pointer; RDI is the event", (c, v) => {
    c.t.rdi = v.event;
    c.t.rsi = 0;
    c.t.eventSignalId = v.id;
  }),
  s.at(EENTER_POINTER),
  s.act(
    "EENTER",
    (c, v) => {
      c.signal = v.signal;
      eenter(c, c.t, { start: -1, event: v.event });
    },
    "sgx.eenter",
  ),
  s.at(AFTER_RESUME),
  s.ret("after_resume: return"),
]);

/** The whole of it counts as in the enclave. */
const exitPointer = flow(
  aep,
  "untrusted-pal",
  "4.1",
  ({ act }) => [act("count the AEX"), act("ERESUME", (c) => eresume(c, c.t), "sgx.eresume")],
  { text: "aep" },
);

export const hostSignalFlows = (options: Outside): Flow[] => [
  setup,
  dummy,
  syncSignal(options),
  asyncSignal(options),
  raise,
  ...(options.notify ? aexNotifyFlows : [exitPointer]),
];
