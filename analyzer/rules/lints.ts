/** Entries of the catalogue that no run can show, each with its page and the reason why there is no rule. */

import type { Lint } from "../rule.ts";
import { GRAMINE_LINTS } from "./lints-gramine.ts";

export const LINTS: readonly Lint[] = [
  {
    id: "suspend-on-signal-dead-flag",
    title: "sigsuspend sets a flag that nobody reads",
    severity: "info",
    layers: ["libos"],
    generations: ["graphene-2019"],
    what: "thread.suspend_on_signal is set by sigsuspend. Nothing reads it, and nothing clears it.",
    why: "It does nothing. Whoever reads the code may think that it does.",
    recognise:
      "Search the source for the field: it has one writer and no reader. `eintr record sigsuspend-flag` shows the step that sets it.",
    whyNoRule: "a write that nobody reads changes nothing that a run shows",
    ignore: [],
    remedy: "Removed by Graphene 50ca6c4a2 (2020-06-08).",
    fix: "suspend-on-signal-dead-flag",
    source: "reference 3.1",
  },
  {
    id: "signal-log-uninitialised",
    title: "the rings of pending signals are not cleared when a thread is made",
    severity: "medium",
    layers: ["libos"],
    generations: ["graphene-2019"],
    what:
      "The rings of a new thread come from malloc, and nothing clears them. From fresh memory they are zero; from a block that was used before, head and " +
      "tail are what lay there (inferred).",
    why: "A scan takes a pointer out of a ring that was never filled, or a signal finds a ring full that is empty. Under SGX pages of the heap are used again.",
    recognise:
      "In the source: get_new_thread, and a read of head and tail before the first write. In a process: a handler that runs for a signal nobody has sent.",
    whyNoRule:
      "the emulator's rings begin empty: what a block held before is not part of its state, and a run with one guess would show nothing",
    ignore: ["A program that makes all its threads at its start gets fresh memory."],
    remedy: "Clear them (Graphene a09c0897f, 2020-02-05).",
    fix: null,
    source: "reference 3.5",
  },
  {
    id: "preempt-nonatomic",
    title: "the preempt counter is changed in several instructions, and an upcall may come between",
    severity: "medium",
    layers: ["libos"],
    generations: ["graphene-2019"],
    what:
      "preempt + 1 and preempt - 1 are plain C. Where the compiler makes a read, a sum and a write of it, an upcall of the same thread in between changes the " +
      "counter, and the write puts the old value back.",
    why: "The counter is one too high or too low for good: signals are put off for ever, or handled where a lock is held; or the assertion at the end of a call fails.",
    recognise:
      "In the disassembly: how __disable_preempt is compiled. In a trace: a failed assertion whose two values differ in the low 31 bits, with no siglongjmp before.",
    whyNoRule: "each change of the counter is one step of the emulation: a signal comes before or after it, so no run shows the difference",
    ignore: [
      "A difference in bit 31 alone is signal-delayed-breaks-preempt-assert; a counter that siglongjmp has left behind is handler-longjmp-preempt-leak.",
    ],
    remedy: "An atomic counter (Graphene 5fe52e4a0, 2019-07-30; issue 449), then none (c24bddd5a, 2021-02-05).",
    fix: null,
    source: "reference 3.5",
  },
  {
    id: "bogus-delayed-log",
    title: 'the log says "signal delayed (2)" although nothing is wrong',
    severity: "info",
    layers: ["libos"],
    generations: ["graphene-2019"],
    what:
      "When signals cannot be handled now a line says so, with the preempt counter after its increment: 2 in a handler, which reads as two signals. Later " +
      "revisions print it even when none is pending.",
    why: "Whoever looks for a lost signal in a log follows a line that says nothing about one.",
    recognise:
      "The line is in the log of a debug build only. In a trace the row libos.signal.delayed stands at its place, with a signal pending; what its bit does is " +
      "signal-delayed-breaks-preempt-assert.",
    whyNoRule: "a line of the log changes nothing that a run shows",
    ignore: [],
    remedy: "Removed by Graphene cac1bb22c (2020-12-18).",
    fix: null,
    source: "reference 3.5",
  },
  {
    id: "pr347-rsp-misaligned",
    title: "a handler is entered with a stack pointer that no function expects",
    severity: "high",
    layers: ["libos"],
    generations: ["pr347"],
    what:
      "The ABI gives a function RSP = 16k + 8 at its first instruction: the return address lies on an aligned stack. Both builders of frames enter the " +
      "handler with RSP = 16k. In the one that upcalls use, the 8 that was to be taken off counts frames, not bytes: it goes 8 KiB further down.",
    why: "An aligned move of a vector register to the stack (movaps), which compilers make at will, faults in the handler or in what it calls.",
    recognise:
      "In the source: the arithmetic with a pointer to the frame in __setup_sig_frame, and the assertion in deliver_signal_on_sysret. In a program: " +
      "SIGSEGV at a movaps in a handler, with RSP + 8 not a multiple of 16.",
    whyNoRule: "the emulator has stacks of frames, not of bytes: no run has an address of which it could be told",
    ignore: ["A handler that uses no vector registers, and calls nobody who does, never notices."],
    remedy: "Pull request 1218 lays out its frames anew (2019-12-19).",
    fix: null,
    source: "pull request 347, c1 and c4",
  },
  {
    id: "sgx-aep-range",
    title: "the exit pointer of the enclave is tested for one address only",
    severity: "medium",
    layers: ["untrusted-pal"],
    generations: ["graphene-2019"],
    what:
      "The host's handlers ask whether RIP is exactly async_exit_pointer. That holds as long as the code there is one ENCLU instruction. With more " +
      "instructions a signal between the first and the last finds the thread with an SSA frame in use, and takes it for one outside.",
    why: "The registers are rewritten for a return from an ocall while CSSA is 1: what follows is that of sgx-nested-host-signal, without any nesting.",
    recognise:
      "In the source: a comparison with one address where the assembly between two labels is meant. In a trace: registers rewritten at CSSA 1.",
    whyNoRule: "the exit pointer of the base revision is one instruction: no signal can come in the middle of it",
    ignore: ["Where the trampoline is one instruction the test is exact."],
    remedy: "A comparison with the range (Graphene 941303bb3, 2020-07-11; Gramine 6315e8163, 2021-04-30).",
    fix: null,
    source: "reference 3.5; 1.1",
  },
  {
    id: "vfork-child-signal",
    title: "a signal between vfork and exec runs the parent's handlers in the child",
    severity: "high",
    layers: ["pal"],
    generations: ["graphene-2019"],
    what:
      "The PAL makes a process by vfork and execve. Until the execve the child runs in the parent's memory, with the parent's handlers registered and " +
      "nothing blocked: a signal to the process group runs them there.",
    why: "The handler keeps events in the parent's thread control block, allocates from its heap and may leave locks held: Ctrl-C while a shell starts a command.",
    recognise:
      "In the source: a vfork without signals blocked around it. In a process: a parent whose state changes while its child is being made.",
    whyNoRule: "the emulated host makes a process in one step: no run has the time between vfork and execve",
    ignore: ["A signal to the parent alone, by its number."],
    remedy: "Async signals are blocked around vfork and let through by the new image (Graphene 29fdd5fe1, 2019-07-19).",
    fix: null,
    source: "reference 3.5",
  },
  ...GRAMINE_LINTS,
];
