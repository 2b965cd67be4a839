/** "Available Signal Handlers and Their Differences": the upcalls of async signals and of failures (reference, 2.11). */

import type { Diagram } from "../../support/flow-listing.ts";
import { handlers, SHORT } from "./shared.ts";

export const PAGE = 'Current LibOS Flows, "Available Signal Handlers and Their Differences"';
export const LIBOS = ["app", "libos"] as const;

/** Where the PAL calls the LibOS: the same words on both PALs, up to here. */
export const UPCALL = "_DkGenericEventTrigger: upcall(event";

const quit: Diagram = {
  name: "upcall-quit",
  page: PAGE,
  reference: "2.11 quit",
  scenario: "non-nested",
  stack: "graphene-sgx",
  interval: { from: UPCALL, to: "quit_upcall: DkExceptionReturn", layers: LIBOS },
  order: {
    main: [
      ["SIGTERM -> PAL_EVENT_QUIT -> quit_upcall(event, context)", UPCALL],
      ["< exactly the same as suspend_upcall > if internal Graphene thread", "quit_upcall: internal Graphene thread"],
      ["siginfo_t info = (SIGTERM, SI_USER, .si_pid = 0)", "quit_upcall: siginfo_t info = (SIGTERM, SI_USER, .si_pid = 0)"],
      ["deliver_signal(info, context = NULL)", "quit_upcall: deliver_signal(info, context = NULL)"],
      ["handle pending non-blocked SIGTERMs", "deliver_signal: __handle_signal(sig, signal.context)"],
      ["and then this SIGTERM", "deliver_signal: __handle_one_signal(sig, signal)"],
      ["DkExceptionReturn(event)", "quit_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [],
};

const internalThread: Diagram = {
  name: "upcall-internal-thread",
  page: PAGE,
  reference: "2.11, common prefix (3.2 host-signal-eaten-by-helper)",
  scenario: {
    main: [...handlers("SIGINT"), { alarm: "10s" }, { nanosleep: "1s" }],
    handlers: SHORT,
    signals: [{ signal: "SIGINT", thread: "async-helper", when: { at: "500ms" } }],
  },
  stack: "graphene-linux",
  interval: { from: UPCALL, to: "suspend_upcall: return", nth: 1, layers: LIBOS, threads: ["async-helper"] },
  order: {
    "async-helper": [
      ["suspend_upcall(event, context)", UPCALL],
      ["if internal Graphene thread (async or ipc helper)", "suspend_upcall: internal Graphene thread"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.11",
      page: "internal threads just return",
      code: "so the signal is lost for the application",
      at: "suspend_upcall: drop it  [libos.signal.lost SIGINT internal thread]",
    },
  ],
};

const resume: Diagram = {
  name: "upcall-resume",
  page: PAGE,
  reference: "2.11 resume",
  scenario: "resume",
  stack: "graphene-sgx",
  interval: { from: UPCALL, to: "resume_upcall: DkExceptionReturn", layers: LIBOS },
  order: {
    main: [
      ["SIGCONT -> PAL_EVENT_RESUME -> resume_upcall(event, context)", UPCALL],
      ["if internal Graphene thread (async or ipc helper): DkExceptionReturn(event)", "resume_upcall: internal Graphene thread"],
      ["tcb.context.preempt = 1  < __disable_preempt() >", "resume_upcall: tcb.context.preempt + 1  < __disable_preempt() >"],
      ["__handle_signal(signal-code = 0, context = NULL)", "resume_upcall: __handle_signal(signal-num = 0, context = NULL)"],
      ["for each pending (any) signal on this thread", "__handle_signal: next pending unmasked signal, upward"],
      ["__handle_one_signal(signo, pending-signal)", "__handle_signal: __handle_one_signal(signo, pending-signal)"],
      ["tcb.context.preempt = 0 < __enable_preempt() >", "resume_upcall: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["DkExceptionReturn(event)", "resume_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.11",
      page: "first asks whether preempt > 0, then counts",
      code: "counts first, then asks whether it is above 1",
      at: "resume_upcall: tcb.context.preempt > 1?  (nested signal) -> no",
    },
  ],
};

const resumeNested: Diagram = {
  name: "upcall-resume-nested",
  page: PAGE,
  reference: "2.11 resume, D10",
  scenario: {
    main: [
      { sigaction: { signal: "SIGUSR1", handler: "h" } },
      { sigaction: { signal: "SIGINT", handler: "long" } },
      { clone: "sender" },
      { compute: "2ms" },
      "getpid",
    ],
    programs: { sender: [{ nanosleep: "800us" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
    handlers: { ...SHORT, long: [{ compute: "2ms" }] },
    signals: [{ signal: "SIGINT", thread: "main", when: { at: "500us" } }],
  },
  stack: "graphene-sgx",
  interval: {
    from: UPCALL,
    nth: 2,
    to: "shim_getpid: assert failed",
    layers: LIBOS,
    fold: [
      {
        after: "handle_signal: __handle_signal",
        before: "handle_signal: done",
        as: "the handler of SIGUSR1 runs, SIGNAL_DELAYED is cleared",
      },
    ],
  },
  order: {
    main: [
      ["resume_upcall(event, context)", UPCALL],
      ["if tcb.context.preempt > 0:  (nested signal)", "resume_upcall: tcb.context.preempt > 1?  (nested signal)"],
      ["DkExceptionReturn(event)", "resume_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D10",
      page: "returns at once when nested",
      code: "also sets SIGNAL_DELAYED",
      at: "resume_upcall: set SIGNAL_DELAYED  [libos.signal.delayed]",
    },
    {
      id: "D10",
      page: "BUG? SIGNAL_DELAYED flag is useless?",
      code: "it is a bit of the counter: the next system call is entered with it, left without it, and the assertion stops the LibOS",
      at: "shim_getpid: assert failed: preempt  [libos.assert found 0x0, expected 0x80000000]",
    },
  ],
};

const failure: Diagram = {
  name: "upcall-failure",
  page: PAGE,
  reference: "2.11 failure",
  scenario: "lost-interrupted-error",
  stack: "graphene-linux",
  interval: { from: "DkStreamRead: no error?", to: "handle_failure: return" },
  order: { main: [["(not drawn on the page: the upcall of PAL_EVENT_FAILURE)", "handle_failure: tcb.pal_errno := arg"]] },
  notAsOnThePage: [
    {
      id: "2.11",
      page: "seven host signals and their upcalls",
      code: "an eighth upcall, FAILURE, carries the error of a PAL call: tcb.pal_errno := arg",
      at: "DkStreamRead: _DkRaiseFailure(error): upcall FAILURE",
    },
  ],
};

export const UPCALLS: readonly Diagram[] = [quit, internalThread, resume, resumeNested, failure];
