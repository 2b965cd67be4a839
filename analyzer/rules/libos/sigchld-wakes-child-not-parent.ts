/** Reference 3.5 `sigchld-wakes-child-not-parent`. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly target: string;
  readonly woken: string;
}
type Id = "queued" | "woken";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On senders: what they have queued last. */
  const queued = m.notesOnThreads<{ readonly id: number; readonly signal: number; readonly target: number; readonly seq: number }>();
  return {
    "libos.signal.append": () => queued.set(m.slot, { id: m.extra, signal: m.signal, target: m.value, seq: m.seq }),
    "libos.wake"() {
      const put = queued.get(m.slot);
      // A queue of the process: any of its threads may be woken.
      if (put === null || put.id !== m.extra || put.target < 0 || m.value < 0 || put.target === m.value) return;
      queued.remove(m.slot);
      if (m.slotOf(put.target) === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "queued", seq: put.seq },
          { id: "woken", seq: m.seq },
        ],
        data: { signal: put.signal, target: m.nameOf(put.target), woken: m.nameOf(m.value) },
      });
    },
  };
}

export const sigchldWakesChildNotParent = defineRule({
  id: "sigchld-wakes-child-not-parent",
  title: "a signal is queued for one thread, and another one is woken",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "From June to September 2020 the end of a child queued SIGCHLD for the parent and woke the child, which was ending. At the base revision append_signal " +
    "wakes the thread that it queues for.",
  why: "The parent sleeps on with SIGCHLD pending: shells and supervisors do not see that their children have ended.",
  recognise: "The rule looks for a signal that is put into the ring of one thread, and a wake-up for it that goes to another.",
  ignore: [
    {
      text: "the one that the signal is queued for is woken",
      nearMiss: {
        name: "the end of a child, at the base revision",
        scenario: `
          main:
            - sigaction: { signal: SIGCHLD, handler: on-child }
            - fork: child
            - nanosleep: 50ms
          programs:
            child:
              - nanosleep: 1ms
          handlers:
            on-child:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.wake", "app.handler.enter"],
      },
    },
  ],
  remedy: "Wake the parent (Graphene 4c24aeaf0, 2020-09-30).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5",
  run,
  report: {
    title: ({ signal, target, woken }) => `${signalName(signal)} is queued for ${target}, and ${woken} is woken`,
    same: ({ signal }) => [signal],
    turn: ["woken"],
    captions: {
      queued: ({ signal, target }) => `${signalName(signal)} is put into the ring of ${target}`,
      woken: ({ woken }) => `${woken} is woken instead`,
    },
  },
  invalid: [
    {
      name: "SIGCHLD for the parent, and the child is woken, as revisions of the summer of 2020 do it",
      scenario: [
        { name: "process.start", value: -1 },
        { name: "thread.start", thread: 1 },
        { name: "thread.start", thread: 2 },
        { name: "libos.signal.append", thread: 2, signal: 17, value: 0, extra: 1 },
        { name: "libos.wake", thread: 2, signal: 17, value: 1, extra: 1 },
      ],
      found: [{ title: "SIGCHLD is queued for thread 0, and thread 1 is woken", evidence: ["queued", "woken"] }],
    },
  ],
});
