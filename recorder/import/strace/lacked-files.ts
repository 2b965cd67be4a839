/**
 * Files made by calls that a library OS may not have: there the program has -1 in place of the descriptor, and what it reads from it is
 * -EBADF, at once. They are objects of the scenario.
 */

import { splitArgs, wholeNumber } from "./args.ts";
import type { CallEvent } from "./log.ts";
import type { Item } from "./registrations.ts";

/** Files of a process by their descriptors; a child has copies. */
export type LackedFiles = Map<number, string>;

/** Each is missing on Graphene or Gramine, or on both; signalfd has an operation of its own (signal-files.ts). */
const MAKES: ReadonlySet<string> = new Set([
  ...["timerfd_create", "inotify_init", "inotify_init1", "fanotify_init", "pidfd_open", "pidfd_getfd", "memfd_create", "memfd_secret"],
  ...["userfaultfd", "perf_event_open", "io_uring_setup", "openat2"],
]);
const COPIES: ReadonlySet<string> = new Set(["dup", "dup2", "dup3"]);
const USES: ReadonlySet<string> = new Set(["read", "readv", "write", "writev"]);

/** Largest descriptor looked after. */
const MAX_FD = 1_000_000;

/** Follows what a call does to such files of its process (`owner`); the object that it makes, reads or writes. */
export function lackedFile({ name, args, value, line }: CallEvent, files: LackedFiles, owner: string): string | undefined {
  const makes = MAKES.has(name);
  if (!makes && files.size === 0) return undefined;
  const isNumber = value !== null && value >= 0 && value <= MAX_FD;
  if (makes) {
    if (!isNumber) return undefined;
    const made = `${name}-${value}-of-${owner}-line-${line}`;
    files.set(value, made);
    return made;
  }
  const fd = wholeNumber(splitArgs(args)[0]);
  const file = fd === null ? undefined : files.get(fd);
  if (USES.has(name)) return file;
  // A descriptor that is given out again is another file.
  if (COPIES.has(name) && isNumber) {
    if (file === undefined) files.delete(value);
    else files.set(value, file);
  } else if (name === "close" && fd !== null) files.delete(fd);
  return undefined;
}

/** The operation of such a call. */
export function onLackedFile(item: Item, file: string | undefined): void {
  if (file === undefined) return;
  const [name, args] = Object.entries(item)[0] ?? [];
  if (args === null || typeof args !== "object") return;
  if (name === "call") (args as Item).makes = file;
  else if (name === "read") (args as Item).from = file;
  else if (name === "write") (args as Item).to = file;
}
