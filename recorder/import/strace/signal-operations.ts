/** Calls that take signals out of their queues, as operations. */

import { bounded, signalNames, signalSet, timeSpan, wholeNumber } from "./args.ts";
import { waitNs } from "./costs.ts";
import { EAGAIN } from "./errno.ts";
import type { Context, Finished, Special } from "./mapped.ts";
import type { Item } from "./registrations.ts";
import { MARGIN_NS } from "./waiting.ts";

export function sigtimedwait({ value, takes }: Finished, _: Context, args: readonly string[]): Special | null {
  if (value === EAGAIN) return { item: { sigtimedwait: { ...wanted(args), timeout: takes, expect: value } }, ns: waitNs(takes) };
  return value !== null && value > 0 ? { item: sigtimedwaitItem(args, takes, { expect: value }), ns: waitNs(takes) } : null;
}

/** `waited`: ns that it took, which its time-out is longer than; `passed` of these stand before it. */
export function sigtimedwaitItem(args: readonly string[], waited: number, told: Item, passed = 0): Item {
  const timeout = timeSpan(args[2]);
  const limit = timeout === null ? {} : { timeout: bounded(Math.max(timeout, waited + MARGIN_NS) - passed) };
  return { sigtimedwait: { ...wanted(args), ...limit, ...told } };
}

const wanted = ([set, info]: readonly string[]): Item => ({
  signals: signalNames(signalSet(set) ?? []),
  ...(info?.startsWith("{") ? { info: true } : {}),
});

export function makingSignalfd({ call, value }: Finished, { facts }: Context, [, set]: readonly string[]): Special | null {
  const on = facts.signalfds.get(call);
  const signals = signalSet(set);
  return on && signals && value !== null
    ? { item: { signalfd: { on, signals: signalNames(signals), result: value, expect: value } } }
    : null;
}

/** It waits for the signals themselves. Null for any other read. */
export function readingSignalfd({ call, value, takes }: Finished, { facts }: Context, args: readonly string[]): Special | null {
  const from = facts.signalfds.get(call);
  const bytes = wholeNumber(args.at(-1));
  if (from === undefined || bytes === null || bytes > 1e9 || value === null || value <= 0) return null;
  return { item: { read: { from, bytes, expect: value } }, ns: waitNs(takes) };
}
