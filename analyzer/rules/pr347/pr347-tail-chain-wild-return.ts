/** pr347.md c8, errata-2 section 3: sigreturn chooses another handler, and does not enter it. */

import { signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, PR347 } from "../common.ts";

interface Data {
  readonly before: number;
  readonly signal: number;
}
type Id = "returned" | "chosen" | "lost";

/** `value` of libos.signal.lost: its handler is not entered. */
const NOT_ENTERED = 6;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const returned = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();
  const fetched = m.notesOnThreads<number>();

  return {
    "app.handler.return": () => returned.set(m.slot, { seq: m.seq, signal: m.signal }),
    "libos.signal.fetch": () => fetched.set(m.slot, m.seq),
    "libos.signal.lost"() {
      const before = returned.get(m.slot);
      if (m.value !== NOT_ENTERED || before === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "returned", seq: before.seq },
          { id: "chosen", seq: fetched.get(m.slot) ?? m.seq },
          { id: "lost", seq: m.seq },
        ],
        data: { before: before.signal, signal: m.signal },
      });
    },
  };
}

const pending = (more = ""): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGTERM, handler: h }
    - accept: { on: listener }
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 2ms } }
    ${more}
`;
const TERM = "- { signal: SIGTERM, thread: main, when: { at: 2ms } }";

export const pr347TailChainWildReturn = defineRule({
  id: "pr347-tail-chain-wild-return",
  title: "rt_sigreturn chooses another pending handler, and returns past it",
  severity: "critical",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "With another signal pending rt_sigreturn uses the frame again: it writes the handler into tcb.context and the registers of its arguments. But " +
    "the stub returns by the word on the stack, and never looks at tcb.context. The handler is not entered.",
  why: "The signal is lost, and the program goes on where the word leads: at the restorer again, or nowhere where the action has none.",
  recognise: "The rule looks for a signal that rt_sigreturn has taken out of the ring and whose handler the return does not lead to.",
  ignore: [
    {
      text: "one signal only: nothing is chosen",
      nearMiss: {
        name: "SIGINT alone",
        scenario: pending(),
        stacks: PR347,
        reaches: ["libos.sigframe", "app.handler.return", "libos.sigreturn"],
      },
    },
    {
      text: "the base revision runs one handler after the other inside the LibOS",
      nearMiss: { name: "the same on Graphene", scenario: pending(TERM), stacks: GRAPHENE, reaches: ["app.handler.return"] },
    },
  ],
  remedy: "The stub of rt_sigreturn goes on at tcb.context (the switch does so); nobody has fixed the pull request.",
  fix: "pr347-tail-chain-wild-return",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c8",
  run,
  report: {
    title: ({ before, signal }) =>
      `${signalName(signal)} is lost when the handler of ${signalName(before)} returns: its own is not entered`,
    same: ({ before, signal }) => [before, signal],
    turn: ["lost"],
    captions: {
      returned: ({ before }) => `the handler of ${signalName(before)} returns: rt_sigreturn`,
      chosen: ({ signal }) => `another signal is pending: ${signalName(signal)} is taken out of the ring for the same frame`,
      lost: () => "the stub returns by the word on the stack, which does not lead to that handler",
    },
  },
  invalid: [
    {
      name: "SIGINT and SIGTERM pending at the end of accept",
      scenario: pending(TERM),
      stacks: PR347,
      found: [
        { title: "SIGTERM is lost when the handler of SIGINT returns: its own is not entered", evidence: ["returned", "chosen", "lost"] },
      ],
    },
  ],
});
