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
];
