/** The LibOS's mask of a thread, and temporary masks (gramine-today.md 5, 8; libos_signal.c). */

import type { Flow } from "../../../flow.ts";
import { blockable } from "../../../host/signal.ts";
import { highOf, lowOf, type SignalSet } from "../../../signals.ts";
import { KIND } from "../../../transition.ts";
import { type Cpu, flow } from "../flow.ts";
import type { Thread } from "../state.ts";
import { LIBOS } from "./flows.ts";
import { threadLock } from "./names.ts";

/** The row of libos.mask tells of it. */
export function setMask(c: Cpu, t: Thread, mask: SignalSet): void {
  c.row(KIND["libos.mask"], lowOf(mask), highOf(mask));
  c.tellMask(t.libos.mask, mask);
  t.libos.mask = mask;
}

/** A mask for the length of a call; what stood before comes back in the tail, or with the frame of the handler that ends the call. */
const setUserSigmask = flow(LIBOS.set_user_sigmask, "libos", "8", (s) => [
  s.test("no mask given?", (_, v) => v.mask === null, "done"),
  s.call("lock(current->lock)", LIBOS.lock, (c) => ({ name: threadLock(c.t) })),
  s.act(
    "saved_sigmask := signal_mask; signal_mask := mask",
    (c, v) => {
      c.t.libos.savedMask = c.t.libos.mask;
      if (v.mask) setMask(c, c.t, blockable(v.mask));
    },
    "libos.mask",
  ),
  s.call("unlock(current->lock)", LIBOS.unlock, (c) => ({ name: threadLock(c.t) })),
  s.at("done"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

export const maskFlows: readonly Flow[] = [setUserSigmask];
