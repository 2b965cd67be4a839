/** LibOS start (gramine-today.md 2; libos_init.c). */

import type { Flow } from "../../../flow.ts";
import { type Cpu, flow } from "../flow.ts";
import { EVENT, eventName } from "../pal/errors.ts";
import { LIBOS } from "./flows.ts";

const register =
  (event: number) =>
  (c: Cpu): void => {
    c.process(c.t).pal.upcalls[event] = true;
    c.value = event;
  };

/** An event that comes before its upcall is registered is dropped; a fault repeats for ever. */
const init = flow(LIBOS.libos_init, "libos", "2", (s) => [
  s.act("init_threading: tcb.tp, on g_thread_list", (c) => {
    c.t.libos.ready = true;
    c.process(c.t).libos.threadList.push(c.t.id);
  }),
  ...Object.values(EVENT).map((event) => s.act(`init_signal_handling: PalSetExceptionHandler(${eventName(event)})`, register(event))),
  s.ret("start the application"),
]);

export const initFlows: readonly Flow[] = [init];
