/** Scenarios that show the known faults of pull request 347, each as small as it goes. */

import type { Scenario } from "../../engine/index.ts";
import { scenarioOf } from "./run-scenario.ts";

const handlers = { h: [{ compute: "1us" }] };
const handled = (...signals: string[]): object[] => signals.map((signal) => ({ sigaction: { signal, handler: "h" } }));

/** The host sends SIGTERM to a thread that computes, while another thread has put a SIGTERM into its ring and not yet woken it. */
export const SAME_NUMBER: Scenario = scenarioOf({
  main: [...handled("SIGTERM"), { clone: "sender" }, { compute: "3ms" }],
  programs: { sender: [{ compute: "1ms" }, { tgkill: { thread: "main", signal: "SIGTERM" } }, { nanosleep: "5ms" }] },
  handlers,
  signals: [
    {
      signal: "SIGTERM",
      thread: "main",
      when: { thread: "sender", site: "append_signal: DkThreadResume(thread)  < SIGCONT via tgkill() >" },
    },
  ],
});

const pending = (...more: object[]): Scenario =>
  scenarioOf({
    main: [...handled("SIGINT", "SIGTERM"), { accept: { on: "listener" } }, { getpid: {} }],
    handlers,
    signals: [...["SIGINT", "SIGTERM"].map((signal) => ({ signal, thread: "main", when: { at: "2ms" } })), ...more],
  });
/** SIGINT and SIGTERM come to a thread that holds a lock of the LibOS: both are in the ring at the end of its call. */
export const TWO_PENDING: Scenario = pending();
/** And another SIGTERM, while the LibOS works on the first two. */
export const THREE_PENDING: Scenario = pending({
  signal: "SIGTERM",
  thread: "main",
  when: { thread: "main", site: "deliver_signal: append signal to thread->signal_logs[sig]", nth: 2 },
});

/** SIGTERM, whose action is the default, from another thread: it finds the application computing, or in a call. */
export const defaultAction = (busy: object): Scenario =>
  scenarioOf({
    main: [{ clone: "sender" }, busy, { getpid: {} }],
    programs: { sender: [{ compute: "1ms" }, { tgkill: { thread: "main", signal: "SIGTERM" } }, { nanosleep: "5ms" }] },
  });
