/** What a call writes for the application besides its result: rows of `app.output` before the call returns. */

import { retry, skip } from "../control.ts";
import { type Cpu, topFrame } from "../cpu.ts";
import type { Step, Steps } from "../flow.ts";
import type { SignalSet } from "../signals.ts";

/** What an output is: `extra` of its row. */
export const OUT = {
  status: 1,
  remaining: 2,
  oldMask: 3,
  oldMaskHigh: 4,
  pending: 5,
  pendingHigh: 6,
  oldValue: 7,
  interval: 8,
  oldHandler: 9,
  signal: 11,
  counter: 12,
  altStackSize: 13,
  altStackFlags: 14,
} as const;

/** Locals of a call that may write something: pairs of what and value, in order. */
export interface Writes {
  out: readonly number[];
}

/** Nothing to write, as every call begins. */
export const NO_OUTPUT: readonly number[] = [];

export function tell(v: Writes, what: number, value: number): void {
  v.out = [...v.out, what, value];
}

/** Flags of sigaltstack(2). */
const SS_ONSTACK = 1;
const SS_DISABLE = 2;

/** What sigaltstack says of the stack that was registered before; `disabled`: the flag that goes with none. */
export function tellAltStack(v: Writes, size: number, { on, disabled = size === 0 }: { on: boolean; disabled?: boolean }): void {
  tell(v, OUT.altStackSize, size);
  tell(v, OUT.altStackFlags, (on ? SS_ONSTACK : 0) | (disabled ? SS_DISABLE : 0));
}

export function tellMask(v: Writes, what: typeof OUT.oldMask | typeof OUT.pending, [low, high]: SignalSet): void {
  tell(v, what, low >>> 0);
  tell(v, what + 1, high | 0);
}

/** The step that writes one output and is made again while there are more. Passed over when there is none. */
export const copyOut = <V extends Writes>(s: Pick<Steps<V>, "act">, label: string): Step =>
  s.act(
    label,
    (c, v) => {
      c.extra = v.out[0] ?? 0;
      c.value = v.out[1] ?? 0;
      v.out = v.out.slice(2);
      if (v.out.length > 0) retry(topFrame(c.t));
    },
    "app.output",
  );

/** Nothing to write: the step above is not made. For the step before it. */
export function skipCopyOut(c: Cpu, v: Writes): void {
  if (v.out.length === 0) skip(topFrame(c.t));
}
