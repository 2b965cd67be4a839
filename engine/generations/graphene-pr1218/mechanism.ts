/** The page of `eintr explain graphene-pr1218`. */

import type { Mechanism, Told } from "../../stack/mechanism.ts";

const told = (source: string, ...text: readonly string[]): Told => ({ text, source });

export const graphenePr1218Mechanism: Mechanism = {
  state: told(
    "pr347.md 3; errata-2 section 3; shim_signal.c and syscallas.S at 32a89d1d2",
    "An asynchronous event in the PAL's text is kept for the end of the PAL call, as in 2019, and comes then without a context.",
    "deliver_signal puts every signal into the thread's ring before it looks at anything else, and sets a flag (MAY_DELIVER_SIGNAL). With a lock " +
      "of the LibOS held (preempt above 1) that is all.",
    "Then __handle_signal looks at what was interrupted. In the application one signal that the mask lets through gets its frame now. In the " +
      "LibOS or the PAL, or without a context, the flag is all there is.",
    "An upcall that has interrupted the last instructions of the stub, behind its look at the flag, makes them itself first " +
      "(syscallas_return_emulate): what was interrupted is the application then.",
    "append_signal, for another thread, looks up the disposition: what is ignored and not blocked is dropped, what is ignored and blocked is kept " +
      "without waking anybody. All else is kept, and the thread is woken by its event and by SIGCONT, whether it blocks the signal or not.",
    "END_SHIM clears the flag and sets it again when anything is in the ring. The stub tests and clears it at once before the application runs, " +
      "and again after each signal.",
  ),
  handlers: told(
    "pr347.md 3, steps 4, 6, 7, 9; errata-2 section 3; shim_signal.c at 32a89d1d2",
    "The LibOS runs on a stack of its own. The registers of a call are in shim_regs there: whoever changes them decides where the call returns to.",
    "A handler runs on a frame on the application's stack, below the red zone, or on the alternate stack as soon as there is one: SA_ONSTACK is " +
      "not looked at.",
    "When the application was interrupted, the host handler's own frame gets the handler's address, and the host's sigreturn goes there.",
    "What was left in the ring gets its frame on the way out of a call (deliver_signal_on_sysret), one signal at a time, with the call's result in it.",
    "rt_sigreturn is a call like others: it puts the registers of the frame into shim_regs, or, with another signal in the ring, the next handler, " +
      "which uses the same frame. The mask is not restored: no delivery changes it.",
    "A default action that ends something is called by the LibOS (sighandler_kill), and nobody comes back from it. SIGABRT, and SIGTERM and SIGINT " +
      "of the host, end the process with all its threads; any other ends one thread.",
  ),
  nesting: told(
    "pr347.md 3, steps 2, 4, 7, 9",
    "Nothing of the host or the LibOS is below a handler, so another signal makes another frame, one of the same number, too: sa_mask is not " +
      "looked at. A handler may leave by siglongjmp.",
    "On the alternate stack a further frame comes to lie below the one that is in use; sigaltstack answers -EPERM there.",
  ),
  open: told(
    "pr347.md 3; errata-2 section 3; shim_signal.c, shim_exit.c, syscallas.S",
    "A signal that comes after the stub was entered and before the call sleeps does not end the call: its handler runs at the call's end. pause, " +
      "nanosleep and sigsuspend look for one before they sleep.",
    "deliver_signal begins with a calloc, which takes slab_mgr_lock (shim_signal.c:128, shim_malloc.c:36-39), and nothing keeps a second signal " +
      "of the host from the thread meanwhile: its own deliver_signal wants the same lock, which the thread holds below it, and waits for ever. So do " +
      "SIGINT and SIGTERM that come at once (case int-and-term; libos-heap-lock-self-deadlock).",
    "With another signal in the ring sigreturn leaves the first one's siginfo in the frame (pr347-tail-siginfo-stale).",
    "handle_next_signal does not ask whether the handler is a default action, unlike the two other places. Its sighandler_kill is where " +
      "rt_sigreturn returns to, on the application's stack, and the siginfo of the signal before decides whether the whole process ends " +
      "(pr347-default-action-as-handler).",
    "append_signal uses up an action with SA_RESETHAND: what is delivered then finds the default action.",
    "A number without a function keeps no shim_regs: a signal that is delivered at its end, or comes in its exit, goes through a NULL pointer.",
    "Nobody asks whether there is room for a frame: a full stack without an alternate one ends the process.",
    "sigsuspend puts the old mask back before the stub looks: a signal that only the new mask lets through ends the call and stays in the ring.",
    "exit_group, and a signal that ends the process, wait for the end of every other thread, for ever if need be: wait4 of another thread " +
      "begins again after each interruption.",
    "SIGALRM has no siginfo, and where it finds the application running, the code hands 0 to the handler as its number (not shown here).",
    "Dispositions belong to threads, kill reaches every thread, a ring has 31 places, and numbers above 31 are never delivered, as in 2019.",
    "The rest of the LibOS and the PAL (streams, poll, futexes, helpers, processes) is that of 2019-03-29 here. Assertions are those of a release " +
      "build: none; whether a core was dumped is not kept.",
  ),
};
