/** Reference 3.2 `sa-mask-and-flags-ignored` (D12), the mask. */

import { signalName } from "../../../engine/index.ts";
import { MASK, NONE, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "entered" | "looked";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "app.mask"() {
      const handler = m.open(SCOPE.HANDLER);
      if (handler === NONE || !m.hasLibos) return;
      const signal = m.signalOf(handler);
      const flags = m.actionOf(signal)?.flags ?? 0;
      if ((flags & SA.NODEFER) !== 0 || m.isBlocked(MASK.APP, signal) !== false) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "entered", seq: m.seqOf(handler) },
          { id: "looked", seq: m.seq },
        ],
        data: { signal },
      });
    },
  };
}

export const handlerMaskNotSet = defineRule({
  id: "handler-mask-not-set",
  title: "a handler runs without its own signal blocked",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The mask stays as it is while a handler runs: neither the signal itself nor sa_mask is added to it. That handlers seldom nest all the same is " +
    "the counter's doing, which puts signals off.",
  why: "A handler that saves the mask (sigsetjmp, ucontext) or asks for it sees another one than on Linux; what it puts back later is wrong as well.",
  recognise:
    "The rule looks at the mask under which a handler runs: its own signal is not in it, and the program did not ask for SA_NODEFER.",
  ignore: [
    {
      text: "the program asks for SA_NODEFER",
      nearMiss: {
        name: "a handler with SA_NODEFER",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_NODEFER] }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: [...GRAPHENE, "gramine-linux"],
        reaches: ["app.mask", "app.handler.return"],
      },
    },
  ],
  remedy: "Keep the mask in the frame, and set the handler's (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 (sa-mask-and-flags-ignored), 4.2 D12",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} runs with ${signalName(signal)} not blocked`,
    same: ({ signal }) => [signal],
    turn: ["looked"],
    captions: {
      entered: ({ signal }) => `the handler of ${signalName(signal)} begins`,
      looked: ({ signal }) => `its mask does not have ${signalName(signal)}; on Linux it has`,
    },
  },
  invalid: [
    {
      name: "any handler",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "the handler of SIGUSR1 runs with SIGUSR1 not blocked", evidence: ["entered", "looked"] }],
    },
  ],
});
