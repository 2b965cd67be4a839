/** Gramine today, B28. */

import { signalName, signalNumber } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "asked" | "killed";

const SIGTRAP = signalNumber("SIGTRAP");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "host.signal.default"() {
      if (m.value !== 1 || m.signal !== SIGTRAP || !m.hasLibos) return;
      const action = m.actionOf(SIGTRAP);
      if (action === null || action.action < 2) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: action.seq },
          { id: "killed", seq: m.seq },
        ],
        data: { signal: SIGTRAP },
      });
    },
  };
}

export const int3KillsProcess = defineRule({
  id: "int3-kills-process",
  title: "a breakpoint instruction ends the process, whatever its handler is",
  severity: "medium",
  layers: ["host", "pal"],
  generations: ["graphene-2019", "gramine"],
  what: "No PAL registers a handler for the host's SIGTRAP. int3, and a single step, meet the host's default action: the process is killed by signal 5, and the enclave is never asked.",
  why: "Debuggers, JITs and runtimes that patch int3 in and handle SIGTRAP cannot work.",
  recognise: "The rule looks for the host's default action for SIGTRAP in a process that has a handler for it.",
  ignore: [
    {
      text: "there is no handler: on Linux the process dies as well",
      nearMiss: {
        name: "int3 without a handler",
        scenario: `
          main:
            - fault: { what: int3 }
        `,
        stacks: GRAMINE,
        reaches: ["host.signal.default"],
      },
    },
  ],
  remedy: "Register SIGTRAP, and give #BP and #DB to the LibOS as SIGTRAP.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 0.10, B28; host_exception.c:203-257",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} kills the process in the host, although the application has a handler`,
    same: ({ signal }) => [signal],
    turn: ["killed"],
    captions: {
      asked: ({ signal }) => `the application has a handler for ${signalName(signal)}`,
      killed: () => "the host takes its default action: no PAL handles it",
    },
  },
  invalid: [
    {
      name: "int3 with a handler",
      scenario: `
        main:
          - sigaction: { signal: SIGTRAP, handler: on-trap }
          - fault: { what: int3 }
        handlers:
          on-trap:
            - compute: 1us
      `,
      stacks: [...GRAMINE, "graphene-linux", "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "SIGTRAP kills the process in the host, although the application has a handler", evidence: ["asked", "killed"] }],
    },
  ],
});
