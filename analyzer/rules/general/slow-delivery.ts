/** A handler that runs long after its signal came, although the application had been at a place where Linux would have run it. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, createRing, GRAPHENE, MS, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly late: number;
  readonly asleep: boolean;
  readonly call: string;
}
type Id = "sent" | "missed" | "handled";

interface Missed {
  readonly sent: number;
  readonly seq: number;
  readonly time: number;
  readonly asleep: boolean;
  readonly call: string;
}

const KEPT = 4096;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Of signals that a thread went on without, by id. */
  const missed = new Map<number, Missed>();
  const known = createRing();

  /** The thread is back in the application, or goes to sleep: on Linux no signal that is due waits any longer. */
  function passes(asleep: boolean): void {
    if (!m.anyPending() || m.open(SCOPE.HANDLER) !== NONE) return;
    for (const p of m.pendingSignals()) {
      if (known.get(p.id) === m.thread || m.isDue(p) !== true) continue;
      known.set(p.id, m.thread);
      missed.set(p.id, { sent: p.seq, seq: m.seq, time: m.time, asleep, call: callOf(m) });
      if (missed.size > KEPT) for (const oldest of missed.keys()) return void missed.delete(oldest);
    }
  }

  function handled(): void {
    if (missed.size === 0) return;
    const before = missed.get(m.extra);
    if (before === undefined) return;
    missed.delete(m.extra);
    const late = m.time - before.time;
    if (late < MS) return;
    const { sent, seq, asleep, call } = before;
    found({
      thread: m.thread,
      costNs: late,
      evidence: [
        { id: "sent", seq: sent },
        { id: "missed", seq },
        { id: "handled", seq: m.seq },
      ],
      data: { signal: m.signal, late, asleep, call },
    });
  }

  return {
    "app.call": () => passes(false),
    "app.return": () => passes(false),
    "thread.block"() {
      if (m.value === 1) passes(true);
    },
    "app.handler.enter": handled,
  };
}

export const slowDelivery = defineRule({
  id: "slow-delivery",
  title: "a signal's handler runs long after Linux would have run it",
  severity: "medium",
  layers: ["libos", "pal"],
  generations: ["any"],
  what:
    "A signal was pending and not blocked, the thread went on in the application or fell asleep, and the handler ran only a millisecond or " +
    "more later.",
  why: "Timers drift, a request to stop is answered late, a watchdog bites.",
  recognise:
    "The rule notes the first call, return or sleep of a thread for which a signal is due outside of any handler, and measures the time to " +
    "the handler. On Linux a signal that is due is handled before the thread does any of these.",
  ignore: [
    {
      text: "the signal is blocked meanwhile: it waits on Linux, too",
      nearMiss: {
        name: "blocked for 20 ms",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - nanosleep: 20ms
            - sigprocmask: { how: unblock, signals: [SIGUSR1] }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["app.handler.enter", "thread.block"],
      },
    },
    {
      text: "another handler of the thread runs: Linux waits as well if that handler's mask says so",
      nearMiss: {
        name: "a handler that takes 5 ms, and its signal again meanwhile",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: sender
            - compute: 20ms
            - getpid
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
              - nanosleep: 2ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 5ms
        `,
        stacks: ["native-linux"],
        reaches: ["app.handler.enter"],
      },
    },
  ],
  remedy:
    "Look for pending signals once more after the last handler and at the last moment before a sleep (Graphene c24bddd5a, 13319893f).",
  fix: null,
  cost: "from the first moment at which Linux would have run the handler, to the handler",
  source: "reference 3.2 (wakeup-lost-before-block), signal(7)",
  run,
  report: {
    title: ({ signal, late, asleep, call }) =>
      `the handler of ${signalName(signal)} runs ${timeText(late)} late${asleep ? `: ${call || "the thread"} sleeps over it` : ""}`,
    same: ({ signal, asleep, call }) => [signal, asleep ? 1 : 0, call],
    turn: ["missed"],
    captions: {
      sent: () => "the signal is pending, and not blocked",
      missed: ({ asleep, call }) =>
        asleep ? `${call || "the thread"} falls asleep with it pending` : `the application goes on without it (${call || "between calls"})`,
      handled: ({ late }) => `its handler runs, ${timeText(late)} later`,
    },
  },
  invalid: [
    {
      name: "a signal that comes between the last check and the sleep",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - accept: { on: listener }
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { thread: main, site: "DkStreamWaitForClient: ENTER_PAL_CALL: mark the pal_frame" }
        arrivals:
          - to: listener
            when: { at: 50ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [
        { title: "the handler of SIGINT runs 49.9 ms late: accept(listener) sleeps over it", evidence: ["sent", "missed", "handled"] },
      ],
    },
  ],
});
