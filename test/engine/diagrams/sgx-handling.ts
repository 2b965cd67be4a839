/** The page's remaining diagrams of the Linux-SGX PAL: sync signals in the enclave (2.4) and generic handling (2.6). */

import type { Diagram, Difference } from "../../support/flow-listing.ts";
import { copied, doubleCheck, generic, section, throughTheEnclave } from "./sgx.ts";
import { FIND_HANDLER, handlers, libosHandling, SHORT } from "./shared.ts";

const SYNC = section("Sync Signal Arrives During Enclave Code Execution");

const syncMemory: Diagram = {
  name: "sgx-sync-in-enclave",
  page: SYNC,
  reference: "2.4, EXITINFO not valid",
  scenario: "memory-fault",
  stack: "graphene-sgx",
  interval: { from: "program main: fault", to: "memfault_upcall: deliver_signal" },
  order: {
    main: [
      ["AEX due to the fault", "(outside): AEX"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ...throughTheEnclave("_DkResumeSighandler"),
      copied,
      generic,
    ],
  },
  notAsOnThePage: [
    doubleCheck,
    {
      id: "D4",
      page: "exactly the same as for an async signal",
      code: "so it is for a page fault, which EXITINFO does not report; not for the vectors it reports (sgx-sync-in-enclave-divide.flow)",
      at: "enclave_entry: double-check: EXITINFO.valid? -> no",
    },
    { id: "D5", page: "si_addr = <faulting addr from PAL>", code: "Linux-SGX always passes 0", at: "[si_addr 0]" },
  ],
};

const withVector = (name: string, reference: string, what: string, to: string, differences: readonly Difference[]): Diagram => ({
  name,
  page: SYNC,
  reference,
  scenario: { main: [...handlers("SIGFPE", "SIGILL"), { fault: what }, { compute: "1us" }], handlers: { h: ["skip-fault"] } },
  stack: "graphene-sgx",
  interval: { from: "program main: fault", to },
  order: {
    main: [
      ["AEX due to the fault", "(outside): AEX"],
      ["signal handler called", "(outside): the kernel pushes a signal frame"],
      ...throughTheEnclave("_DkResumeSighandler"),
    ],
  },
  notAsOnThePage: [
    {
      id: "D4",
      page: "exactly the same as for an async signal: exit_info = RDI",
      code: "EXITINFO is valid, so the event of the untrusted PAL is ignored",
      at: "enclave_entry: double-check: EXITINFO.valid? -> yes",
    },
    ...differences,
  ],
});

const syncDivide = withVector("sgx-sync-in-enclave-divide", "2.4, vector 0 (#DE)", "divide", "arithmetic_error_upcall: deliver_signal", [
  {
    id: "D4",
    page: "the event comes from the signal",
    code: "it comes from the exception's vector",
    at: "_DkExceptionHandler: event_num = from vector: #DE arithmetic, #AC memory",
  },
  { id: "D5", page: "si_addr = <faulting addr from PAL>", code: "Linux-SGX always passes 0", at: "[si_addr 0]" },
]);

const syncIllegal = withVector(
  "sgx-sync-in-enclave-illegal",
  "2.4, vector 6 (#UD), neither CPUID nor RDTSC",
  "illegal",
  "host exit: exit: the thread is gone",
  [
    {
      id: "D4",
      page: "SIGILL -> PAL_EVENT_ILLEGAL -> illegal_upcall",
      code: "SIGILL never reaches an application: the thread dies",
      at: '_DkExceptionHandler: print "Illegal instruction executed in enclave"',
    },
    { id: "D4", page: "illegal_upcall(event, context)", code: "no upcall at all", never: "illegal_upcall" },
  ],
);

const syncCpuid = withVector("sgx-sync-in-enclave-cpuid", "2.4, vector 6 (#UD), CPUID", "cpuid", "program main: compute", [
  {
    id: "D4",
    page: "every sync signal ends in _DkGenericSignalHandle",
    code: "CPUID is emulated by an ocall and skipped, no event",
    at: "_DkExceptionHandler: RIP + 2, resume",
  },
  { id: "D4", page: "_DkGenericSignalHandle(event, ctx)", code: "not called", never: "_DkGenericSignalHandle" },
]);

const GENERIC = section("DkGenericSignalHandle Logic");

/** Up to the return: the steps of the page's diagram, whatever kind of return follows. */
const handling: [string, string][] = [
  ["upcall = _DkGetExceptionHandler(PAL_EVENT_SUSPEND)", "_DkGenericSignalHandle: upcall = _DkGetExceptionHandler(event)"],
  [
    "_DkGenericEventTrigger(PAL_EVENT_SUSPEND, suspend_upcall, frame/ctx)",
    "_DkGenericSignalHandle: _DkGenericEventTrigger(event, upcall, frame/ctx)",
  ],
  [
    "event = struct exception_event(event_num, context = ctx, frame = frame)",
    "_DkGenericEventTrigger: event = struct exception_event(event_num, context = ctx, frame = frame)",
  ],
  ["suspend_upcall(event, ctx)", "_DkGenericEventTrigger: upcall(event, ctx)"],
  ["--- PAL -> LibOS transition ---", "suspend_upcall: internal Graphene thread"],
  ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
  ["--- LibOS -> PAL transition --- _DkExceptionReturn(event)", "DkExceptionReturn: _DkExceptionReturn(event)"],
];

const frame: Diagram = {
  name: "sgx-generic-frame",
  page: GENERIC,
  reference: "2.6, with event.frame",
  scenario: "async-outside-enclave",
  stack: "graphene-sgx",
  interval: {
    from: "_DkHandleExternalEvent: _DkGenericSignalHandle",
    to: "shim_do_futex_wait: ret = woken",
    fold: [libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["_DkGenericSignalHandle(PAL_EVENT_SUSPEND, frame)", "_DkHandleExternalEvent: _DkGenericSignalHandle(event, frame)"],
      ...handling,
      ["if event.frame is not NULL", "_DkExceptionReturn: event.frame is NULL"],
      ["update regs with event.frame regs", "_DkExceptionReturn: update registers with event.frame registers"],
      ["return to LibOS (as if PAL function returned)", "shim_do_futex_wait:"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D1",
      page: "looks at event.frame first",
      code: "looks at event.context first: it wins where both are set (sgx-generic-both.flow)",
      at: "_DkExceptionReturn: event.context is not NULL -> no",
    },
    {
      id: "D3",
      page: "as if the PAL function returned",
      code: "with RAX = 0 and an old PAL_ERRNO; none of its cleanup runs (no LEAVE_PAL_CALL)",
      never: "DkObjectsWaitAny: LEAVE_PAL_CALL",
    },
  ],
};

const context: Diagram = {
  name: "sgx-generic-context",
  page: GENERIC,
  reference: "2.6, with event.context",
  scenario: "async-in-enclave",
  stack: "graphene-sgx",
  interval: {
    from: "_DkExceptionHandler: _DkGenericSignalHandle",
    to: "program main: compute",
    fold: [libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["_DkGenericSignalHandle(PAL_EVENT_SUSPEND, ctx)", "_DkExceptionHandler: _DkGenericSignalHandle(event, ctx)"],
      ...handling,
      ["if event.context is not NULL", "_DkExceptionReturn: event.context is not NULL"],
      [
        "update regs with event.context regs (including RSP)",
        "_DkExceptionReturn: update registers with event.context registers (including RSP)",
      ],
      ["return to interrupted-context frame (somewhere in user app)", "program main: compute"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.6",
      page: "context is reset, no unwinding here",
      code: "the same: the upcall's frames never return",
      never: "suspend_upcall: return  [libos.upcall.return",
    },
  ],
};

const both: Diagram = {
  name: "sgx-generic-both",
  page: GENERIC,
  reference: "2.2 steps 11 and 12, 2.6: a signal in the PAL's own text in the enclave",
  scenario: {
    main: [...handlers("SIGINT"), "yield"],
    handlers: SHORT,
    signals: [{ signal: "SIGINT", when: { thread: "main", site: "DkThreadYieldExecution: no error?" } }],
  },
  stack: "graphene-sgx",
  interval: {
    from: "_DkExceptionHandler: exit_info.valid?",
    to: "libc sched_yield: back in the application",
    fold: [FIND_HANDLER, libosHandling("suspend_upcall")],
  },
  order: {
    main: [
      ["_DkGenericSignalHandle(PAL_EVENT_SUSPEND, frame/ctx)", "_DkExceptionHandler: _DkGenericSignalHandle(event, ctx)"],
      ...handling,
      ["if event.context is not NULL", "_DkExceptionReturn: event.context is not NULL"],
      [
        "update regs with event.context regs (including RSP)",
        "_DkExceptionReturn: update registers with event.context registers (including RSP)",
      ],
      ["return to interrupted-context frame", "DkThreadYieldExecution: no error?"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D1",
      page: "only one of context and frame is not NULL",
      code: "a PAL function was interrupted: its frame is passed on as well, by a trampoline over 16 words of its stack",
      at: "_DkExceptionHandler: _DkExceptionRealHandler",
    },
    {
      id: "D1",
      page: "event.frame first",
      code: "the context wins: the PAL call goes on where it was, and returns its own result",
      at: "_DkExceptionReturn: event.context is not NULL -> yes",
    },
  ],
};

export const SGX_HANDLING: readonly Diagram[] = [syncMemory, syncDivide, syncIllegal, syncCpuid, frame, context, both];
