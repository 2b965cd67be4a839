/** Entries of the catalogue that no run can show, each with its page and the reason why there is no rule. */

import type { Lint } from "../rule.ts";

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
];
