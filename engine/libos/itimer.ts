/** real_itimer and getitimer (shim_alarm.c): what setitimer said last, which alarm neither asks nor changes. */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { copyOut, OUT, tell } from "../host/outputs.ts";
import { SHIM_DO } from "./flows.ts";
import { answer, dk } from "./io.ts";

/** Where it points: microseconds of DkSystemTimeQuery, 0 before the first setitimer. */
export function rememberItimer(c: Cpu, now: number, value: number, interval: number): void {
  c.process(c.t).libos.realItimer = { timeout: now + value, reset: interval };
}

const getitimer = flow(SHIM_DO.getitimer, "libos", "2.19", (s) => [
  s.test("not ITIMER_REAL?", (_, v) => v.which !== "real", "nosys"),
  dk(s, "setup_time = DkSystemTimeQuery()", "DkSystemTimeQuery", () => ({})),
  s.act("current_timeout, current_reset", (c, v) => {
    const { timeout, reset } = c.process(c.t).libos.realItimer;
    tell(v, OUT.oldValue, Math.max(0, timeout - c.t.rax) * 1000);
    tell(v, OUT.interval, reset * 1000);
  }),
  copyOut(s, "*value := them"),
  s.jump("return", "return 0"),
  s.at("nosys"),
  s.act("-ENOSYS", (_, v) => {
    v.ret = E.NOSYS;
  }),
  s.at("return"),
  answer(s),
]);

export const itimerFlows: readonly Flow[] = [getitimer];
