/** Reference 3.2 `eintr-swallowed-by-wait-loops`; table 2.20. */

import { E, IPC_WAITS, signalName } from "../../../engine/index.ts";
import { HOW, NONE, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, LINUX_PAL, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly late: number;
  readonly back: boolean;
}
type Id = "called" | "handled" | "asleep-again" | "answered" | "end";

interface Wait {
  handled: number;
  readonly signal: number;
  again: number;
  againAt: number;
}

const loops = calls("wait4", "waitid", "semop", "msgrcv");
const isIpc = calls(...IPC_WAITS);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const waits = m.notesOnScopes<Wait>(callOver);

  function handled(): void {
    const call = m.open(SCOPE.CALL);
    if (call === NONE || !m.hasLibos || !loops(m.labelOf(call)) || waits.get(call) !== null) return;
    const action = m.actionOf(m.signal);
    if (action !== null && ((action.flags & SA.RESTART) === 0 || isIpc(m.labelOf(call))))
      waits.set(call, { handled: m.seq, signal: m.signal, again: NONE, againAt: 0 });
  }

  /** The handler is over, and the call waits for the same thing again. */
  function asleep(): void {
    const wait = waits.get(m.open(SCOPE.CALL));
    if (wait === null || wait.again !== NONE || m.awaitedLock() !== NONE) return;
    const handler = m.open(SCOPE.HANDLER);
    if (handler !== NONE && m.seqOf(handler) >= wait.handled) return;
    wait.again = m.seq;
    wait.againAt = m.time;
  }

  function callOver({ handled, signal, again, againAt }: Wait, call: number): void {
    const back = m.how === HOW.RETURNED;
    if (again === NONE || !(back || m.how === HOW.TRACE_OVER) || (back && m.value === E.INTR)) return;
    found({
      thread: m.thread,
      costNs: m.time - againAt,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "handled", seq: handled },
        { id: "asleep-again", seq: again },
        { id: back ? "answered" : "end", seq: m.seq },
      ],
      data: { call: m.labelOf(call), signal, late: m.time - againAt, back },
    });
  }

  return { "app.handler.enter": handled, "thread.block": waits.whileAny(asleep) };
}

export const eintrSwallowedByWaitLoops = defineRule({
  id: "eintr-swallowed-by-wait-loops",
  title: "wait4, semop or msgrcv goes on waiting after a handler that should end it",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "These calls wait in a loop that looks only at what it waits for. The handler runs in the middle, and the loop waits again.",
  why: "A shell that waits for a child cannot be stopped; alarm() as a time-out of wait has no effect.",
  recognise:
    "The rule looks for a handler inside such a call, after which the call falls asleep again. For wait4 and waitid the handler is without SA_RESTART; semop and msgrcv return -EINTR on Linux also with it (signal(7)).",
  ignore: [
    {
      text: "the handler has SA_RESTART: Linux waits again, too",
      nearMiss: {
        name: "wait4 and a handler with SA_RESTART",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_RESTART] }
            - clone: sender
            - fork: child
            - wait4
          programs:
            sender:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGUSR1 }
              - nanosleep: 50ms
            child:
              - nanosleep: 30ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter"],
      },
    },
  ],
  remedy: "Answer -EINTR (Graphene 2a95cd5f2, 2020-11-19); 0547abf39 (2019-05-15) made the loops explicit with a helper that retries.",
  fix: null,
  cost: "how long the call waits on after the handler",
  source: "reference 3.2 and 2.20; errata A6",
  run,
  report: {
    title: ({ call, signal, back }) =>
      `${call} waits on after the handler of ${signalName(signal)}${back ? "" : ", to the end of the trace"}; Linux returns -EINTR`,
    same: ({ call, signal }) => [call, signal],
    turn: ["asleep-again"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      "asleep-again": () => "the loop waits for the same thing again",
      answered: ({ late }) => `the call returns ${timeText(late)} later, when what it waited for has come`,
      end: () => "it waits still when the trace ends",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 into a wait4",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: sender
          - fork: child
          - wait4
        programs:
          sender:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
            - nanosleep: 50ms
          child:
            - nanosleep: 30ms
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAPHENE,
      found: [
        {
          title: "wait4() waits on after the handler of SIGUSR1; Linux returns -EINTR",
          evidence: ["called", "handled", "asleep-again", "answered"],
        },
      ],
    },
    {
      name: "SIGUSR1 with SA_RESTART into a semop",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_RESTART] }
          - clone: sender
          - semop: { on: semaphore }
        programs:
          sender:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
            - nanosleep: 50ms
        handlers:
          on-usr1:
            - compute: 1us
        arrivals:
          - { to: semaphore, when: { at: 30ms } }
      `,
      stacks: LINUX_PAL,
      found: [
        {
          title: "semop(semaphore) waits on after the handler of SIGUSR1; Linux returns -EINTR",
          evidence: ["called", "handled", "asleep-again", "answered"],
        },
      ],
    },
  ],
});
