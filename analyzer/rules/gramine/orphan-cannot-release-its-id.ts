/** Gramine today, corrections 7.1: the last thing that a forked process gives back. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  readonly thread: string;
}
type Id = "refused" | "ended";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Threads whose message to the leader has failed. */
  const refused = m.notesOnThreads<number>();
  return {
    "at release_id: PalProcessExit(1)": () => refused.set(m.slot, m.seq),
    "process.exit"() {
      const seq = refused.get(m.slot);
      if (seq === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "refused", seq },
          { id: "ended", seq: m.seq },
        ],
        data: { thread: m.nameOf(m.thread) },
      });
    },
  };
}

export const orphanCannotReleaseItsId = defineRule({
  id: "orphan-cannot-release-its-id",
  title: "a process that outlives the first one ends with status 1",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The first process hands out pids, and a forked one gives its own back by a message at its very end. The first process does not wait for the " +
    "others when it ends: the message fails, and the process is ended with status 1, whatever it has said itself.",
  why: "Whoever watches the host's processes sees a failure that there was not; a shell that started it in the background tells status 1.",
  recognise: "The rule looks for a process that ends in release_id because the leader does not take the message.",
  ignore: [
    {
      text: "the first process waits for its child",
      nearMiss: {
        name: "a child that is waited for",
        scenario: `
          main:
            - fork: child
            - wait4
          programs:
            child:
              - nanosleep: 5ms
              - exit-group: 3
        `,
        stacks: GRAMINE,
        reaches: ["release_id: ipc_release_id_range: ipc_send_message", "process.exit"],
      },
    },
  ],
  remedy: "Let the leader end last, or take the failure for what it is: nobody is left who counts pids.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 7.1; bookkeep/libos_pid.c:173-180, which says so itself",
  run,
  report: {
    title: ({ thread }) => `${thread} ends with status 1, because the first process has ended before it`,
    same: ({ thread }) => [thread],
    turn: ["ended"],
    captions: {
      refused: () => "the pid cannot be given back: the leader is gone",
      ended: () => "the process ends with status 1",
    },
  },
  invalid: [
    {
      name: "a child that outlives its parent",
      scenario: `
        main:
          - fork: child
        programs:
          child:
            - nanosleep: 5ms
            - exit-group: 3
      `,
      stacks: GRAMINE,
      found: [{ title: "child ends with status 1, because the first process has ended before it", evidence: ["refused", "ended"] }],
    },
  ],
});
