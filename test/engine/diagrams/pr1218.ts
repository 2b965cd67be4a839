/** Flows of pull request 1218 beside the code's steps, function by function (shim_signal.c, shim_sigaction.c, syscallas.S at 32a89d1d2). */

import { ALTERNATE, CHAINED, IN_APPLICATION, IN_CALL, IN_EXIT } from "../../support/pr1218-scenarios.ts";
import type { SpecDiagram, SpecDiagrams } from "./spec.ts";

const QUEUED = [
  ["signal.c:128 calloc(shim_signal)", "deliver_signal: calloc(shim_signal)"],
  ["signal.c:133 __disable_preempt", "deliver_signal: tcb.context.preempt + 1"],
  ["signal.c:137 allocate_signal_log", "deliver_signal: allocate_signal_log"],
  ["signal.c:70 has_signal + 1, set MAY_DELIVER_SIGNAL", "allocate_signal_log: has_signal + 1, set"],
  ["signal.c:139 *signal_log = signal", "deliver_signal: append signal"],
  ["signal.c:145 preempt <= 1", "deliver_signal: preempt > 1?"],
  ["signal.c:146 __handle_signal(tcb, sig, context)", "deliver_signal: __handle_signal"],
] as const;

const FRAME = [
  ["signal.c:784 context is the application's", "__handle_signal: context == NULL"],
  ["signal.c:806 the first unmasked one is fetched", "__handle_signal: the first that the mask lets through"],
  ["signal.c:823 get_sighandler", "__handle_signal: get_sighandler"],
  ["signal.c:826 setup_sigframe", "__handle_signal: setup_sigframe"],
  ["signal.c:735 no default action", "setup_sigframe: no default action?"],
  ["signal.c:742 get_signal_stack", "setup_sigframe: get_signal_stack"],
  ["signal.c:744 the frame; 769 RIP := handler", "setup_sigframe: sigframe"],
  ["signal.c:829 free(signal)", "__handle_signal: free(signal)"],
  ["signal.c:149 __enable_preempt", "deliver_signal: tcb.context.preempt - 1"],
] as const;

const SIGRETURN = [
  ["syscallas.S:63 the thread's syscall stack", "syscalldb (rt_sigreturn): syscalldb: RSP"],
  ["sigaction.c:94 handle_next_signal", "shim_do_sigreturn: handle_next_signal"],
  ["sigaction.c:102 regs := uc_mcontext", "shim_do_sigreturn: regs := user_uc->uc_mcontext"],
  ["sigaction.c:123 xstate_restore", "shim_do_sigreturn: xstate_restore"],
  ["syscallas.S:162 test and clear", "syscalldb (rt_sigreturn): CHECK_SIGNAL_PENDING_BIT"],
  ["syscallas.S:231 jump", "syscalldb (rt_sigreturn): jmp *tcb.tmp_rip"],
] as const;

const inApplication: SpecDiagram = {
  name: "async-in-application",
  sections: "steps 1 to 4, 7",
  program: IN_APPLICATION,
  options: [],
  interval: { from: "(outside): the kernel pushes", to: "syscalldb (rt_sigreturn): jmp *tcb.tmp_rip", layers: ["libos", "app"] },
  order: [
    ["signal.c:577 syscallas_return_emulate: the stub is not there", "quit_upcall: syscallas_return_emulate"],
    ["signal.c:579 deliver_signal(SIGTERM, context)", "quit_upcall: deliver_signal"],
    ...QUEUED,
    ...FRAME,
    ...SIGRETURN,
  ],
};

const inExit: SpecDiagram = {
  name: "async-in-stub-exit",
  sections: "step 3",
  program: IN_EXIT,
  options: [],
  interval: { from: "(outside): the kernel pushes", to: "__restore_rt: rt_sigreturn", layers: ["libos", "app"] },
  order: [
    ["signal.c:534 begin <= rip <= end: regs go into the context", "suspend_upcall: syscallas_return_emulate"],
    ["signal.c:589 deliver_signal(SIGINT, context)", "suspend_upcall: deliver_signal"],
    ...QUEUED,
    ...FRAME,
  ],
};

const onSysret: SpecDiagram = {
  name: "sysret",
  sections: "steps 1, 2, 5, 6",
  program: IN_CALL,
  options: [],
  interval: { from: "__check_pending_event: take tcb.pending_event", to: "handler h", layers: ["libos", "app"] },
  order: [
    ["signal.c:589 deliver_signal(SIGINT, NULL)", "suspend_upcall: deliver_signal"],
    ...QUEUED,
    ["signal.c:784 context == NULL", "__handle_signal: context == NULL"],
    ["signal.c:789 set MAY_DELIVER_SIGNAL", "__handle_signal: set SHIM_FLAG_MAY_DELIVER_SIGNAL"],
    ["shim_internal.h:222 handle_sysret_signal", "shim_read: handle_sysret_signal"],
    ["syscallas.S:162 test and clear: set", "syscalldb (read): CHECK_SIGNAL_PENDING_BIT"],
    ["syscallas.S:159 deliver_signal_on_sysret(rax)", "syscalldb (read): deliver_signal_on_sysret"],
    ["signal.c:982 clear the flag", "deliver_signal_on_sysret: clear"],
    ["signal.c:988 get_signal_to_deliver", "deliver_signal_on_sysret: get_signal_to_deliver"],
    ["signal.c:915 fetch_signal_log", "get_signal_to_deliver: the next that the mask lets through"],
    ["signal.c:921 get_sighandler", "get_signal_to_deliver: get_sighandler"],
    ["signal.c:996 no default action", "deliver_signal_on_sysret: no default action?"],
    ["signal.c:1001 get_signal_stack", "deliver_signal_on_sysret: get_signal_stack"],
    ["signal.c:1004 the frame", "deliver_signal_on_sysret: sigframe"],
    ["signal.c:1053 free(signal)", "deliver_signal_on_sysret: free(signal)"],
    ["signal.c:1056 xstate_reset", "deliver_signal_on_sysret: xstate_reset"],
    ["syscallas.S:162 test and clear: once more", "syscalldb (read): CHECK_SIGNAL_PENDING_BIT"],
    ["syscallas.S:231 jump to the handler", "syscalldb (read): jmp *tcb.tmp_rip"],
  ],
};

const chained: SpecDiagram = {
  name: "sigreturn-chain",
  sections: "step 7",
  program: CHAINED,
  options: [],
  interval: { from: "syscalldb (rt_sigreturn): syscalldb: RSP", to: "handler h", layers: ["libos", "app"] },
  order: [
    ["sigaction.c:94 handle_next_signal", "shim_do_sigreturn: handle_next_signal"],
    ["signal.c:947 get_signal_to_deliver: SIGTERM", "handle_next_signal: get_signal_to_deliver"],
    ["signal.c:954 restorer and registers; neither siginfo nor a default action", "handle_next_signal: sigframe: restorer; regs"],
    ["signal.c:963 free", "handle_next_signal: free(signal)"],
    ["sigaction.c:95 xstate_reset", "shim_do_sigreturn: xstate_reset"],
    ["syscallas.S:231 jump to the handler", "syscalldb (rt_sigreturn): jmp *tcb.tmp_rip"],
  ],
};

const alternate: SpecDiagram = {
  name: "sigaltstack",
  sections: "steps 4, 9",
  program: ALTERNATE,
  options: [],
  interval: { from: "libc sigaltstack: syscalldb()", to: "program main: getpid()", layers: ["libos", "app"] },
  order: [
    ["sigaction.c:190 lock", "shim_do_sigaltstack: lock(cur->lock)"],
    ["sigaction.c:219 *cur_ss = *ss", "shim_do_sigaltstack: on the active alternate stack"],
    ["signal.c:712 the top of the alternate stack", "setup_sigframe: get_signal_stack"],
    ["signal.c:744 the frame there", "setup_sigframe: sigframe"],
    ["sigaction.c:199 on it: -EPERM", "shim_do_sigaltstack: on the active alternate stack"],
    ["signal.c:710 a second handler: below the first", "setup_sigframe: get_signal_stack"],
  ],
};

export const PR1218_DIAGRAMS: SpecDiagrams = {
  stack: "pr1218",
  folder: "pr1218",
  specification: "pr347.md 3,",
  file: "pr1218.ts",
  diagrams: [inApplication, inExit, onSysret, chained, alternate],
};
