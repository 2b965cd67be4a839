/** Reference 2.11: the RESUME upcall never delivers SIGCONT itself. */

import { EVENT, SIG } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, isFromOutside } from "../common.ts";

interface Data {
  readonly thread: string;
}
type Id = "asked" | "sent" | "resumed";

const FIRST_HANDLER = 2;
const KEPT = 4096;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** SIGCONTs of other processes of the host, by id. */
  const outside = new Map<number, number>();
  return {
    "host.signal.generate"() {
      if (m.signal !== SIG.CONT || !isFromOutside(m)) return;
      outside.set(m.extra, m.seq);
      if (outside.size > KEPT) for (const oldest of outside.keys()) return void outside.delete(oldest);
    },
    "libos.upcall.enter"() {
      if (m.value !== EVENT.RESUME) return;
      const sent = outside.get(m.extra);
      if (sent === undefined) return;
      outside.delete(m.extra);
      const action = m.actionOf(SIG.CONT);
      if (action === null || action.action < FIRST_HANDLER) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: action.seq },
          { id: "sent", seq: sent },
          { id: "resumed", seq: m.seq },
        ],
        data: { thread: m.nameOf() },
      });
    },
    "trace.end": () => outside.clear(),
  };
}

export const hostSigcontOnlyWakes = defineRule({
  id: "host-sigcont-only-wakes",
  title: "SIGCONT from outside is taken for the LibOS's own wake-up",
  severity: "medium",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "The LibOS wakes its threads by SIGCONT. One that another process of the host sends looks the same: it becomes RESUME, which looks for pending signals " +
    "and delivers none of its own. It also interrupts whatever call the thread sleeps in.",
  why: "A handler of SIGCONT, which shells and editors have to draw their screen anew, never runs when the program is continued from outside.",
  recognise: "The rule looks for a SIGCONT from outside that ends in a RESUME upcall, in a process that has a handler for SIGCONT.",
  ignore: [
    {
      text: "SIGCONT of a program inside is queued like any other, and its handler runs",
      nearMiss: {
        name: "kill with SIGCONT",
        scenario: `
          main:
            - sigaction: { signal: SIGCONT, handler: on-cont }
            - tgkill: { thread: self, signal: SIGCONT }
          handlers:
            on-cont:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter"],
      },
    },
    {
      text: "the program has no handler for it",
      nearMiss: {
        name: "SIGCONT from outside, unhandled",
        scenario: `
          main:
            - compute: 10ms
          signals:
            - signal: SIGCONT
              thread: main
              when: { at: 5ms }
        `,
        stacks: GRAPHENE,
        reaches: ["host.signal.generate", "libos.upcall.enter"],
      },
    },
  ],
  remedy: "None here; Gramine passes no SIGCONT in either, and wakes its threads by another signal.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 2.11; 1.7",
  run,
  report: {
    title: ({ thread }) => `SIGCONT from outside only wakes ${thread}: its handler never runs`,
    same: () => [],
    turn: ["resumed"],
    captions: {
      asked: () => "the application asks for a handler of SIGCONT",
      sent: () => "another process of the host sends SIGCONT",
      resumed: () => "it is taken for a wake-up: pending signals are looked for, and this one is none",
    },
  },
  invalid: [
    {
      name: "SIGCONT from outside",
      scenario: `
        main:
          - sigaction: { signal: SIGCONT, handler: on-cont }
          - compute: 10ms
        handlers:
          on-cont:
            - compute: 1us
        signals:
          - signal: SIGCONT
            thread: main
            when: { at: 5ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "SIGCONT from outside only wakes main: its handler never runs", evidence: ["asked", "sent", "resumed"] }],
    },
  ],
});
