/** Gramine today, B13. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "used" | "forked" | "framed";

interface Inherited {
  readonly used: number;
  readonly forked: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** A frame of a thread on its alternate stack: it has one, and this LibOS uses it. */
  const used = m.notesOnThreads<number>();
  const inherited = m.notesOnThreads<Inherited>();

  /** The one thread that forks. */
  function parent(): number {
    const forking = Array.from(m.liveThreads(), ([, slot]) => slot).filter((slot) => {
      const call = m.open(SCOPE.CALL, slot);
      return slot !== m.slot && call !== NONE && callName(m.labelOf(call)) === "fork";
    });
    return forking.length === 1 ? (forking[0] as number) : NONE;
  }

  return {
    "call.end": only(calls("sigaltstack", "execve"), () => {
      if (m.value !== 0) return;
      inherited.remove(m.slot);
      used.remove(m.slot);
    }),
    "process.start"() {
      const before = m.value < 0 ? null : used.get(parent());
      if (before !== null) inherited.set(m.slot, { used: before, forked: m.seq });
    },
    "libos.sigframe"() {
      if (m.value === 1) used.set(m.slot, m.seq);
      const one = inherited.get(m.slot);
      if (one === null || m.value === 1 || ((m.actionOf(m.signal)?.flags ?? 0) & SA.ONSTACK) === 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "used", seq: one.used },
          { id: "forked", seq: one.forked },
          { id: "framed", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

export const forkDropsAltstack = defineRule({
  id: "fork-drops-altstack",
  title: "a forked child has no alternate signal stack",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what: "The alternate signal stack is not among what fork copies. On Linux the child has its parent's, at the same place of its own memory.",
  why: "A runtime that handles stack overflow on an alternate stack (Go, the JVM) dies in the child, where the handler finds no stack.",
  recognise:
    "The rule looks for a frame of a handler with SA_ONSTACK that is not on the alternate stack, in a forked process whose parent's handlers run on one, before the child sets its own.",
  ignore: [
    {
      text: "the child sets its own",
      nearMiss: {
        name: "sigaltstack in the child",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_ONSTACK] }
            - sigaltstack: { bytes: 65536 }
            - kill: { process: self, signal: SIGUSR1 }
            - fork: child
            - wait4: {}
          programs:
            child:
              - sigaltstack: { bytes: 65536 }
              - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.sigframe"],
      },
    },
  ],
  remedy: "Copy it with the rest of the thread.",
  fix: "fork-drops-altstack",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.5, 14 B13; libos_thread.c:566-634",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} runs on the normal stack: the child has lost its parent's alternate stack`,
    same: ({ signal }) => [signal],
    turn: ["framed"],
    captions: {
      used: () => "a frame of the parent lies on its alternate stack",
      forked: () => "it forks",
      framed: () => "the child's frame lies on the normal stack, although the handler has SA_ONSTACK",
    },
  },
  invalid: [
    {
      name: "a handler with SA_ONSTACK in a child",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_ONSTACK] }
          - sigaltstack: { bytes: 65536 }
          - kill: { process: self, signal: SIGUSR1 }
          - fork: child
          - wait4: {}
        programs:
          child:
            - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAMINE, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGUSR1 runs on the normal stack: the child has lost its parent's alternate stack",
          evidence: ["used", "forked", "framed"],
        },
      ],
    },
  ],
});
