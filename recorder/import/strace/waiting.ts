/** Calls that wait, as operations: how long they took and what came of it. */

import { INTERRUPTIBLE } from "../../../engine/index.ts";
import { bounded, signalNames, signalSet, timeSpan, wholeNumber } from "./args.ts";
import { EINTR, ETIMEDOUT } from "./errno.ts";
import type { Item } from "./registrations.ts";

/** A call as the table below needs it. */
export interface Answered {
  readonly name: string;
  readonly args: readonly string[];
  /** ns. */
  readonly takes: number;
  readonly value: number;
  /** The thread's own mask, where the call has another one. */
  readonly outer: readonly number[] | undefined;
}

type Shape = "stream" | "poll" | "queue";

interface Entry {
  readonly operation: string;
  readonly shape: Shape;
  /** The longest the call may wait, from its arguments; null for ever. */
  readonly limit?: (args: readonly string[]) => number | null;
  /** What says that it is a newer call than the operation's own: a library OS may not have it. */
  readonly newer?: Item;
}

const milliseconds =
  (at: number) =>
  (args: readonly string[]): number | null => {
    const ms = wholeNumber(args[at]);
    return ms === null || ms < 0 ? null : bounded(ms * 1e6);
  };
const span =
  (at: number) =>
  (args: readonly string[]): number | null =>
    timeSpan(args[at]);

const read = { operation: "read", shape: "stream" } as const;
const write = { operation: "write", shape: "stream" } as const;
const accept = { operation: "accept", shape: "stream" } as const;

const TABLE: Readonly<Record<string, Entry>> = {
  read,
  readv: read,
  pread64: read,
  recvfrom: read,
  recvmsg: read,
  recvmmsg: read,
  write,
  writev: write,
  pwrite64: write,
  sendto: write,
  sendmsg: write,
  sendmmsg: write,
  accept,
  accept4: accept,
  poll: { operation: "poll", shape: "poll", limit: milliseconds(2) },
  ppoll: { operation: "poll", shape: "poll", limit: span(2) },
  select: { operation: "select", shape: "poll", limit: span(4) },
  pselect6: { operation: "select", shape: "poll", limit: span(4) },
  epoll_wait: { operation: "epoll-wait", shape: "poll", limit: milliseconds(3) },
  epoll_pwait: { operation: "epoll-wait", shape: "poll", limit: milliseconds(3) },
  epoll_pwait2: { operation: "epoll-wait", shape: "poll", limit: span(3), newer: { pwait2: true } },
  semop: { operation: "semop", shape: "queue" },
  semtimedop: { operation: "semop", shape: "queue" },
  msgrcv: { operation: "msgrcv", shape: "queue" },
};

const entryOf = (name: string): Entry | undefined => (Object.hasOwn(TABLE, name) ? TABLE[name] : undefined);

/** ns after which a call is over whatever happens, null for ever. */
export const limitOf = (name: string, args: readonly string[]): number | null => entryOf(name)?.limit?.(args) ?? null;

/** The operation for a call that came back; null when it did not wait in a way the scenario knows. */
export function answered({ name, args, takes, value, outer }: Answered): Item | null {
  if (name === "futex") return futexAnswered(args, takes, value);
  const entry = entryOf(name);
  if (!entry) return null;
  if (entry.shape === "stream") return { [entry.operation]: { ...bytes(entry.operation, value), takes, result: value, expect: value } };
  if (value < 0) return null;
  const mask = answeredMask(name, args, outer);
  if (entry.shape === "poll" && value === 0)
    return { [entry.operation]: { ...watched(name, args), timeout: takes, ...mask, ...entry.newer, expect: 0 } };
  // With a mask that lets in what may be pending, an answer within no time was there before any signal was looked for.
  return {
    [entry.operation]: { takes: "mask" in mask && takes < MARGIN_NS ? 0 : takes, ...mask, ...entry.newer, result: value, expect: value },
  };
}

/**
 * The mask of a call that was answered: the kernel looked for files first, and what the mask would have let in stayed pending
 * (do_epoll_wait, do_sys_poll: restore_saved_sigmask_unless). So it let in nothing that the thread's own mask keeps out.
 */
function answeredMask(name: string, args: readonly string[], outer: readonly number[] = []): Item {
  const { mask } = maskOf(name, args) as { mask?: readonly string[] };
  return mask === undefined ? {} : { mask: [...new Set([...mask, ...signalNames(outer)])] };
}

/** Descriptors named in one call; the others wait as these do. */
const MAX_WATCHED = 4;

/** What -y and -yy write behind a descriptor: `<pipe:[12]>`, `<TCP:[10.0.0.1:80->10.0.0.2:81]>`. */
const BEHIND = /<(?:[^<>]|->)*>/g;

/** The descriptors of a call that ends without them: objects to which nothing comes. Without any the base revision does not wait at all. */
function watched(name: string, args: readonly string[]): Item {
  const written = name.startsWith("epoll") ? (args[0] ?? "") : /select/.test(name) ? args.slice(1, 4).join(" ") : (args[0] ?? "");
  const given = written.replace(BEHIND, "");
  const found = /select/.test(name)
    ? given.matchAll(/(?<![\w])(\d+)(?=[\s\]<])/g)
    : given.matchAll(name.startsWith("epoll") ? /^(\d+)/g : /\bfd=(\d+)/g);
  const on = [...new Set([...found].map(([, fd]) => `fd ${fd}`))].slice(0, MAX_WATCHED);
  if (on.length > 0) return { on };
  // Arrays are left out with -s 0; where there is one, the call waits for something.
  return given.includes("[...]") ? { on: ["fd ?"] } : {};
}

/** Position of the mask that a call waits under. It stands as `[USR1]`, in pselect6 with its size: `{sigmask=[USR1], sigsetsize=8}`. */
export const MASK_AT: ReadonlyMap<string, number> = new Map([
  ["ppoll", 3],
  ["pselect6", 5],
  ["epoll_pwait", 4],
  ["epoll_pwait2", 4],
]);

/**
 * The mask of such a call. When a signal ended it at once the log has an address in its place: then it let in what came. `outer`: the
 * thread's own mask; `came`: signals that ended the call.
 */
function maskOf(name: string, args: readonly string[], outer: readonly number[] = [], came: readonly number[] = []): Item {
  const at = MASK_AT.get(name);
  const given = at === undefined ? "NULL" : (args[at] ?? "NULL");
  const set = signalSet(/~?\[[^[\]]*\]/.exec(given)?.[0]);
  if (set) return { mask: signalNames(set) };
  const hidden = given.startsWith("0x") && came.some((signal) => outer.includes(signal));
  return hidden ? { mask: signalNames(outer.filter((signal) => !came.includes(signal))) } : {};
}

const bytes = (operation: string, value: number): Item => (operation !== "accept" && value > 0 ? { bytes: Math.min(value, 1e9) } : {});

function futexAnswered([, operation = ""]: readonly string[], takes: number, value: number): Item | null {
  if (!isFutexWait(operation)) return null;
  if (value === 0) return { "futex-wait": { takes, result: 0, expect: 0 } };
  // With EAGAIN the word had changed: there was no wait.
  return value === ETIMEDOUT ? { "futex-wait": { timeout: takes, expect: value } } : null;
}

const isFutexWait = (operation: string): boolean => /^FUTEX_WAIT(?:_BITSET)?(?:_PRIVATE)?(?:\||$)/.test(operation);

export interface Interrupted {
  readonly name: string;
  readonly args: readonly string[];
  /** What the program got, null when the log does not say. */
  readonly expect: number | null;
  /** The handler has SA_RESTART, and still the program got EINTR. */
  readonly againstRestart: boolean;
  /** The thread's own mask, where the call has another one. */
  readonly outer: readonly number[] | undefined;
  /** Signals that ended it. */
  readonly signals: readonly number[];
  /** ns that it waited: a limit of its own was longer, if only by the slack of the kernel's timers. */
  readonly waited: number;
  /** ns of these that stand before it. */
  readonly passed: number;
  /** The thread was ended in it. */
  readonly dies: boolean;
}

/** How late the kernel's timers and strace may be, ns. */
export const MARGIN_NS = 200_000;

/**
 * A call that a signal ended, or that never ended: it waits for as long as its arguments allow. One that waits for nobody was on its way
 * when its thread was ended: it would have come back.
 */
export function interrupted({ name, args, expect, againstRestart, outer, signals, waited, passed, dies }: Interrupted): {
  item: Item;
  exact: boolean;
} {
  const told = expect === null ? {} : { expect };
  const entry = name === "futex" ? futexEntry(args) : entryOf(name);
  const asked = entry?.limit?.(args) ?? (name === "futex" && isUntil(args) ? 2 * waited + LONGER_NS : null);
  const limit = asked === null ? null : bounded(Math.max(asked, waited + MARGIN_NS) - passed);
  const fds = entry?.shape === "poll" ? watched(name, args) : {};
  const poll = {
    poll: { ...fds, ...(limit === null ? {} : { timeout: limit }), ...maskOf(name, args, outer, signals), ...entry?.newer, ...told },
  };
  if (entry?.shape === "poll") return { item: { [entry.operation]: poll.poll }, exact: true };
  if (entry && name === "futex" && (limit !== null || !againstRestart)) return { item: { "futex-wait": poll.poll }, exact: true };
  if (entry?.shape === "queue") return { item: { [entry.operation]: { takes: "forever", ...told } }, exact: true };
  // Sleeping with SA_RESTART and still EINTR: only what poll stands for does so.
  if (againstRestart && expect === EINTR) return { item: poll, exact: false };
  if (entry && entry.operation !== "write") return { item: { [entry.operation]: { takes: "forever", ...told } }, exact: true };
  if (dies && !INTERRUPTIBLE.has(name))
    return { item: { call: { name: callName(name), takes: bounded(waited + MARGIN_NS) } }, exact: false };
  return { item: { call: { name: callName(name), takes: "forever", interruptible: true, ...told } }, exact: false };
}

/** A moment of an unknown clock is taken to be as far away again as the call had waited, and this, ns. */
const LONGER_NS = 1e9;

/** FUTEX_WAIT_BITSET waits until a moment, as pthread_cond_timedwait and sem_timedwait do. */
const isUntil = ([, operation = "", , timeout = "NULL"]: readonly string[]): boolean =>
  isFutexWait(operation) && operation.includes("BITSET") && timeout !== "NULL";

const futexEntry = ([, operation = ""]: readonly string[]): Entry | undefined =>
  isFutexWait(operation)
    ? { operation: "futex-wait", shape: "stream", limit: operation.includes("BITSET") ? () => null : span(3) }
    : undefined;

/** Names are shown to people and bounded by the schema. */
export const callName = (name: string): string => name.slice(0, 100);
