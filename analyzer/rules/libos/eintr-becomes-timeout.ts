/** Reference 3.2 `eintr-becomes-timeout`; the results are those of table 2.20. */

import { POLLS, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, MS, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly after: number;
}
type Id = "called" | "interrupted" | "handled" | "answered";

interface Wait {
  interrupted: number;
  handled: number;
  signal: number;
}

/** The time-out of "poll(pipe, 1000000000)" in ns; without one it is for ever. */
const timeOutOf = (label: string): number => Number(/(\d+)\)$/.exec(label)?.[1] ?? Number.POSITIVE_INFINITY);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls of the poll family. */
  const waits = m.notesOnScopes<Wait>(callOver);

  function interrupted(): void {
    const call = m.open(SCOPE.CALL);
    if (m.value !== 2 || call === NONE || !m.hasLibos) return;
    const wait = waits.get(call);
    if (wait === null) waits.set(call, { interrupted: m.seq, handled: NONE, signal: 0 });
    else if (wait.handled === NONE) wait.interrupted = m.seq;
  }

  function handled(): void {
    const wait = waits.get(m.open(SCOPE.CALL));
    if (wait === null || wait.handled !== NONE) return;
    wait.handled = m.seq;
    wait.signal = m.signal;
  }

  function callOver({ interrupted, handled, signal }: Wait, call: number): void {
    const after = m.time - m.timeOf(call);
    if (m.how !== HOW.RETURNED || handled === NONE || m.value !== 0 || after + MS / 10 >= timeOutOf(m.labelOf(call))) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "interrupted", seq: interrupted },
        { id: "handled", seq: handled },
        { id: "answered", seq: m.seq },
      ],
      data: { call: m.labelOf(call), signal, after },
    });
  }

  return { "thread.wake": only(calls(...POLLS), interrupted), "app.handler.enter": handled };
}

export const eintrBecomesTimeout = defineRule({
  id: "eintr-becomes-timeout",
  title: "poll, select or epoll_wait returns 0, as if its time were over, when a signal interrupts it",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "The poll family of the LibOS never looks at the PAL's error: whatever ends its wait without a ready descriptor is a time-out.",
  why: "An event loop that stops by EINTR goes on; one that counts time-outs counts wrongly; Python's Ctrl-C in select is not seen.",
  recognise:
    "The rule looks for a wait of the poll family that a signal ends, whose handler runs, and that returns 0 before its time is over.",
  ignore: [
    {
      text: "the time is really over",
      nearMiss: {
        name: "a handler at the end of the time-out",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - poll: { on: [pipe], timeout: 5ms }
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { at: 1ms }
        `,
        stacks: ["native-linux"],
        reaches: ["app.handler.enter", "thread.wake"],
      },
    },
    {
      text: "nothing interrupts it",
      nearMiss: {
        name: "a time-out",
        scenario: `
          main:
            - poll: { on: [pipe], timeout: 5ms }
        `,
        stacks: GRAPHENE,
        reaches: ["thread.wake", "app.return"],
      },
    },
  ],
  remedy: "Pass the PAL's error on (Graphene 2a95cd5f2, 2020-11-19; 7f186ba30, 2021-02-25; 5717e748d, 2021-05-26).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.20",
  run,
  report: {
    title: ({ call, signal, after }) =>
      `${call} returns 0 after ${timeText(after)}, not -EINTR, when the handler of ${signalName(signal)} has run`,
    same: ({ call, signal }) => [call, signal],
    turn: ["answered"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      interrupted: () => "a signal ends the wait in the host",
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      answered: () => "nobody has asked why the wait ended, and no descriptor is ready: 0, a time-out",
    },
  },
  invalid: [
    {
      name: "SIGINT into a poll of a second",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - poll: { on: [pipe], timeout: 1s }
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { at: 20ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "poll(pipe, 1000000000) returns 0 after 19.9 ms, not -EINTR, when the handler of SIGINT has run",
          evidence: ["called", "interrupted", "handled", "answered"],
        },
      ],
    },
  ],
});
