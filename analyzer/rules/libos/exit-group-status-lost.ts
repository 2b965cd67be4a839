/** Errata A12: what the last thread that SIGKILL ends gives for the status of its process. */

import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly asked: number;
  readonly told: number;
  readonly thread: string;
}
type Id = "asked" | "over";

interface Exit {
  readonly status: number;
  readonly seq: number;
  readonly thread: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: the first exit_group. */
  const exits = new Map<number, Exit>();
  return {
    "app.call": only(calls("exit_group"), () => {
      const call = m.open(SCOPE.CALL);
      if (call === NONE) return;
      const args = argsOf("exit_group", m.labelOf(call));
      const status = args === null ? undefined : /^(\d+)\)/.exec(args)?.[1];
      if (status === undefined || exits.has(m.pid())) return;
      exits.set(m.pid(), { status: Number(status) & 0xff, seq: m.seq, thread: m.nameOf() });
    }),
    "process.exit"() {
      const exit = exits.get(m.pid());
      exits.delete(m.pid());
      // A process that a signal ended meanwhile has no status; that it died is another finding.
      if (exit === undefined || !m.hasLibos || m.value < 0 || m.value === exit.status) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: exit.seq },
          { id: "over", seq: m.seq },
        ],
        data: { asked: exit.status, told: m.value, thread: exit.thread },
      });
    },
  };
}

export const exitGroupStatusLost = defineRule({
  id: "exit-group-status-lost",
  title: "the status of exit_group is lost when another thread is the last to end",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "exit_group ends the other threads by SIGKILL. The one that ends last sets the status of the process anew, to the 0 of a thread that a signal has ended.",
  why: "A failure is told as success: the shell, make or the container's supervisor goes on as if all were well.",
  recognise: "The rule looks for a process that ends with another status than its exit_group asked for.",
  ignore: [
    {
      text: "the caller of exit_group is the last to end",
      nearMiss: {
        name: "exit_group(3) of a single thread",
        scenario: `
          main:
            - exit-group: { status: 3 }
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["process.exit"],
      },
    },
  ],
  remedy: "Keep the status of the first that ends the process (Graphene 50ca6c4a2, 2020-06-08: process_exit).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A12 (shim_exit.c:136)",
  run,
  report: {
    title: ({ asked, told, thread }) => `exit_group(${asked}) of ${thread}: the process ends with status ${told}`,
    same: () => [],
    turn: ["over"],
    captions: {
      asked: ({ asked }) => `the program ends with status ${asked}`,
      over: ({ told }) => `a thread that SIGKILL ended was the last one, and the host is told ${told}`,
    },
  },
  invalid: [
    {
      name: "exit_group(3) while another thread reads",
      scenario: `
        main:
          - clone: worker
          - read: { from: pipe, bytes: 1 }
        programs:
          worker:
            - nanosleep: 1ms
            - exit-group: { status: 3 }
      `,
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [{ title: "exit_group(3) of worker: the process ends with status 0", evidence: ["asked", "over"] }],
    },
  ],
});
