/**
 * The PAL calls of one system call in the notation of the page on hidden PAL calls: `L(x)` and `U(x)` for lock and unlock, `U*(x)` for the
 * unlock that flushes, `Name@preempt` for a PAL call that ends in LEAVE, `Name!` for one without.
 */

import type { Ran, Row } from "./run-scenario.ts";

/** A system call, and how the page writes its order. */
export interface PalCase {
  /** Name of the call and what it is called on. */
  readonly call: string;
  /** The page's order for it, shortened to the parts that apply here. */
  readonly page: string;
  /** How the run differs from the page, and why. */
  readonly differs?: string;
  readonly main: readonly unknown[];
  /** Which operation of the program, counted from 1; the last one by default. */
  readonly operation?: number;
  /** Whose call, "main" by default; the rest of the scenario. */
  readonly who?: string;
  readonly more?: Record<string, unknown>;
  /** Not a system call, but what a thread does in between. */
  readonly window?: Window;
}

/** The rows of a thread around a place: from the last `from` before it ("" the thread's start) to the first `to` after it. */
export interface Window {
  readonly who: string;
  readonly from: string;
  readonly through: string;
  readonly to: string;
}

/** Short names of locks, as the page has them. */
const LOCKS: readonly (readonly [RegExp, string])[] = [
  [/^handle_map\.lock$/, "map"],
  [/^hdl\.lock of an epoll/, "ep"],
  [/^hdl\.lock/, "hdl"],
  [/^thread_list_lock$/, "tl"],
  [/^slab_mgr_lock$/, "slab"],
  [/^handle_mgr_lock$/, "hm"],
  [/^vma_list_lock$/, "vma"],
  [/^futex_list_lock$/, "fl"],
  [/^async_helper_lock$/, "async"],
  [/^ipc_helper_lock$/, "ipch"],
  [/^ipc_info_lock$/, "ii"],
  [/^range_map_lock$/, "rng"],
  [/msgs_lock$/, "msgs"],
  [/^str_mgr_lock$/, "str"],
  [/^randgen_lock$/, "rnd"],
  [/^__master_lock$/, "mst"],
];

/** `caller` is the label of the step that calls lock or unlock: whose parent it is only that one says. */
function lockName(ran: Ran, row: Row, caller: string): string {
  const name = ran.texts[row.detail] ?? "";
  if (caller.includes("parent->lock")) return "par";
  if (name.startsWith("lock of child ")) return "child";
  const thread = /^lock of thread (\d+)$/.exec(name);
  if (thread) return Number(thread[1]) === row.thread ? "cur" : "t";
  return LOCKS.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

/** PAL calls whose end delivers nothing (Pal/src/db_misc.c:32, or none comes back from). */
const WITHOUT_LEAVE: ReadonlySet<string> = new Set(["DkSystemTimeQuery", "DkThreadExit", "DkProcessExit"]);

/** "DkObjectsWaitAny (event)" is DkObjectsWaitAny. */
const plainName = (flow: string): string => flow.replace(/ \(.*\)$/, "");

/** Those of one thread between a row and the next of a kind, in the order in which they are entered. */
export function palCalls(ran: Ran, who: string, from: number, to: number): string {
  const rows = ran.rows.filter((row) => row.who === who && row.seq > from && row.seq < to);
  const calls: string[] = [];
  const open: { at: number; caller: string; name: string; step: string; lock: string }[] = [];
  rows.forEach((row, i) => {
    if (row.what === "pal.call.enter") {
      const name = plainName(rows[i + 1]?.place.flow ?? row.place.label);
      const step = rows[i - (row.place.flow === "lock" ? 2 : 1)]?.place.label ?? "";
      open.push({ at: calls.push(`${name}!`) - 1, caller: row.place.flow, name, step, lock: "" });
    }
    const top = open.at(-1);
    if (top && (row.what === "lock" || row.what === "unlock")) top.lock = lockName(ran, row, top.step);
    if (top && row.what === "pal.call.leave") {
      open.pop();
      calls[top.at] = entry(top, row.preempt);
    }
  });
  return calls.join(" ");
}

function entry({ caller, name, lock }: { caller: string; name: string; lock: string }, preempt: number): string {
  if (caller === "lock") return `L(${lock})`;
  if (caller === "unlock") return `U${preempt === 1 ? "*" : ""}(${lock})`;
  return WITHOUT_LEAVE.has(name) ? `${name}!` : `${name}@${preempt}`;
}

/** The PAL calls of a case's system call: from its app.call to its app.return, or to the end when it has none. */
export function palCallsOf(ran: Ran, who: string, operation: number): string {
  const calls = ran.rows.filter((row) => row.who === who && row.what === "app.call" && row.value === operation);
  const call = calls.at(-1);
  if (!call) throw new Error(`${who} makes no operation ${operation}`);
  const back = ran.rows.find((row) => row.who === who && row.seq > call.seq && row.what === "app.return" && row.depth < call.depth);
  return palCalls(ran, who, call.seq, back?.seq ?? Number.POSITIVE_INFINITY);
}

/** The PAL calls of a window. */
export function palCallsIn(ran: Ran, { who, from, through, to }: Window): string {
  const rows = ran.rows.filter((row) => row.who === who);
  const at = rows.findIndex((row) => row.where.includes(through));
  if (at < 0) throw new Error(`${who} does not come to "${through}"`);
  const before = rows.slice(0, at).findLast((row) => from !== "" && row.where.includes(from));
  const after = rows.slice(at).find((row) => row.where.includes(to));
  return palCalls(ran, who, before ? before.seq - 1 : -1, after?.seq ?? Number.POSITIVE_INFINITY);
}
