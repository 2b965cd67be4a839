/** Errata A14: nobody asks whether a thread still lives. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly target: string;
}
type Id = "ended" | "queued" | "answered";

const toThread = calls("tgkill", "tkill");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Threads that have ended, by the row. */
  const ended = new Map<number, number>();
  /** On calls: a signal was queued for such a thread. */
  const queued = m.notesOnScopes<{ readonly target: number; readonly seq: number; readonly signal: number }>();
  return {
    "thread.exit": () => ended.set(m.thread, m.seq),
    "thread.start": () => ended.delete(m.thread),
    "libos.signal.append"() {
      const call = m.open(SCOPE.CALL);
      if (call === NONE || !ended.has(m.value) || !toThread(m.labelOf(call))) return;
      queued.set(call, { target: m.value, seq: m.seq, signal: m.signal });
    },
    "app.return": queued.whileAny(() => {
      const note = queued.get(m.closed);
      if (note === null || m.value !== 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "ended", seq: ended.get(note.target) ?? note.seq },
          { id: "queued", seq: note.seq },
          { id: "answered", seq: m.seq },
        ],
        data: { signal: note.signal, call: m.labelOf(m.closed), target: m.nameOf(note.target) },
      });
    }),
  };
}

export const tgkillToEndedThread = defineRule({
  id: "tgkill-to-ended-thread",
  title: "a signal to a thread that has ended is sent without an error",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "A thread that has ended stays on the list of threads until wait4 takes it off, which nobody calls for threads. tgkill finds it, queues the signal and returns 0.",
  why: "pthread_kill and tgkill with ESRCH are how runtimes see that a thread is gone: here it never is. The signal lies in a ring that nobody reads.",
  recognise: "The rule looks for a tgkill or tkill that returns 0 after it has queued a signal for a thread which had ended.",
  ignore: [
    {
      text: "the thread lives",
      nearMiss: {
        name: "tgkill to a live thread",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: worker
            - nanosleep: 1ms
            - tgkill: { thread: worker, signal: SIGUSR1 }
          programs:
            worker:
              - nanosleep: 5ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.return"],
      },
    },
  ],
  remedy: "Take a thread off the list when it ends.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A14; errata-2 A14 (shim_sigaction.c:545)",
  run,
  report: {
    title: ({ signal, call, target }) => `${call} returns 0: ${signalName(signal)} is queued for ${target}, which has ended`,
    same: ({ signal }) => [signal],
    turn: ["queued"],
    captions: {
      ended: ({ target }) => `${target} ends`,
      queued: ({ signal }) => `${signalName(signal)} is put into its ring: nobody asks whether it lives`,
      answered: () => "the call returns 0; on Linux it is -ESRCH",
    },
  },
  invalid: [
    {
      name: "tgkill to an ended thread",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 5ms
          - tgkill: { thread: worker, signal: SIGUSR1 }
        programs:
          worker:
            - nanosleep: 1ms
      `,
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "tgkill(worker, SIGUSR1) returns 0: SIGUSR1 is queued for worker, which has ended",
          evidence: ["ended", "queued", "answered"],
        },
      ],
    },
  ],
});
