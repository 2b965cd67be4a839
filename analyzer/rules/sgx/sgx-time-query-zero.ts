/** Reference 3.4 `sgx-time-query-zero`; DkSystemTimeQuery under 2.6. */

import { signalName } from "../../../engine/index.ts";
import { HOW, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "asked" | "injected" | "zero";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "pal-call.end": only(
      (label) => label.includes("DkSystemTimeQuery"),
      () => {
        // Left by DkExceptionReturn it returns 0; so it does when its ocall failed.
        if (m.how !== HOW.ABANDONED && (m.how !== HOW.RETURNED || m.value !== 0)) return;
        const event = m.interruptionOf(m.closed);
        if (event === null) return;
        found({
          thread: m.thread,
          costNs: 0,
          evidence: [
            { id: "asked", seq: m.seqOf(m.closed) },
            { id: "injected", seq: event.injected },
            { id: "zero", seq: m.seq },
          ],
          data: { signal: event.signal, call: callOf(m) },
        });
      },
    ),
  };
}

const at = (place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - alarm: 1s
    - alarm: 0s
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${place}" } }
`;

export const sgxTimeQueryZero = defineRule({
  id: "sgx-time-query-zero",
  title: "the time is 0 when a signal interrupts the question for it",
  severity: "medium",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "DkSystemTimeQuery is an ocall. A signal while that is outside makes it fail, or makes DkExceptionReturn abandon the PAL call: the LibOS reads 0, and " +
    "nobody asks again.",
  why: "An alarm gets the time 0, which stands for none; a futex wait until a point of time has it in the past; an elapsed time is negative.",
  recognise: "The rule looks for DkSystemTimeQuery that was interrupted and whose result is 0.",
  ignore: [
    {
      text: "the signal comes before the ocall, or after it: the answer is the time",
      nearMiss: {
        name: "a signal when the time is back",
        scenario: at("DkSystemTimeQuery: microseconds"),
        stacks: SGX,
        reaches: ["sgx.aex", "DkSystemTimeQuery: microseconds", "pal.call.leave"],
      },
    },
  ],
  remedy: "The question is asked again after EINTR (Graphene 9a37c5cc3, 2019-07-20).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.6",
  run,
  report: {
    title: ({ signal, call }) => `${call || "the LibOS"} takes the time for 0: ${signalName(signal)} interrupted the question for it`,
    same: ({ signal, call }) => [signal, call],
    turn: ["zero"],
    captions: {
      asked: () => "the LibOS asks for the time",
      injected: ({ signal }) => `${signalName(signal)} comes while the ocall has the thread outside`,
      zero: () => "the PAL call gives 0, and the LibOS takes that for the time",
    },
  },
  invalid: [
    {
      name: "alarm",
      scenario: at("ocall_gettime: take the arguments"),
      stacks: SGX,
      found: [
        {
          title: "alarm(1000000000) takes the time for 0: SIGINT interrupted the question for it",
          evidence: ["asked", "injected", "zero"],
        },
      ],
    },
  ],
});
