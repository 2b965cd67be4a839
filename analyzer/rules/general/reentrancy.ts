/** A handler is entered while it runs already in the same thread, and nobody asked for that. */

import { POLLS, signalName } from "../../../engine/index.ts";
import { NONE, only, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly locks: number;
}
type Id = "outer" | "entered";

/** Calls that may change the mask: what comes after is the program's own doing. */
const isAboutMask = calls("sigaction", "sigprocmask", "sigsuspend");
const isPoll = calls(...POLLS);
/** A poll that takes a mask has its signals among the arguments. */
const changesMask = (label: string): boolean => isAboutMask(label) || (isPoll(label) && label.includes("SIG"));

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On handlers in which such a call was made, or that may be entered again. */
  const unmasked = m.notesOnScopes<true>();

  return {
    "app.call": only(changesMask, () => {
      const handler = m.open(SCOPE.HANDLER);
      if (handler !== NONE) unmasked.set(handler, true);
    }),
    "app.handler.enter"() {
      // A kernel alone keeps its own masks.
      if (!m.hasLibos) return;
      const inner = m.open(SCOPE.HANDLER);
      const action = m.actionOf(m.signal);
      if (action === null || (action.flags & SA.NODEFER) !== 0) unmasked.set(inner, true);
      for (let outer = m.around(inner); outer !== NONE; outer = m.around(outer)) {
        if (unmasked.get(outer) !== null) return;
        if (m.signalOf(outer) !== m.signal) continue;
        found({
          thread: m.thread,
          costNs: 0,
          evidence: [
            { id: "outer", seq: m.seqOf(outer) },
            { id: "entered", seq: m.seq },
          ],
          data: { signal: m.signal, locks: m.locksHeld() },
        });
        return;
      }
    },
  };
}

export const reentrancy = defineRule({
  id: "reentrancy",
  title: "a handler is entered again while it runs",
  severity: "high",
  layers: ["libos", "app"],
  generations: ["any"],
  what: "A signal's handler starts in a thread in which a run of it has not ended. Linux blocks the signal meanwhile, unless SA_NODEFER is set.",
  why: "Handlers are written for one run at a time: a list is walked while it is half changed, a counter is off by one.",
  recognise:
    "The rule looks for a handler inside another one of the same signal, without SA_NODEFER and without a call that changes the mask.",
  ignore: [
    {
      text: "SA_NODEFER, or the handler itself unblocks the signal",
      nearMiss: {
        name: "SA_NODEFER on Linux",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_NODEFER] }
            - clone: sender
            - compute: 20ms
          programs:
            sender:
              - tgkill: { thread: main, signal: SIGUSR1 }
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 5ms
        `,
        stacks: ["native-linux"],
        reaches: ["app.handler.enter"],
      },
    },
  ],
  remedy: "Add the handler's mask and its signal to the mask in force, and take them away when it returns.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 (mask-replaced-not-merged), sigaction(2)",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} is entered while it runs`,
    same: ({ signal }) => [signal],
    turn: ["entered"],
    captions: {
      outer: ({ signal }) => `the handler of ${signalName(signal)} starts`,
      entered: () => "it starts again before it has returned: on Linux the signal would be blocked",
    },
  },
  invalid: [
    {
      name: "a mask that a second handler replaces instead of adding to it",
      scenario: [
        { name: "app.call", depth: 1 },
        { name: "libos.syscall.enter", depth: 2 },
        { name: "libos.sigaction", depth: 3, signal: 10, value: 2 },
        { name: "libos.sigaction", depth: 3, signal: 12, value: 3 },
        { name: "libos.syscall.exit", depth: 1 },
        { name: "app.return", depth: 0 },
        { name: "app.handler.enter", depth: 2, signal: 10, extra: 1 },
        { name: "app.handler.enter", depth: 4, signal: 12, extra: 2 },
        { name: "app.handler.enter", depth: 6, signal: 10, extra: 3 },
      ],
      found: [{ title: "the handler of SIGUSR1 is entered while it runs", evidence: ["outer", "entered"] }],
    },
  ],
});
