/** "Available Signal Handlers and Their Differences": the upcalls of sync signals and their internal faults (reference, 2.11). */

import type { Diagram } from "../../support/flow-listing.ts";
import { LIBOS, PAGE, UPCALL } from "./upcalls.ts";

/** What deliver_signal does is drawn in other diagrams. */
const DELIVERY = (upcall: string) => ({ after: `${upcall}: deliver_signal`, before: `${upcall}: return`, as: "as in suspend_upcall" });
const arithmetic: Diagram = {
  name: "upcall-arithmetic-error",
  page: PAGE,
  reference: "2.11 arithmetic_error",
  scenario: "sync-in-enclave",
  stack: "graphene-linux",
  interval: {
    from: UPCALL,
    to: "program main: compute",
    layers: LIBOS,
  },
  order: {
    main: [
      ["SIGFPE -> PAL_EVENT_ARITHMETIC_ERROR -> arithmetic_error_upcall(event, context)", UPCALL],
      [
        "if internal Graphene thread or exception during LibOS/PAL",
        "arithmetic_error_upcall: internal Graphene thread or exception during LibOS/PAL?",
      ],
      [
        "siginfo_t info = (SIGFPE, FPE_INTDIV, si_addr = <faulting addr from PAL>)",
        "arithmetic_error_upcall: siginfo_t info = (SIGFPE, FPE_INTDIV, si_addr",
      ],
      ["deliver_signal(info, context)  (note that context is set)", "arithmetic_error_upcall: deliver_signal(info, context)"],
      ["handle pending non-blocked SIGFPEs", "deliver_signal: __handle_signal(sig, signal.context)"],
      ["and then this SIGFPE", "deliver_signal: __handle_one_signal(sig, signal)"],
      ["< ... as in suspend_upcall ... >", "handler on-sigfpe: on-sigfpe()"],
      ["DkExceptionReturn(event)", "arithmetic_error_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D5",
      page: "si_addr = <faulting addr from PAL>",
      code: "so it is on Linux, here; Linux-SGX passes 0 (sgx-sync-in-enclave-divide.flow)",
      at: "[si_addr 4096]",
    },
  ],
};

const memfault: Diagram = {
  name: "upcall-memfault",
  page: PAGE,
  reference: "2.11 memfault, rule 4",
  scenario: "memory-fault",
  stack: "graphene-linux",
  interval: { from: UPCALL, to: "program main: compute", layers: LIBOS, fold: [DELIVERY("memfault_upcall")] },
  order: {
    main: [
      ["SIGSEGV -> PAL_EVENT_MEMFAULT -> memfault_upcall(event, context)", UPCALL],
      ["if exception during test_user_memory/string", "memfault_upcall: exception during test_user_memory/string?"],
      [
        "if internal Graphene thread or exception during LibOS/PAL",
        "memfault_upcall: internal Graphene thread or exception during LibOS/PAL?",
      ],
      [
        "siginfo_t info = (SIGBUS/SIGSEGV, signal code, si_addr = <faulting addr from PAL>)",
        "memfault_upcall: siginfo_t info = (SIGSEGV, SEGV_MAPERR, si_addr",
      ],
      ["deliver_signal(info, context)  < ... as in suspend_upcall ... >", "memfault_upcall: deliver_signal(info, context)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.11",
      page: "chooses SIGBUS/SIGSEGV and the code by VMA info",
      code: "the emulated address is in no VMA (rule 4): always SIGSEGV, SEGV_MAPERR",
      at: "memfault_upcall: siginfo_t info = (SIGSEGV, SEGV_MAPERR",
    },
    {
      id: "2.11",
      page: "draws no DkExceptionReturn(event)",
      code: "as in the others",
      at: "memfault_upcall: DkExceptionReturn(event)",
    },
  ],
};

const probe: Diagram = {
  name: "upcall-memfault-probe",
  page: PAGE,
  reference: "2.11 memfault, rule 1",
  scenario: "bad-pointer",
  stack: "graphene-linux",
  interval: { from: UPCALL, to: "libc probe: back in the application", layers: LIBOS },
  order: {
    main: [
      ["memfault_upcall(event, context)", UPCALL],
      ["if exception during test_user_memory/string", "memfault_upcall: exception during test_user_memory/string?"],
      ["update RIP to ret_fault", "memfault_upcall: update RIP to ret_fault"],
      ["DkExceptionReturn(event)", "memfault_upcall: DkExceptionReturn(event)"],
      ["(ret_fault)", "shim_do_probe: ret_fault: -EFAULT"],
    ],
  },
  notAsOnThePage: [],
};

const probeSgx: Diagram = {
  name: "upcall-memfault-internal",
  page: PAGE,
  reference: "2.11 memfault, rules 1 and 2 under SGX (3.5 internal-fault-on-user-pointer)",
  scenario: "bad-pointer",
  stack: "graphene-sgx",
  interval: { from: UPCALL, to: "shim_do_probe: touch it", layers: LIBOS },
  order: {
    main: [
      ["memfault_upcall(event, context)", UPCALL],
      ["if exception during test_user_memory/string", "memfault_upcall: exception during test_user_memory/string?"],
      [
        "if internal Graphene thread or exception during LibOS/PAL",
        "memfault_upcall: internal Graphene thread or exception during LibOS/PAL?",
      ],
      ["print panic message", "memfault_upcall: print panic message"],
      ["DkExceptionReturn(event)", "memfault_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D5",
      page: "finds the exception during test_user_memory",
      code: "the address is 0 under SGX, so it never does: the probe of a bad pointer is an internal fault",
      at: "memfault_upcall: exception during test_user_memory/string? -> no",
    },
    {
      id: "D11",
      page: "print panic message, DkExceptionReturn",
      code: "a breakpoint instruction in between, which SGX skips: the fault repeats for ever",
      at: 'shim_do_probe: touch it  [app.fault SIGSEGV "memory"]',
    },
  ],
};

const internalFault: Diagram = {
  name: "upcall-internal-fault",
  page: PAGE,
  reference: "2.11, internal fault on Linux, D11",
  scenario: { main: ["getpid"], signals: [{ signal: "SIGFPE", thread: "main", when: { thread: "main", site: "shim_getpid: END_SHIM" } }] },
  stack: "graphene-linux",
  interval: { from: UPCALL, to: "(outside): the host ends the thread", layers: LIBOS },
  order: {
    main: [
      ["arithmetic_error_upcall(event, context)", UPCALL],
      [
        "if internal Graphene thread or exception during LibOS/PAL",
        "arithmetic_error_upcall: internal Graphene thread or exception during LibOS/PAL?",
      ],
      ["print panic message", "arithmetic_error_upcall: print panic message"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D11",
      page: "print panic message, DkExceptionReturn(event)",
      code: "a breakpoint instruction instead: SIGTRAP has no handler and ends the process",
      at: "(outside): the process is over  [process.exit SIGTRAP -5, internal fault]",
    },
    { id: "D11", page: "DkExceptionReturn(event)", code: "never reached", never: "arithmetic_error_upcall: DkExceptionReturn" },
  ],
};

const illegal: Diagram = {
  name: "upcall-illegal",
  page: PAGE,
  reference: "2.11 illegal",
  scenario: "sync-outside-pal",
  stack: "graphene-linux",
  interval: { from: UPCALL, to: "program main: compute", layers: LIBOS, fold: [DELIVERY("illegal_upcall")] },
  order: {
    main: [
      ["SIGILL -> PAL_EVENT_ILLEGAL -> illegal_upcall(event, context)", UPCALL],
      [
        "if internal Graphene thread or exception during LibOS/PAL",
        "illegal_upcall: internal Graphene thread or exception during LibOS/PAL?",
      ],
      [
        "siginfo_t info = (SIGILL, ILL_ILLOPC, si_addr = <faulting addr from PAL>)",
        "illegal_upcall: siginfo_t info = (SIGILL, ILL_ILLOPC, si_addr",
      ],
      ["deliver_signal(info, context)  < ... as in suspend_upcall ... >", "illegal_upcall: deliver_signal(info, context)"],
      ["DkExceptionReturn(event)", "illegal_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.11",
      page: "leaves out the VMA condition",
      code: "an address in no VMA is an internal fault too",
      at: "illegal_upcall: no VMA for the address (always so under SGX, where it is 0)? -> no",
    },
  ],
};

export const SYNC_UPCALLS: readonly Diagram[] = [arithmetic, memfault, probe, probeSgx, internalFault, illegal];
