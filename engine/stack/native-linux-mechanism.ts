/** The page of `eintr explain native-linux`. */

import type { Mechanism } from "./mechanism.ts";

export const nativeLinuxMechanism: Mechanism = {
  state: {
    text: [
      "The kernel keeps pending signals of each thread and of each process, a mask for each thread and actions for each process. It looks at " +
        "them when a thread goes back to user mode: signals that an instruction raised come first, else the lowest number that is not blocked.",
      "A signal for a process wakes its first thread if that does not block it, else any thread that does not.",
      "A call that sleeps ends with a restart code. Without a handler, or with SA_RESTART where the call allows it, it is made again; else the " +
        "application gets EINTR.",
    ],
    source: "1.2; signal(7)",
  },
  handlers: {
    text: [
      "In a frame on the application's stack, or on its alternate stack with SA_ONSTACK. The frame holds registers, mask and siginfo; " +
        "rt_sigreturn puts them back.",
    ],
    source: "1.2; sigaction(2), sigreturn(2)",
  },
  nesting: {
    text: [
      "While a handler runs, its own signal and sa_mask are blocked (its own signal is not with SA_NODEFER). Every other signal interrupts it; " +
        "when several are to be delivered at once, each gets a frame, and the last one runs first.",
      "Of a standard signal that is pending another one is dropped; real-time signals queue.",
    ],
    source: "1.2; signal(7)",
  },
  open: {
    text: [
      "A signal that comes before a call has begun to sleep does not end it: the application closes that window with the masks of sigsuspend, " +
        "ppoll, pselect and epoll_pwait, or with signalfd.",
      "A fault while its signal is blocked kills the process.",
    ],
    source: "1.2; pselect(2)",
  },
};
