/** Flows of today's Gramine on its Linux PAL beside the specification's steps (gramine-today.md 3, 5, 6, 7 with its corrections), in its order. */

import { on } from "../../support/run-scenario.ts";
import type { SpecDiagram, SpecDiagrams } from "./spec.ts";

const sends = (signal: string): Record<string, unknown[]> => ({
  sender: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal } }],
});
const raise = (signal: string): unknown => ({ kill: { process: "self", signal } });

/** The host's handler, which every signal of the host comes by. */
const ASYNC = [
  ["3 LA.1 a frame of the kernel", "(outside): the kernel pushes a signal frame"],
  ["3 LA.2 event by number", "handle_async_signal: event by the signal's number"],
  ["3 LA.2 RIP in PAL or vDSO?", "handle_async_signal: perform_signal_handling(event, in PAL?, uc)"],
  ["3 LA.3 no upcall: return", "perform_signal_handling: no upcall registered?"],
  ["3 LA.3 PAL_CONTEXT := ucontext", "perform_signal_handling: PAL_CONTEXT = copy of uc"],
  ["3 LA.4 upcall", "perform_signal_handling: upcall(in PAL, addr, context)"],
] as const;
const BACK = [
  ["3 LA.5 copy back", "perform_signal_handling: uc = PAL_CONTEXT"],
  ["3 LA.6 rt_sigreturn", "__restore_rt: rt_sigreturn"],
] as const;
/** handle_signal with a handler. */
const HANDLE = [
  ["H1 time_to_die", "handle_signal: time_to_die?"],
  ["H2 forced signal?", "handle_signal: a forced signal?"],
  ["H2 else pop_unblocked_signal", "handle_signal: pop_unblocked_signal(NULL, signal)"],
  ["P1 either counter not 0", "pop_unblocked_signal: both counters of pending signals 0?"],
  ["P1 under thread.lock", "pop_unblocked_signal: lock(current->lock)"],
  ["P1 and the queue's lock", "pop_unblocked_signal: lock(g_process_signal_queue_lock)"],
  ["P1 for number 1..64 not in the mask", "pop_unblocked_signal: the first of 1 to 64"],
  ["H4 under dispositions.lock", "handle_signal: lock(signal_dispositions->lock)"],
  ["H4 its disposition", "handle_signal: its disposition"],
  ["H6 restart codes", "handle_signal: a restart code in context.rax"],
  ["H7 old mask, then sa_mask", "handle_signal: old_mask := saved_sigmask or signal_mask"],
  ["H8 sigframe", "handle_signal: prepare_sigframe"],
  ["H9 RESETHAND", "handle_signal: no SA_RESETHAND?"],
  ["H10 true", "handle_signal: return true"],
] as const;
/** The tail of a system call in which a handler was set up. */
const TAIL = [
  ["T3 no restart: a handler was set up", "libos_emulate_syscall: a handler was set up"],
  ["T4 has_saved_sigmask?", "libos_emulate_syscall: no saved_sigmask?"],
  ["T5 syscall_nr := -1, regs := NULL", "libos_emulate_syscall: tcb.context.syscall_nr := -1, regs := NULL"],
  ["T6 return to ctx", "libos_emulate_syscall: return_from_syscall(context)"],
] as const;
const HANDLER = ["the handler", "handler quick: quick()"] as const;

const inApp: SpecDiagram = {
  name: "linux-async-in-app",
  sections: "3 LA, 5 INTERRUPTED, H1 to H10",
  program: { main: [on("SIGUSR1"), { clone: "sender" }, { compute: "5ms" }], programs: sends("SIGUSR1") },
  options: [],
  interval: { from: "(outside): the kernel pushes a signal frame", to: "handler quick: quick()" },
  order: [
    ...ASYNC,
    ["5 INTERRUPTED no thread / internal / RIP in LibOS / is_in_pal", "interrupted_upcall: no thread, an internal one"],
    ["5 INTERRUPTED handle_signal(ctx)", "interrupted_upcall: handle_signal(context)"],
    ...HANDLE,
    ...BACK,
    HANDLER,
  ],
};

const inCall: SpecDiagram = {
  name: "linux-async-in-call",
  sections: "3 LA, 5 INTERRUPTED, T1 to T6, 8 read",
  program: { main: [on("SIGUSR1"), { clone: "sender" }, { read: { from: "pipe" } }], programs: sends("SIGUSR1") },
  options: [],
  interval: { from: "PalStreamRead: DO_SYSCALL(read)", to: "handler quick: quick()" },
  order: [
    ["a blocked host syscall", "host read: read: wait"],
    ...ASYNC,
    ["5 INTERRUPTED is_in_pal: return", "interrupted_upcall: return"],
    ...BACK,
    ["3 LA.6 the host syscall returns -EINTR", "PalStreamRead: return to the LibOS"],
    ["8 ERESTARTSYS", "libos_syscall_read: pal_to_unix_errno; -EINTR becomes a restart code"],
    ["T1 retval stored", "libos_emulate_syscall: context.rax := ret"],
    ["T2 handle_signal", "libos_emulate_syscall: handle_signal(context)"],
    ...HANDLE,
    ...TAIL,
    HANDLER,
  ],
};

const atExit: SpecDiagram = {
  name: "linux-at-syscall-exit",
  sections: "6 K1 to K3, 5 T1 to T6",
  program: { main: [on("SIGUSR1"), raise("SIGUSR1")] },
  options: [],
  interval: { from: "libos_emulate_syscall: tcb.context.syscall_nr := number", nth: 2, to: "handler quick: quick()" },
  order: [
    ["5 regs := ctx, syscall_nr := nr, call", "libos_emulate_syscall: libos_syscall_table[number](arguments)"],
    ["6 own pid: kill_current_proc", "libos_syscall_kill: kill_current_proc(info)"],
    ["K1 sig 0", "kill_current_proc: signal 0?"],
    ["K2 queue on the process", "kill_current_proc: append_signal(NULL, info)"],
    ["K2 (libos_signal.c:849-884) a block of the heap", "append_signal: malloc(signal)"],
    ["K2 slot taken or ring full: dropped", "append_signal: queue_append_signal"],
    ["K2 (libos_signal.c:881) free(signal)", "append_signal: free(signal)"],
    ["K3 application code?", "kill_current_proc: an internal thread?"],
    ["K3 with the signal unmasked: done", "kill_current_proc: does this thread let it through?"],
    ["T1 retval stored", "libos_emulate_syscall: context.rax := ret"],
    ["T2 handle_signal", "libos_emulate_syscall: handle_signal(context)"],
    ...HANDLE,
    ...TAIL,
    HANDLER,
  ],
};

const nested: SpecDiagram = {
  name: "linux-nested",
  sections: "5 H7, rt_sigreturn",
  program: {
    main: [on("SIGUSR1", "outer"), on("SIGUSR2"), raise("SIGUSR1")],
    handlers: { outer: [raise("SIGUSR2"), { compute: "1us" }] },
  },
  options: [],
  interval: { from: "handler outer: outer()", to: "handler outer: handler returns" },
  order: [
    ["the first handler makes a system call", "handler outer: kill(self, SIGUSR2)"],
    ["K2", "append_signal: queue_append_signal"],
    ["T2 handle_signal, in the handler's own call", "libos_emulate_syscall: handle_signal(context)"],
    ["H7 the mask is replaced", "handle_signal: old_mask := saved_sigmask or signal_mask"],
    ["H8 a second frame below the first", "handle_signal: prepare_sigframe"],
    HANDLER,
    ["its end: rt_sigreturn is a system call", "__restore_rt (application): rt_sigreturn"],
    ["the frame's registers and mask", "libos_syscall_rt_sigreturn: restore_sigreturn_context"],
    ["mask := uc_sigmask", "libos_syscall_rt_sigreturn: signal_mask := uc_sigmask"],
    ["not in a system call: no restart", "libos_syscall_rt_sigreturn: tcb.context.syscall_nr := -1"],
    ["T2 what is pending now", "libos_emulate_syscall: handle_signal(context)"],
    ["the interrupted call's result", "libc kill: back in the application"],
    ["the first handler goes on", "handler outer: compute"],
  ],
};

const fault: SpecDiagram = {
  name: "linux-fault",
  sections: "3 LS, 5 MEMFAULT, H1 to H10",
  program: {
    main: [on("SIGSEGV", "mends"), { fault: { what: "memory", address: 16 } }, "getpid"],
    handlers: { mends: ["skip-fault"] },
  },
  options: [],
  interval: { from: "program main: fault: memory", to: "handler mends: mends()" },
  order: [
    ["3 LS.1 SIGSYS?", "handle_sync_signal: not SIGSYS by seccomp?"],
    ["event by number", "handle_sync_signal: event by the signal's number"],
    ["3 LS.2 RIP in PAL or vDSO", "handle_sync_signal: RIP in PAL or vDSO?"],
    ["3 LS.3 is_in_pal false, addr = si_addr", "handle_sync_signal: perform_signal_handling(event, false, si_addr, uc)"],
    ["3 LA.4 upcall", "perform_signal_handling: upcall"],
    ["5 MEMFAULT internal or RIP in LibOS", "memfault_upcall: an internal thread, or RIP in the LibOS?"],
    ["5 MEMFAULT VMA of addr: none", "memfault_upcall: no VMA for the address?"],
    ["5 MEMFAULT SIGSEGV SEGV_MAPERR forced", "memfault_upcall: force_signal(SIGSEGV, SEGV_MAPERR)"],
    ["5 MEMFAULT handle_signal", "memfault_upcall: handle_signal(context)"],
    ["H2 forced signal", "handle_signal: get_forced_signal"],
    ["H4", "handle_signal: its disposition"],
    ["H7", "handle_signal: old_mask := saved_sigmask or signal_mask"],
    ["H8", "handle_signal: prepare_sigframe"],
    ...BACK,
    ["the handler", "handler mends: mends()"],
  ],
};

const rawSyscall: SpecDiagram = {
  name: "linux-raw-syscall",
  sections: "2.4, 3 LS.1, 5 ILLEGAL",
  program: { main: [{ fault: { what: "syscall" } }, "getpid"] },
  options: [],
  interval: { from: "program main: fault: syscall", to: "program main: getpid()" },
  order: [
    ["2.4 seccomp: SIGSYS", "(outside): the kernel pushes a signal frame"],
    ["3 LS.1 the ucontext is rewound", "handle_sync_signal: ucontext_revert_syscall"],
    ["3 LS.3", "handle_sync_signal: perform_signal_handling"],
    ["5 ILLEGAL internal, RIP in LibOS, no VMA", "illegal_upcall: an internal thread"],
    ["5 ILLEGAL bytes at RIP are syscall", "illegal_upcall: is it a syscall instruction?"],
    ["5 ILLEGAL RIP := libos_syscall_entry", "illegal_upcall: context: RIP := libos_syscall_entry"],
    ...BACK,
  ],
};

const quit: SpecDiagram = {
  name: "linux-sigterm-in-app",
  sections: "3 LA, 5 QUIT, P2",
  program: { main: [on("SIGTERM"), { compute: "5ms" }], signals: [{ signal: "SIGTERM", when: { at: "3ms" } }] },
  options: ["sigterm-injection"],
  interval: { from: "(outside): the kernel pushes a signal frame", to: "handler quick: quick()" },
  order: [
    ...ASYNC,
    ["5 QUIT injection off", "quit_upcall: sys.enable_sigterm_injection off?"],
    ["5 QUIT CAS injected 0 -> 15", "quit_upcall: g_host_injected_signal: 0 exchanged with SIGTERM"],
    ["5 QUIT no thread / internal / RIP in LibOS / is_in_pal", "quit_upcall: no thread, an internal one"],
    ["5 QUIT handle_signal(ctx)", "quit_upcall: handle_signal(context)"],
    ["P2 both counters 0", "pop_unblocked_signal: both counters of pending signals 0?"],
    ["P2 the injected word", "pop_unblocked_signal: g_host_injected_signal == 0?"],
    ["P2 SIGTERM in the mask?", "pop_unblocked_signal: SIGTERM in the mask?"],
    ["P2 taken: -1 for ever", "pop_unblocked_signal: g_host_injected_signal exchanged with -1"],
    ["H4", "handle_signal: its disposition"],
    ["H8", "handle_signal: prepare_sigframe"],
    ...BACK,
    HANDLER,
  ],
};

const exit: SpecDiagram = {
  name: "linux-exit-group",
  sections: "7.1 with its correction",
  program: { main: [{ clone: "worker" }, { nanosleep: "1ms" }, "exit-group"], programs: { worker: [{ read: { from: "pipe" } }] } },
  options: [],
  interval: {
    from: "libos_syscall_exit_group",
    to: "host exit: exit: the thread is gone",
    fold: [
      {
        after: "kill_other_threads: wait for the others",
        before: "kill_other_threads: the last one?",
        as: "yield, and look again whether they have gone",
      },
    ],
  },
  order: [
    ["process_exit: first caller only", "process_exit: the first one?"],
    ["kill_other_threads", "process_exit: kill_other_threads()"],
    ["mark every other thread time_to_die", "kill_other_threads: mark_thread_to_die"],
    ["only the marking that changes the flag wakes", "kill_other_threads: it was set before?"],
    ["thread_wakeup", "kill_other_threads: thread_wakeup(thread)"],
    ["SIGCONT", "kill_other_threads: PalThreadResume(thread)"],
    ["yield", "kill_other_threads: PalThreadYieldExecution()"],
    ["repeat until alone", "kill_other_threads: the last one?"],
    ["thread_exit", "process_exit: thread_exit(error_code, term_signal)"],
    ["file_lock_clear_pid", "thread_exit: file_lock_clear_pid(pid)"],
    ["detach_all_fds", "thread_exit: detach_all_fds"],
    ["IPC_MSG_CHILDEXIT to the parent", "thread_exit: ipc_cld_exit_send(error_code, term_signal)"],
    ["stops the async worker: flag", "terminate_async_worker: async_worker_shutdown := 1"],
    ["pipe", "terminate_async_worker: set_pollable_event(install_new_event): PalStreamWrite"],
    ["spins until it ended", "terminate_async_worker: spin until the worker has left the PAL"],
    ["release id", "thread_exit: libos_clean_and_exit: release_id(tid)"],
    ["IPC worker: pipe", "terminate_ipc_worker: set_pollable_event(worker): PalStreamWrite"],
    ["spin", "terminate_ipc_worker: spin until the worker has left the PAL"],
    ["exit code", "thread_exit: libos_clean_and_exit: PalProcessExit(exit code)"],
  ],
};

const threadDies: SpecDiagram = {
  name: "linux-thread-is-killed",
  sections: "5 H1, 7.2, 3 LX",
  program: { main: [{ clone: "worker" }, { nanosleep: "1ms" }, "exit-group"], programs: { worker: [{ read: { from: "pipe" } }] } },
  options: [],
  interval: { from: "(outside): the kernel pushes a signal frame", to: "host exit: exit: the thread is gone", threads: ["worker"] },
  order: [
    ...ASYNC,
    ["5 INTERRUPTED is_in_pal: return", "interrupted_upcall: return"],
    ["T2", "libos_emulate_syscall: handle_signal(context)"],
    ["H1 time_to_die -> thread_exit", "handle_signal: time_to_die?"],
    ["7.2 off the list", "thread_exit: off g_thread_list"],
    ["7.2 cleanup event to the async worker", "thread_exit: install_async_event(cleanup_thread)"],
    ["7.2 clears its TCB's thread pointer", "thread_exit: tcb.tp := NULL"],
    ["3 LX async signals blocked", "PalThreadExit: block SIGTERM and SIGCONT"],
    ["3 LX sigaltstack off, the stack is free", "PalThreadExit: no alternate stack; the thread's stack is free"],
    ["3 LX the word := 0", "PalThreadExit: clear_child_tid := 0"],
    ["3 LX exit", "host exit: exit"],
  ],
};

const childExit: SpecDiagram = {
  name: "linux-child-exit",
  sections: "7.3, 7.4",
  program: { main: [on("SIGCHLD"), { fork: "child" }, { wait4: {} }], programs: { child: [{ nanosleep: "5ms" }, "exit-group"] } },
  options: [],
  interval: {
    from: "ipc_worker_main: the message",
    nth: 2,
    to: "mark_child_exited: return",
    threads: ["ipc-worker"],
  },
  order: [
    ["7.3 mark_child_exited under children_lock", "mark_child_exited: lock(children_lock)"],
    ["7.3 child -> zombie (always), wait_queue taken", "mark_child_exited: from children to zombies"],
    ["7.3 kill_current_proc(child's termination signal)", "mark_child_exited: kill_current_proc"],
    ["K4 the first other thread, in tid order", "kill_current_proc: walk_thread_list(wakeup_one_thread_on_signal)"],
    ["K4 its SIGCONT, with children_lock held", "wakeup_one_thread_on_signal: PalThreadResume(thread)"],
    ["7.3 after unlock", "mark_child_exited: unlock(children_lock)"],
    ["7.3 wakes all waiters", "mark_child_exited: thread_wakeup"],
  ],
};

export const GRAMINE_LINUX_DIAGRAMS: SpecDiagrams = {
  stack: "linux",
  folder: "gramine",
  specification: "gramine-today.md",
  file: "gramine-linux.ts",
  diagrams: [inApp, inCall, atExit, nested, fault, rawSyscall, quit, exit, threadDies, childExit],
};
