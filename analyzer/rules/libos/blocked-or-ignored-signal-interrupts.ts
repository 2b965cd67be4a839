/** Reference 3.2 `blocked-or-ignored-signal-interrupts`; 2.15. */

import { EVENT, IPC_WAITS, linuxDefault, POLLS, RESTARTABLE, resultText, SIG, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, createRing, GRAPHENE, isFromOutside, LINUX_PAL, SGX, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly blocked: boolean;
  readonly result: number;
  readonly after: number;
}
type Id = "asleep" | "sent" | "interrupted" | "answered";

interface Sleep {
  readonly asleep: number;
  interrupted: number;
  handled: boolean;
}

/** The newest signal that was put into a thread's ring, by thread. */
interface Sent {
  readonly seq: number;
  readonly signal: number;
}

const waits = calls(...RESTARTABLE, ...POLLS, ...IPC_WAITS, "connect", "nanosleep", "clock_nanosleep", "pause", "sigsuspend");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const sleeps = m.notesOnScopes<Sleep>(callOver);
  const sent = m.notesOnThreads<Sent>();

  /** SIGCONTs from outside, by id: one is taken for the LibOS's own wake-up, and is not queued. */
  const continued = createRing();

  function callOver({ asleep, interrupted, handled }: Sleep, call: number): void {
    const last = sent.get(m.slot);
    if (m.how !== HOW.RETURNED || interrupted === NONE || handled || last === null || last.seq < asleep || m.value > 0) return;
    const action = m.actionOf(last.signal)?.action ?? 0;
    const byItself = linuxDefault(last.signal);
    const ignored = action === 1 || (action === 0 && (byItself === "ignore" || byItself === "continue"));
    const blocked = m.blocks(last.signal) === true;
    if (!ignored && !blocked) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "asleep" as const, seq: asleep },
        // A signal from outside ends the sleep before the LibOS hears of it.
        ...[
          { id: "sent" as const, seq: last.seq },
          { id: "interrupted" as const, seq: interrupted },
        ].sort((a, b) => a.seq - b.seq),
        { id: "answered" as const, seq: m.seq },
      ],
      data: { call: m.labelOf(call), signal: last.signal, blocked: !ignored, result: m.value, after: m.time - m.timeOf(call) },
    });
  }

  return {
    "libos.signal.append"() {
      const slot = m.slotOf(m.value);
      if (slot !== NONE) sent.set(slot, { seq: m.seq, signal: m.signal });
    },
    "host.signal.generate"() {
      if (m.signal === SIG.CONT && isFromOutside(m)) continued.set(m.extra, m.seq);
    },
    "libos.upcall.enter"() {
      const seq = m.value === EVENT.RESUME ? continued.get(m.extra) : NONE;
      if (seq !== NONE && (sent.get(m.slot)?.seq ?? NONE) < seq) sent.set(m.slot, { seq, signal: SIG.CONT });
    },
    "thread.block": only(waits, () => {
      const call = m.open(SCOPE.CALL);
      if (m.value !== 1 || call === NONE || !m.hasLibos || m.awaitedLock() !== NONE) return;
      sleeps.set(call, { asleep: m.seq, interrupted: NONE, handled: false });
    }),
    "thread.wake": only(waits, () => {
      const sleep = sleeps.get(m.open(SCOPE.CALL));
      if (sleep !== null && m.value === 2) sleep.interrupted = m.seq;
    }),
    "app.handler.enter"() {
      const sleep = sleeps.get(m.open(SCOPE.CALL));
      if (sleep !== null) sleep.handled = true;
    },
  };
}

export const blockedOrIgnoredSignalInterrupts = defineRule({
  id: "blocked-or-ignored-signal-interrupts",
  title: "a signal that is blocked or ignored ends a call",
  severity: "medium",
  layers: ["libos", "host"],
  generations: ["graphene-2019"],
  what:
    "Whoever sends a signal wakes the target by the host's SIGCONT without a look at its mask or disposition. The host's call ends, and the " +
    "application's call with it, although no handler runs.",
  why: "Programs that have no handler do not expect EINTR: a server's accept fails when a child ends, a sleep is cut short.",
  recognise:
    "The rule looks for a sleep that a signal ends, in a call that returns without a result and without a handler, where the newest signal is blocked or ignored.",
  ignore: [
    {
      text: "a handler runs: -EINTR is right",
      nearMiss: {
        name: "a handled signal in a read",
        scenario: "w1-read-killed",
        stacks: GRAPHENE,
        reaches: ["thread.wake", "libos.signal.append", "app.handler.enter"],
      },
    },
    {
      text: "the time is over, or what was waited for has come",
      nearMiss: {
        name: "a read that gets its byte, with a blocked signal pending",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - read: { from: pipe, bytes: 1 }
          handlers:
            on-usr1:
              - compute: 1us
          arrivals:
            - to: pipe
              when: { at: 5ms }
        `,
        stacks: GRAPHENE,
        reaches: ["thread.wake", "libos.signal.append"],
      },
    },
  ],
  remedy:
    "Wake only for a signal that is handled (Graphene c295e5cd1, 2019-07-27), do not queue what is ignored (a9681fd20, 2019-08-13), restart calls " +
    "(5717e748d, 2021-05-26).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.15",
  run,
  report: {
    title: ({ call, signal, blocked, result }) =>
      `${call} returns ${resultText(result)} because of ${signalName(signal)}, which is ${blocked ? "blocked" : "ignored"}`,
    same: ({ call, signal, blocked, result }) => [call, signal, blocked ? 1 : 0, result],
    turn: ["sent"],
    captions: {
      asleep: ({ call }) => `${call} sleeps`,
      sent: ({ signal, blocked }) =>
        `${signalName(signal)} is put into the thread's ring although the application ${blocked ? "blocks" : "ignores"} it`,
      interrupted: () => "the wake-up ends the sleep",
      answered: ({ result, after }) => `the call returns ${resultText(result)} after ${timeText(after)}; on Linux it sleeps on`,
    },
  },
  invalid: [
    {
      name: "the end of a child that nobody asks for",
      scenario: `
        main:
          - fork: child
          - read: { from: pipe, bytes: 1 }
        programs:
          child:
            - nanosleep: 5ms
        arrivals:
          - to: pipe
            when: { at: 50ms }
      `,
      stacks: [...LINUX_PAL, "graphene-pr347"],
      found: [
        {
          title: "read(pipe, 1) returns -EINTR because of SIGCHLD, which is ignored",
          evidence: ["asleep", "sent", "interrupted", "answered"],
        },
      ],
    },
    {
      name: "the end of a child that nobody asks for, under SGX: an old error comes back",
      scenario: `
        main:
          - fork: child
          - read: { from: pipe, bytes: 1 }
        programs:
          child:
            - nanosleep: 5ms
        arrivals:
          - to: pipe
            when: { at: 50ms }
      `,
      stacks: SGX,
      found: [
        {
          title: "read(pipe, 1) returns -ENOSYS because of SIGCHLD, which is ignored",
          evidence: ["asleep", "sent", "interrupted", "answered"],
        },
      ],
    },
    {
      name: "a blocked signal and nanosleep",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - clone: sender
          - nanosleep: 50ms
        programs:
          sender:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "nanosleep(50000000) returns -EINTR because of SIGUSR1, which is blocked",
          evidence: ["asleep", "sent", "interrupted", "answered"],
        },
      ],
    },
  ],
});
