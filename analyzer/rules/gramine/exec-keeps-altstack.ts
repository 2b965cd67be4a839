/** Gramine today, B14. */

import { signalName } from "../../../engine/index.ts";
import { only, SA, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, calls, GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "set" | "replaced" | "framed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const stacks = m.notesOnThreads<{ readonly set: number; readonly replaced: number | null }>();
  /** A handler with SA_ONSTACK was chosen, and its frame is not there yet. */
  const chosen = m.notesOnThreads<{ readonly signal: number }>();
  function onOldStack(signal: number): void {
    const one = stacks.get(m.slot);
    if (one === null || one.replaced === null) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "set", seq: one.set },
        { id: "replaced", seq: one.replaced },
        { id: "framed", seq: m.seq },
      ],
      data: { signal },
    });
  }

  return {
    "call.end": only(calls("sigaltstack", "execve"), () => {
      if (m.value !== 0) return;
      const label = m.labelOf(m.closed);
      // It only asks.
      if (label.includes("nostack")) return;
      const before = stacks.get(m.slot);
      const args = argsOf("sigaltstack", label);
      if (args !== null && /^\d+, false/.test(args)) stacks.set(m.slot, { set: m.seqOf(m.closed), replaced: null });
      else if (args !== null) stacks.remove(m.slot);
      else if (before !== null) stacks.set(m.slot, { ...before, replaced: m.seq });
    }),
    "libos.signal.deliver"() {
      const onstack = m.value === 2 && ((m.actionOf(m.signal)?.flags ?? 0) & SA.ONSTACK) !== 0;
      if (onstack) chosen.set(m.slot, { signal: m.signal });
      else chosen.remove(m.slot);
    },
    "libos.sigframe"() {
      chosen.remove(m.slot);
      if (m.value === 1) onOldStack(m.signal);
    },
    "app.fault"() {
      const one = chosen.get(m.slot);
      chosen.remove(m.slot);
      if (one !== null) onOldStack(one.signal);
    },
  };
}

export const execKeepsAltstack = defineRule({
  id: "exec-keeps-altstack",
  title: "execve keeps the alternate signal stack of the program before",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "execve does not give the alternate signal stack up. A handler with SA_ONSTACK of the new program runs on memory of the old one that is " +
    "unmapped: an internal fault; under SGX without EDMM on memory that belongs to something else by now.",
  why: "The new program never asked for that stack. It dies at its first signal, or its memory is overwritten.",
  recognise:
    "The rule looks for a frame on the alternate stack after an execve, or for the fault that its first word is, where the program has set none since.",
  ignore: [
    {
      text: "the new program sets its own",
      nearMiss: {
        name: "sigaltstack after execve",
        scenario: `
          main:
            - sigaltstack: { bytes: 65536 }
            - exec
            - sigaltstack: { bytes: 65536 }
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_ONSTACK] }
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
  remedy: "Switch the alternate stack off in execve.",
  fix: "exec-keeps-altstack",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.7, 14 B14; libos_exec.c:136-197",
  run,
  report: {
    title: ({ signal }) => `the frame for the handler of ${signalName(signal)} lies on the alternate stack of the program before execve`,
    same: ({ signal }) => [signal],
    turn: ["framed"],
    captions: {
      set: () => "the program before sets an alternate stack",
      replaced: () => "execve puts another program in its place",
      framed: () => "a frame goes to that stack, whose memory is gone",
    },
  },
  invalid: [
    {
      name: "a handler with SA_ONSTACK after execve",
      scenario: `
        main:
          - sigaltstack: { bytes: 65536 }
          - exec
          - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_ONSTACK] }
          - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAMINE, "graphene-pr1218"],
      found: [
        {
          title: "the frame for the handler of SIGUSR1 lies on the alternate stack of the program before execve",
          evidence: ["set", "replaced", "framed"],
        },
      ],
    },
  ],
});
