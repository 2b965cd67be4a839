/** The upcalls of asynchronous events (shim_signal.c at 32a89d1d2). Those of faults are as in 2019. */

import type { Flow, Step } from "../../flow.ts";
import { SCAN_ALL } from "../../libos/deliver.ts";
import { disablePreempt, enablePreempt } from "../../libos/preempt.ts";
import { finish, isInternal } from "../../libos/upcalls.ts";
import { UPCALLS, type Upcall } from "../../pal/flows.ts";
import type { Ref } from "../../ref.ts";
import { sentBy } from "../../siginfo.ts";
import { SIG } from "../../signals.ts";
import { PR } from "../graphene-pr347/flows.ts";
import { hasContext } from "../graphene-pr347/rip.ts";
import { flow, type Steps } from "./flow.ts";
import { finishStub } from "./rip.ts";

const finishes = <V>(s: Steps<V>): Step =>
  s.act("syscallas_return_emulate(context)", finishStub, ["step", "libos.syscall.exit", "app.fault", "host.signal.default"]);

const asynchronous = (upcall: Ref<Upcall>, signal: number): Flow =>
  flow(upcall, "libos", "pr1218 3", (s) => [
    finishes(s),
    s.test("internal Graphene thread (async or ipc helper)?", isInternal, "internal"),
    s.act(`siginfo_t info = (${signal === SIG.INT ? "SIGINT" : "SIGTERM"}, SI_USER, .si_pid = 0)`, (_, v) => {
      v.signal = signal;
    }),
    s.call("deliver_signal(info, context)", PR.deliver_signal, (_, v) => ({
      signal: v.signal,
      id: v.id,
      info: sentBy(v.signal, 0),
      context: "none",
      stored: false,
      event: true,
    })),
    s.jump("return", "return"),
    s.at("internal"),
    s.act(
      "drop it",
      (c, v) => {
        c.signal = signal;
        c.value = 1;
        c.extra = v.id;
      },
      "libos.signal.lost",
    ),
    s.at("return"),
    ...finish(s),
  ]);

const resume = flow(UPCALLS.RESUME, "libos", "pr1218 3", (s) => [
  s.test("tcb.tp == NULL?", (c) => !c.t.libos.ready, "return"),
  finishes(s),
  s.test("internal Graphene thread (async or ipc helper)?", isInternal, "return"),
  disablePreempt(s),
  s.test("preempt > 1?", (c) => c.t.libos.preempt > 1, "enable"),
  s.call("__handle_signal(tcb, 0, context)", PR.__handle_signal, (c) => ({ ...SCAN_ALL, uc: hasContext(c) })),
  s.at("enable"),
  enablePreempt(s),
  s.at("return"),
  ...finish(s),
]);

export const upcallFlows: readonly Flow[] = [asynchronous(UPCALLS.QUIT, SIG.TERM), asynchronous(UPCALLS.SUSPEND, SIG.INT), resume];
