/** What a stack declares: all that the machine, the recorder and the screens know of it. */

import type { FixName } from "../fixes.ts";
import type { Flow, Program } from "../flow.ts";
import type { NoLocals, Ref } from "../ref.ts";
import type { Frame, Thread } from "../state.ts";

/** Reads a column of a row off the thread, after its step. Called for every row: no allocation, no search. */
export type Reader = (t: Thread) => number;

/** The columns of state that depend on the stack; null for one that it does not have: NULL in its traces. */
export interface StackColumns {
  /** Current SSA frame, 0 to 255. */
  readonly cssa: Reader | null;
  /** Preempt counter of the LibOS, up to 32767. */
  readonly preempt: Reader | null;
  /** Signals that PAL and LibOS keep for the thread, up to 65535. */
  readonly pending: Reader | null;
}

export interface Stack {
  readonly text: string;
  /** `debug`: as with a manifest that has debug_type, for a LibOS. */
  readonly flows: (fixes: ReadonlySet<FixName>, debug?: boolean) => Flow[];
  /** First flow of a process's first thread. */
  readonly boot: Ref<NoLocals>;
  /** First frame of a further thread whose first own function is the flow `start` (-1: none). */
  readonly bootThread: (program: Program, start: number) => Frame;
  readonly enclave: boolean;
  readonly columns: StackColumns;
}
