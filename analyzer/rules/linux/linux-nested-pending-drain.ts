/** Reference 3.3 `linux-nested-pending-drain`; step 3 of 2.8. */

import { eventName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL } from "../common.ts";

interface Data {
  readonly outer: number;
  readonly inner: number;
}
type Id = "outer" | "upcall" | "inner";

interface Drained {
  readonly seq: number;
  readonly event: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** What was taken out last, until its upcall has begun; then the same on the upcall. */
  const taken = m.notesOnThreads<Drained & { readonly id: number }>();
  const drains = m.notesOnScopes<Drained>();

  return {
    "pal.event.deliver"() {
      const upcall = m.open(SCOPE.UPCALL);
      const outer = drains.get(upcall);
      if (outer !== null)
        found({
          thread: m.thread,
          costNs: 0,
          evidence: [
            { id: "outer", seq: outer.seq },
            { id: "upcall", seq: m.seqOf(upcall) },
            { id: "inner", seq: m.seq },
          ],
          data: { outer: outer.event, inner: m.value },
        });
      taken.set(m.slot, { seq: m.seq, event: m.value, id: m.extra });
    },
    "libos.upcall.enter"() {
      const last = taken.get(m.slot);
      if (last === null || last.event !== m.value || last.id !== m.extra) return;
      taken.remove(m.slot);
      const upcall = m.open(SCOPE.UPCALL);
      if (upcall !== NONE) drains.set(upcall, last);
    },
  };
}

const second = (when: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGTERM, handler: h }
    - nanosleep: 5ms
    - getpid
  handlers:
    h:
      - write: { to: log, bytes: 3 }
  signals:
    - { signal: SIGINT, thread: main, when: { at: 1ms } }
    - { signal: SIGTERM, thread: main, when: ${when} }
`;

export const linuxNestedPendingDrain = defineRule({
  id: "linux-nested-pending-drain",
  title: "events that were kept are drained inside the upcall of another",
  severity: "medium",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "At the end of a PAL call the kept events are taken out one by one, and each calls the LibOS. The upcall, and the handler in it, make PAL calls, " +
    "which end with the same: an event that came meanwhile, and the rest of the queue, are handled inside.",
  why: "The order of signals is turned round, and each level takes its part of the stack: nothing limits how deep it goes.",
  recognise: "The rule looks for an event that is taken out while the upcall of an event that was taken out the same way is running.",
  ignore: [
    {
      text: "one after the other, in one drain",
      nearMiss: {
        name: "both are kept during the call",
        scenario: second("{ at: 1ms }"),
        stacks: ALL_LINUX_PAL,
        reaches: ["pal.event.deliver", "pal.event.pend"],
      },
    },
  ],
  remedy:
    "Rewritten by Graphene a958ff0bc (2020-06-10), which forgot to hide the event first and so went round for ever; b0d95cfe3 (2020-06-12) mends that.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.3; 2.8",
  run,
  report: {
    title: ({ outer, inner }) => `${eventName(inner)} is drained inside the upcall of ${eventName(outer)}`,
    same: ({ outer, inner }) => [outer, inner],
    turn: ["inner"],
    captions: {
      outer: ({ outer }) => `${eventName(outer)}, which was kept, is taken out at the end of a PAL call`,
      upcall: () => "its upcall begins; it makes PAL calls of its own",
      inner: ({ inner }) => `the end of one of these takes ${eventName(inner)} out, in the middle of the first`,
    },
  },
  invalid: [
    {
      name: "SIGTERM comes in a PAL call of the handler of SIGINT",
      scenario: second('{ thread: main, site: "DkStreamWrite: INLINE_SYSCALL(write)" }'),
      stacks: ["graphene-linux"],
      found: [{ title: "PAL_EVENT_QUIT is drained inside the upcall of PAL_EVENT_SUSPEND", evidence: ["outer", "upcall", "inner"] }],
    },
  ],
});
