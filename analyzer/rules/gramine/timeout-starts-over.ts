/** Gramine today, B15. */

import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, MS, timeText } from "../common.ts";
import { timeoutOf } from "../timeouts.ts";

interface Data {
  readonly call: string;
  readonly timeout: number;
  readonly took: number;
  readonly over: boolean;
}
type Id = "called" | "again" | "over";

interface Repeated {
  readonly first: number;
  readonly timeout: number;
}

/** What a call needs besides its time-out. */
const SLACK_NS = 5 * MS;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const repeated = m.notesOnScopes<Repeated>(over);

  function over({ first, timeout }: Repeated, call: number): void {
    const took = m.time - m.timeOf(call);
    if (took < timeout + SLACK_NS) return;
    found({
      thread: m.thread,
      costNs: took - timeout,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "again", seq: first },
        { id: "over", seq: m.seq },
      ],
      data: { call: m.labelOf(call), timeout, took, over: m.how === 0 },
    });
  }

  return {
    "libos.restart"() {
      const call = m.open(SCOPE.CALL);
      if (call === NONE || repeated.get(call) !== null) return;
      const timeout = timeoutOf(m.labelOf(call));
      if (timeout !== null) repeated.set(call, { first: m.seq, timeout });
    },
  };
}

export const timeoutStartsOver = defineRule({
  id: "timeout-starts-over",
  title: "a call that is made again after a signal has its whole time-out once more",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "poll, epoll_wait and FUTEX_WAIT that an ignored signal ends are made again from the start, with the time-out that the program gave. " +
    "Linux goes on with what is left of it. FUTEX_WAIT_BITSET has an absolute time-out and is right.",
  why: "A program whose children end, or whose terminal is resized, more often than its time-out is over never sees the time-out: watchdogs and keep-alives stop.",
  recognise: "The rule looks for a call with a time-out that is set up to be made again and takes 5 ms longer than its time-out, or more.",
  ignore: [
    {
      text: "the call is made again, and what it waits for comes in time",
      nearMiss: {
        name: "an ignored signal, then data",
        scenario: `
          main:
            - clone: worker
            - poll: { on: [pipe], timeout: 50ms }
          programs:
            worker:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGWINCH }
              - nanosleep: 5ms
              - write: { to: pipe, bytes: 1 }
        `,
        stacks: GRAMINE,
        reaches: ["libos.restart", "app.return"],
      },
    },
  ],
  remedy: "Keep the end of the time-out with the thread, as the kernel's restart block does.",
  fix: "timeout-starts-over",
  cost: "how much longer than its time-out the call took",
  source: "gramine today 8.1, 14 B15; libos_poll.c, libos_epoll.c, libos_futex.c:722-741",
  run,
  report: {
    title: ({ call, timeout, took, over }) =>
      `${call} has a time-out of ${timeText(timeout)} and ${over ? "took" : "goes on after"} ${timeText(took)}`,
    same: ({ call }) => [call],
    turn: ["again"],
    captions: {
      called: ({ timeout }) => `the application gives a time-out of ${timeText(timeout)}`,
      again: () => "a signal ends the wait, and the call is set up to be made again, with the whole time-out",
      over: ({ took }) => `${timeText(took)} after the call began`,
    },
  },
  invalid: [
    {
      name: "an ignored signal each 20 ms, and poll",
      scenario: `
        main:
          - clone: worker
          - poll: { on: [pipe], timeout: 50ms }
        programs:
          worker:
            - loop:
                times: 3
                do:
                  - nanosleep: 20ms
                  - tgkill: { thread: main, signal: SIGWINCH }
      `,
      stacks: GRAMINE,
      found: [{ title: "poll(pipe, 50000000) has a time-out of 50 ms and took 110 ms", evidence: ["called", "again", "over"] }],
    },
  ],
});
