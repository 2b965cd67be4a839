/** The page's diagrams of the Linux-SGX PAL (reference, 2.1 to 2.6), step by step in the page's words and order. */

import type { Diagram, Difference } from "../../support/flow-listing.ts";
import { FIND_HANDLER, handlers, LOCKING, libosHandling, SHORT } from "./shared.ts";

export const section = (title: string): string => `Linux-SGX PAL Flows, "${title}"`;

const init: Diagram = {
  name: "sgx-init",
  page: section("Initialization of Signal Handling"),
  reference: "2.1",
  scenario: "initialisation",
  stack: "graphene-sgx",
  interval: { from: "load_enclave: build", to: "shim_init: tcb.context.preempt := 0" },
  order: {
    main: [
      ["... load_enclave() ...", "load_enclave: build the enclave"],
      ["sgx_signal_setup()", "load_enclave: sgx_signal_setup()"],
      ["set_sighandler(SIGTERM | SIGINT | SIGCONT)", "sgx_signal_setup: set_sighandler(SIGTERM | SIGINT | SIGCONT)"],
      [
        "action = struct sigaction(_DkTerminateSighandler, {SA_SIGINFO | SA_RESTORER}, {SIGCONT})",
        "set_sighandler (async signals): action = struct sigaction(sa_handler = _DkTerminateSighandler, sa_flags = {SA_SIGINFO | SA_RESTORER}, sa_mask = {SIGCONT})",
      ],
      ["rt_sigaction(SIGTERM, action)", "set_sighandler (async signals): rt_sigaction(SIGTERM, action)"],
      ["rt_sigaction(SIGINT, action)", "set_sighandler (async signals): rt_sigaction(SIGINT, action)"],
      ["rt_sigaction(SIGCONT, action)", "set_sighandler (async signals): rt_sigaction(SIGCONT, action)"],
      [
        "rt_sigprocmask(SIGUNBLOCK, SIGTERM | SIGINT | SIGCONT)",
        "set_sighandler (async signals): rt_sigprocmask(SIG_UNBLOCK, SIGTERM | SIGINT | SIGCONT)",
      ],
      ["set_sighandler(SIGSEGV | SIGILL | SIGFPE | SIGBUS)", "sgx_signal_setup: set_sighandler(SIGSEGV | SIGILL | SIGFPE | SIGBUS)"],
      [
        "action = struct sigaction(_DkResumeSighandler, {SA_SIGINFO | SA_RESTORER}, {SIGCONT})",
        "set_sighandler (sync signals): action = struct sigaction(sa_handler = _DkResumeSighandler, sa_flags = {SA_SIGINFO | SA_RESTORER}, sa_mask = {SIGCONT})",
      ],
      ["rt_sigaction(SIGSEGV, action)", "set_sighandler (sync signals): rt_sigaction(SIGSEGV, action)"],
      ["rt_sigaction(SIGILL, action)", "set_sighandler (sync signals): rt_sigaction(SIGILL, action)"],
      ["rt_sigaction(SIGFPE, action)", "set_sighandler (sync signals): rt_sigaction(SIGFPE, action)"],
      ["rt_sigaction(SIGBUS, action)", "set_sighandler (sync signals): rt_sigaction(SIGBUS, action)"],
      [
        "rt_sigprocmask(SIGUNBLOCK, SIGSEGV | SIGILL | SIGFPE | SIGBUS)",
        "set_sighandler (sync signals): rt_sigprocmask(SIG_UNBLOCK, SIGSEGV | SIGILL | SIGFPE | SIGBUS)",
      ],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.1",
      page: "says nothing of other signals",
      code: "SIGCHLD, SIGPIPE, SIGALRM and SIGUSR* keep their host defaults: only the seven are registered",
      never: "rt_sigaction(SIGPIPE",
    },
    {
      id: "2.1",
      page: "says nothing of signals between sgx_signal_setup() and the first entry",
      code: "handlers are there before the thread has a TCS: see sgx-init-window.flow",
      at: "map_tcs(gettid): current_tcs := first free TCS",
    },
  ],
};

const initWindow: Diagram = {
  name: "sgx-init-window",
  page: section("Initialization of Signal Handling"),
  reference: "2.1, branch: async signal between step 1 and step 3",
  scenario: {
    main: ["getpid"],
    signals: [{ signal: "SIGINT", when: { thread: "main", site: "load_enclave: map_tcs(gettid): current_tcs := first free TCS" } }],
  },
  stack: "graphene-sgx",
  interval: { from: "sgx_signal_setup: return", to: "host exit: exit: the thread is gone" },
  order: {
    main: [
      ["_DkTerminateSighandler (as outside the enclave)", "_DkTerminateSighandler:"],
      ["sgx_entry_return()", "sgx_entry_return:"],
      ["EENTER", "sgx_entry_return: EENTER(RBX, RCX)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.1",
      page: "leaves this window out",
      code: "current_tcs is NULL, EENTER faults outside the enclave, and _DkResumeSighandler ends the only thread",
      at: "sgx_entry_return: EENTER(RBX, RCX)  [sgx.fault SIGSEGV",
    },
  ],
};

/** From the handler to the resumed enclave, the same for async and sync signals on the page. */
export const throughTheEnclave = (handler: string): [string, string][] => [
  [`${handler}(signal, siginfo, uc)`, `${handler}: event := signal`],
  ["sgx_raise(event)", `${handler}: sgx_raise(event)`],
  ["RDX = after_resume() addr", "sgx_raise: RDX = after_resume() addr"],
  ["RBX = current thread's TCS, RCX = async_exit_pointer() addr", "sgx_raise: RBX = current thread's TCS, RCX = async_exit_pointer() addr"],
  ["RDI = event (from first func arg)", "sgx_raise: RDI = event (from first func arg)"],
  ["EENTER(RBX, RCX)", "sgx_raise: EENTER(RBX, RCX)"],
  ["enclave_entry(), jump to handle_resume()", "enclave_entry: RAX != 0 (CSSA): jump to handle_resume()"],
  ["<double-check RDI contains signum>", "enclave_entry: double-check: "],
  ["jump to handle_exception()", "enclave_entry: jump to handle_exception()"],
  [
    "create new enclave-thread stack frame and push GPRSGX registers on this frame",
    "enclave_entry: create new enclave-thread stack frame and push GPRSGX registers on this frame",
  ],
  ["update GPRSGX = (RSP, RDI, RSI, RIP = _DkExceptionHandler)", "enclave_entry: update GPRSGX = (RSP = new frame, "],
  ["EEXIT(RDX = after_resume)", "enclave_entry: EEXIT(RDX = after_resume)"],
  ["after_resume(): return", "sgx_raise: after_resume(): return"],
  ["signal handler done", `${handler}: signal handler done`],
  ["(rt_sigreturn)", "__restore_rt: rt_sigreturn"],
  ["async_exit_pointer(): ERESUME", "async_exit_pointer: ERESUME"],
  ["_DkExceptionHandler(exit_info = RDI, uc = RSI)", "_DkExceptionHandler:"],
];

export const copied: [string, string] = ["PAL_CONTEXT ctx = copy(uc)", "_DkExceptionHandler: PAL_CONTEXT ctx = copy(uc)"];
export const generic: [string, string] = ["_DkGenericSignalHandle(event, ctx)", "_DkExceptionHandler: _DkGenericSignalHandle(event, ctx)"];

export const doubleCheck: Difference = {
  id: "2.2",
  page: "double-checks that RDI contains a signum",
  code: "looks at EXITINFO.valid, else only whether the event is not 0: neither its range, nor CSSA == 1, nor the thread's state",
  at: "enclave_entry: event != 0 -> yes",
};

const asyncInEnclave: Diagram = {
  name: "sgx-async-in-enclave",
  page: section("Async Signal Arrives During Enclave Code Execution"),
  reference: "2.2",
  scenario: "async-in-enclave",
  stack: "graphene-sgx",
  interval: { from: "(outside): a signal arrives", to: "_DkExceptionHandler: _DkGenericSignalHandle" },
  order: {
    main: [
      ["AEX due to SIGINT", "(outside): AEX"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
    ].concat(throughTheEnclave("_DkTerminateSighandler"), [copied, generic]) as [string, string][],
  },
  notAsOnThePage: [
    doubleCheck,
    {
      id: "2.2",
      page: "leaves out get_frame() and _DkExceptionRealHandler",
      code: "the interrupted RIP is looked up: inside PAL text both frame and context are passed on (D1, sgx-generic-both.flow)",
      at: "_DkExceptionHandler: frame = get_frame(uc)",
    },
    {
      id: "2.2",
      page: "creates a new stack frame",
      code: "directly below the interrupted RSP: the red zone of application and LibOS code is overwritten (3.4 sgx-redzone-clobber)",
      at: "push GPRSGX registers on this frame  [sgx.clobber red zone]",
    },
  ],
};

const asyncOutside: Diagram = {
  name: "sgx-async-outside",
  page: section("Async Signal Arrives During Non-Enclave Code Execution"),
  reference: "2.3",
  scenario: "async-outside-enclave",
  stack: "graphene-sgx",
  interval: {
    from: "(outside): a signal arrives",
    to: "libc futex_wait: back in the application",
    fold: [FIND_HANDLER, libosHandling("suspend_upcall"), ...LOCKING],
  },
  order: {
    main: [
      ["SIGINT", "(outside): a signal arrives"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["_DkTerminateSighandler(SIGINT, siginfo, uc)", "_DkTerminateSighandler: event := signal"],
      [
        "update normal-context registers = (RIP = sgx_entry_return, RDI = -PAL_ERROR_INTERRUPTED, RSI = PAL_EVENT_SUSPEND)",
        "_DkTerminateSighandler: update normal-context registers = (RIP = sgx_entry_return, RDI = -PAL_ERROR_INTERRUPTED, RSI = event)",
      ],
      ["signal handler done", "_DkTerminateSighandler: signal handler done"],
      ["sgx_entry_return()", "sgx_entry_return: RBX = current thread's TCS, RCX = async_exit_pointer() addr"],
      ["EENTER(RBX, RCX)", "sgx_entry_return: EENTER(RBX, RCX)"],
      ["enclave_entry()", "enclave_entry:"],
      ["jump to return_from_ocall()", "enclave_entry: jump to return_from_ocall()"],
      ["remember RDI = -PAL_ERROR_INTERRUPTED on enclave stack", "sgx_ocall: restore FSBASE, FXSAVE area and registers"],
      ["_DkHandleExternalEvent(event = RDI, uc = RSI)", "sgx_ocall: _DkHandleExternalEvent(event, uc)"],
      ["frame = get_frame(uc) <finds outermost PAL function>", "_DkHandleExternalEvent: frame = get_frame(uc)"],
      ["_DkGenericSignalHandle(PAL_EVENT_SUSPEND, frame)", "_DkHandleExternalEvent: _DkGenericSignalHandle(event, frame)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D2",
      page: "sgx_entry_return() loads RDX = sgx_entry() addr",
      code: "the rewritten RIP is past that load, RDX keeps what it had: harmless here (CSSA 0), fatal in sgx-async-outside-cssa-1.flow",
      never: "RDX = sgx_entry() addr",
    },
    {
      id: "D3",
      page: "continues as if the outermost PAL function failed with PAL_ERROR_INTERRUPTED",
      code: "the PAL function is abandoned and returns 0, PAL_ERRNO keeps its old value",
      at: "[pal.call.abandon pal_errno 0]",
    },
    {
      id: "D3",
      page: "the interrupted code reaches the LibOS",
      code: "futex-wait ends with 0, a wake-up nobody sent, where Linux has -EINTR",
      at: "libc futex_wait: back in the application  [app.return = 0]",
    },
  ],
};

const outsideCssa1: Diagram = {
  name: "sgx-async-outside-cssa-1",
  page: section("Async Signal Arrives During Non-Enclave Code Execution"),
  reference: "2.3, branch: signal while a host signal handler runs (3.4 sgx-nested-host-signal)",
  scenario: {
    main: [...handlers("SIGINT", "SIGTERM"), { compute: "1ms" }],
    handlers: SHORT,
    signals: [
      { signal: "SIGINT", when: { at: "600us" } },
      { signal: "SIGTERM", when: { thread: "main", site: "_DkTerminateSighandler: sgx_raise(event)" } },
    ],
  },
  stack: "graphene-sgx",
  interval: { from: "(outside): a signal arrives", to: "host exit: exit: the thread is gone" },
  order: {
    main: [
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ["_DkTerminateSighandler(SIGTERM, siginfo, uc)", "_DkTerminateSighandler: update normal-context registers"],
      ["sgx_entry_return()", "sgx_entry_return:"],
      ["EENTER(RBX, RCX)", "sgx_entry_return: EENTER(RBX, RCX)"],
      ["enclave_entry()", "enclave_entry:"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D2",
      page: "RDX = sgx_entry() addr before EENTER, current-SSA-frame = 0",
      code: "CSSA is 1, so this entry is taken for an exception, with -13 & 0xff as the event, and EEXIT goes to the stale RDX",
      at: "enclave_entry: EEXIT(RDX = after_resume)  [sgx.fault",
    },
    {
      id: "2.3",
      page: "leaves out that the interrupted code may be a handler",
      code: "the first handler's frame is abandoned, SIGINT never reaches the enclave",
      never: "after_resume(): return",
    },
  ],
};

const outsideResume: Diagram = {
  name: "sgx-async-outside-resume",
  page: section("Async Signal Arrives During Non-Enclave Code Execution"),
  reference: "2.3 step 6, branch a",
  scenario: {
    main: [...handlers("SIGUSR1"), { clone: "sender" }, { "futex-wait": { on: "word" } }],
    programs: { sender: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
    handlers: SHORT,
  },
  stack: "graphene-sgx",
  interval: {
    from: "(outside): the kernel pushes a signal frame",
    to: "libc futex_wait: back in the application",
    fold: [{ after: "unlock: __handle_signal", before: "unlock: preempt - 1", as: "the handler of SIGUSR1 runs" }, ...LOCKING],
  },
  order: {
    main: [
      ["_DkTerminateSighandler(SIGCONT, siginfo, uc)", "_DkTerminateSighandler:"],
      ["sgx_entry_return()", "sgx_entry_return:"],
      ["enclave_entry(), jump to return_from_ocall()", "enclave_entry: jump to return_from_ocall()"],
      ["_DkHandleExternalEvent(event, uc)", "sgx_ocall: _DkHandleExternalEvent(event, uc)"],
      ["frame = get_frame(uc)", "_DkHandleExternalEvent: frame = get_frame(uc)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D3",
      page: "every event reaches _DkGenericSignalHandle",
      code: "RESUME in DkObjectsWaitAny returns at once, no upcall: the one case where INTERRUPTED survives",
      at: "_DkHandleExternalEvent: return at once: the code survives, no upcall",
    },
    { id: "D3", page: "PAL_ERROR_INTERRUPTED", code: "is raised, so the call ends with -EINTR", at: "[pal.call.leave = 0, pal_errno 13]" },
  ],
};

const syncOutside: Diagram = {
  name: "sgx-sync-outside",
  page: section("Sync Signal Arrives During Non-Enclave Code Execution"),
  reference: "2.5",
  scenario: "sync-outside-enclave",
  stack: "graphene-sgx",
  interval: { from: "(outside): a signal arrives", to: "host exit: exit: the thread is gone", threads: ["reader"] },
  order: {
    reader: [
      ["a sync signal in untrusted-PAL code", "(outside): the kernel pushes a signal frame"],
      ["_DkResumeSighandler", "_DkResumeSighandler:"],
      ["kills the faulting thread by issuing exit(1)", "_DkResumeSighandler: exit(1): this thread only"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.5",
      page: "kills the thread, not the process",
      code: "the same; and nobody tells the LibOS: the thread stays alive there, its locks stay held",
      never: "libos",
    },
  ],
};

export const SGX: readonly Diagram[] = [init, initWindow, asyncInEnclave, asyncOutside, outsideCssa1, outsideResume, syncOutside];
