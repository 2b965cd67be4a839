/** pr347.md c2: what finds the LibOS or the PAL running is kept nowhere. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, GRAPHENE, PR347 } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "sent" | "upcall" | "fetched" | "lost";

/** `value` of libos.signal.lost: the library OS or the PAL was interrupted. */
const INTERRUPTED = 4;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "libos.signal.lost"() {
      if (m.value !== INTERRUPTED) return;
      const [upcall, fetched, sent] = [m.open(SCOPE.UPCALL), m.open(SCOPE.FETCHED_SIGNAL), m.generatedSeq(m.extra)];
      const isFetched = fetched !== NONE && m.extraOfRow(fetched) === m.extra;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(sent === NONE ? [] : [{ id: "sent" as const, seq: sent }]),
          ...(upcall === NONE ? [] : [{ id: "upcall" as const, seq: m.seqOf(upcall) }]),
          ...(isFetched ? [{ id: "fetched" as const, seq: m.seqOf(fetched) }] : []),
          { id: "lost", seq: m.seq },
        ],
        data: { signal: m.signal, call: callOf(m) },
      });
    },
  };
}

const INT = (call: string, when: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - ${call}
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: ${when} }
`;

export const pr347LostInLibos = defineRule({
  id: "pr347-lost-in-libos",
  title: "a signal that finds the library OS or the PAL running is lost",
  severity: "high",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "deliver_signal builds a frame only where the application was interrupted. Where the LibOS or the PAL was, it sets a bit for the end of the call and " +
    "forgets the signal: nobody has put it into the ring. One that was taken out of the ring for it is freed.",
  why: "Ctrl-C into read, poll, nanosleep or a futex wait has no effect but -EINTR: the handler never runs.",
  recognise: "The rule looks for a signal that ends where the LibOS notes that it was itself interrupted.",
  ignore: [
    {
      text: "the thread holds a lock of the LibOS, or the signal is blocked: it goes into the ring and comes at the end of the call",
      nearMiss: {
        name: "SIGINT into accept, which holds a lock",
        scenario: INT("accept: { on: listener }", "{ at: 2ms }"),
        stacks: PR347,
        reaches: ["libos.signal.append", "libos.sigframe", "app.handler.return"],
      },
    },
    {
      text: "the application is interrupted",
      nearMiss: {
        name: "SIGINT while the program computes",
        scenario: INT("compute: 2ms", "{ at: 1ms }"),
        stacks: PR347,
        reaches: ["libos.sigframe"],
      },
    },
    {
      text: "other generations run the handler at once, or at the next delivery point",
      nearMiss: {
        name: "the same on Graphene",
        scenario: INT("nanosleep: 5ms", "{ at: 1ms }"),
        stacks: GRAPHENE,
        reaches: ["libos.upcall.enter", "app.handler.return"],
      },
    },
  ],
  remedy: "Pull request 1218 puts each signal into the ring first and only then looks where the thread is (2019-12-19).",
  fix: "pr347-lost-in-libos",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c2",
  run,
  report: {
    title: ({ signal, call }) => `${signalName(signal)} finds the LibOS or the PAL running${call === "" ? "" : ` in ${call}`}, and is lost`,
    same: ({ signal, call }) => [signal, call],
    turn: ["lost"],
    captions: {
      sent: ({ signal }) => `${signalName(signal)} is made`,
      upcall: () => "the PAL calls the LibOS for it",
      fetched: ({ signal }) => `${signalName(signal)} is taken out of the ring`,
      lost: () => "the LibOS or the PAL was interrupted, so a bit is set and the signal forgotten",
    },
  },
  invalid: [
    {
      name: "SIGINT into nanosleep",
      scenario: INT("nanosleep: 5ms", "{ at: 1ms }"),
      stacks: PR347,
      found: [
        {
          title: "SIGINT finds the LibOS or the PAL running in nanosleep(5000000), and is lost",
          evidence: ["sent", "upcall", "lost"],
        },
      ],
    },
  ],
});
