/** What the LibOS writes to the terminal: each line is a PAL call, and so a place where a signal is taken (utils/printf.c, shim_debug.c). */

import type { Flow } from "../flow.ts";
import { flow } from "../generations/graphene-2019/flow.ts";
import { LIBOS } from "./flows.ts";
import { dk } from "./io.ts";

const master = (): { name: string } => ({ name: "__master_lock" });

/** A message for the user; the terminal is opened at the first one. */
const sysPrintf = flow(LIBOS.sys_printf, "libos", "2.12", (s) => [
  s.call("lock(__master_lock)", LIBOS.lock, master),
  s.test("the terminal is open?", (c) => c.process(c.t).libos.ttyOpen, "open"),
  dk(s, "DkStreamOpen(dev:tty)", "DkStreamOpen", () => ({ takes: 0 })),
  s.act("keep it", (c) => {
    c.process(c.t).libos.ttyOpen = true;
  }),
  s.at("open"),
  dk(s, "DkStreamWrite(message)", "DkStreamWrite (device)", () => ({ bytes: 1, takes: 0, result: 1 })),
  s.call("unlock(__master_lock)", LIBOS.unlock, master),
  s.ret(),
]);

/** A line for debugging, without a lock. Only in stacks with `debug`; lines inside a call are not emulated, those about a call are. */
const debugPrintf = flow(LIBOS.debug_printf, "libos", "2.13", (s) => [
  dk(s, "DkStreamWrite(debug_handle)", "DkStreamWrite (device)", () => ({ bytes: 1, takes: 0, result: 1 })),
  s.ret(),
]);

export const messageFlows: readonly Flow[] = [sysPrintf, debugPrintf];
