/** Gramine today, B20. */

import { signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAMINE, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "sent" | "ignored";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const sent = createRing(256);
  return {
    "libos.signal.append": () => m.signal >= 32 && sent.set(m.extra, m.seq),
    "libos.signal.ignore"() {
      if (m.signal < 32 || m.value !== 0) return;
      const from = sent.get(m.extra);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [...(from < 0 ? [] : [{ id: "sent" as const, seq: from }]), { id: "ignored", seq: m.seq }],
        data: { signal: m.signal },
      });
    },
  };
}

export const rtDefaultIgnored = defineRule({
  id: "rt-default-ignored",
  title: "a real-time signal without a handler is ignored",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what: "The table of default actions has an entry for the 31 standard signals; those from 32 on have none, which counts as ignored. On Linux they end the process.",
  why: "Programs that are to die of such a signal (a watchdog's, a container's stop signal SIGRTMIN+3) go on.",
  recognise: "The rule looks for a real-time signal that the LibOS ignores by default.",
  ignore: [
    {
      text: "the program asked to ignore it",
      nearMiss: {
        name: "an ignored real-time signal",
        scenario: `
          main:
            - sigaction: { signal: 34, handler: ignore }
            - kill: { process: self, signal: 34 }
        `,
        stacks: GRAMINE,
        reaches: ["app.return"],
      },
    },
  ],
  remedy: "Make ending the process the default of the rest of the table.",
  fix: "rt-default-ignored",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 5.8, 14 B20; libos_signal.c:75-107",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} has no handler and is ignored; on Linux it ends the process`,
    same: ({ signal }) => [signal],
    turn: ["ignored"],
    captions: {
      sent: ({ signal }) => `${signalName(signal)} is sent`,
      ignored: () => "no handler, and no default action: it is thrown away",
    },
  },
  invalid: [
    {
      name: "a real-time signal that nobody handles",
      scenario: `
        main:
          - kill: { process: self, signal: 34 }
          - getpid
      `,
      stacks: GRAMINE,
      found: [{ title: "SIGRT2 has no handler and is ignored; on Linux it ends the process", evidence: ["sent", "ignored"] }],
    },
    {
      name: "the same in Graphene, where a thread's own signal needs no queue",
      scenario: `
        main:
          - kill: { process: self, signal: 34 }
          - getpid
      `,
      stacks: GRAPHENE,
      found: [{ title: "SIGRT2 has no handler and is ignored; on Linux it ends the process", evidence: ["ignored"] }],
    },
  ],
});
