/** Time-outs of calls, as the labels of the application's calls tell them: "poll(pipe, 500000000)". */

import { POLLS } from "../../engine/index.ts";
import { calls } from "./common.ts";

const hasTimeout = calls(...POLLS, "futex_wait");

/** ns; null for a call that has none, or one that never ends. */
export function timeoutOf(label: string): number | null {
  const ns = hasTimeout(label) ? /, (\d+)\)$/.exec(label)?.[1] : undefined;
  return ns === undefined ? null : Number(ns);
}
