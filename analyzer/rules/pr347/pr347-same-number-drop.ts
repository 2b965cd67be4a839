/** pr347.md c1: one signal only, and the older one of the same number. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { LINUX_PAL, PR347 } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "upcall" | "older" | "dropped";

/** `value` of libos.signal.lost: one of its number was taken in its place. */
const IN_ITS_PLACE = 5;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const fetched = m.notesOnThreads<number>();

  return {
    "libos.signal.fetch": () => fetched.set(m.slot, m.seq),
    "libos.signal.lost"() {
      if (m.value !== IN_ITS_PLACE) return;
      const upcall = m.open(SCOPE.UPCALL);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(upcall === NONE ? [] : [{ id: "upcall" as const, seq: m.seqOf(upcall) }]),
          { id: "older", seq: fetched.get(m.slot) ?? m.seq },
          { id: "dropped", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

const twice = (second: string): string => `
  main:
    - sigaction: { signal: SIGTERM, handler: h }
    - sigaction: { signal: SIGINT, handler: h }
    - clone: sender
    - compute: 3ms
    - getpid
  programs:
    sender:
      - compute: 1ms
      - tgkill: { thread: main, signal: SIGTERM }
      - nanosleep: 5ms
  handlers:
    h:
      - compute: 1us
  signals:
    - signal: ${second}
      thread: main
      when: { thread: sender, site: "append_signal: DkThreadResume(thread)  < SIGCONT via tgkill() >" }
`;

export const pr347SameNumberDrop = defineRule({
  id: "pr347-same-number-drop",
  title: "a new signal is dropped, since an older one of its number is in the ring",
  severity: "medium",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "deliver_signal asks for an older signal of the same number in the ring and delivers that one. Then it returns without a word of the new one: it is " +
    "neither delivered nor put into the ring.",
  why: "One of two signals is lost. A real-time signal, or a SIGCHLD that is counted, is missing; Linux keeps one of each standard number.",
  recognise: "The rule looks for a signal that ends where an older one of its number has been taken out of the ring in the same upcall.",
  ignore: [
    {
      text: "the one in the ring has another number: the new one is delivered, the other comes later",
      nearMiss: {
        name: "SIGINT beside a SIGTERM in the ring",
        scenario: twice("SIGINT"),
        stacks: PR347,
        reaches: ["libos.signal.append", "libos.sigframe"],
      },
    },
    {
      text: "the base revision delivers both",
      nearMiss: {
        name: "the same on the Linux PAL",
        scenario: twice("SIGTERM"),
        stacks: LINUX_PAL,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Pull request 1218 puts the new one into the ring before it takes one out (2019-12-19).",
  fix: "pr347-same-number-drop",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c1",
  run,
  report: {
    title: ({ signal }) => `a second ${signalName(signal)} is dropped: one was in the ring`,
    same: ({ signal }) => [signal],
    turn: ["dropped"],
    captions: {
      upcall: ({ signal }) => `the PAL calls the LibOS for ${signalName(signal)}`,
      older: ({ signal }) => `an older ${signalName(signal)} is in the ring: it is taken, and delivered`,
      dropped: () => "the new one is neither delivered nor kept",
    },
  },
  invalid: [
    {
      name: "SIGTERM from the host while another thread's waits in the ring",
      scenario: twice("SIGTERM"),
      stacks: PR347,
      found: [{ title: "a second SIGTERM is dropped: one was in the ring", evidence: ["upcall", "older", "dropped"] }],
    },
  ],
});
