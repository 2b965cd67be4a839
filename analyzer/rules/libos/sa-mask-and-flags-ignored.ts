/** Reference 3.2 `sa-mask-and-flags-ignored` (D12). */

import { E, RESTARTABLE, signalName } from "../../../engine/index.ts";
import { HOW, NONE, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, LINUX_PAL } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "asked" | "handled" | "wrong";

const isRestartable = calls(...RESTARTABLE);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: the first handler in them that has SA_RESTART. */
  const handled = m.notesOnScopes<{ readonly seq: number; readonly signal: number; readonly asked: number }>(callOver);

  function callOver({ seq, signal, asked }: { readonly seq: number; readonly signal: number; readonly asked: number }, call: number): void {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "asked", seq: asked },
        { id: "handled", seq },
        { id: "wrong", seq: m.seq },
      ],
      data: { signal, call: m.labelOf(call) },
    });
  }

  return {
    "app.handler.enter"() {
      const action = m.actionOf(m.signal);
      const call = m.open(SCOPE.CALL);
      if (!m.hasLibos || action === null || (action.flags & SA.RESTART) === 0 || call === NONE || handled.get(call) !== null) return;
      if (isRestartable(m.labelOf(call))) handled.set(call, { seq: m.seq, signal: m.signal, asked: action.seq });
    },
  };
}

export const saMaskAndFlagsIgnored = defineRule({
  id: "sa-mask-and-flags-ignored",
  title: "what sigaction asks for besides the handler has no effect",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "sa_mask, SA_NODEFER, SA_ONSTACK and SA_RESTART are kept and never asked for: the mask stays as it is while a handler runs, and no call is started again.",
  why:
    "Programs that rely on SA_RESTART get EINTR from everywhere. A handler that asks for its mask, or saves it with sigsetjmp, sees another one " +
    "than on Linux. That handlers seldom nest all the same is the counter's doing: other signals are put off, also those that Linux would let in.",
  recognise:
    "The rule looks for -EINTR after a handler with SA_RESTART, from a call that Linux starts again. That a handler's mask lacks its own signal " +
    "is told by handler-mask-not-set.",
  ignore: [
    {
      text: "poll, nanosleep, pause and their like are not started again on Linux either",
      nearMiss: {
        name: "SA_RESTART and nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint, flags: [SA_RESTART] }
            - nanosleep: 50ms
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { at: 5ms }
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "app.return"],
      },
    },
  ],
  remedy: "Masks in force while a handler runs, and restarts (Graphene c24bddd5a, 2021-02-05; 5717e748d, 2021-05-26).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and D12",
  run,
  report: {
    title: ({ signal, call }) => `${call} returns -EINTR although the handler of ${signalName(signal)} has SA_RESTART`,
    same: ({ signal, call }) => [signal, call],
    turn: ["wrong"],
    captions: {
      asked: () => "the application asks for the handler, with SA_RESTART",
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      wrong: () => "the call returns -EINTR; Linux starts it again",
    },
  },
  invalid: [
    {
      name: "SA_RESTART and a read",
      scenario: "w11-restart",
      stacks: [...LINUX_PAL, "graphene-pr1218"],
      found: [
        { title: "read(pipe, 16) returns -EINTR although the handler of SIGINT has SA_RESTART", evidence: ["asked", "handled", "wrong"] },
      ],
    },
  ],
});
