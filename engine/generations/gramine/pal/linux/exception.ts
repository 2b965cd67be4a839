/** Linux PAL: handlers of host signals (gramine-today.md 2, 3; pal_exception.c). */

import { newFrame } from "../../../../control.ts";
import { running } from "../../../../cpu.ts";
import type { Flow } from "../../../../flow.ts";
import { findDown, localsOf } from "../../../../frames.ts";
import { exitArgs } from "../../../../host/calls.ts";
import { restoreRt } from "../../../../host/flows.ts";
import { INFO_VALUE } from "../../../../siginfo.ts";
import { SIG } from "../../../../signals.ts";
import { extended, type Frame } from "../../../../state.ts";
import { KIND, WHY } from "../../../../transition.ts";
import { contextAt } from "../../context.ts";
import { type Cpu, flow } from "../../flow.ts";
import { EVENT, eventOf } from "../errors.ts";
import { type Handler, handleAsyncSignal, handleSyncSignal, PAL, palThreadInit, performSignalHandling, signalSetup } from "../flows.ts";
import { setHandlers } from "../host-handlers.ts";
import { callUpcall } from "../upcall.ts";

const SYNC = [SIG.FPE, SIG.SEGV, SIG.BUS, SIG.ILL, SIG.SYS] as const;

/** Bytes of the alternate stack that each thread has of the PAL. */
const ALT_STACK = 64 * 1024;

export const setAltStack = (c: Cpu): void => {
  c.t.app.altStack = ALT_STACK;
};

/** A further thread: its alternate stack, then what it was made for. */
const threadInit = flow(palThreadInit, "pal", "2", (s) => [
  s.act("sigaltstack: the PAL's own", setAltStack),
  s.callDynamic("the thread's function", (c, v) => newFrame(c.program, v.start, {})),
  s.ret(),
]);

const setup = flow(signalSetup, "pal", "2", ({ act, at, test, ret }) => [
  act("sigaltstack: the PAL's own", setAltStack),
  ...setHandlers({ act }, SYNC),
  test("not the first process? It has the filter already", (c) => c.process(c.t).parent >= 0, "filtered"),
  act("seccomp: a system call outside the PAL gives SIGSYS", (c) => {
    c.process(c.t).seccomp = true;
  }),
  at("filtered"),
  ret(),
]);

/** What the running handler interrupted: the frame below the kernel's. */
export function interrupted(c: Cpu): Frame | undefined {
  const stack = running(c.t);
  return stack[findDown(c, stack, restoreRt) - 1];
}

const textOf = (c: Cpu, frame: Frame | undefined): string => (frame && c.program.flows[frame.flow]?.text) ?? "";

/** ADDR_IN_PAL_OR_VDSO of the interrupted RIP. */
const inPal = (c: Cpu): boolean => ["pal", "vdso"].includes(textOf(c, interrupted(c)));

function begin(c: Cpu, v: Handler): void {
  v.event = eventOf(v.signal);
  c.signal = v.signal;
  c.value = v.event;
  c.extra = v.id;
}

const asyncSignal = flow(handleAsyncSignal, "pal", "3 LA", (s) => [
  s.act("event by the signal's number", begin),
  s.call("perform_signal_handling(event, in PAL?, uc)", performSignalHandling, (c, v) => ({
    event: v.event,
    id: v.id,
    addr: 0,
    inPal: inPal(c),
    ...interruptedContext(c),
  })),
  s.ret("signal handler done"),
]);

/** The application's frames end below the kernel's signal frame; what RAX was is in it. */
function interruptedContext(c: Cpu) {
  const stack = running(c.t);
  const at = findDown(c, stack, restoreRt);
  const frame = localsOf(c, stack[at], restoreRt);
  return extended(contextAt(c, at), { rax: frame?.rax ?? 0, vectors: frame?.vectors ?? 0, full: frame?.full ?? false });
}

/** si_addr: 0 of a fault that has no address. */
const faultAddress = ({ info }: Handler): number => (info.which === INFO_VALUE.address ? info.value : 0);

/** In PAL or vDSO it is the end of the process. */
const syncSignal = flow(handleSyncSignal, "pal", "3 LS", (s) => [
  s.test("not SIGSYS by seccomp?", (_, v) => v.signal !== SIG.SYS, "event"),
  s.act("ucontext_revert_syscall: RIP is at the instruction again"),
  s.at("event"),
  s.act("event by the signal's number", begin),
  s.test("RIP in PAL or vDSO?", inPal, "in PAL"),
  s.call("perform_signal_handling(event, false, si_addr, uc)", performSignalHandling, (c, v) => ({
    event: v.event,
    id: v.id,
    addr: faultAddress(v),
    inPal: false,
    ...interruptedContext(c),
  })),
  s.ret("signal handler done"),
  s.at("in PAL"),
  s.act(
    'print "Unexpected ... occurred inside PAL"',
    (c, v) => {
      c.signal = v.signal;
      c.row(KIND["pal.event.lost"], v.event, v.id);
    },
    "pal.event.lost",
  ),
  s.call("_PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, why: WHY.PAL })),
]);

/** The upcall gets a copy of the registers; what it makes of them goes back into the kernel's frame, and so to the application. */
const perform = flow(performSignalHandling, "pal", "3 LA 3-5", (s) => [
  s.test("no upcall registered?", (c, v) => c.process(c.t).pal.upcalls[v.event] !== true, "none"),
  s.act("PAL_CONTEXT = copy of uc"),
  s.callDynamic("upcall(in PAL, addr, context)", callUpcall, "libos.upcall.enter"),
  s.act("uc = PAL_CONTEXT", (c, v) => {
    const stack = running(c.t);
    const uc = localsOf(c, stack[findDown(c, stack, restoreRt)], restoreRt);
    if (!uc) return;
    uc.rax = v.rax;
    uc.skip = v.skip;
    uc.full = v.full;
    uc.built = v.built;
    c.value = v.built.length > 0 ? 1 : 0;
  }),
  s.ret(),
  s.at("none"),
  s.ret("return: the event ends here", (c, v) => c.row(KIND["pal.event.lost"], v.event, v.id), "pal.event.lost"),
]);

export const linuxExceptions: readonly Flow[] = [threadInit, setup, asyncSignal, syncSignal, perform];

/** Events of faults. */
export const isSyncEvent = (event: number): boolean => event >= EVENT.ARITHMETIC_ERROR && event <= EVENT.ILLEGAL;
