/** Words and numbers that several rules need. */

import type { StackName } from "../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../model/index.ts";

export const NATIVE: readonly StackName[] = ["native-linux"];
export const LINUX_PAL: readonly StackName[] = ["graphene-linux"];
export const SGX: readonly StackName[] = ["graphene-sgx"];
/** The stacks of Graphene at the base revision. */
export const GRAPHENE: readonly StackName[] = ["graphene-linux", "graphene-sgx"];

export const MS = 1_000_000;

/** Virtual time in words: "1.5 ms". */
export function timeText(ns: number): string {
  if (ns >= 1e9) return `${round(ns / 1e9)} s`;
  if (ns >= 1e6) return `${round(ns / 1e6)} ms`;
  return `${round(ns / 1e3)} us`;
}
const round = (n: number): string => String(Number(n.toPrecision(3)));

/** The application's call that a thread is in, as the program writes it; empty outside of any. */
export function callOf(m: ThreadModel, slot = m.slot): string {
  const call = m.open(SCOPE.CALL, slot);
  return call === NONE ? "" : m.labelOf(call);
}

/** "read" of "read(pipe, 8)". */
export const callName = (label: string): string => /^[\w-]*/.exec(label)?.[0] ?? "";

/** What remembers the newest `size` things by a number that grows; a power of two. */
export function createRing(size = 4096): { get(id: number): number; set(id: number, value: number): void } {
  const ids = new Float64Array(size).fill(-1);
  const values = new Float64Array(size);
  return {
    get: (id) => (ids[id & (size - 1)] === id ? (values[id & (size - 1)] as number) : NONE),
    set(id, value) {
      ids[id & (size - 1)] = id;
      values[id & (size - 1)] = value;
    },
  };
}
