/** One handler runs again and again for signals that were pending together. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "first" | "again" | "third";

/** Runs of one signal's handler in one thread, each for a signal that waited when the first one started. */
interface Chain {
  first: number;
  again: number;
  count: number;
}

/** A private and a shared one can be pending at a time on Linux: two runs in a row are right. */
const TOO_MANY = 3;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const sent = createRing();
  const chains = m.notesOnThreads<Map<number, Chain>>();

  const noteSent = (): void => {
    if (sent.get(m.extra) === NONE) sent.set(m.extra, m.seq);
  };

  function handled(): void {
    if (m.signal >= 32) return;
    const was = sent.get(m.extra);
    if (was === NONE) return;
    let own = chains.get(m.slot);
    if (own === null) {
      own = new Map();
      chains.set(m.slot, own);
    }
    const chain = own.get(m.signal);
    if (chain === undefined || was > chain.first) {
      own.set(m.signal, { first: m.seq, again: NONE, count: 1 });
      return;
    }
    chain.count += 1;
    if (chain.count === 2) chain.again = m.seq;
    if (chain.count !== TOO_MANY) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "first", seq: chain.first },
        { id: "again", seq: chain.again },
        { id: "third", seq: m.seq },
      ],
      data: { signal: m.signal },
    });
  }

  return { "libos.signal.append": noteSent, "host.signal.generate": noteSent, "app.handler.enter": handled };
}

export const handlerStorm = defineRule({
  id: "handler-storm",
  title: "a handler runs again and again for signals that Linux would have merged into one",
  severity: "medium",
  layers: ["libos"],
  generations: ["any"],
  what:
    "A standard signal that came several times while it was pending is handled once for each. On Linux one of a number is pending at a time " +
    "(one for the thread and one for the process); the others are merged with it.",
  why: "A burst of timers or ends of children becomes a burst of handlers, in which the program does nothing else.",
  recognise: "The rule looks for three runs of one handler in a thread, all for signals that were pending when the first of them started.",
  ignore: [
    {
      text: "a real-time signal: each one is queued and handled, on Linux as well",
      nearMiss: {
        name: "three real-time signals while they are blocked",
        scenario: `
          main:
            - sigaction: { signal: 34, handler: on-rt }
            - sigprocmask: { how: block, signals: [34] }
            - loop: { times: 3, do: [tgkill: { thread: self, signal: 34 }] }
            - sigprocmask: { how: unblock, signals: [34] }
          handlers:
            on-rt:
              - compute: 1us
        `,
        stacks: ["native-linux"],
        reaches: ["app.handler.enter"],
      },
    },
    {
      text: "the same standard signals on Linux: all but one are merged",
      nearMiss: {
        name: "five of them",
        scenario: "w7-burst-blocked",
        stacks: ["native-linux"],
        reaches: ["app.handler.enter", "host.signal.discard"],
      },
    },
  ],
  remedy: "Keep one slot for each standard signal (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "not measured: what a handler costs is the program's",
  source: "reference 3.2 (signal-log-full-drop), signal(7)",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} runs once for each signal that was pending, where Linux merges them`,
    same: ({ signal }) => [signal],
    turn: ["third"],
    captions: {
      first: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      again: () => "and runs for a second one that waited all the time",
      third: () => "and for a third: on Linux at most two can be pending",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 five times while it is blocked",
      scenario: "w7-burst-blocked",
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGUSR1 runs once for each signal that was pending, where Linux merges them",
          evidence: ["first", "again", "third"],
        },
      ],
    },
  ],
});
