/** What the scenarios and listings of several diagrams have in common. */

/** Handlers of two microseconds for these signals. */
export const handlers = (...signals: string[]): Record<string, unknown>[] =>
  signals.map((signal) => ({ sigaction: { signal, handler: "h" } }));

export const SHORT = { h: [{ compute: "2us" }] };

/** What the page leaves out as `< ... LibOS signal handling ... >`. */
export const libosHandling = (upcall: string) => ({
  after: `${upcall}: deliver_signal(`,
  before: `${upcall}: DkExceptionReturn`,
  as: "LibOS signal handling",
});

/** The same, before the page's diagrams begin: how the PAL finds the upcall. */
export const FIND_HANDLER = {
  after: "_DkGenericSignalHandle: upcall = _DkGetExceptionHandler(event)",
  before: "_DkGenericSignalHandle: upcall == NULL?",
  as: "the slot of the handler table is read under its lock",
} as const;

/** lock() and unlock() of the LibOS: PAL calls, which the page does not draw. */
export const LOCKING = [
  { after: "lock: disable_preempt", before: "lock: return", as: "DkObjectsWaitAny: the mutex is taken, nothing is pended" },
  { after: "unlock: DkMutexRelease(lock)", before: "unlock: enable_preempt", as: "the mutex is released, nothing is pended" },
] as const;
