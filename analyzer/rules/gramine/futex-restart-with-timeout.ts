/** Gramine today, B16. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, GRAMINE } from "../common.ts";
import { timeoutOf } from "../timeouts.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
}
type Id = "called" | "handled" | "again";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const handled = m.notesOnScopes<number>();
  return {
    "app.handler.enter"() {
      const call = m.open(SCOPE.CALL);
      if (m.hasLibos && call !== NONE) handled.set(call, m.seq);
    },
    "libos.sigreturn"() {
      const call = m.open(SCOPE.CALL);
      const handler = handled.get(call);
      if (m.value !== 1 || call === NONE || handler === null) return;
      const label = m.labelOf(call);
      if (callName(label) !== "futex_wait" || timeoutOf(label) === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(call) },
          { id: "handled", seq: handler },
          { id: "again", seq: m.seq },
        ],
        data: { call: label, signal: m.signal },
      });
    },
  };
}

export const futexRestartWithTimeout = defineRule({
  id: "futex-restart-with-timeout",
  title: "a FUTEX_WAIT with a time-out is made again after a handler with SA_RESTART",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "FUTEX_WAIT answers -ERESTARTSYS whether it has a time-out or not, so a handler with SA_RESTART makes it again, from the start. Linux " +
    "answers -EINTR to a FUTEX_WAIT with a time-out.",
  why: "Whoever waits with a time-out and wants to look at a flag that the handler sets waits longer than it asked for.",
  recognise: "The rule looks for a FUTEX_WAIT with a time-out that rt_sigreturn leads back to.",
  ignore: [
    {
      text: "without a time-out Linux makes the call again as well",
      nearMiss: {
        name: "a FUTEX_WAIT without a time-out",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_RESTART] }
            - clone: worker
            - futex-wait: { on: word }
          programs:
            worker:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGUSR1 }
              - nanosleep: 5ms
              - futex-wake: { on: word }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.sigreturn", "app.handler.enter"],
      },
    },
  ],
  remedy: "Answer -EINTR where there is a time-out.",
  fix: "futex-restart-with-timeout",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 8, 14 B16; libos_futex.c",
  run,
  report: {
    title: ({ call, signal }) => `${call} is made again after the handler of ${signalName(signal)}; on Linux it returns -EINTR`,
    same: ({ call, signal }) => [call, signal],
    turn: ["again"],
    captions: {
      called: () => "the application waits with a time-out",
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      again: () => "its frame leads back to the system call instruction",
    },
  },
  invalid: [
    {
      name: "SA_RESTART and a time-out",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_RESTART] }
          - clone: worker
          - futex-wait: { on: word, timeout: 20ms }
        programs:
          worker:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "futex_wait(word, 20000000) is made again after the handler of SIGUSR1; on Linux it returns -EINTR",
          evidence: ["called", "handled", "again"],
        },
      ],
    },
  ],
});
