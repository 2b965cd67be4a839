/** Reference 3.5 `resethand-with-ignore`; 2.12. */

import { signalName } from "../../../engine/index.ts";
import { SA, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
}
type Id = "asked" | "ignored" | "default";

interface Reset {
  readonly asked: number;
  readonly ignored: number;
}

const DEFAULT = 0;
const IGNORE = 1;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads, by signal: it was ignored once with SA_RESETHAND. */
  const resets = m.notesOnThreads<Map<number, Reset>>();
  return {
    "libos.sigaction": () => resets.get(m.slot)?.delete(m.signal),
    "libos.signal.deliver"() {
      const action = m.actionOf(m.signal);
      if (m.value === IGNORE) {
        if (action === null || action.action !== IGNORE || (action.flags & SA.RESETHAND) === 0) return;
        const own = resets.get(m.slot) ?? new Map<number, Reset>();
        own.set(m.signal, { asked: action.seq, ignored: m.seq });
        resets.set(m.slot, own);
        return;
      }
      const reset = resets.get(m.slot)?.get(m.signal);
      if (m.value !== DEFAULT || reset === undefined) return;
      resets.get(m.slot)?.delete(m.signal);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: reset.asked },
          { id: "ignored", seq: reset.ignored },
          { id: "default", seq: m.seq },
        ],
        data: { signal: m.signal, thread: m.nameOf() },
      });
    },
  };
}

export const resethandWithIgnore = defineRule({
  id: "resethand-with-ignore",
  title: "SA_RESETHAND takes away a disposition to ignore",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "An action with SA_RESETHAND is thrown away when a signal meets it, also when it says SIG_IGN or SIG_DFL. On Linux the flag speaks of handlers: a signal " +
    "that is ignored changes nothing.",
  why: "A program that ignores a signal, with the flag set by a wrapper, ignores the first one and is ended by the second.",
  recognise:
    "The rule looks for a signal that is ignored under SA_RESETHAND, and a second one that meets the default action in the same thread.",
  ignore: [
    {
      text: "a handler with SA_RESETHAND runs once on Linux, too",
      nearMiss: {
        name: "SIGCHLD twice, with a handler for one",
        scenario: `
          main:
            - sigaction: { signal: SIGCHLD, handler: on-child, flags: [SA_RESETHAND] }
            - tgkill: { thread: self, signal: SIGCHLD }
            - tgkill: { thread: self, signal: SIGCHLD }
          handlers:
            on-child:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "libos.signal.ignore"],
      },
    },
  ],
  remedy: "Look at the flag only when a handler is entered (Graphene 3330238e7, 2020-11-17).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 and 2.12",
  run,
  report: {
    title: ({ signal, thread }) =>
      `${signalName(signal)} is ignored once in ${thread}, and then meets the default action: SA_RESETHAND took it away`,
    same: ({ signal }) => [signal],
    turn: ["default"],
    captions: {
      asked: ({ signal }) => `the application asks for ${signalName(signal)} to be ignored, with SA_RESETHAND`,
      ignored: () => "the first one is ignored, and the action is thrown away",
      default: () => "the second one meets the default action",
    },
  },
  invalid: [
    {
      name: "SIGALRM twice, ignored with SA_RESETHAND",
      scenario: `
        main:
          - sigaction: { signal: SIGALRM, handler: ignore, flags: [SA_RESETHAND] }
          - tgkill: { thread: self, signal: SIGALRM }
          - tgkill: { thread: self, signal: SIGALRM }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "SIGALRM is ignored once in main, and then meets the default action: SA_RESETHAND took it away",
          evidence: ["asked", "ignored", "default"],
        },
      ],
    },
  ],
});
