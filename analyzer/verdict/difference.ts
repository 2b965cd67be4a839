/** A difference between what two runs showed to an application. */

export const DIFFERENCE_KINDS = [
  { name: "result", text: "a call answers otherwise" },
  { name: "output", text: "a call writes otherwise (status, old mask, remaining time, ...)" },
  { name: "time-out", text: "a call's time-out is over much sooner or later" },
  { name: "left", text: "a call or handler is left otherwise (siglongjmp)" },
  { name: "never-returns", text: "a call or handler returns in one run only" },
  { name: "call", text: "a call is made in one run only" },
  { name: "handler", text: "a signal handler runs in one run only" },
  { name: "handler-place", text: "a signal handler runs in another call, or between others" },
  { name: "handler-order", text: "signal handlers run in another order" },
  { name: "siginfo", text: "a signal handler is given another siginfo" },
  { name: "mask", text: "a signal handler runs under another mask" },
  { name: "thread", text: "a thread is there in one run only" },
  { name: "thread-end", text: "a thread ends otherwise, or in one run only" },
  { name: "process-end", text: "a process ends otherwise, or in one run only" },
] as const;

export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number]["name"];

/**
 * `differs`: the application fares differently. `timing`: the same came at another moment, because what caused it did (a signal from
 * outside, another thread). `cut`: one run ended too early to say that it would not have come there.
 */
export const WEIGHTS = ["differs", "timing", "cut"] as const;
export type Weight = (typeof WEIGHTS)[number];

/** One run's side of a difference. */
export interface Side {
  /** Where the call, handler or thread begins, or the end of a thread or process is; null when it does not happen there. */
  readonly seq: number | null;
  /** In words: "-EINTR", "never returns". */
  readonly text: string;
  /** A call's result; null where there is none. */
  readonly result: number | null;
}

export interface Difference {
  readonly kind: DifferenceKind;
  readonly weight: Weight;
  readonly thread: string;
  /** "read(pipe, 64)", "handler of SIGINT", "process main". */
  readonly what: string;
  /** Line of the log that the call comes from; null where there is none. */
  readonly line: number | null;
  readonly one: Side;
  readonly other: Side;
}

/** A difference with its seq in both runs; in a run that lacks it, the seq where it would have been. */
export interface PlacedDifference extends Difference {
  readonly order: readonly [one: number, other: number];
}
