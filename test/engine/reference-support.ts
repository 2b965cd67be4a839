/** What the tests that follow the reference section by section share. */

import { expect } from "vitest";
import { firstMissing, type Ran, rowsOf } from "../support/run-scenario.ts";

/** Places and kinds that follow each other in a thread. */
export const order = (ran: Ran, places: readonly string[], who = "main"): void =>
  expect(firstMissing(rowsOf(ran, { who }), places)).toBe("");

export const block = (...signals: string[]): unknown => ({ sigprocmask: { how: "block", signals } });
export const UNBLOCK = { sigprocmask: { how: "set", signals: [] } };
export const raise = (signal: string): unknown => ({ tgkill: { signal } });
