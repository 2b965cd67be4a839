/** Reference 3.2 `default-action-table-wrong`; 1.7, 2.16. */

import { linuxDefault, signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
}
type Id = "ignored";

const LAST_STANDARD = 31;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "libos.signal.ignore"() {
      if (m.value !== 0 || m.signal === 0 || m.signal > LAST_STANDARD || linuxDefault(m.signal) !== "terminate") return;
      const data = { signal: m.signal, thread: m.nameOf() };
      found({ thread: m.thread, costNs: 0, evidence: [{ id: "ignored", seq: m.seq }], data });
    },
  };
}

export const defaultActionTableWrong = defineRule({
  id: "default-action-table-wrong",
  title: "a signal that should end the program is ignored by default",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The table of default actions ends at 22: USR1, USR2, STKFLT and every number from 23 on are ignored where Linux ends the process. Stop " +
    "signals are ignored as well, and no exit status says that a core was written.",
  why: "SIGXCPU, SIGPROF or a SIGUSR1 that was to end a program does nothing, and its parent waits for it.",
  recognise:
    "The rule looks for a standard signal that the LibOS ignores by default, and whose default action on Linux is to end the process.",
  ignore: [
    {
      text: "CHLD, CONT, URG and WINCH are ignored by default on Linux as well",
      nearMiss: {
        name: "SIGWINCH to itself",
        scenario: `
          main:
            - tgkill: { thread: self, signal: SIGWINCH }
            - tgkill: { thread: self, signal: SIGCHLD }
            - tgkill: { thread: self, signal: SIGURG }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.ignore"],
      },
    },
    {
      text: "the application asked for the signal to be ignored",
      nearMiss: {
        name: "SIGUSR1, ignored by choice",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: ignore }
            - tgkill: { thread: self, signal: SIGUSR1 }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.ignore"],
      },
    },
  ],
  remedy: "A table of all 31, with the core bit (Graphene 0b244f67d, 2019-07-19). Stopping was never implemented.",
  fix: "default-action-table-wrong",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2, 1.7 and 2.16",
  run,
  report: {
    title: ({ signal, thread }) => `${signalName(signal)} is ignored by default in ${thread}: on Linux it ends the process`,
    same: ({ signal }) => [signal],
    turn: ["ignored"],
    captions: { ignored: ({ signal }) => `the table of default actions says that ${signalName(signal)} is to be ignored` },
  },
  invalid: [
    {
      name: "SIGUSR1 without a handler",
      scenario: "default-action",
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [{ title: "SIGUSR1 is ignored by default in main: on Linux it ends the process", evidence: ["ignored"] }],
    },
  ],
});
