/** Gramine today, B19. */

import { SIG } from "../../../engine/index.ts";
import { HOW, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAMINE, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "ignored" | "called" | "answered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "call.end": only(calls("wait4"), () => {
      if (m.how !== HOW.RETURNED || m.value <= 0 || !m.hasLibos) return;
      const action = m.actionOf(SIG.CHLD);
      if (action?.action !== 1 || action.seq > m.seqOf(m.closed)) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "ignored", seq: action.seq },
          { id: "called", seq: m.seqOf(m.closed) },
          { id: "answered", seq: m.seq },
        ],
        data: { call: m.labelOf(m.closed) },
      });
    }),
  };
}

export const zombieWhenIgnored = defineRule({
  id: "zombie-when-ignored",
  title: "children of a parent that ignores SIGCHLD become zombies",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what:
    "Where the parent ignores SIGCHLD, or asks for SA_NOCLDWAIT, Linux lets its children go without a trace, and wait4 answers -ECHILD when the " +
    "last has ended. Here they stay as zombies, and wait4 gives their pids.",
  why: "A server that ignores SIGCHLD so as not to wait for its children keeps a record of each for ever. A wait for all of them ends too early.",
  recognise: "The rule looks for a wait4 that answers a pid although the process had asked to ignore SIGCHLD before.",
  ignore: [
    {
      text: "SIGCHLD is ignored by default only: Linux keeps zombies, too",
      nearMiss: {
        name: "wait4 without a word about SIGCHLD",
        scenario: `
          main:
            - fork: child
            - compute: 2ms
            - wait4: {}
          programs:
            child:
              - getpid
        `,
        stacks: GRAMINE,
        reaches: ["process.exit", "app.return"],
      },
    },
  ],
  remedy: "Let children go in mark_child_exited; a comment in the source says so.",
  fix: "zombie-when-ignored",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.3, 14 B19; libos_process.c:131-195",
  run,
  report: {
    title: ({ call }) => `${call} answers a pid although SIGCHLD is ignored`,
    same: ({ call }) => [call],
    turn: ["answered"],
    captions: {
      ignored: () => "the program asks to ignore SIGCHLD: its children are to leave no zombies",
      called: () => "it waits for a child",
      answered: () => "it gets a pid; on Linux -ECHILD",
    },
  },
  invalid: [
    {
      name: "SIGCHLD ignored, and wait4",
      scenario: `
        main:
          - sigaction: { signal: SIGCHLD, handler: ignore }
          - fork: child
          - compute: 2ms
          - wait4: {}
        programs:
          child:
            - getpid
      `,
      stacks: [...GRAMINE, ...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "wait4() answers a pid although SIGCHLD is ignored", evidence: ["ignored", "called", "answered"] }],
    },
  ],
});
