/** LibOS upcalls (gramine-today.md 5; libos_signal.c). */

import { running } from "../../../cpu.ts";
import { atFault } from "../../../faulting.ts";
import { isVma, type Vma } from "../../../faults.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { exitArgs } from "../../../host/calls.ts";
import { faultInfo, SI } from "../../../siginfo.ts";
import { SIG } from "../../../signals.ts";
import type { Frame } from "../../../state.ts";
import { KIND, WHY } from "../../../transition.ts";
import { contextOf } from "../context.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL, UPCALLS, type Upcall } from "../pal/flows.ts";
import { NOT_INJECTED } from "../state.ts";
import { LIBOS } from "./flows.ts";

const back = (s: Steps<Upcall>): Step =>
  s.ret("return", (c, v) => c.row(KIND["libos.upcall.return"], v.event, v.id), "libos.upcall.return");

/** What the event interrupted: the top of the frames that the context keeps. */
const interrupted = (c: Cpu): Frame | undefined => running(c.t)[contextOf(c).depth - 1];

/** context_is_libos. */
function inLibos(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && c.program.flows[frame.flow]?.layer === "libos";
}

/** No thread, one of the LibOS's own, or RIP in LibOS or PAL: nothing is done, what is queued waits for the tail of the call. */
const elsewhere = (c: Cpu, v: Upcall): boolean => !c.t.libos.ready || c.t.internal || inLibos(c) || v.inPal;

const ELSEWHERE = "no thread, an internal one, or RIP in LibOS or PAL?";

const interruptedUpcall = flow(UPCALLS.INTERRUPTED, "libos", "5", (s) => [
  s.test(ELSEWHERE, elsewhere, "return"),
  s.call("handle_signal(context)", LIBOS.handle_signal),
  s.at("return"),
  back(s),
]);

/** One SIGTERM of the host, once. A second one while the word is set returns before it looks whether the first could be delivered. */
const quitUpcall = (injection: boolean): Flow =>
  flow<Upcall & { second: boolean }>(UPCALLS.QUIT, "libos", "5, corrections 5.1", (s) => [
    s.own({ second: false }),
    s.test("sys.enable_sigterm_injection off?", () => !injection, "lost"),
    s.act(
      "g_host_injected_signal: 0 exchanged with SIGTERM",
      (c, v) => {
        const p = c.process(c.t).libos;
        c.signal = SIG.TERM;
        if (p.injected !== NOT_INJECTED) {
          v.second = true;
          c.row(KIND["libos.signal.drop"], c.t.id, v.id);
          return;
        }
        p.injected = SIG.TERM;
        p.injectedId = v.id;
        c.row(KIND["libos.signal.inject"], SIG.TERM, v.id);
      },
      ["libos.signal.inject", "libos.signal.drop"],
    ),
    s.test("there was one already?", (_, v) => v.second, "return"),
    s.test(ELSEWHERE, elsewhere, "return"),
    s.call("handle_signal(context)", LIBOS.handle_signal),
    s.jump("return", "return"),
    s.at("lost"),
    s.act(
      "return: the signal ends here",
      (c, v) => {
        c.signal = SIG.TERM;
        c.row(KIND["pal.event.lost"], v.event, v.id);
      },
      "pal.event.lost",
    ),
    s.at("return"),
    back(s),
  ]);

const force = (s: Steps<Upcall>, text: string, signal: (c: Cpu, v: Upcall) => number, code: number): Step =>
  s.act(
    `force_signal(${text})`,
    (c, v) => {
      const signo = signal(c, v);
      c.t.libos.forced = { signal: signo, id: v.id, info: faultInfo(signo, code, v.addr) };
      c.signal = signo;
      c.row(KIND["libos.signal.force"], code, v.id);
    },
    "libos.signal.force",
  );

const INTERNAL = "an internal thread, or RIP in the LibOS?";
const internal = (c: Cpu): boolean => c.t.internal || inLibos(c);

/** After the fault was noted; and what is a fault of Gramine's own. */
const deliver = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.at("deliver"),
  s.call("handle_signal(context)", LIBOS.handle_signal),
  back(s),
  s.at("fault"),
  s.call("internal_fault()", LIBOS.internal_fault, (_, v) => ({ event: v.event, id: v.id })),
];

const arithmetic = flow(UPCALLS.ARITHMETIC_ERROR, "libos", "5", (s) => [
  s.test(INTERNAL, internal, "fault"),
  force(s, "SIGFPE, FPE_INTDIV", () => SIG.FPE, SI.FPE_INTDIV),
  ...deliver(s),
]);

/** What lookup_vma finds: what the faulting operation says is there. */
function vma(c: Cpu): Vma {
  const frame = interrupted(c);
  return frame && atFault(c, frame) && isVma(frame.v.vma) ? frame.v.vma : "unmapped";
}

/** The guard page below the stack is a mapping without rights. */
const memfault = flow(UPCALLS.MEMFAULT, "libos", "5", (s) => [
  s.test(INTERNAL, internal, "fault"),
  s.test("no VMA for the address?", (c) => vma(c) === "unmapped", "unmapped"),
  s.test("an internal VMA?", (c) => vma(c) === "internal", "fault"),
  s.test("a file's mapping, past the end of the file?", (c) => vma(c) === "file-end", "bus"),
  force(s, "SIGSEGV, SEGV_ACCERR", () => SIG.SEGV, SI.SEGV_ACCERR),
  s.jump("deliver", "deliver it"),
  s.at("bus"),
  force(s, "SIGBUS, BUS_ADRERR", () => SIG.BUS, SI.BUS_ADRERR),
  s.jump("deliver", "deliver it"),
  s.at("unmapped"),
  force(s, "SIGSEGV, SEGV_MAPERR", () => SIG.SEGV, SI.SEGV_MAPERR),
  ...deliver(s),
]);

function isSyscall(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && atFault(c, frame) && frame.v.fault === "syscall";
}

/** A `syscall` instruction is emulated by the entry of system calls. */
const illegal = flow(UPCALLS.ILLEGAL, "libos", "5", (s) => [
  s.test("an internal thread, RIP in the LibOS, or no VMA at the address?", internal, "fault"),
  s.test("is it a syscall instruction?", isSyscall, "emulate"),
  force(s, "SIGILL, ILL_ILLOPC", () => SIG.ILL, SI.ILL_ILLOPC),
  ...deliver(s),
  s.at("emulate"),
  s.act(
    "context: RIP := libos_syscall_entry",
    (c, v) => {
      c.extra = v.id;
      contextOf(c).skip = true;
    },
    "signal.take",
  ),
  back(s),
]);

/** One line, and the process is over. */
const internalFault = flow(LIBOS.internal_fault, "libos", "5", (s) => [
  s.act('print "Internal memory fault ..."', (c, v) => c.row(KIND["libos.fault"], v.event, v.id), "libos.fault"),
  s.call("PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true, why: WHY.FAULT })),
]);

export const upcallFlows = (options: { injection: boolean }): Flow[] => [
  interruptedUpcall,
  quitUpcall(options.injection),
  arithmetic,
  memfault,
  illegal,
  internalFault,
];
