/** Gramine today, B10 and B11. */

import { E, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, createRing, GRAMINE, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly after: number;
}
type Id = "sent" | "woken" | "ignored" | "answered";

interface Sleep {
  readonly woken: number;
  ignored: number;
  signal: number;
  sent: number;
  handled: boolean;
}

/** Calls whose wait the LibOS makes itself, on an event of the thread. */
const sleepsUntil = calls("nanosleep", "clock_nanosleep", "pause", "sigsuspend", "rt_sigtimedwait", "sigwait");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const sent = createRing();
  const sleeps = m.notesOnScopes<Sleep>(over);

  function over({ woken, ignored, signal, sent: from, handled }: Sleep, call: number): void {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR || ignored === NONE || handled) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        ...(from === NONE ? [] : [{ id: "sent" as const, seq: from }]),
        { id: "woken", seq: woken },
        { id: "ignored", seq: ignored },
        { id: "answered", seq: m.seq },
      ],
      data: { call: m.labelOf(call), signal, after: m.time - m.timeOf(call) },
    });
  }

  return {
    "libos.signal.append": () => sent.set(m.extra, m.seq),
    /** Not by a signal of the host: by whoever put the signal into the queue. */
    "thread.wake": only(sleepsUntil, () => {
      const call = m.open(SCOPE.CALL);
      if (m.value !== 0 || call === NONE || !m.hasLibos || sleeps.get(call) !== null) return;
      sleeps.set(call, { woken: m.seq, ignored: NONE, signal: 0, sent: NONE, handled: false });
    }),
    "libos.signal.ignore"() {
      const sleep = sleeps.get(m.open(SCOPE.CALL));
      if (sleep === null || sleep.ignored !== NONE) return;
      sleep.ignored = m.seq;
      sleep.signal = m.signal;
      sleep.sent = sent.get(m.extra);
    },
    "app.handler.enter"() {
      const sleep = sleeps.get(m.open(SCOPE.CALL));
      if (sleep !== null) sleep.handled = true;
    },
  };
}

export const ignoredSignalEndsSleep = defineRule({
  id: "ignored-signal-ends-sleep",
  title: "a signal that is ignored ends a sleep",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "nanosleep, pause, sigsuspend and sigtimedwait look whether a signal is pending that the mask lets through. One that is ignored, by " +
    "default as SIGCHLD and SIGWINCH or by choice, counts as well: it ends the sleep with -EINTR, and is then thrown away.",
  why: "A program without any handler does not expect EINTR: sleep(10) is over when a child ends, sigsuspend returns before its signal came.",
  recognise:
    "The rule looks for such a call that answers -EINTR without a handler, after the LibOS has thrown an ignored signal away in it.",
  ignore: [
    {
      text: "a handler ran: -EINTR is right",
      nearMiss: {
        name: "a handled signal and nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: worker
            - nanosleep: 50ms
          programs:
            worker:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
    {
      text: "the time was over before the ignored signal was looked at",
      nearMiss: {
        name: "an ignored signal after the sleep",
        scenario: `
          main:
            - nanosleep: 5ms
            - kill: { process: self, signal: SIGWINCH }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "libos.signal.ignore"],
      },
    },
  ],
  remedy: "Do not count ignored signals as pending, or do not queue them.",
  fix: "ignored-signal-ends-sleep",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 8, 14 B10, B11; libos_signal.c:149-183",
  run,
  report: {
    title: ({ call, signal }) => `${call} is ended by ${signalName(signal)}, which is ignored`,
    same: ({ call, signal }) => [call, signal],
    turn: ["sent"],
    captions: {
      sent: ({ signal }) => `${signalName(signal)} is put into the queue, although nobody asks for it`,
      woken: () => "the sleeping thread is woken",
      ignored: ({ signal }) => `the LibOS looks at ${signalName(signal)}: it is ignored`,
      answered: ({ after }) => `the call returns -EINTR after ${timeText(after)}; on Linux it sleeps on`,
    },
  },
  invalid: [
    {
      name: "SIGWINCH, which nobody asks for, and nanosleep",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 50ms
        programs:
          worker:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGWINCH }
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "nanosleep(50000000) is ended by SIGWINCH, which is ignored",
          evidence: ["sent", "woken", "ignored", "answered"],
        },
      ],
    },
  ],
});
