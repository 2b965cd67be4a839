/** Reference 3.2 `signal-log-cas-false-success`. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly by: string;
}
type Id = "put" | "overwritten";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const puts = createRing();
  return {
    "libos.signal.append": () => puts.set(m.extra, m.seq),
    "libos.signal.overwrite"() {
      const first = puts.get(m.value);
      puts.set(m.extra, m.seq);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [...(first === NONE ? [] : [{ id: "put" as const, seq: first }]), { id: "overwritten", seq: m.seq }],
        data: { signal: m.signal, by: m.nameOf() },
      });
    },
  };
}

export const signalLogCasFalseSuccess = defineRule({
  id: "signal-log-cas-false-success",
  title: "two senders take the same slot of a ring: a signal is lost and its memory with it",
  severity: "critical",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "A sender reserves a slot by compare-and-swap on the ring's tail, and tries again only when the old value that comes back is the new tail. When " +
    "two others have moved the tail by two meanwhile it takes the failed swap for success, and writes its pointer over the first one's. A slot is " +
    "also visible before its pointer is in it.",
  why:
    "A signal is lost, its block leaks, and has_signal stays one too high for good, so every later system call of the thread looks for signals that " +
    "are not there.",
  recognise:
    "The rule looks for a signal that is put into a slot in which another one still lies. It takes three senders of one signal to one thread within " +
    "a few instructions.",
  ignore: [
    {
      text: "two senders: the loop tries again, and each has its own slot",
      nearMiss: {
        name: "two threads that send the same signal to a third",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - clone: sender
            - clone: sender
            - nanosleep: 5ms
          programs:
            sender:
              - loop: { times: 10, do: [tgkill: { thread: main, signal: SIGUSR1 }] }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append"],
      },
    },
  ],
  remedy:
    "A compare-and-exchange that says whether it was made (Graphene 8e06bbb97, 2020-06-05); queues under a lock (50ca6c4a2, c24bddd5a).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2",
  run,
  report: {
    title: ({ signal, by }) => `${by} writes ${signalName(signal)} over one that waits in the same slot: that one is lost`,
    same: ({ signal }) => [signal],
    turn: ["overwritten"],
    captions: {
      put: ({ signal }) => `${signalName(signal)} is put into a slot`,
      overwritten: ({ by }) => `${by}, whose swap failed, takes the slot for its own`,
    },
  },
  invalid: [
    {
      name: "a slot that two senders take",
      scenario: [
        { name: "process.start", value: -1 },
        { name: "thread.start", thread: 1 },
        { name: "thread.start", thread: 2 },
        { name: "libos.signal.append", thread: 1, signal: 10, value: 0, extra: 1 },
        { name: "libos.signal.append", thread: 0, signal: 10, value: 0, extra: 2 },
        { name: "libos.signal.overwrite", thread: 2, signal: 10, value: 1, extra: 3 },
      ],
      found: [
        { title: "thread 2 writes SIGUSR1 over one that waits in the same slot: that one is lost", evidence: ["put", "overwritten"] },
      ],
    },
  ],
});
