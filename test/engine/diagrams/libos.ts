/** The page's diagrams "Current LibOS Flows" (reference, 2.12 to 2.14), step by step in the page's words and order. */

import type { Diagram, Difference } from "../../support/flow-listing.ts";
import { handlers } from "./shared.ts";

const section = (title: string): string => `Current LibOS Flows, "${title}"`;

/** The LibOS and the application only: the flows are the same for all PALs. */
const LIBOS = ["app", "libos"] as const;

/** Locks and the heap, which the page does not draw. */
const HEAP = { after: "deliver_signal: malloc(shim_signal)", before: "deliver_signal: allocate_signal_log", as: "under the heap's lock" };
/** How the slot is found, which `libos-blocked` shows. */
const RESERVE = {
  after: "deliver_signal: allocate_signal_log(sig): reserve a slot",
  before: "deliver_signal: append signal to tcb.thread.signal_logs[sig]",
  as: "the tail moves, has_signal goes up",
};
const READ_ACTION = {
  after: "__handle_one_signal: lock(cur.lock)",
  before: "__handle_one_signal: handler := action",
  as: "preempt goes up and stays up",
};
const ACTION_READ = {
  after: "__handle_one_signal: unlock(cur.lock)",
  before: "__handle_one_signal: SIG_IGN?",
  as: "preempt goes down again, not to 0",
};

const begin: [string, string][] = [
  ["suspend_upcall(event, context)", "_DkGenericEventTrigger: upcall(event"],
  ["if internal Graphene thread (async or ipc helper): DkExceptionReturn(event)", "suspend_upcall: internal Graphene thread"],
  ["siginfo_t info = (SIGINT, SI_USER, .si_pid = 0)", "suspend_upcall: siginfo_t info = (SIGINT, SI_USER, .si_pid = 0)"],
  ["deliver_signal(info, context = NULL)", "suspend_upcall: deliver_signal(info, context = NULL)"],
  ["< __disable_preempt() >", "deliver_signal: tcb.context.preempt + 1  < __disable_preempt() >"],
  [
    "shim_signal signal = (info, context_stored, context, pal_context)",
    "deliver_signal: shim_signal signal = (info, context_stored, context, pal_context)",
  ],
];

const NO_MASK: Difference = {
  id: "D12",
  page: "mask, flags and alternate stacks are not discussed",
  code: "nothing but SA_RESETHAND is looked at: no step changes the mask around the handler or changes the stack",
  at: "__handle_one_signal: handler := action.k_sa_handler; SA_RESETHAND: action := NULL",
};

const nonNested: Diagram = {
  name: "libos-non-nested",
  page: section("Non-Nested Signal Case"),
  reference: "2.12, 2.14",
  scenario: "async-in-enclave",
  stack: "graphene-sgx",
  interval: { from: "_DkGenericEventTrigger: upcall(event", to: "suspend_upcall: DkExceptionReturn", layers: LIBOS },
  order: {
    main: [
      ...begin,
      [
        "if curr-thread's signal mask includes SIGINT",
        "deliver_signal: goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
      ],
      [
        "__handle_signal(SIGINT, signal.context)  < deliver pending >",
        "deliver_signal: __handle_signal(sig, signal.context)  < deliver pending >",
      ],
      ["for each pending SIGINT signal on this thread", "__handle_signal: has_signal == 0?"],
      [
        "__handle_one_signal(SIGINT, signal)  < deliver this signal >",
        "deliver_signal: __handle_one_signal(sig, signal)  < deliver this signal >",
      ],
      ["save LibOS-syscall context and reset it", "__handle_one_signal: save LibOS-syscall context and reset it"],
      [
        "user signal handler(SIGINT, signal.info, signal.context)",
        "__handle_one_signal: user signal handler(sig, signal.info, signal.context)",
      ],
      ["< ... >", "handler on-sigint: handler returns"],
      [
        "copy signal.context.<regs> in signal.pal_context if not NULL",
        "__handle_one_signal: copy signal.context.<regs> in signal.pal_context if not NULL",
      ],
      ["tcb.context.preempt = 0 < __enable_preempt() >", "deliver_signal: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    NO_MASK,
    {
      id: "2.12",
      page: "deliver_signal(info, context) begins with the counter",
      code: "first the signal is lost without a word if there is no tcb.tp or the thread is not alive",
      at: "deliver_signal: tcb.tp == NULL or thread not alive?",
    },
    {
      id: "2.12",
      page: "leaves out how the handler is found",
      code: "under the thread's lock, which moves the counter as well",
      at: "__handle_one_signal: lock(cur.lock)",
    },
    {
      id: "2.13",
      page: "knows no PAL call in a lock",
      code: "lock and unlock are PAL calls, also when nobody else is there: what is pended is taken at their ends, and put off",
      at: "lock: DkObjectsWaitAny(1, { lock }, NO_TIMEOUT)",
    },
  ],
};

const nested: Diagram = {
  name: "libos-nested",
  page: section("Nested Signal Case"),
  reference: "2.12, 2.14",
  scenario: "nested",
  stack: "graphene-sgx",
  interval: {
    from: "handler on-sigterm: on-sigterm()",
    to: "shim_getpid: assert",
    layers: LIBOS,
    fold: [HEAP, RESERVE, READ_ACTION, ACTION_READ],
  },
  order: {
    main: [
      ...begin,
      [
        "< goto delay because tcb.context.preempt > 1 >",
        "deliver_signal: goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
      ],
      [
        "allocate_signal_log(SIGINT): append signal to tcb.thread.signal_logs[SIGINT]",
        "deliver_signal: append signal to tcb.thread.signal_logs[sig]",
      ],
      ["tcb.context.preempt = 1 < __enable_preempt() >", "deliver_signal: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
      ["< ...after top-level signal handler is finished... >", "handler on-sigterm: handler returns"],
      ["< ...after any system call (END_SHIM)... >", "shim_getpid: END_SHIM"],
      ["handle_signal(false)", "shim_getpid: handle_signal(false)"],
      ["__handle_signal(signal-num = 0, context = NULL)", "handle_signal: __handle_signal(signal-num = 0, context = NULL)"],
      ["for each pending (any) signal on this thread", "__handle_signal: next pending unmasked signal, upward"],
      ["__handle_one_signal(signo, pending-signal)", "__handle_signal: __handle_one_signal(signo, pending-signal)"],
      ["< handles pended SIGINT from tcb.thread.signal_logs[SIGINT] >", "handler on-sigint: on-sigint()"],
    ],
  },
  notAsOnThePage: [
    {
      id: "D12",
      page: "mask and flags are not discussed",
      code: "SIGINT waits because a handler runs, not because sa_mask says so: Linux would nest it",
      at: "[libos.signal.decide SIGINT defer]",
    },
    {
      id: "2.14",
      page: "leaves out where the yield is",
      code: "after each handler run from the ring (3.1 spurious-yield-per-pending)",
      at: "__handle_signal: DkThreadYieldExecution()",
    },
    {
      id: "2.14",
      page: "< ...after top-level signal handler is finished... >",
      code: "not then, only at the application's next system call: it computes on with the signal pending",
      at: "N  .  .  1  program main: compute",
    },
  ],
};

const nestedSyscall: Diagram = {
  name: "libos-nested-syscall",
  page: section("Nested Signal Case"),
  reference: "2.14, 3.1 signal-delayed-breaks-preempt-assert",
  scenario: "w3-delayed-bit",
  stack: "graphene-sgx",
  interval: { from: "handler on-usr1: on-usr1()", to: "shim_tgkill: assert failed", layers: LIBOS, fold: [HEAP, RESERVE] },
  order: {
    main: [
      ["< __disable_preempt() >, tcb.context.preempt = 2", "deliver_signal: tcb.context.preempt + 1  < __disable_preempt() >"],
      [
        "< goto delay because tcb.context.preempt > 1 >",
        "deliver_signal: goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
      ],
      ["append signal to tcb.thread.signal_logs", "deliver_signal: append signal to tcb.thread.signal_logs[sig]"],
      ["tcb.context.preempt = 1 < __enable_preempt() >", "deliver_signal: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["< ...after any system call (END_SHIM)... >", "shim_tgkill: END_SHIM"],
      ["handle_signal(false)", "shim_tgkill: handle_signal(false)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.14",
      page: "a nested signal just waits",
      code: "a system call in the handler sets SIGNAL_DELAYED, bit 31 of the counter itself",
      at: "[libos.signal.delayed]",
    },
    {
      id: "2.14",
      page: "leaves out the assertion of END_SHIM",
      code: "it finds the bit and stops the LibOS",
      at: "shim_tgkill: assert failed: preempt  [libos.assert",
    },
  ],
};

const unlockFlush: Diagram = {
  name: "libos-unlock",
  page: section("Nested Signal Case"),
  reference: "2.13, 2.14",
  scenario: "sigsuspend-flag",
  stack: "graphene-linux",
  interval: {
    from: "shim_do_sigsuspend: if (mask) lock(cur.lock)",
    to: "shim_sigsuspend: assert",
    layers: LIBOS,
    fold: [HEAP, RESERVE, READ_ACTION, ACTION_READ],
  },
  order: {
    main: [
      ...begin,
      [
        "< goto delay because tcb.context.preempt > 1 >",
        "deliver_signal: goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
      ],
      [
        "allocate_signal_log(SIGINT): append signal to tcb.thread.signal_logs[SIGINT]",
        "deliver_signal: append signal to tcb.thread.signal_logs[sig]",
      ],
      ["tcb.context.preempt = 1 < __enable_preempt() >", "deliver_signal: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
      ["< ...any internal unlock... >", "shim_do_sigsuspend: unlock(cur.lock)"],
      ["__handle_signal(signal-num = 0, context = NULL)", "unlock: __handle_signal(0)"],
      ["for each pending (any) signal on this thread", "__handle_signal: next pending unmasked signal, upward"],
      ["__handle_one_signal(signo, pending-signal)", "__handle_signal: __handle_one_signal(signo, pending-signal)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.14",
      page: "pended signals come after the top-level handler",
      code: "a lock is enough to pend one, and its unlock delivers it in the middle of the system call",
      at: "unlock: enable_preempt: preempt != 1 or nothing pending? -> no",
    },
    {
      id: "2.14",
      page: "handle_signal(false)",
      code: "unlock calls __handle_signal(0) itself, before it counts down",
      at: "unlock: __handle_signal(0)",
    },
  ],
};

/** Blocked: the same branch of deliver_signal, by the mask. */
const blocked: Diagram = {
  name: "libos-blocked",
  page: section("Non-Nested Signal Case"),
  reference: "2.12, 2.14: blocked",
  scenario: {
    main: [
      ...handlers("SIGINT"),
      { sigprocmask: { how: "block", signals: ["SIGINT"] } },
      { compute: "1ms" },
      { sigprocmask: { how: "unblock", signals: ["SIGINT"] } },
    ],
    handlers: { h: [{ compute: "2us" }] },
    signals: [{ signal: "SIGINT", when: { at: "600us" } }],
  },
  stack: "graphene-sgx",
  interval: {
    from: "_DkGenericEventTrigger: upcall(event",
    to: "shim_sigprocmask: return",
    layers: LIBOS,
    fold: [HEAP, READ_ACTION, ACTION_READ],
  },
  order: {
    main: [
      ...begin,
      [
        "if curr-thread's signal mask includes SIGINT (blocks it)",
        "deliver_signal: goto delay if tcb.context.preempt > 1 or the thread's mask blocks it",
      ],
      ["< allocate_signal_log(SIGINT) and append signal to it >", "deliver_signal: append signal to tcb.thread.signal_logs[sig]"],
      ["tcb.context.preempt = 0 < __enable_preempt() >", "deliver_signal: tcb.context.preempt - 1  < __enable_preempt() >"],
      ["DkExceptionReturn(event)", "suspend_upcall: DkExceptionReturn(event)"],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.12",
      page: "allocate_signal_log(SIGINT) and append signal to it: one step",
      code: "the slot is reserved first: the tail has moved and has_signal is up before its pointer is there (3.2 signal-log-cas-false-success)",
      at: "N  .  1  1  | | | | | | allocate_signal_log: return the slot",
    },
    {
      id: "2.14",
      page: "leaves out the unblocking",
      code: "the signal comes in the very system call that unblocks it, at its last internal unlock",
      at: "handler h: h()  [app.handler.enter SIGINT",
    },
  ],
};

export const LIBOS_FLOWS: readonly Diagram[] = [nonNested, blocked, nested, nestedSyscall, unlockFlush];
