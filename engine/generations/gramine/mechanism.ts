/** The pages of `eintr explain gramine-linux` and `gramine-sgx`. What is the LibOS's is the same on both PALs. */

import type { Mechanism, Told } from "../../stack/mechanism.ts";

const told = (source: string, ...text: readonly string[]): Told => ({ text, source });

/** The LibOS decides the same on both PALs. */
export const DECISION = [
  "Each thread has a queue, and the process has one: a standard signal once, a real-time one 32 times. A fault of the thread itself has a place of " +
    "its own (forced_signal) and goes before all others. A SIGTERM of the host has one word for the process, which is used once.",
  "handle_signal is the one place that takes a signal. It is called at the end of each system call, and by an upcall that interrupted the " +
    "application's own code. In LibOS and PAL an upcall does nothing: what is queued waits for the end of the call.",
] as const;

export const HANDLERS = [
  "On the application's stack, in its own context, after the LibOS has been left: handle_signal builds a signal frame there (or on the alternate " +
    "stack, with SA_ONSTACK) and writes the handler's address into the context that is returned to. The handler ends with rt_sigreturn, a " +
    "system call with the usual end, so the next pending signal follows at once.",
  "A system call that was interrupted gives -EINTR, or is made again with its first arguments, as SA_RESTART and the call's own code say.",
] as const;

export const NESTING = [
  "A handler is application code like any other: it is interrupted, makes calls, takes signals that its mask lets through, and may leave by siglongjmp.",
  "While it runs the mask is sa_mask and the signal itself, and nothing else: what was blocked before is not, unless sa_mask says so.",
  "Of several pending signals one handler is entered at a time, the lowest number first.",
] as const;

export const OPEN = [
  "A signal that comes between the entry of a system call and its sleep in the host does not end the sleep (residual 1); exit_group then waits for ever.",
  "Ignored signals end sleeps, sigsuspend and sigtimedwait; poll, epoll_wait and FUTEX_WAIT start over with their whole time-out.",
  "A wait4 that a signal ends unlocks a lock that it does not hold, and looks for signals before it looks for children.",
  "While any blocked signal is queued an injected SIGTERM is not seen, and after it was taken threads that block SIGTERM wake others at each call.",
  "Signals to other members of a process group, signalfd, timerfd, POSIX timers and sigqueue are not implemented.",
] as const;

export const gramineLinuxMechanism: Mechanism = {
  state: told(
    "gramine-today.md 3, 5",
    "The host handler knows five events: arithmetic error, memory fault, illegal instruction, QUIT (SIGTERM) and INTERRUPTED (SIGCONT, with which " +
      "threads wake each other). Other signals of the host keep its default action: SIGINT ends the process.",
    "The PAL keeps no event. In its own text an asynchronous one has no effect but the -EINTR of a host call that waits; a fault ends the process.",
    ...DECISION,
  ),
  handlers: told(
    "gramine-today.md 3, 5",
    ...HANDLERS,
    "Building the frame from an upcall happens inside the host's handler: a fault of the same kind there ends the host process without a word.",
  ),
  nesting: told("gramine-today.md 5; cases of a real Gramine", ...NESTING),
  open: told("gramine-today.md 8, 14, with its corrections", ...OPEN),
};

export const gramineSgxMechanism: Mechanism = {
  state: told(
    "gramine-today.md 1, 4, 11",
    "A signal of the host meets a thread outside the enclave or inside. Outside, the handler notes one event for the thread (last_async_event, QUIT " +
      "before INTERRUPTED). An ocall that may be interrupted looks at it before its system call and is -EINTR without one; each return from an ocall " +
      "takes it along.",
    "Inside, an asynchronous exit comes first, and the handler enters the enclave for stage one, some assembly that rewrites the interrupted registers " +
      "in SSA[0]: to _PalExceptionHandler (stage two) on a signal stack of its own, or, in the middle of an ocall, to that ocall's return with the " +
      "event, with -EINTR when it had not left yet.",
    "Stage two holds what the host says against the exception that the processor reports. Without sgx.use_exinfo page faults are not reported, and end " +
      "the process; without EDMM the enclave keeps no rights of pages, so only addresses outside of it fault.",
    ...DECISION,
  ),
  handlers: told(
    "gramine-today.md 4, 5",
    ...HANDLERS,
    "An upcall runs in stage two, in the thread's own context: host signals are not blocked there, and further events stack frames on the signal stack.",
    "With exitless ocalls a thread outside makes the system call, and any signal for a thread of the enclave interrupts the calls of all such threads.",
  ),
  nesting: told(
    "gramine-today.md 4.3, 5",
    ...NESTING,
    "Nine frames find place on the signal stack; the tenth event turns for ever (FAIL_LOOP).",
  ),
  open: told(
    "gramine-today.md 14, with its corrections",
    ...OPEN,
    "An event for a thread that is not ready for exceptions turns for ever: at the start of a process or thread, or by a late wake to a TCS with a new user.",
    "An event between the look at last_async_event and EENTER waits for the next ocall. One between EENTER and the return of the ocall's stack " +
      "takes the place of the one that the ocall brought, which may be a SIGTERM.",
    "shutdown may not be made at all, pread64 may answer EINTR, connect never does, and a reader of a pipe holds a spinlock while it waits.",
    "With exitless ocalls a signal while a request is in flight gives EACCES, and its result is lost.",
  ),
};
