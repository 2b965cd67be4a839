/** Reference 3.2 `wakeup-lost-before-block`. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, LINUX_PAL, sleepsOverSignals, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly slept: number;
  readonly ended: boolean;
}
type Id = "called" | "came" | "asleep" | "awake" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const entered = m.notesOnThreads<number>();

  return sleepsOverSignals(
    m,
    (p) => {
      const syscall = m.open(SCOPE.SYSCALL);
      // What waited before is another matter, and who waits for a lock is woken by its release.
      if (syscall === NONE || p.seq <= m.seqOf(syscall) || m.open(SCOPE.CALL) === NONE || m.awaitedLock() !== NONE) return false;
      entered.set(m.slot, m.seqOf(syscall));
      return true;
    },
    ({ thread, signal, pending, call, seq }, slept, ended) =>
      found({
        thread,
        costNs: slept,
        evidence: [
          { id: "called", seq: entered.get(m.slotOf(thread)) ?? seq },
          { id: "came", seq: pending },
          { id: "asleep", seq },
          { id: ended ? "awake" : "end", seq: m.seq },
        ],
        data: { signal, call, slept, ended },
      }),
  );
}

export const wakeupLostBeforeBlock = defineRule({
  id: "wakeup-lost-before-block",
  title: "a signal comes after a call has begun and before it sleeps: the call sleeps over it",
  severity: "high",
  layers: ["libos", "pal", "host"],
  generations: ["graphene-2019", "gramine"],
  what:
    "Between the last look for pending signals and the host's system call that sleeps, nothing hands over: a signal that comes there is kept, " +
    "or its wake-up finds the LibOS awake and does nothing, and then the thread falls asleep.",
  why:
    "read, nanosleep or a futex wait goes on until something else happens, a second or for ever, although the program was told to stop. It " +
    "happens seldom, and only under load.",
  recognise:
    "The rule looks for a sleep of a millisecond or more inside a call, over a signal that was put into the ring or kept by the PAL after the " +
    "call had begun, and that is neither blocked nor ignored.",
  ignore: [
    {
      text: "the signal came before the call: `if (!flag) pause()` has that race on Linux, too",
      nearMiss: {
        name: "the handler has run when pause begins",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - pause
          handlers:
            on-usr1:
              - compute: 1us
          limit: { time: 20ms }
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["app.handler.enter", "thread.block"],
      },
    },
    {
      text: "there is something to read: the call does not sleep, and the signal is handled at its end",
      nearMiss: {
        name: "SIGINT after the read has begun, with data in the pipe",
        scenario: `
          objects:
            pipe: pipe
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - write: { to: pipe, bytes: 8 }
            - read: { from: pipe, bytes: 8 }
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { thread: main, call: read, phase: before }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.syscall.enter", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "The event on which futex and sigsuspend wait is set, too, and stays set (Graphene 8c65f67a6, 2019-04-01); pause and nanosleep wait on an " +
    "event and look again (13319893f, 2021-05-19). For the rest Gramine documents it as a limitation to this day.",
  fix: null,
  cost: "how long the thread slept over the signal",
  source: "reference 3.2",
  run,
  report: {
    title: ({ signal, call, slept, ended }) =>
      `${call} sleeps over ${signalName(signal)}, which came after it had begun: ${ended ? timeText(slept) : "to the end of the trace"}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      called: ({ call }) => `the application is in ${call}, and the LibOS has begun with it`,
      came: ({ signal }) => `${signalName(signal)} comes: it is kept, and the thread is awake, so nothing is there to wake`,
      asleep: () => "the thread falls asleep all the same",
      awake: ({ slept }) => `it wakes after ${timeText(slept)}, by something else`,
      end: () => "it still sleeps when the trace ends",
    },
  },
  invalid: [
    {
      name: "SIGINT in the PAL, just before the host's nanosleep",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - nanosleep: 50ms
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { thread: main, site: "DkThreadDelayExecution: INLINE_SYSCALL(nanosleep)" }
      `,
      stacks: [...LINUX_PAL, "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "nanosleep(50000000) sleeps over SIGINT, which came after it had begun: 50 ms",
          evidence: ["called", "came", "asleep", "awake"],
        },
      ],
    },
  ],
});
