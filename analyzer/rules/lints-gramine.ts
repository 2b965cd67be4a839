/** Entries of today's Gramine that no rule looks for. */

import type { Lint } from "../rule.ts";

export const GRAMINE_LINTS: readonly Lint[] = [
  {
    id: "alarm-and-itimer-race",
    title: "a timer that has been cancelled is armed again by its own callback",
    severity: "low",
    layers: ["libos"],
    generations: ["gramine"],
    what:
      "The async worker takes an expired timer out of the list, releases the lock, and calls back. An alarm(0) in between finds nothing to cancel; " +
      "the callback of an interval timer then arms the next interval, or removes an alarm that was set meanwhile.",
    why: "A timer that the program has switched off goes on for ever. setitimer(0) leaves at most one more SIGALRM.",
    recognise:
      "In the source: the callbacks run outside the list's lock, and look at g_real_itimer only. In a program: SIGALRM after alarm(0) has returned.",
    whyNoRule: "the window is some 100 ns between two locks; a run that comes into it looks like one in which the timer was set again",
    ignore: ["A SIGALRM that was sent before alarm(0), and is delivered after it, is right."],
    remedy: "Cancel by a number that the callback compares under the lock.",
    fix: null,
    source: "gramine today 9, 14 B24; libos_async.c:224-290, libos_alarm.c",
  },
  {
    id: "process-signal-left-with-longjmp",
    title: "a signal for the process is left to the sender, who never comes to it",
    severity: "medium",
    layers: ["libos"],
    generations: ["gramine"],
    what:
      "Whoever sends a signal to its own process, and lets it through itself, wakes nobody: it will take the signal at the end of the call. With two " +
      "signals the handler of the lower number runs first. If that leaves by siglongjmp, or the thread exits, the second stays in the queue, and the other threads sleep.",
    why: "A request to stop waits until some thread makes a system call. A comment in the source says so.",
    recognise:
      "In the source: kill_current_proc looks at the sender's mask first. In a trace: a queue of the process that is not empty, a thread that sleeps and lets the signal through, and no wake-up.",
    whyNoRule:
      "the end of any system call of any thread takes the signal; in a run it is signal-never-handled, or slow-delivery, that shows it; " +
      "process-signal-not-retargeted is the rule for a thread that was told and has blocked it since",
    ignore: ["A handler that returns comes back to the end of the call, which takes the second signal."],
    remedy: "Wake another thread as well.",
    fix: null,
    source: "gramine today 6.8, 14 B26; libos_sigaction.c:318-334",
  },
  {
    id: "sigaltstack-ss-onstack",
    title: "sigaltstack refuses SS_ONSTACK in the flags",
    severity: "low",
    layers: ["libos"],
    generations: ["gramine"],
    what: "sigaltstack takes no flag but SS_DISABLE: -EINVAL for SS_ONSTACK and SS_AUTODISARM. Linux takes SS_ONSTACK for no flag, as old programs set it.",
    why: "A program that puts back what it was told (with SS_ONSTACK, from inside a handler) fails, and runs without its stack.",
    recognise: "In the source: the test of ss_flags. In a log: sigaltstack with ss_flags=SS_ONSTACK and -EINVAL.",
    whyNoRule: "one call and its answer: the verdict tells it as a difference from Linux, and there is no road to show",
    ignore: ["On the alternate stack itself sigaltstack is -EPERM on Linux, too."],
    remedy: "Mask the flag out.",
    fix: "sigaltstack-ss-onstack",
    source: "gramine today 10.4, 14 B29; libos_sigaction.c:135-181",
  },
  {
    id: "exit-blocked-by-unkillable-wait",
    title: "exit_group waits for threads that nothing wakes",
    severity: "high",
    layers: ["libos"],
    generations: ["gramine"],
    what:
      "Waits that swallow -EINTR and never look at time_to_die: a lock of the LibOS, a wait for the answer of another process, F_SETLKW and flock, a new " +
      "thread's start; under SGX also connect. exit_group kicks such a thread once and yields until it is gone, so until the awaited thing happens.",
    why: "A program that wants to end while one of its threads waits for a file lock of another process does not end before that process lets go.",
    recognise:
      "In a live process: one thread in sched_yield without end, another in a futex or a read of the IPC. eventfd-read-uninterruptible, recv-lock-swallows-kick and connect-never-eintr are rules for three of these waits.",
    whyNoRule: "the emulator has no file locks; the waits that it has are told by the rules for them",
    ignore: ["A thread that waits in an ordinary call is woken by the kick, and ends."],
    remedy: "Look at time_to_die in event_wait_with_retry and in the wait for a response.",
    fix: null,
    source: "gramine today, corrections 1.M1, 8.12, N6; libos_lock.h:39, libos_fs_lock.c:560-618",
  },
  {
    id: "fioasync-level-triggered",
    title: "SIGIO comes again and again for the same data, and cannot be switched off",
    severity: "medium",
    layers: ["libos"],
    generations: ["gramine"],
    what:
      "ioctl(FIOASYNC) does not look at its argument: on and off both add an entry for the async worker. The worker polls the handle by level: as long " +
      "as data is unread it sends SIGIO in each of its rounds, one after the other. The entry is never taken out, and keeps the PAL's handle after close.",
    why:
      "Linux sends SIGIO once, when something arrives. Here the handler runs without end until the program has read everything, a processor is busy, " +
      "and a descriptor that was closed is polled through memory that is free.",
    recognise:
      "In the source: the case FIOASYNC takes no argument, and the worker removes no entry with an object. In a live process: the async worker at full load. " +
      "In a trace: libos.signal.drop of SIGIO, many of them.",
    whyNoRule: "few programs ask for SIGIO, and a run shows the storm itself: handlers of SIGIO one behind the other, with one write",
    ignore: ["A handler that reads all there is ends it, until more comes."],
    remedy: "Send once for each change, take the entry out when the argument is 0 or the handle is closed.",
    fix: null,
    source: "gramine today 9; libos_ioctl.c:106-108; libos_async.c:165-202, 244-262, 281-289; libos_handle.c:548",
  },
  {
    id: "pal-fault-treated-as-app",
    title: "a fault inside the PAL is taken for the application's",
    severity: "medium",
    layers: ["pal", "libos"],
    generations: ["gramine"],
    what:
      "With EDMM a fault on a page that is mapped, but with other rights, goes to the LibOS wherever RIP is. If the PAL has faulted, on a buffer of the " +
      "application that another thread makes read-only, the LibOS forces SIGSEGV, and builds the frame on the PAL's stack with the PAL's registers.",
    why: "The handler runs in the middle of the PAL, with its locks held; a return goes back into a call that was cut.",
    recognise:
      "In the source: the order of the tests in the PAL's handler of #PF. In a core: a signal frame whose saved RIP is in the PAL.",
    whyNoRule: "in a scenario no thread changes the rights of a page that another one's call works on",
    ignore: ["A page that is not mapped, or lies beyond the mapping, with RIP in the PAL ends the process: exit 1."],
    remedy: "Ask for RIP first.",
    fix: null,
    source: "gramine today, corrections 4.4.7, 4.4.M1, N9; pal_exception.c:537-541",
  },
];
