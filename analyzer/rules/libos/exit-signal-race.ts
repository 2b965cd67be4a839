/** Reference 3.5 `exit-signal-race`; errata-2 N11. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createLabelTest, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
  readonly by: string;
}
type Id = "ends" | "handled";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const isExit = createLabelTest(m, (label) => /(?:^|: )shim_exit(?:_group)?\(\)$/.test(label));
  /** On threads: the row with which their end began. */
  const ending = m.notesOnThreads<{ readonly seq: number; readonly by: string }>();
  return {
    "libos.syscall.enter"() {
      const syscall = m.open(SCOPE.SYSCALL);
      if (syscall !== NONE && isExit(syscall)) ending.set(m.slot, { seq: m.seq, by: m.labelHere().replace(/^.*shim_/, "") });
    },
    "libos.syscall.exit": ending.whileAny(() => ending.remove(m.slot)),
    "libos.signal.kill": () => ending.set(m.slot, { seq: m.seq, by: `the default action of ${signalName(m.signal)}` }),
    "app.handler.enter"() {
      const end = ending.get(m.slot);
      if (end === null) return;
      const handler = m.open(SCOPE.HANDLER);
      if (handler !== NONE && m.seqOf(handler) < end.seq) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "ends", seq: end.seq },
          { id: "handled", seq: m.seq },
        ],
        data: { signal: m.signal, thread: m.nameOf(), by: end.by },
      });
    },
  };
}

export const exitSignalRace = defineRule({
  id: "exit-signal-race",
  title: "a handler runs in a thread that is on its way out",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "While a thread ends, the LibOS takes and releases locks, and each release looks for pending signals; that the thread is not alive any more is not " +
    "asked. The application's handler runs in the middle of its exit.",
  why:
    "The handler sees a program that has closed its files and given back its memory. If it calls exit itself, the code of the exit is entered again and may " +
    "wait for a lock of its own.",
  recognise: "The rule looks for a handler that starts in a thread after exit, exit_group or a default action has begun to end it.",
  ignore: [
    {
      text: "the handler ran before: exit comes from inside it",
      nearMiss: {
        name: "exit_group in a handler",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - exit-group
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "process.exit"],
      },
    },
    {
      text: "another thread of the process handles a signal meanwhile",
      nearMiss: {
        name: "the worker handles SIGUSR1 while main ends",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: worker
            - exit
          programs:
            worker:
              - nanosleep: 1ms
              - tgkill: { thread: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "thread.exit"],
      },
    },
  ],
  remedy: "No signals from the begin of an exit on (Graphene b13a691ac, 2020-09-02; issue 1789).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; errata-2 N11",
  run,
  report: {
    title: ({ signal, thread, by }) => `the handler of ${signalName(signal)} runs in ${thread}, which is ending by ${by}`,
    same: ({ signal, by }) => [signal, by],
    turn: ["handled"],
    captions: {
      ends: ({ by }) => `the thread begins to end: ${by}`,
      handled: ({ signal }) => `a lock is released, and the handler of ${signalName(signal)} runs`,
    },
  },
  invalid: [
    {
      name: "SIGINT while the thread is taken for dead",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - clone: worker
          - nanosleep: 1ms
          - exit
        programs:
          worker:
            - nanosleep: 5ms
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            thread: main
            when: { thread: main, site: "thread_exit: is_alive := false" }
            stacks: [graphene-linux, graphene-sgx]
      `,
      stacks: GRAPHENE,
      found: [{ title: "the handler of SIGINT runs in main, which is ending by exit()", evidence: ["ends", "handled"] }],
    },
  ],
});
