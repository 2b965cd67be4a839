/** Writes that find nobody to read: EPIPE, and SIGPIPE for the thread. */

import type { CallEvent } from "./log.ts";

const WRITES: ReadonlySet<string> = new Set([
  ...["write", "writev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice", "vmsplice"],
]);

/** SIGPIPE may follow: MSG_NOSIGNAL asks for none. */
export const mayRaise = ({ name, args }: CallEvent): boolean => WRITES.has(name) && !args.includes("MSG_NOSIGNAL");
