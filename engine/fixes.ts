/**
 * Named switches (`--fix ID`): one for each item of the page's "Bugs and Issues" that has a fix (reference, 3.1), then steps between the
 * generations that are one switch away from a stack (4.5; `history.ts`), then the known faults of pull request 347. Each does what the commit
 * it names did, no more: what was still wrong after it is still wrong here.
 */

export const FIXES = {
  "sgx-interrupted-code-lost": { text: "raise FAILURE(INTERRUPTED) before the upcall", source: "3.1, 8bf06ca6c 2019-04-25" },
  "spurious-yield-per-pending": { text: "no DkThreadYieldExecution after a pending signal", source: "3.1, 50ca6c4a2 2020-06-08" },
  "async-list-redundant-cancel": {
    text: "alarm and setitimer replace each other, as on Linux, and no IO entry; the helper looks at the clock before it calls back",
    source: "3.1, 87a4d4768 2019-06-18",
  },
  "suspend-on-signal-dead-flag": { text: "sigsuspend does not set the flag nobody reads", source: "3.1, 50ca6c4a2 2020-06-08" },
  "signal-delayed-breaks-preempt-assert": { text: "no SIGNAL_DELAYED bit in the preempt counter", source: "3.1, 0dc1ecf51 2019-07-14" },
  "sigsuspend-ignores-pending": {
    text: "sigsuspend returns at once when a signal its mask lets through is pending; a handler the old mask blocks does not run",
    source: "3.1, 479d833e7 2019-07-19",
  },
  "sigsuspend-sleeps-with-thread-lock": {
    text: "sigsuspend releases cur.lock before it sleeps and takes it again to put the old mask back",
    source: "3.1, c295e5cd1 2019-07-27",
  },
  "wakeup-lost-before-block": {
    text: "a signal for another thread also sets the event on which that thread sleeps: no lost wake-up of a futex wait or sigsuspend",
    source: "3.2, 8c65f67a6 2019-04-01",
  },
  "pause-never-returns": { text: "pause is one sleep without an end, and answers -EINTR", source: "3.2, f72cd48ee 2019-04-30" },
  "sgx-nested-host-signal": {
    text: "host handlers of SGX block SIGTERM, SIGINT and SIGCONT: none runs inside another",
    source: "3.4, 5b3b69332 2019-05-03",
  },
  "default-action-table-wrong": {
    text: "the default action of each of the 31 standard signals, but for stops",
    source: "3.2, 0b244f67d 2019-07-19",
  },
  "pr347-lost-in-libos": {
    text: "a signal that finds the LibOS or the PAL running goes into the ring, and comes at the end of the call",
    source: "pr347.md c2; pull request 1218",
  },
  "pr347-same-number-drop": {
    text: "a new signal goes into the ring when an older one of its number is taken from there",
    source: "pr347.md c1; pull request 1218",
  },
  "pr347-blocked-pending-spins": {
    text: "the end of a call, and sigreturn, do not look again when all that is pending is blocked",
    source: "pr347.md c4; its author's tree of 2019",
  },
  "pr347-default-action-as-handler": {
    text: "a default action is called by the LibOS, no frame is built for it",
    source: "pr347.md c4; pull request 1218",
  },
  "pr347-tail-siginfo-stale": {
    text: "a frame that is used again for another handler gets that one's siginfo",
    source: "pr347.md c8",
  },
  "pr347-tail-chain-wild-return": {
    text: "sigreturn enters the handler that it has chosen, when another signal is pending",
    source: "errata-2, section 3, c8",
  },
  "pr347-siginfo-garbage": {
    text: "the siginfo is written into the frame that is built at the end of a call",
    source: "errata-2, section 3, c4",
  },

  // Differences of today's Gramine from Linux. Nobody has fixed them: what each switch does is the smallest change that ends one.
  "wait4-unlocks-unheld-lock": {
    text: "a wait4 that a signal ends takes children_lock before it leaves",
    source: "gramine-today.md 14, B1",
  },
  "exit-kick-lost": { text: "exit_group kicks the other threads in each of its rounds", source: "gramine-today.md 14, B2" },
  "sigterm-starved-by-blocked-pending": {
    text: "the injected SIGTERM is looked at beside the queues",
    source: "gramine-today.md 14, B4, B30",
  },
  "sigterm-consumed-wake-storm": { text: "a SIGTERM that was taken makes no thread wake others", source: "gramine-today.md 14, B7" },
  "mask-replaced-not-merged": { text: "a handler's mask has what was blocked before", source: "gramine-today.md 14, B8" },
  "wait4-eintr-though-child-ended": {
    text: "a wait4 that a signal ends looks for children once more before it leaves",
    source: "gramine-today.md 14, B9",
  },
  "ignored-signal-ends-sleep": { text: "ignored signals do not count as pending", source: "gramine-today.md 14, B10, B11" },
  "sigprocmask-oldset-readonly": { text: "an oldset that cannot be written is -EFAULT", source: "gramine-today.md 14, B12" },
  "fork-drops-altstack": { text: "a forked child has its parent's alternate stack", source: "gramine-today.md 14, B13" },
  "exec-keeps-altstack": { text: "execve gives the alternate stack up", source: "gramine-today.md 14, B14" },
  "timeout-starts-over": {
    text: "poll, epoll_wait and FUTEX_WAIT that are made again go on with what was left of the time-out",
    source: "gramine-today.md 14, B15",
  },
  "futex-restart-with-timeout": {
    text: "a handler ends a FUTEX_WAIT with a time-out, whatever its flags",
    source: "gramine-today.md 14, B16",
  },
  "sigpipe-process-directed": { text: "SIGPIPE goes to the thread that writes", source: "gramine-today.md 14, B17" },
  "pending-kept-when-ignored": { text: "a disposition to ignore throws away what is pending", source: "gramine-today.md 14, B18" },
  "zombie-when-ignored": {
    text: "children of a parent that ignores SIGCHLD, or has SA_NOCLDWAIT, become no zombies",
    source: "gramine-today.md 14, B19",
  },
  "rt-default-ignored": { text: "a real-time signal without a handler ends the process", source: "gramine-today.md 14, B20" },
  "forced-signal-ignored-loop": { text: "a fault whose signal is ignored ends the process", source: "gramine-today.md 14, B21" },
  "blocked-fault-reaches-handler": { text: "a fault whose signal is blocked ends the process", source: "gramine-today.md 14, B22" },
  "getitimer-stale-after-alarm": { text: "alarm sets what getitimer tells", source: "gramine-today.md 14, B25" },
  "sigaltstack-ss-onstack": { text: "SS_ONSTACK in the flags of a new alternate stack counts as none", source: "gramine-today.md 14, B29" },
  "eventfd-read-uninterruptible": { text: "a signal ends a read of an eventfd", source: "gramine-today-corrections.md, N1" },
  "ppoll-ignores-pending": {
    text: "ppoll, pselect and their like look for pending signals before they wait",
    source: "gramine-today.md 8; libos_epoll.c:613-619 does so",
  },
  "alarm-lost-in-worker-gap": {
    text: "the async worker does not wait when a time is over already",
    source: "gramine-today-corrections.md, N4",
  },
  "futex-wake-lost-on-timeout": {
    text: "a FUTEX_WAIT that was woken is 0, also when its time is over",
    source: "gramine-today-corrections.md, N5",
  },
  // Of its SGX PAL.
  "not-ready-fail-loop": {
    text: "stage one ignores an event of a thread that is not ready for exceptions",
    source: "gramine-today.md 14, B5; the comment at cssa0_ecall_thread_reset says so",
  },
  "exitless-eintr-is-eperm": { text: "an exitless ocall goes on waiting for its request after EINTR", source: "gramine-today.md 14, B6" },
  "exitless-child-keeps-rpc-mask": {
    text: "the process of a fork is made with an exit from the enclave",
    source: "enclave_ocalls.c:998-1002 does so for clone, and says why",
  },
  "connect-never-eintr": { text: "a connect that a signal ends is not made again by the PAL", source: "gramine-today-corrections.md, N7" },
  "plain-eintr-from-file-io": {
    text: "pread and pwrite of a file are made also when an event waits",
    source: "gramine-today-corrections.md, N8",
  },
  "pipe-answers-eintr": {
    text: "the connection of a new pipe is made again when an event has kept it from the host",
    source: "libos_pollable_event.c:24-27 does so",
  },
  "fork-answers-eintr": {
    text: "the keys that parent and child of a fork exchange are sent again when that is interrupted",
    source: "enclave_framework.c:611-647 does so for the reports",
  },
  "tls-write-eintr-substitution": {
    text: "a write whose record is built is made again until that is sent",
    source: "gramine-today-corrections.md, N10",
  },
  "shutdown-skipped-by-pending-event": { text: "shutdown is made also when an event waits", source: "gramine-today-corrections.md, N13" },
  "sgx-quit-overwritten-in-ocall": {
    text: "a SIGTERM that came back with an ocall's result is not written over by a wake-up",
    source: "enclave_entry.S:338-353; host_exception.c:165 does so for last_async_event",
  },
} as const;

export type FixName = keyof typeof FIXES;
export const FIX_NAMES = Object.keys(FIXES) as FixName[];
export const isFix = (name: string): name is FixName => Object.hasOwn(FIXES, name);
