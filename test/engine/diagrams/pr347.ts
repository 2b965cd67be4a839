/** Flows of pull request 347 beside the rows of its specification (pr347.md 2 with errata-2, reference 4.3), in its order. */

import { on } from "../../support/run-scenario.ts";
import type { SpecDiagram, SpecDiagrams } from "./spec.ts";

const FRAME = [
  ["c1 a frame below the application's stack, red zone kept", "__setup_sig_frame: sp := event->uc, RSP - 128"],
  ["c1 fpstate, siginfo, ucontext, restorer; mask of the host's", "__setup_sig_frame: sigframe below it"],
  ["c1 event->uc: RIP := handler", "__setup_sig_frame: event->uc: RIP := handler"],
] as const;

const inApp: SpecDiagram = {
  name: "async-in-app",
  sections: "c1",
  program: { main: [on("SIGTERM"), { compute: "5ms" }], signals: [{ signal: "SIGTERM", when: { at: "3ms" } }] },
  options: [],
  interval: { from: "(outside): the kernel pushes a signal frame", to: "handler quick: quick()" },
  order: [
    ["the base's PAL and upcall", "quit_upcall: deliver_signal(info, context = NULL)"],
    ["c2 preempt > 1, blocked, or sent to self: queued", "deliver_signal: preempt > 1, or the mask blocks it"],
    ["c1 an older one of the number first", "deliver_signal: __handle_signal(sig, &signal->context, event)"],
    ["c1 else the new one", "deliver_signal: __handle_one_signal(sig, signal, event)"],
    ["c1 the handler and the restorer", "__handle_one_signal: get_signal_handler"],
    ["c1 allowed: not LibOS or in a range, and not DkInPal", "__handle_one_signal: event->context: RIP in the LibOS or the PAL?"],
    ...FRAME,
    ["DkExceptionReturn: the host's frame is rewritten", "_DkExceptionReturn: update event.uc registers"],
    ["rt_sigreturn leads to the handler", "__restore_rt: rt_sigreturn"],
    ["the handler, in the application's own context", "handler quick: quick()"],
  ],
};

const inLibos: SpecDiagram = {
  name: "async-in-pal",
  sections: "c2 on the Linux PAL",
  program: { main: [on("SIGINT"), { read: { from: "pipe" } }], signals: [{ signal: "SIGINT", when: { thread: "main", call: "read" } }] },
  options: [],
  interval: { from: "(outside): the kernel pushes a signal frame", to: "libc read: back in the application" },
  order: [
    ["async events in PAL text are still pended", "_DkTerminateSighandler: RIP in PAL text?"],
    ["and arrive at LEAVE with uc NULL", "__check_pending_event"],
    ["RIP in LibOS or PAL: not appended, only a bit", "__handle_one_signal: set SHIM_FLAG_SIGPENDING"],
  ],
};

const atExit: SpecDiagram = {
  name: "at-syscall-exit",
  sections: "c3, c4, c7",
  program: { main: [on("SIGUSR1"), { tgkill: { thread: "self", signal: "SIGUSR1" } }] },
  options: [],
  interval: { from: "shim_do_tgkill: deliver_signal(info, NULL) to self", to: "handler quick: quick()" },
  order: [
    ["c7 event NULL forces the queue", "deliver_signal: into the ring?"],
    ["c7 append", "deliver_signal: append signal to thread->signal_logs[sig]"],
    ["END_SHIM", "shim_tgkill: END_SHIM"],
    ["c3 SIGPENDING is cleared", "handle_sysret_signal: clear SHIM_FLAG_SIGPENDING"],
    ["c3 and set again iff has_signal > 0", "handle_sysret_signal: set SHIM_FLAG_SIGPENDING"],
    ["c3 the stub tests has_signal", "syscalldb (tgkill): CHECK_SIGNAL_PENDING: has_signal against 0"],
    ["c4 deliver_signal_on_sysret", "syscalldb (tgkill): deliver_signal_on_sysret"],
    ["c4 the loop for one that the mask lets through", "__get_signal_to_deliver: the first that the mask lets through"],
    ["c4 user registers to the lower end", "deliver_signal_on_sysret: memcpy(regs, tcb.context.regs)"],
    ["c4 frame, mask := empty", "deliver_signal_on_sysret: sigframe"],
    ["c4 to the handler", "syscalldb (tgkill): popq; retq"],
    ["the handler", "handler quick: quick()"],
  ],
};

const nested: SpecDiagram = {
  name: "nested",
  sections: "c1, c9",
  program: {
    main: [on("SIGTERM", "outer"), on("SIGINT"), { compute: "5ms" }],
    handlers: { outer: [{ compute: "50us" }] },
    signals: [
      { signal: "SIGTERM", when: { at: "3ms" } },
      { signal: "SIGINT", when: { thread: "main", handler: "SIGTERM" } },
    ],
  },
  options: [],
  interval: { from: "handler outer: outer()", to: "handler outer: handler returns" },
  order: [
    ["another signal finds the application's code", "suspend_upcall: deliver_signal(info, context = NULL)"],
    ...FRAME,
    ["the second handler runs inside the first", "handler quick: quick()"],
    ["its end: rt_sigreturn", "__restore_rt (application): rt_sigreturn"],
    ["c9 clear the bit", "shim_do_sigreturn: clear SHIM_FLAG_SIGPENDING"],
    ["c9 next signal?", "shim_do_sigreturn: handle_next_signal(user_uc)"],
    ["c9 else restore", "shim_do_sigreturn: __sigreturn(&user_uc->uc_mcontext)"],
    ["c9 if the bit was set meanwhile, try again", "__sigreturn: CHECK_SIGNAL_PENDING_BIT"],
    ["c10 the word below the red zone", "__sigreturn: RSP := uc_mcontext; popq; the word below the red zone := RIP"],
    ["c10 jump", "__sigreturn: jmp *-128-8(%rsp)"],
    ["the first handler goes on", "handler outer: handler returns"],
  ],
};

const sigreturn: SpecDiagram = {
  name: "sigreturn-chains",
  sections: "c8, c9",
  program: {
    main: [on("SIGINT"), on("SIGTERM"), { accept: { on: "listener" } }, "getpid"],
    signals: ["SIGINT", "SIGTERM"].map((signal) => ({ signal, thread: "main", when: { at: "2ms" } })),
  },
  options: [],
  interval: { from: "shim_do_sigreturn: clear SHIM_FLAG_SIGPENDING", to: "syscalldb (rt_sigreturn): popq; retq by the word of the frame" },
  order: [
    ["c9 clear the bit", "shim_do_sigreturn: clear SHIM_FLAG_SIGPENDING"],
    ["c9 next signal -> c8", "shim_do_sigreturn: handle_next_signal(user_uc)"],
    ["c8 the frame is used again, its siginfo as it is", "handle_next_signal"],
    ["c8 returns by the word of the frame (errata-2, the wild return)", "syscalldb (rt_sigreturn): popq; retq by the word of the frame"],
  ],
};

const fault: SpecDiagram = {
  name: "fault",
  sections: "c1 for a fault",
  program: { main: [on("SIGSEGV", "mends"), { fault: { what: "memory", address: 16 } }, "getpid"], handlers: { mends: ["skip-fault"] } },
  options: [],
  interval: { from: "program main: fault: memory", to: "handler mends: mends()" },
  order: [
    ["the base's PAL and upcall", "memfault_upcall"],
    ["c1", "deliver_signal: __handle_one_signal(sig, signal, event)"],
    ...FRAME,
    ["rt_sigreturn leads to the handler", "__restore_rt: rt_sigreturn"],
    ["the handler", "handler mends: mends()"],
  ],
};

export const PR347_DIAGRAMS: SpecDiagrams = {
  stack: "pr347",
  folder: "pr347",
  specification: "pr347.md 2, graphene-signals.md 4.3",
  file: "pr347.ts",
  diagrams: [inApp, inLibos, atExit, nested, sigreturn, fault],
};
