/** What a call is about, for people: its descriptor with the file behind it (-y), and who called it (-k). */

import type { CallEvent } from "./log.ts";
import type { Item } from "./registrations.ts";

/** Calls whose first argument is a descriptor. */
const ON_A_FILE: ReadonlySet<string> = new Set([
  ...["read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "close", "lseek", "ioctl"],
  ...["recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "accept", "accept4", "connect", "bind", "listen", "shutdown"],
  ...["getsockopt", "setsockopt", "getsockname", "getpeername", "fsync", "fdatasync", "ftruncate", "fstat", "fcntl", "flock", "dup"],
  ...["dup2", "dup3", "getdents64", "epoll_ctl", "sendfile", "splice", "timerfd_settime", "timerfd_gettime", "inotify_add_watch", "fchdir"],
]);

const DESCRIPTOR = /^(\d{1,9}(?:<(?:[^<>]|->){0,150}>)?)(?:,|$)/;

/** Written into the operation beside its line. */
export function tellAbout(item: Item, { name, args, frame }: CallEvent): void {
  const of = Object.values(item)[0];
  if (of === null || typeof of !== "object" || !takesAbout(item)) return;
  const descriptor = ON_A_FILE.has(name) ? DESCRIPTOR.exec(args)?.[1] : undefined;
  const about = [...(descriptor === undefined ? [] : [`on fd ${descriptor}`]), ...(frame === "" ? [] : [`from ${frame}`])].join(", ");
  if (about !== "") (of as Item).about = about.slice(0, 300);
}

/** Ends and jumps have no result that anybody could see. */
const takesAbout = (item: Item): boolean => !("exit" in item || "exit-group" in item || "sigsetjmp" in item);
