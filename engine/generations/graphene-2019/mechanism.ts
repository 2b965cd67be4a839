/** The pages of `eintr explain graphene-linux` and `eintr explain graphene-sgx`. */

import type { Mechanism, Told } from "../../stack/mechanism.ts";

/** The LibOS decides the same on both PALs. */
const DECISION = [
  "The LibOS has a counter for each thread, preempt: it is up while a lock is held and while a signal is worked on. At zero, with the signal " +
    "not in the thread's mask, deliver_signal calls the handler; else the signal goes into a ring of the thread, which holds 31 of each number.",
  "The ring is emptied at the end of each system call (END_SHIM), at an unlock that brings preempt to zero, and when another thread wakes " +
    "this one (resume_upcall). Numbers from 32 on are only found with another of the same number.",
] as const;

const NESTED = [
  "preempt is up while a handler runs, so a signal that comes meanwhile goes into the ring, blocked or not. It is taken at the next place " +
    "with preempt at zero: in a program that makes no call, never.",
  "The thread's mask is not changed while a handler runs; sa_mask and SA_NODEFER are not looked at.",
  "resume_upcall, and a system call that a handler makes while the ring holds something, mark SIGNAL_DELAYED in the same counter; the end of " +
    "a call then finds it changed, and its assertion ends the process.",
] as const;

const OPEN = [
  "sigsuspend does not look whether a signal is pending, and sleeps with the thread's lock held: who would send to it waits for that lock.",
  "poll, select, epoll_wait, wait4, semop and msgrcv do not tell of an interruption; the masks of ppoll, pselect and epoll_pwait are not taken.",
  "kill reaches every thread of a process. Dispositions belong to the thread. A default action ends one thread.",
  "SA_RESTART, alternate stacks, setitimer, signalfd, sigtimedwait and timers do not work; an alarm can be cancelled or come early.",
  "A handler that leaves by siglongjmp leaves preempt raised.",
] as const;

const told = (source: string, ...text: readonly string[]): Told => ({ text, source });

export const grapheneLinuxMechanism: Mechanism = {
  state: told(
    "2.7 to 2.9, 2.12, 2.13, 4.1",
    "The host handler (_DkTerminateSighandler) looks where the signal hit. In the PAL's text the event is kept (pending_event, then a queue), and " +
      "the PAL call's end looks for it (__check_pending_event). Elsewhere the LibOS is called at once, inside the host handler.",
    "A fault in the PAL's text ends the thread, and nobody tells the LibOS.",
    ...DECISION,
  ),
  handlers: told(
    "2.8, 2.10, 2.12, 4.1",
    "As a function that the LibOS calls, on the stack that was in use. After a PAL call that is the normal context; where the signal hit the " +
      "application or the LibOS it is the host's signal context, which lasts until the handler returns: the host's mask for it stays on.",
    "Registers that the handler changes in its context go back into the interrupted code (DkExceptionReturn); of floating point there is no copy.",
  ),
  nesting: told(
    "2.8, 2.12, 2.14",
    ...NESTED,
    "Events that the PAL keeps are taken by any PAL call that the LibOS makes meanwhile: three events can be taken first, third, second.",
  ),
  open: told(
    "2.8, 2.18 to 2.20, 3.1 to 3.3",
    "A signal in the PAL's text before the host's call has begun to sleep is kept, and the call sleeps on: it comes at that call's end.",
    "The host handler allocates memory to keep a second event, and can wait for a lock that its own thread holds.",
    ...OPEN,
  ),
};

export const grapheneSgxMechanism: Mechanism = {
  state: told(
    "2.1 to 2.6, 2.12, 2.13, 4.2",
    "The host handler looks whether the thread stands at the asynchronous exit pointer. If so the signal hit the enclave: it enters by EENTER a " +
      "second time, the enclave writes the place of _DkExceptionHandler into SSA[0], leaves, and ERESUME goes on there. A valid EXITINFO " +
      "stands above the event that the host tells.",
    "If not, the thread is outside, in an ocall or on its way: the host handler writes registers so that sgx_entry_return enters the enclave as " +
      "if the ocall had ended with -PAL_ERROR_INTERRUPTED and an event (_DkHandleExternalEvent).",
    "A fault outside the enclave ends the thread, and nobody tells the LibOS.",
    ...DECISION,
  ),
  handlers: told(
    "2.2, 2.3, 2.6, 2.12, 4.2",
    "As a function that the LibOS calls, on the enclave stack that was in use, always in the normal context: the host handler has returned.",
    "After an event that came with an ocall's return, DkExceptionReturn leaves the PAL call that was under way as if it had returned 0; of a " +
      "call to DkObjectsWaitAny with a wake-up by another thread the code is kept.",
    "Of floating point and vector registers nothing is saved around an exception.",
  ),
  nesting: told(
    "2.2, 2.3, 2.12, 2.14",
    ...NESTED,
    "There are two SSA frames. A signal at the exit pointer before ERESUME stacks another exception frame; one that hits an EENTER for a signal, " +
      "or a host handler of another kind, enters with CSSA not as expected, and the thread is lost.",
  ),
  open: told(
    "2.2, 2.3, 2.18 to 2.20, 3.1, 3.2, 3.4",
    "The interruption of an ocall is lost: the LibOS sees 0 and the error of an older call (sgx-interrupted-code-lost).",
    "A signal after the host's call has done its work, and before the enclave is entered, throws the result away: bytes are lost, or written twice.",
    "A second signal before the enclave is entered takes the place of the first.",
    "A signal while the stack pointer is the untrusted one is written to untrusted memory; EXITINFO is not cleared, and is read again.",
    "An invalid pointer of the application is a fault of the LibOS itself; a SYSCALL instruction ends the thread.",
    ...OPEN,
  ),
};
