/** Writes that find nobody to read: EPIPE, and SIGPIPE for the thread. */

import { WRITES } from "../../../engine/index.ts";
import type { CallEvent } from "./log.ts";

const RAISING: ReadonlySet<string> = new Set(WRITES);

/** SIGPIPE may follow: MSG_NOSIGNAL asks for none. */
export const mayRaise = ({ name, args }: CallEvent): boolean => RAISING.has(name) && !args.includes("MSG_NOSIGNAL");
