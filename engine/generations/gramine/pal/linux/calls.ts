/** PAL functions of the Linux PAL alone: the clock, and the ends of threads and processes (pal_threading.c, pal_process.c, pal_misc.c). */

import type { Flow } from "../../../../flow.ts";
import { type Exit, exitArgs } from "../../../../host/calls.ts";
import { KERNEL } from "../../../../host/flows.ts";
import { setMask } from "../../../../host/signal-calls.ts";
import { union } from "../../../../signals.ts";
import { flow } from "../../flow.ts";
import { PAL } from "../flows.ts";
import { ASYNC_SIGNALS } from "../host-handlers.ts";
import { vdsoClockGettime } from "./flows.ts";

/** Microseconds. The vDSO is not PAL text, but taken for it. */
const time = flow(PAL.PalSystemTimeQuery, "pal", "9", (s) => [
  s.call("clock_gettime() in the vDSO", vdsoClockGettime),
  s.ret(
    "return to the LibOS",
    (c) => {
      c.t.rax = Math.floor(c.t.rax / 1000);
      c.value = c.t.rax;
    },
    "pal.call.leave",
  ),
]);

const vdso = flow(
  vdsoClockGettime,
  "pal",
  "3",
  (s) => [
    s.act("read the time page"),
    s.ret("return", (c) => {
      c.t.rax = c.now;
    }),
  ],
  { text: "vdso" },
);

const exitOf = ({ status, how, why, signal }: Exit, group: boolean): Exit => exitArgs({ status, how, why, signal, group });

/** Nothing is delivered to a thread any more that gives its stacks back. */
const threadExit = flow(PAL.PalThreadExit, "pal", "3 LX", (s) => [
  s.act("block SIGTERM and SIGCONT", (c) => setMask(c, c.t, union(c.t.hostMask, ASYNC_SIGNALS)), "host.sigprocmask"),
  s.act("no alternate stack; the thread's stack is free"),
  s.act("clear_child_tid := 0", (c) => {
    c.t.pal.exited = true;
    c.dirty = true;
  }),
  s.call("exit", KERNEL.exit, (_, v) => exitOf(v, false)),
]);

const processExit = flow(PAL.PalProcessExit, "pal", "7.1", (s) => [s.call("exit_group", KERNEL.exit, (_, v) => exitOf(v, true))]);

export const linuxCalls: readonly Flow[] = [time, vdso, threadExit, processExit];
