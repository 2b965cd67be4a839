/** The page's diagrams of the Linux PAL (reference, 2.7 to 2.10), step by step in the page's words and order. */

import type { Diagram } from "../../support/flow-listing.ts";
import { FIND_HANDLER, handlers, LOCKING, libosHandling, SHORT } from "./shared.ts";

const section = (title: string): string => `Linux PAL Flows, "${title}"`;

const init: Diagram = {
  name: "linux-init",
  page: section("Initialization of Signal Handling"),
  reference: "2.7",
  scenario: "initialisation",
  stack: "graphene-linux",
  interval: { from: "pal_linux_main: the process starts", to: "shim_init: tcb.context.preempt := 0" },
  order: {
    main: [
      ["SIGCHLD -- is ignored", "signal_setup: SIGCHLD := SIG_IGN"],
      ["SIGPIPE -- installs _DkPipeSighandler", "signal_setup: SIGPIPE := _DkPipeSighandler"],
      ["7 handled signals: SIGFPE", "signal_setup: rt_sigaction(SIGFPE, _DkGenericSighandler"],
      ["SIGSEGV", "signal_setup: rt_sigaction(SIGSEGV, _DkGenericSighandler"],
      ["SIGBUS", "signal_setup: rt_sigaction(SIGBUS, _DkGenericSighandler"],
      ["SIGILL", "signal_setup: rt_sigaction(SIGILL, _DkGenericSighandler"],
      ["SIGTERM", "signal_setup: rt_sigaction(SIGTERM, _DkTerminateSighandler"],
      ["SIGINT", "signal_setup: rt_sigaction(SIGINT, _DkTerminateSighandler"],
      ["SIGCONT", "signal_setup: rt_sigaction(SIGCONT, _DkTerminateSighandler"],
    ],
  },
  notAsOnThePage: [
    { id: "D6", page: "7 handled signals", code: "8: SIGSYS as well", at: "signal_setup: rt_sigaction(SIGSYS, _DkGenericSighandler" },
    {
      id: "D6",
      page: "very similar to Linux-SGX, which unblocks the signals",
      code: "no rt_sigprocmask: what the parent blocked stays blocked",
      never: "[host.sigprocmask",
    },
    {
      id: "D6",
      page: "says nothing of SA_NOCLDWAIT",
      code: "it is set on every handler; on SIGCHLD it lets the host reap the children",
      at: "signal_setup: SIGCHLD := SIG_IGN, SA_NOCLDWAIT",
    },
    {
      id: "2.7",
      page: "the order of Linux-SGX: async signals first",
      code: "events in the order of their numbers: sync signals first",
      at: "signal_setup: rt_sigaction(SIGFPE",
    },
  ],
};

const asyncInPal: Diagram = {
  name: "linux-async-in-pal",
  page: section("Async Signal Arrives During PAL Call Execution"),
  reference: "2.8, branch in PAL",
  scenario: "async-in-pal",
  stack: "graphene-linux",
  interval: {
    from: "(outside): a signal arrives",
    to: "libc read: back in the application",
    fold: [FIND_HANDLER, libosHandling("quit_upcall"), libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["SIGINT (here a second one, SIGTERM, before its handler has run)", "(outside): a signal arrives"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["_DkTerminateSighandler(signal, siginfo, uc)", "_DkTerminateSighandler: event := signal"],
      ["< signal arrived during PAL call >", "_DkTerminateSighandler: RIP in PAL text? signal arrived during PAL call"],
      ["tcb.pending_event = event", "_DkTerminateSighandler: tcb.pending_event := event"],
      [
        "append event to tcb.pending_queue if tcb.pending_event is already set",
        "_DkTerminateSighandler: append the event to tcb.pending_queue",
      ],
      ["signal handler done", "_DkTerminateSighandler: signal handler done"],
      ["... PAL call finishes (LEAVE_PAL_CALL) ... __check_pending_event()", "DkStreamRead: LEAVE_PAL_CALL: __check_pending_event()"],
      [
        "_DkGenericSignalHandle(tcb.pending_event, NULL, NULL)",
        "__check_pending_event: _DkGenericSignalHandle(tcb.pending_event, NULL, NULL)",
      ],
      ["foreach event in tcb.pending_queue", "__check_pending_event: take the next of tcb.pending_queue"],
      ["_DkGenericSignalHandle(event, NULL, NULL)", "__check_pending_event: _DkGenericSignalHandle(event, NULL, NULL)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.8",
      page: "leaves out what becomes of the PAL call",
      code: "a blocked host call ends with EINTR: FAILURE(INTERRUPTED) before the pending events are looked at, result 0",
      at: "[pal.call.leave = 0, pal_errno 13]",
    },
    {
      id: "2.8",
      page: "appends to the queue",
      code: "with a malloc in the signal handler, whose lock the interrupted code may hold (3.3 linux-pal-malloc-in-handler)",
      at: "_DkTerminateSighandler: malloc a queue node",
    },
    {
      id: "2.8",
      page: "leaves out the order of two signals",
      code: "the frame pushed last runs first: SIGTERM is the first event, SIGINT is queued behind it",
      at: "tcb.pending_event := event  [pal.event.pend SIGTERM PAL_EVENT_QUIT]",
    },
  ],
};

const timeQuery: Diagram = {
  name: "linux-async-in-time-query",
  page: section("Async Signal Arrives During PAL Call Execution"),
  reference: "2.8, D7",
  scenario: {
    main: [...handlers("SIGINT"), "gettime", "yield"],
    handlers: SHORT,
    signals: [{ signal: "SIGINT", when: { thread: "main", site: "DkSystemTimeQuery: microseconds" } }],
  },
  stack: "graphene-linux",
  interval: {
    from: "DkSystemTimeQuery: ENTER_PAL_CALL",
    to: "libc sched_yield: back in the application",
    fold: [FIND_HANDLER, libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["SIGINT", "(outside): a signal arrives"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["_DkTerminateSighandler(SIGINT, siginfo, uc)", "_DkTerminateSighandler: event := signal"],
      ["< SIGINT arrived during PAL call >", "_DkTerminateSighandler: RIP in PAL text? signal arrived during PAL call"],
      ["tcb.pending_event = PAL_EVENT_SUSPEND", "_DkTerminateSighandler: tcb.pending_event := event"],
      ["signal handler done", "_DkTerminateSighandler: signal handler done"],
      ["... PAL call finishes ...", "DkSystemTimeQuery: return to the LibOS"],
      ["__check_pending_event()", "__check_pending_event:"],
      [
        "_DkGenericSignalHandle(tcb.pending_event, NULL, NULL)",
        "__check_pending_event: _DkGenericSignalHandle(tcb.pending_event, NULL, NULL)",
      ],
    ],
  },
  notAsOnThePage: [
    {
      id: "D7",
      page: "pended events are delivered immediately after the PAL call is finished",
      code: "DkSystemTimeQuery has no LEAVE_PAL_CALL: it never delivers",
      never: "DkSystemTimeQuery: LEAVE_PAL_CALL",
    },
    {
      id: "D7",
      page: "immediately",
      code: "the application runs on with the event pending",
      at: "N  .  .  1  | libc gettimeofday: back in the application",
    },
    {
      id: "D7",
      page: "immediately",
      code: "the next PAL call delivers it, whenever that is",
      at: "DkThreadYieldExecution: LEAVE_PAL_CALL: __check_pending_event()",
    },
  ],
};

const asyncOutside: Diagram = {
  name: "linux-async-outside",
  page: section("Async Signal Arrives During Non-PAL Call Execution"),
  reference: "2.8, branch not in PAL",
  scenario: "async-in-enclave",
  stack: "graphene-linux",
  interval: { from: "(outside): a signal arrives", to: "program main: compute", fold: [FIND_HANDLER, ...LOCKING] },
  order: {
    main: [
      ["SIGINT", "(outside): a signal arrives"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["_DkTerminateSighandler(SIGINT, siginfo, uc)", "_DkTerminateSighandler: event := signal"],
      ["< SIGINT arrived during app/LibOS code >", "_DkTerminateSighandler: RIP in PAL text? signal arrived during PAL call"],
      [
        "_DkGenericSignalHandle(PAL_EVENT_SUSPEND, siginfo_t = NULL, ucontext_t = uc)",
        "_DkTerminateSighandler: _DkGenericSignalHandle(event, NULL, uc)",
      ],
      ["signal handler done", "_DkTerminateSighandler: signal handler done"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.8",
      page: "< SIGINT arrived during app/LibOS code >",
      code: "not in PAL text: the vDSO counts as such code too",
      at: "RIP in PAL text? signal arrived during PAL call -> no",
    },
    {
      id: "2.8",
      page: "signal delivery and handling is done in signal context",
      code: "exactly so, the user's handler included: the host mask of the frame stays in force while it runs",
      at: "app           S  .  1  .",
    },
    {
      id: "2.8",
      page: "leaves out that nobody may have registered the event",
      code: "then _DkThreadExit, unless it is RESUME",
      at: "_DkTerminateSighandler: handled, or RESUME? -> yes",
    },
  ],
};

const syncInPal: Diagram = {
  name: "linux-sync-in-pal",
  page: section("Sync Signal Arrives During PAL Call Execution"),
  reference: "2.9, in PAL",
  scenario: "sync-in-pal",
  stack: "graphene-linux",
  interval: { from: "DkStreamRead: ENTER_PAL_CALL", to: "host exit: exit: the thread is gone", threads: ["reader"] },
  order: {
    reader: [
      ["SIGILL", "(outside): a signal arrives"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["__DkGenericSighandler(SIGILL, siginfo, uc)", "_DkGenericSighandler: event := signal"],
      ["< SIGILL arrived during PAL call >", "_DkGenericSighandler: RIP in PAL text?"],
      ["print panic message", '_DkGenericSighandler: print "*** An unexpected ... occurred inside PAL. Exiting the thread. ***"'],
      ["_DkThreadExit()  < kill this thread >", "_DkGenericSighandler: _DkThreadExit()"],
      ["... thread is dead ...", "host exit: exit: the thread is gone"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D8",
      page: "the fault kills the thread",
      code: "in a release build, which is what is emulated: yes, and nobody tells the LibOS; a DEBUG build sleeps for ever instead",
      at: "_DkGenericSighandler: _DkThreadExit()",
    },
    { id: "D8", page: "... thread is dead ...", code: "the LibOS keeps it as alive: none of its code runs", never: "libos" },
    { id: "2.9", page: "__DkGenericSighandler", code: "one leading underscore", at: "_DkGenericSighandler: event := signal" },
  ],
};

const syncOutside: Diagram = {
  name: "linux-sync-outside",
  page: section("Sync Signal Arrives During Non-PAL Call Execution"),
  reference: "2.9, not in PAL",
  scenario: "sync-outside-pal",
  stack: "graphene-linux",
  interval: { from: "program main: fault", to: "program main: compute", fold: [FIND_HANDLER, libosHandling("illegal_upcall")] },
  order: {
    main: [
      ["SIGILL", "program main: fault"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["__DkGenericSighandler(SIGILL, siginfo, uc)", "_DkGenericSighandler: event := signal"],
      ["< SIGILL arrived during app/LibOS code >", "_DkGenericSighandler: RIP in PAL text?"],
      ["_DkGenericSignalHandle(PAL_EVENT_ILLEGAL, siginfo, uc)", "_DkGenericSighandler: _DkGenericSignalHandle(event, siginfo, uc)"],
      ["signal handler done", "_DkGenericSighandler: signal handler done"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.9",
      page: "leaves out the result of _DkGenericSignalHandle",
      code: "it is ignored here: without an upcall the fault would repeat",
      never: "_DkGenericSighandler: handled, or RESUME?",
    },
  ],
};

const generic: Diagram = {
  name: "linux-generic",
  page: section("DkGenericSignalHandle Logic"),
  reference: "2.10",
  scenario: "async-in-enclave",
  stack: "graphene-linux",
  interval: {
    from: "_DkTerminateSighandler: _DkGenericSignalHandle",
    to: "program main: compute",
    fold: [libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["_DkGenericSignalHandle(PAL_EVENT_SUSPEND, uc)", "_DkTerminateSighandler: _DkGenericSignalHandle(event, NULL, uc)"],
      ["upcall = _DkGetExceptionHandler(PAL_EVENT_SUSPEND)", "_DkGenericSignalHandle: upcall = _DkGetExceptionHandler(event)"],
      [
        "_DkGenericEventTrigger(PAL_EVENT_SUSPEND, suspend_upcall, uc)",
        "_DkGenericSignalHandle: _DkGenericEventTrigger(event, upcall, uc)",
      ],
      [
        "event = struct exception_event(event_num, context = copy-of-uc-regs, uc = uc)",
        "_DkGenericEventTrigger: event = struct exception_event(event_num, context = copy of uc registers, uc)",
      ],
      ["suspend_upcall(event, ctx)", "_DkGenericEventTrigger: upcall(event, arg, context)"],
      ["--- PAL -> LibOS transition ---", "suspend_upcall: internal Graphene thread"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
      ["--- LibOS -> PAL transition --- _DkExceptionReturn(event)", "DkExceptionReturn: _DkExceptionReturn(event)"],
      ["update event.uc.regs with event.context regs", "_DkExceptionReturn: update event.uc registers with event.context registers"],
      ["unwind call stack as usual", "_DkExceptionReturn: unwind the call stack as usual"],
      ["(the upcall returns)", "suspend_upcall: return"],
      ["(the trigger returns)", "_DkGenericEventTrigger: return"],
      ["... host OS switches Graphene to normal context ...", "__restore_rt: rt_sigreturn"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.10",
      page: "context = copy-of-uc-regs",
      code: "the same, without the floating-point state",
      at: "_DkGenericEventTrigger: event = struct exception_event(event_num, context = copy of uc registers, uc)",
    },
    {
      id: "2.10",
      page: '"Normal context (enclave mode)"',
      code: "no enclave here, and signal context when the event was not pended",
      at: "_DkTerminateSighandler: _DkGenericSignalHandle(event, NULL, uc)",
    },
  ],
};

export const LINUX: readonly Diagram[] = [init, asyncInPal, timeQuery, asyncOutside, syncInPal, syncOutside, generic];
