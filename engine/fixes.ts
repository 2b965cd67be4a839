/**
 * Named switches (`--fix ID`): one for each item of the page's "Bugs and Issues" that has a fix (reference, 3.1). Each does what the
 * commit it names did, no more: what was still wrong after it is still wrong here.
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
} as const;

export type FixName = keyof typeof FIXES;
export const FIX_NAMES = Object.keys(FIXES) as FixName[];
export const isFix = (name: string): name is FixName => Object.hasOwn(FIXES, name);
