/** Gramine today, B22. */

import { signalName } from "../../../engine/index.ts";
import { MASK, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "forced" | "handled";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads: a fault whose signal is blocked. */
  const blocked = m.notesOnThreads<{ readonly seq: number; readonly id: number }>();
  return {
    "libos.signal.force"() {
      if (m.isBlocked(MASK.LIBOS, m.signal) === true) blocked.set(m.slot, { seq: m.seq, id: m.extra });
    },
    "app.handler.enter"() {
      const one = blocked.get(m.slot);
      if (one === null || one.id !== m.extra) return;
      blocked.remove(m.slot);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "forced", seq: one.seq },
          { id: "handled", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

export const blockedFaultReachesHandler = defineRule({
  id: "blocked-fault-reaches-handler",
  title: "a fault whose signal is blocked reaches its handler",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what: "A forced signal is delivered whatever the mask. On Linux a fault whose signal is blocked ends the process: the handler is not asked.",
  why:
    "A fault inside the handler of a fault, with the signal blocked, ends a program on Linux. Here the handler is entered again, on top of " +
    "itself, until the stack is full.",
  recognise: "The rule looks for a handler of a forced signal that the LibOS's mask blocked when the fault came.",
  ignore: [
    {
      text: "the signal is not blocked",
      nearMiss: {
        name: "a fault with a handler",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: skips }
            - fault: { what: divide }
          handlers:
            skips:
              - skip-fault
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.force", "app.handler.enter"],
      },
    },
  ],
  remedy: "Reset the disposition of a forced signal that is blocked, as the kernel does.",
  fix: "blocked-fault-reaches-handler",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 5, 14 B22; libos_signal.c:747-847",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} runs for a fault, although the signal is blocked`,
    same: ({ signal }) => [signal],
    turn: ["handled"],
    captions: {
      forced: ({ signal }) => `the fault forces ${signalName(signal)}, which is blocked: on Linux the process dies`,
      handled: () => "its handler runs",
    },
  },
  invalid: [
    {
      name: "a division by zero with SIGFPE blocked",
      scenario: `
        main:
          - sigaction: { signal: SIGFPE, handler: skips }
          - sigprocmask: { how: block, signals: [SIGFPE] }
          - fault: { what: divide }
        handlers:
          skips:
            - skip-fault
      `,
      stacks: GRAMINE,
      found: [{ title: "the handler of SIGFPE runs for a fault, although the signal is blocked", evidence: ["forced", "handled"] }],
    },
  ],
});
