/** The page of `eintr explain graphene-pr347`. */

import type { Mechanism, Told } from "../../stack/mechanism.ts";

const told = (source: string, ...text: readonly string[]): Told => ({ text, source });

export const graphenePr347Mechanism: Mechanism = {
  state: told(
    "4.3; pr347.md c1 to c4; errata-2 section 3",
    "Where the interrupted instruction is: in the application, or in three ranges of LibOS assembly that count as such (is_signal_allowed): the " +
      "stub's entry, its exit behind the test for signals, and the end of sigreturn. There a handler may run.",
    "An asynchronous event in the PAL's text is kept for the end of the PAL call, as in 2019. It comes then without a context.",
    "deliver_signal puts a signal into the thread's ring when a lock of the LibOS is held (preempt above 1), when the mask blocks it, or when the " +
      "thread has sent it to itself. Nothing else is put there by an upcall.",
    "END_SHIM and unlock run no handler. The stub's exit looks at has_signal, and not at the bit that END_SHIM sets.",
  ),
  handlers: told(
    "4.3; pr347.md c1, c4, c9; errata-2 section 3",
    "On a signal frame on the application's stack, below the red zone. The host handler writes the handler's address into its own frame, and the " +
      "host's sigreturn goes there: the host's mask is back before the handler begins.",
    "A signal in the ring gets its frame on the way out of a system call (deliver_signal_on_sysret); the call returns when the handler has.",
    "The restorer calls rt_sigreturn of the LibOS, which restores registers and vector registers from the frame. The mask is not restored: no " +
      "delivery changes it.",
  ),
  nesting: told(
    "4.3; pr347.md c1, c8 to c10",
    "Handlers run in the application's own context with nothing of the LibOS below, so another signal makes another frame. sa_mask is not looked " +
      "at. A handler may leave by siglongjmp.",
    "A signal at the last jump of sigreturn finds the jump made by the upcall, and then its frame.",
  ),
  open: told(
    "pr347.md 2; errata-2 section 3",
    "A signal that finds the LibOS or the PAL running, with no lock held, only sets a bit and is lost (pr347-lost-in-libos): a Ctrl-C in a read of " +
      "a pipe gives -EINTR and no handler. Of one that a PAL call's end brings the context was never written; in rare runs it looks like the " +
      "application's, and the LibOS dies of a NULL pointer (choice point stale).",
    "When one of the same number is taken out of the ring, the new one is dropped (pr347-same-number-drop).",
    "With nothing but blocked signals in the ring the end of a call, and sigreturn, look again for ever (pr347-blocked-pending-spins).",
    "Default actions get a frame like handlers (pr347-default-action-as-handler).",
    "With another signal in the ring sigreturn chooses its handler and does not enter it: the stub returns by a word that leads to the restorer " +
      "(pr347-tail-chain-wild-return). With a third signal it is entered, with the siginfo of the first (pr347-tail-siginfo-stale).",
    "The frame on the way out of a call has no siginfo (pr347-siginfo-garbage).",
    "A wake-up under a lock marks SIGNAL_DELAYED, which nobody clears: the call's assertion ends the process.",
    "Alternate stacks, sa_mask, SA_RESTART and the SGX PAL were left for later.",
  ),
};
