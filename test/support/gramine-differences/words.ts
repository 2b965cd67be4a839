/** What a difference is as a scenario, and the words in which they are written. */

import type { FixName, OptionName } from "../../../engine/index.ts";
import { type Ran, rowsOf, type runProgram } from "../run-scenario.ts";

type More = NonNullable<Parameters<typeof runProgram>[3]>;
type Plans = NonNullable<Parameters<typeof runProgram>[2]>;

export interface Difference {
  readonly id: string;
  readonly what: string;
  readonly main: readonly unknown[];
  /** A race: the first of these times (ns) at which it is lost on Gramine is looked for, and the same one is taken elsewhere. */
  readonly sweep?: { readonly from: number; readonly to: number; readonly step: number };
  /** Where on Linux alone the same race would be, when it is at other times there: none of these is lost. */
  readonly native?: { readonly from: number; readonly to: number; readonly step: number };
  readonly signals?: Plans;
  readonly more?: More;
  readonly options?: readonly OptionName[];
  readonly look: (ran: Ran) => string;
  readonly linux: string;
  readonly gramine: string;
  readonly fix?: FixName;
  /** What the fix leaves, where that is not what Linux does. */
  readonly fixed?: string;
}

/** Stands for the swept time in a scenario. */
export const SWEPT = "$swept";

export const block = (...signals: string[]): unknown => ({ sigprocmask: { how: "block", signals } });
export const unblock = (...signals: string[]): unknown => ({ sigprocmask: { how: "unblock", signals } });
export const raise = (signal: string): unknown => ({ kill: { process: "self", signal } });

/** A lock that is released by a thread that does not hold it. */
export const unheld = (ran: Ran): string =>
  String(
    ran.rows.filter((row) => row.what === "unlock" && ran.texts[row.detail] === "children_lock" && row.extra !== row.thread).length > 0,
  );

/** ms of virtual time that the last call of that name took. */
export function took(ran: Ran, call: string, who = "main"): string {
  const own = rowsOf(ran, { who });
  const to = own.findLast((row) => row.where === `libc ${call}: back in the application`);
  const from = own.findLast((row) => row.what === "app.call" && row.seq < (to?.seq ?? 0));
  return to && from ? `${Math.round((to.time - from.time) / 1e6)} ms` : "never";
}

export const SIGNALS = "200ms";
/** A worker that sends what is ignored by default every 200 ms, five times. */
export const winch: More = {
  programs: { worker: [{ loop: { times: 5, do: [{ nanosleep: SIGNALS }, { tgkill: { thread: "main", signal: "SIGWINCH" } }] } }] },
};
export const sends = (signal: string, after = SIGNALS): More => ({
  programs: { worker: [{ nanosleep: after }, { tgkill: { thread: "main", signal } }] },
});
