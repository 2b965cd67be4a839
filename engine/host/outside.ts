/** Places that belong to no thread's code: what the processor, the kernel and the outside world do to a thread. */

import { flow } from "../flow.ts";
import { outsideCode } from "./flows.ts";

/** Step numbers in the flow below. */
export const OUTSIDE = {
  arrives: 0,
  frame: 1,
  dropped: 2,
  byDefault: 3,
  data: 4,
  timer: 5,
  childExit: 6,
  aex: 7,
  gone: 8,
  ended: 9,
  stray: 10,
  taken: 11,
} as const;

export const outside = flow(outsideCode, "host", "1.2", ({ act }) => [
  act("a signal arrives from outside", undefined, "host.signal.generate"),
  act("the kernel pushes a signal frame", undefined, "host.signal.deliver"),
  act("the kernel drops the signal", undefined, "host.signal.discard"),
  act("the kernel takes the default action", undefined, "host.signal.default"),
  act("data arrives from outside", undefined, "step"),
  act("the interval timer expires", undefined, "host.signal.generate"),
  act("a child ended: SIGCHLD", undefined, "host.signal.generate"),
  act("AEX", undefined, "sgx.aex"),
  act("the host ends the thread", undefined, "thread.exit"),
  act("the process is over", undefined, "process.exit"),
  act("a signal leaves its queue, and nobody gets it", undefined, [
    "host.signal.discard",
    "libos.signal.ignore",
    "libos.signal.lost",
    "pal.event.lost",
  ]),
  act("the program takes the signal itself", undefined, "signal.take"),
]);
