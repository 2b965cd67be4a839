/** Reference 3.5 `sa-resethand-consumed-on-append`; errata-2, PR 1218 step 8. */

import { signalName } from "../../../engine/index.ts";
import { SA, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
}
type Id = "asked" | "queued" | "default";

const FIRST_HANDLER = 2;
const DEFAULT = 0;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process, then by signal: the action whose one run has been had, by the row that asked for it. */
  const used = new Map<number, Map<number, number>>();
  /** On threads, by signal: it was queued. */
  const queued = m.notesOnThreads<Map<number, number>>();

  return {
    "libos.signal.append"() {
      const slot = m.slotOf(m.value);
      if ((m.actionOf(m.signal, m.value)?.flags ?? 0) & SA.RESETHAND) {
        const own = queued.get(slot) ?? new Map<number, number>();
        own.set(m.signal, m.seq);
        queued.set(slot, own);
      }
    },
    "app.handler.enter"() {
      const action = m.actionOf(m.signal);
      if (action === null || (action.flags & SA.RESETHAND) === 0) return;
      let own = used.get(m.pid());
      if (own === undefined) {
        own = new Map();
        used.set(m.pid(), own);
      }
      own.set(m.signal, action.seq);
    },
    "libos.signal.deliver"() {
      const action = m.value === DEFAULT ? m.actionOf(m.signal) : null;
      // Another thread's table says nothing of this one's (per-thread-dispositions).
      if (action === null || action.thread !== m.thread || action.action < FIRST_HANDLER || (action.flags & SA.RESETHAND) === 0) return;
      if (used.get(m.pid())?.get(m.signal) === action.seq) return;
      const put = queued.get(m.slot)?.get(m.signal);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: action.seq },
          ...(put === undefined ? [] : [{ id: "queued" as const, seq: put }]),
          { id: "default", seq: m.seq },
        ],
        data: { signal: m.signal, thread: m.nameOf() },
      });
    },
    "process.exit": () => used.delete(m.pid()),
  };
}

export const saResethandConsumedOnAppend = defineRule({
  id: "sa-resethand-consumed-on-append",
  title: "a handler for one run is used up when its signal is queued, and never runs",
  severity: "medium",
  layers: ["libos"],
  generations: ["pr1218"],
  what:
    "append_signal looks the handler up, to see whether the signal is ignored, with the function that takes an action with SA_RESETHAND away. When the " +
    "signal is delivered it meets the default action.",
  why: "The handler that was to run once does not run, and the program is ended by the signal that it was prepared for.",
  recognise:
    "The rule looks for a signal that meets the default action in the thread that asked for a handler with SA_RESETHAND, while that handler has not run.",
  ignore: [
    {
      text: "the handler has had its run",
      nearMiss: {
        name: "SIGCHLD twice, with a handler for one",
        scenario: `
          main:
            - sigaction: { signal: SIGCHLD, handler: on-child, flags: [SA_RESETHAND] }
            - clone: sender
            - nanosleep: 5ms
            - nanosleep: 5ms
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGCHLD }
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGCHLD }
          handlers:
            on-child:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.handler.enter", "libos.signal.ignore"],
      },
    },
  ],
  remedy:
    "Ask without taking (Graphene 5310e0da0, 2020-04-05; issue 1401; semantics 3330238e7). It came with c295e5cd1 (2019-07-27), after the base revision.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; errata-2, section 3",
  run,
  report: {
    title: ({ signal, thread }) =>
      `${signalName(signal)} meets the default action in ${thread}: its handler with SA_RESETHAND was used up without a run`,
    same: ({ signal }) => [signal],
    turn: ["queued"],
    captions: {
      asked: () => "the application asks for a handler, with SA_RESETHAND",
      queued: () => "the signal is queued, and the look-up takes the handler away",
      default: () => "it meets the default action",
    },
  },
  invalid: [
    {
      name: "a handler for one run, and a signal of another thread",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: once, flags: [SA_RESETHAND] }
          - clone: sender
          - nanosleep: 5ms
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          once:
            - compute: 1us
      `,
      stacks: ["graphene-pr1218"],
      found: [
        {
          title: "SIGUSR1 meets the default action in main: its handler with SA_RESETHAND was used up without a run",
          evidence: ["asked", "queued", "default"],
        },
      ],
    },
  ],
});
