/** LibOS start (gramine-today.md 2; libos_init.c). */

import type { Flow, Step } from "../../../flow.ts";
import { numberOf } from "../../../frames.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { EVENT, eventName } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { addThread } from "./clone.ts";
import { LIBOS } from "./flows.ts";
import { handshake } from "./fork.ts";

const register =
  (event: number) =>
  (c: Cpu): void => {
    c.process(c.t).pal.upcalls[event] = true;
    c.value = event;
  };

const makeWorker = (s: Steps<object>, which: "async" | "ipc"): Step[] => [
  s.call(
    which === "async" ? "init_async_worker: PalThreadCreate()" : "init_ipc_worker: PalThreadCreate()",
    PAL.PalThreadCreate,
    (c) => ({
      program: which === "async" ? "async-worker" : "ipc-worker",
      start: numberOf(c.program, which === "async" ? LIBOS.libos_async_worker : LIBOS.ipc_worker_main),
      internal: true,
      cloned: null,
    }),
    "pal.call.enter",
  ),
  s.act("the worker's thread", (c) => {
    c.process(c.t).libos[which].thread = c.process(c.t).threads.at(-1) ?? -1;
  }),
];

/**
 * An event that comes before its upcall is registered is dropped; a fault repeats for ever. A forked process has what the checkpoint says, and
 * waits until its parent knows it.
 */
const init = (copiesAltstack: boolean): Flow =>
  flow(LIBOS.libos_init, "libos", "2", (s) => [
    s.act("init_threading: tcb.tp, on g_thread_list", (c) => {
      c.t.libos.ready = true;
      addThread(c);
    }),
    ...makeWorker(s, "async"),
    ...Object.values(EVENT).map((event) => s.act(`init_signal_handling: PalSetExceptionHandler(${eventName(event)})`, register(event))),
    ...makeWorker(s, "ipc"),
    s.test("no parent process?", (c) => c.process(c.t).parent < 0, "alone"),
    copiesAltstack
      ? s.act("the checkpoint has the alternate stack, too", (c) => {
          c.t.libos.altStack = c.t.libos.creatorsAltStack;
        })
      : null,
    ...handshake(s),
    s.at("alone"),
    s.ret("start the application"),
  ]);

export const initFlows = (fixes: { copiesAltstack: boolean }): Flow[] => [init(fixes.copiesAltstack)];
