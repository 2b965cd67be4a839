/** Dispositions that both PALs give the host for its signals (gramine-today.md 2; pal_exception.c, host_exception.c). */

import { numberOf } from "../../../frames.ts";
import { recheck } from "../../../host/pending.ts";
import { tellAction } from "../../../host/signal-calls.ts";
import type { Declares, Ref } from "../../../ref.ts";
import { removeSignal, SIG, setOf, signalName } from "../../../signals.ts";
import { SA_ONSTACK } from "../../../state.ts";
import { KIND } from "../../../transition.ts";
import type { Cpu, Step, Steps } from "../flow.ts";
import { handleAsyncSignal, handleSyncSignal } from "./flows.ts";

const ASYNC = [SIG.TERM, SIG.CONT] as const;
/** Signals of the host that are events for the application; each handler runs without them. */
export const ASYNC_SIGNALS = setOf(ASYNC);

/** The host's disposition, null: ignored; and the signal is let through. It is blocked itself while its handler runs (no SA_NODEFER). */
export function setHandler(c: Cpu, signal: number, handler: Declares<never> | null): void {
  const action = { flow: handler === null ? -1 : numberOf(c.program, handler as Ref<object>), flags: SA_ONSTACK, mask: ASYNC_SIGNALS };
  c.process(c.t).hostActions[signal] = action;
  tellAction(c, KIND["host.sigaction"], signal, action);
  c.t.hostMask = removeSignal(c.t.hostMask, signal);
  recheck(c, c.t);
}

/** The steps that set them; `faults`: signals of the thread's own instructions. */
export function setHandlers<V>({ act }: Pick<Steps<V>, "act">, faults: readonly number[]): Step[] {
  const handled = (signal: number, name: string, handler: Declares<never>): Step =>
    act(
      `rt_sigaction(${signalName(signal)}, ${name}, mask {SIGTERM SIGCONT}), unblocked`,
      (c) => setHandler(c, signal, handler),
      "host.sigaction",
    );
  return [
    ...[SIG.PIPE, SIG.CHLD].map((signal) =>
      act(`${signalName(signal)} := SIG_IGN, unblocked`, (c) => setHandler(c, signal, null), "host.sigaction"),
    ),
    ...faults.map((signal) => handled(signal, "handle_sync_signal", handleSyncSignal)),
    ...ASYNC.map((signal) => handled(signal, "handle_async_signal", handleAsyncSignal)),
  ];
}
