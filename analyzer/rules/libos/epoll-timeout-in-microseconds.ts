/** Errata A9: epoll_wait hands milliseconds over as microseconds. */

import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, MS, SGX, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly asked: number;
  readonly waited: number;
}
type Id = "called" | "over" | "returned";

const TIMED_OUT = 1;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: the row with which their sleep timed out. */
  const over = m.notesOnScopes<number>();
  return {
    "thread.wake": only(calls("epoll_wait"), () => {
      const call = m.value === TIMED_OUT ? m.open(SCOPE.CALL) : NONE;
      if (call !== NONE && m.hasLibos) over.set(call, m.seq);
    }),
    "app.return": over.whileAny(() => {
      const timedOut = over.get(m.closed);
      if (timedOut === null || m.value !== 0) return;
      const call = m.labelOf(m.closed);
      const asked = Number(/, (\d+)/.exec(call)?.[1] ?? 0);
      const waited = m.time - m.timeOf(m.closed);
      if (waited + MS >= asked) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(m.closed) },
          { id: "over", seq: timedOut },
          { id: "returned", seq: m.seq },
        ],
        data: { call, asked, waited },
      });
    }),
  };
}

const THIRTY_MS = `
        main:
          - epoll-wait: { on: [pipe], timeout: 30ms }
      `;

export const epollTimeoutInMicroseconds = defineRule({
  id: "epoll-timeout-in-microseconds",
  title: "the time-out of epoll_wait is over a thousand times too early",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "epoll_wait hands its milliseconds to a wait that takes microseconds. poll multiplies by a thousand; epoll_wait does not.",
  why: "Every event loop with a timer spins: it wakes a thousand times as often as it asked to, and under SGX each time costs an ocall.",
  recognise:
    "The rule looks for an epoll_wait that returns 0 after its sleep has timed out, more than a millisecond before the time it asked for.",
  ignore: [
    {
      text: "poll has its time right",
      nearMiss: {
        name: "poll with a time-out",
        scenario: `
          main:
            - poll: { on: [pipe], timeout: 30ms }
        `,
        stacks: GRAPHENE,
        reaches: ["thread.wake", "app.return"],
      },
    },
    {
      text: "without an end nothing is multiplied",
      nearMiss: {
        name: "epoll_wait that waits for data",
        scenario: `
          main:
            - clone: writer
            - epoll-wait: { on: [pipe] }
          programs:
            writer:
              - nanosleep: 5ms
              - write: { to: pipe, bytes: 1 }
        `,
        stacks: GRAPHENE,
        reaches: ["thread.wake", "app.return"],
      },
    },
  ],
  remedy: "Multiply by a thousand. (A time-out that a signal cuts short is eintr-becomes-timeout.)",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A9 (shim_epoll.c)",
  run,
  report: {
    title: ({ call, asked, waited }) => `${call} is over after ${timeText(waited)}, and asked for ${timeText(asked)}`,
    same: ({ call }) => [call],
    turn: ["over"],
    captions: {
      called: ({ asked }) => `the application waits for at most ${timeText(asked)}`,
      over: () => "the sleep is over: it was a thousand times shorter",
      returned: () => "the call returns 0, as if the time were over",
    },
  },
  invalid: [
    {
      name: "epoll_wait of 30 ms",
      scenario: THIRTY_MS,
      stacks: ["graphene-linux"],
      found: [{ title: "epoll_wait(pipe, 30000000) is over after 31.9 us, and asked for 30 ms", evidence: ["called", "over", "returned"] }],
    },
    {
      name: "the same under SGX",
      scenario: THIRTY_MS,
      stacks: SGX,
      found: [{ title: "epoll_wait(pipe, 30000000) is over after 34.4 us, and asked for 30 ms", evidence: ["called", "over", "returned"] }],
    },
    {
      name: "the same with pull request 347",
      scenario: THIRTY_MS,
      stacks: ["graphene-pr347", "graphene-pr1218"],
      found: [{ title: "epoll_wait(pipe, 30000000) is over after 32 us, and asked for 30 ms", evidence: ["called", "over", "returned"] }],
    },
  ],
});
