/** Gramine today, B1. */

import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, GRAMINE } from "../common.ts";

interface Data {
  readonly lock: string;
  readonly call: string;
  /** Name of the thread that holds it; empty when nobody does. */
  readonly holder: string;
}
type Id = "taken" | "released";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By lock: the row that took it last. The model has forgotten it when the release is at hand. */
  const taken = new Map<number, number>();
  return {
    lock: () => m.value >= 0 && taken.set(m.value, m.seq),
    unlock() {
      if (m.value < 0 || m.extra === m.thread || !taken.has(m.value) || m.open(SCOPE.CALL) === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "taken", seq: taken.get(m.value) ?? m.seq },
          { id: "released", seq: m.seq },
        ],
        data: { lock: m.text(), call: callOf(m), holder: m.extra < 0 ? "" : m.nameOf(m.extra) },
      });
    },
  };
}

export const wait4UnlocksUnheldLock = defineRule({
  id: "wait4-unlocks-unheld-lock",
  title: "a wait4 that a signal ends releases a lock that it does not hold",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "wait4 gives children_lock up before it sleeps. When a signal ends the sleep it leaves by the common way out, which releases the lock once " +
    "more. The IPC worker may hold it just then: it holds it while it sends the very SIGCHLD that wakes the wait.",
  why: "Two threads are in the list of children at a time: it is torn, and a child is lost or freed twice. unlock does not look at the owner.",
  recognise: "The rule looks for the release of a lock by a thread that is not its owner, inside of a call.",
  ignore: [
    {
      text: "a wait4 that finds a child leaves with the lock in its hands",
      nearMiss: {
        name: "a child that has ended before the wait4",
        scenario: `
          main:
            - fork: child
            - compute: 5ms
            - wait4: {}
          programs:
            child:
              - getpid
        `,
        stacks: GRAMINE,
        reaches: ["lock", "unlock"],
      },
    },
  ],
  remedy: "Take the lock before leaving, or leave without the release.",
  fix: "wait4-unlocks-unheld-lock",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.4, 14 B1; libos_wait.c:127-215, libos_lock.h:39-52",
  run,
  report: {
    title: ({ lock, call, holder }) => `${call} releases ${lock}, which ${holder === "" ? "nobody" : holder} holds`,
    same: ({ lock, holder }) => [lock, holder],
    turn: ["released"],
    captions: {
      taken: ({ lock }) => `${lock} was taken last`,
      released: ({ holder }) =>
        holder === "" ? "it is released by a thread that does not hold it" : `${holder} holds it, and another thread lets the next one in`,
    },
  },
  invalid: [
    {
      name: "wait4 with a handler for SIGCHLD",
      scenario: `
        main:
          - sigaction: { signal: SIGCHLD, handler: on-chld }
          - fork: child
          - wait4: {}
        programs:
          child:
            - nanosleep: 1ms
        handlers:
          on-chld:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "wait4() releases children_lock, which nobody holds", evidence: ["taken", "released"] }],
    },
  ],
});
