/** Reference 3.5 `kill-signal-zero-oob`; 2.15. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "outside";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "undefined.read"() {
      if (!m.text().startsWith("signal_logs[-1]")) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [{ id: "outside", seq: m.seq }],
        data: { call: callOf(m) || "a message of another process" },
      });
    },
  };
}

export const killSignalZeroOob = defineRule({
  id: "kill-signal-zero-oob",
  title: "signal 0 is queued: memory before the table of rings is used as a ring",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "tgkill and tkill to another thread do not look at the number. Signal 0, which only asks whether the thread is there, goes on like any other and uses " +
    "the memory before the first ring; a number above 64 uses what lies behind the last.",
  why:
    "Memory of the LibOS is overwritten. has_signal goes up and never comes down, because no scan looks at number 0: each later system call of that thread " +
    "loses its fast path.",
  recognise: "The rule looks for a look at signal_logs[-1].",
  ignore: [
    {
      text: "kill with signal 0, and tgkill with it to the own thread, append nothing",
      nearMiss: {
        name: "kill and tgkill to itself with signal 0",
        scenario: `
          main:
            - kill: { process: self, signal: 0 }
            - tgkill: { thread: self, signal: 0 }
        `,
        stacks: GRAPHENE,
        reaches: ["shim_do_tgkill: tid == cur->tid?", "shim_do_kill: who is meant?", "app.return"],
      },
    },
  ],
  remedy: "Do not send signal 0 (Graphene 1df82ea88, 2020-06-16).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 and 2.15",
  run,
  report: {
    title: ({ call }) => `${call}: signal 0 is put into the memory before the rings`,
    same: ({ call }) => [callName(call)],
    turn: ["outside"],
    captions: { outside: () => "head and tail of a ring are read that is none" },
  },
  invalid: [
    {
      name: "tgkill with signal 0",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 1ms
          - tgkill: { thread: worker, signal: 0 }
        programs:
          worker:
            - nanosleep: 2ms
        limit: { time: 20ms, transitions: 3000 }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "tgkill(worker, 0): signal 0 is put into the memory before the rings", evidence: ["outside"] }],
    },
  ],
});
