/** Flows of Gramine's SGX PAL beside the specification's steps (gramine-today.md 4, 11, 13), in its words and order. */

import type { OptionName } from "../../../engine/index.ts";
import { on } from "../../support/run-scenario.ts";
import type { SpecDiagram, SpecDiagrams } from "./spec.ts";

const INJECT: readonly OptionName[] = ["sigterm-injection"];
const PAL_LAYERS = ["pal", "untrusted-pal", "host"] as const;
const READ = { read: { takes: "1us", result: 8 } };

const outside: SpecDiagram = {
  name: "sgx-async-outside",
  sections: "4.1 HA, 4.2 (case B)",
  program: {
    main: [on("SIGTERM"), { read: { from: "pipe" } }],
    signals: [{ signal: "SIGTERM", when: { thread: "main", call: "read" } }],
  },
  options: INJECT,
  interval: { from: "ocall_read: sgx_ocall(OCALL_READ)", to: "ocall_read: sgx_reset_ustack()", layers: PAL_LAYERS },
  order: [
    ["4.2.1 save xstate and registers, the caller's RIP, RBP, RSP", "sgx_ocall: save xstate and registers"],
    ["4.2.2 pre_ocall_stack := RSP", "sgx_ocall: pre_ocall_stack := RSP"],
    ["4.2.3 untrusted RSP and exit target", "sgx_ocall: RSP := ustack, RBX := exit_target"],
    ["4.2.3 clear registers", "sgx_ocall (eexit_prepare): clear the registers"],
    ["4.2.3 EEXIT", "sgx_ocall (eexit_prepare): EEXIT"],
    ["4.2.4 count, call the ocall's function", "do_host_ocall: call the ocall's function"],
    ["4.2.4 compare last_async_event with 0", "do_syscall_intr: compare last_async_event with 0"],
    ["4.2.4 the system call", "do_syscall_intr: syscall"],
    ["4.1 HA.3 last_async_event := event", "handle_async_signal: last_async_event := event"],
    ["4.1 HA.4 RIP at the two addresses: not here", "handle_async_signal: RIP between the check and the system call?"],
    ["4.2.5 RDI := result", "do_host_ocall: RDI := result"],
    ["4.2.5 RSI := last_async_event exchanged with 0", "do_host_ocall: RSI := last_async_event exchanged"],
    ["4.2.5 EENTER", "do_host_ocall: EENTER"],
    ["4.2.6 RSP := pre_ocall_stack", "enclave_entry: RSP := pre_ocall_stack"],
    ["4.2.6 pre_ocall_stack := 0", "sgx_ocall: pre_ocall_stack := NULL"],
    ["4.2.7 result in the saved RAX, FSBASE", "sgx_ocall: saved RAX := RDI; FSBASE"],
    ["4.2.8 _PalExceptionHandler(0, event, ...)", "sgx_ocall: _PalExceptionHandler(0, RSI"],
    ["4.4.8 upcall", "_PalExceptionHandler: upcall"],
    ["4.4.9 restore the same context: the ocall returns its result", "_restore_sgx_context: jump to tmp_rip"],
  ],
};

const caseA: SpecDiagram = {
  name: "sgx-ocall-case-a",
  sections: "4.2, 4.3.4 to 4.3.6 (case A)",
  program: {
    main: [on("SIGTERM"), READ],
    pins: [{ signal: "SIGTERM", site: "sgx_ocall (eexit_prepare): EEXIT", in: "read" }],
  },
  options: INJECT,
  interval: { from: "ocall_read: sgx_ocall(OCALL_READ)", to: "ocall_read: sgx_reset_ustack()", layers: PAL_LAYERS },
  order: [
    ["RIP in [eexit_prepare, eexit_done): an asynchronous exit", "(outside): AEX"],
    ["4.1 HA.2 sgx_raise(event)", "handle_async_signal: sgx_raise(event)"],
    ["4.3.1 CSSA is 1", "enclave_entry: CSSA != 1? FAIL_LOOP"],
    ["4.3.2 EXITINFO", "enclave_entry: R14 := SSA[0].EXITINFO"],
    ["4.3.2 event & 0xff", "enclave_entry: R15 := event & 0xff"],
    ["4.3.3 ready_for_exceptions", "enclave_entry: ready_for_exceptions == 0? FAIL_LOOP"],
    ["4.3.4 pre_ocall_stack != 0", "enclave_entry: pre_ocall_stack == NULL"],
    ["4.3.5 SSA[0].RDI := -EINTR", "enclave_entry: case A: SSA[0].RDI := -EINTR"],
    ["4.3.6 SSA[0].RSI := event", "enclave_entry: SSA[0].RSI := event"],
    ["4.3.6 RIP, RSP, pre_ocall_stack", "enclave_entry: SSA[0].RIP := ocall_return_after_stack_restore"],
    ["4.3.12 EEXIT", "enclave_entry: EEXIT to RDX"],
    ["4.3.12 rt_sigreturn", "__restore_rt: rt_sigreturn"],
    ["4.3.12 ERESUME", "async_exit_pointer: ERESUME"],
    ["4.2.7", "sgx_ocall: saved RAX := RDI; FSBASE"],
    ["4.2.8", "sgx_ocall: _PalExceptionHandler(0, RSI"],
  ],
};

const inEnclave: SpecDiagram = {
  name: "sgx-async-in-enclave",
  sections: "4.1 HA, 4.3.7 to 4.3.12, 4.4",
  program: { main: [on("SIGTERM"), { compute: "5ms" }], signals: [{ signal: "SIGTERM", when: { at: "3ms" } }] },
  options: INJECT,
  interval: { from: "(outside): AEX", to: "handler quick", layers: PAL_LAYERS },
  order: [
    ["4.1 HA.2 RIP in the AEP range", "handle_async_signal: RIP at the AEP?"],
    ["4.1 HA.2 sgx_raise(event)", "handle_async_signal: sgx_raise(event)"],
    ["4.1 EENTER with RDI = event, RDX = return address, RCX = AEP", "sgx_raise: EENTER"],
    ["4.3.3", "enclave_entry: ready_for_exceptions == 0? FAIL_LOOP"],
    ["4.3.4", "enclave_entry: pre_ocall_stack == NULL"],
    ["4.3.7", "enclave_entry: ocall_exit_called: ignored"],
    ["4.3.8", "enclave_entry: RIP not in the last three instructions of _restore_sgx_context?"],
    ["4.3.9 a frame on the signal stack", "enclave_entry: a frame on the signal stack"],
    ["4.3.9 the lower half: FAIL_LOOP", "enclave_entry: in its lower half? FAIL_LOOP"],
    ["4.3.10 copy, and rewire SSA[0]", "enclave_entry: copy registers, EXINFO and xstate"],
    ["4.3.11 EXITINFO := 0", "enclave_entry: SSA[0].EXITINFO := 0"],
    ["4.3.12 EEXIT", "enclave_entry: EEXIT to RDX"],
    ["4.3.12 ERESUME", "async_exit_pointer: ERESUME"],
    ["4.4.1 vector invalid: QUIT is kept", "_PalExceptionHandler: no exception, and QUIT or INTERRUPTED"],
    ["4.4.4 RIP in PAL text and sync", "_PalExceptionHandler: in the PAL, and a fault"],
    ["4.4.5 PAL_CONTEXT", "_PalExceptionHandler: PAL_CONTEXT := the saved registers"],
    ["4.4.6 addr", "_PalExceptionHandler: addr"],
    ["4.4.8 upcall", "_PalExceptionHandler: upcall"],
    ["4.4.9 restore", "_restore_sgx_context: jump to tmp_rip"],
  ],
};

const syncInEnclave: SpecDiagram = {
  name: "sgx-sync-in-enclave",
  sections: "4.1 HS, 4.3, 4.4 (#PF with EXINFO)",
  program: { main: [on("SIGSEGV"), { fault: { what: "memory", address: 16 } }], limit: { time: "5ms", transitions: 700 } },
  options: ["exinfo"],
  interval: { from: "program main: fault", to: "handler quick", layers: PAL_LAYERS },
  order: [
    ["4.1 HS.2 RIP in the AEP range", "handle_sync_signal: RIP at the AEP?"],
    ["4.1 HS.2 sgx_raise(event)", "handle_sync_signal: sgx_raise(event)"],
    ["4.3.10", "enclave_entry: copy registers, EXINFO and xstate"],
    ["4.4.2 #PF needs MEMFAULT", "_PalExceptionHandler: does the host report what belongs to the vector?"],
    ["4.4.5 err, cr2 := EXINFO", "_PalExceptionHandler: PAL_CONTEXT := the saved registers; err and cr2 := EXINFO"],
    ["4.4.6 addr := cr2", "_PalExceptionHandler: addr"],
    ["4.4.8 upcall", "_PalExceptionHandler: upcall"],
    ["4.4.9 restore", "_restore_sgx_context: jump to tmp_rip"],
  ],
};

const threadExit: SpecDiagram = {
  name: "sgx-thread-exit",
  sections: "4.5",
  program: { main: [{ clone: "worker" }, { nanosleep: "10ms" }], programs: { worker: ["getpid"] } },
  options: [],
  interval: { from: "PalThreadExit: tcb.clear_child_tid", to: "host exit: exit: the thread is gone", threads: ["worker"] },
  order: [
    ["_PalThreadExit: the handle is off the list", "PalThreadExit: tcb.clear_child_tid := clear_child_tid; off g_thread_list"],
    ["OCALL_EXIT", "ocall_exit: sgx_ocall(OCALL_EXIT)"],
    ["4.2.2 ocall_exit_called := 1", "sgx_ocall: ocall_exit_called := 1"],
    ["the host blocks TERM and CONT", "sgx_ocall_exit: block_async_signals(true)"],
    ["ECALL_THREAD_RESET", "sgx_ocall_exit: ecall_thread_reset()"],
    ["ready := 0", "enclave_entry: ready_for_exceptions := 0"],
    ["exit_called 0: FAIL_LOOP", "enclave_entry: ocall_exit_called == 0?"],
    ["clear_child_tid word := 0", "enclave_entry: clear_child_tid := 0"],
    ["started, exit_called, pre_ocall_stack := 0", "enclave_entry: thread_started, ocall_exit_called, pre_ocall_stack := 0"],
    ["unmap TCS", "sgx_ocall_exit: unmap_my_tcs()"],
    ["no enclave thread left: process exit", "sgx_ocall_exit: no enclave thread left? process_exit()"],
    ["exit", "thread_exit (host): munmap the stack; exit"],
  ],
};

const exitless: SpecDiagram = {
  name: "sgx-exitless",
  sections: "11, X1",
  program: {
    main: [on("SIGUSR1"), { clone: "sender" }, { read: { from: "pipe" } }],
    programs: { sender: [{ nanosleep: "10ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
  },
  options: ["exitless"],
  interval: {
    from: "ocall_read: sgx_exitless_ocall(OCALL_READ)",
    to: "ocall_read: sgx_reset_ustack()",
    nth: 1,
    layers: PAL_LAYERS,
    fold: [{ after: "sgx_exitless_ocall: CPU_RELAX", before: "sgx_exitless_ocall: lock := LOCKED_WITH_WAITERS", as: "more turns" }],
  },
  order: [
    ["request on the untrusted stack, lock it", "sgx_exitless_ocall: a request on the untrusted stack, its lock taken"],
    ["enqueue", "sgx_exitless_ocall: rpc_enqueue"],
    ["spin 10^6", "sgx_exitless_ocall: spinlock_lock_timeout"],
    ["OCALL_FUTEX wait on the request's lock", "sgx_exitless_ocall: sgx_ocall(OCALL_FUTEX): wait for the lock"],
    ["every host signal sends USR2 to all RPC threads", "handle_async_signal: tkill(SIGUSR2) to every RPC thread"],
    ["X1 the futex wait ends with EINTR", "sgx_exitless_ocall: a failure that is not -EAGAIN?"],
    ["X1 resets the untrusted stack and returns -EPERM", "sgx_exitless_ocall: sgx_reset_ustack(), the request with it; -EPERM"],
  ],
};

const notify: SpecDiagram = {
  name: "sgx-aex-notify",
  sections: "13 (A1, A2, A5, A6)",
  program: { main: [on("SIGTERM"), { compute: "5ms" }], signals: [{ signal: "SIGTERM", when: { at: "3ms" } }] },
  options: ["sigterm-injection", "aex-notify"],
  interval: { from: "(outside): AEX", to: "handler quick", layers: PAL_LAYERS },
  order: [
    ["A1 async -> last_async_event", "handle_async_signal: last_async_event := event"],
    ["A2 sync first", "maybe_raise_pending_signal: last_sync_event exchanged"],
    ["A2 else async, exchanged with 0", "maybe_raise_pending_signal: last_async_event exchanged"],
    ["A2 sgx_raise", "maybe_raise_pending_signal: sgx_raise(event)"],
    ["A5 ready_for_aex_notify", "enclave_entry: ready_for_aex_notify?"],
    ["A5 bit of SSA[0] := 0", "enclave_entry: SSA[0].AEXNOTIFY := 0"],
    ["A5 registers from SSA[0]", "enclave_entry: registers := those of SSA[0]"],
    ["A5 EDECCSSA", "enclave_entry: EDECCSSA"],
    ["A5 jump to stage 2", "enclave_entry (aexnotify_finaljmp): jump to R11"],
    ["A6 the outermost restore sets the bit again", "_PalExceptionHandler: restore_sgx_context: SSA[0].AEXNOTIFY := 1"],
  ],
};

export const GRAMINE_SGX_DIAGRAMS: SpecDiagrams = {
  stack: "sgx",
  folder: "gramine",
  specification: "gramine-today.md",
  file: "gramine-sgx.ts",
  diagrams: [outside, caseA, inEnclave, syncInEnclave, threadExit, exitless, notify],
};
