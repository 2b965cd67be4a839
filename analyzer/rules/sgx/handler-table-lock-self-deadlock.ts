/** Reference 3.4 `handler-table-lock-self-deadlock`; 1.5 and 2.6 step 1. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly slot: string;
}
type Id = "locked" | "interrupted" | "busy";

interface Held {
  readonly seq: number;
  readonly slot: string;
  told: boolean;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const held = m.notesOnThreads<Held>();
  const exits = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();

  return {
    lock: only(
      (text) => text.startsWith("handlers["),
      () => {
        // The PAL's own locks have no number.
        if (m.value === NONE) held.set(m.slot, { seq: m.seq, slot: m.text(), told: false });
      },
    ),
    unlock: held.whileAny(() => {
      if (m.value === NONE && held.get(m.slot)?.slot === m.text()) held.remove(m.slot);
    }),
    "host.signal.deliver": () => exits.set(m.slot, { seq: m.seq, signal: m.signal }),
    "lock.busy"() {
      const lock = held.get(m.slot);
      const exit = exits.get(m.slot);
      if (lock === null || lock.told || exit === null || exit.seq < lock.seq || lock.slot !== m.text()) return;
      lock.told = true;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "locked", seq: lock.seq },
          { id: "interrupted", seq: exit.seq },
          { id: "busy", seq: m.seq },
        ],
        data: { signal: exit.signal, slot: lock.slot },
      });
    },
  };
}

const twice = (second: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGTERM, handler: h }
    - compute: 1ms
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 600us } }
    - { signal: ${second}, thread: main, when: { thread: main, site: "_DkGetExceptionHandler: read handlers[event].upcall" } }
`;

export const handlerTableLockSelfDeadlock = defineRule({
  id: "handler-table-lock-self-deadlock",
  title: "an event waits for the handler table, which its own thread has locked",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "The table of upcalls has a lock for each event, which is taken to read one pointer. An event of the same number that interrupts the thread between " +
    "lock and unlock wants the same lock.",
  why: "The thread turns for ever (a spinlock, under SGX) or sleeps for ever (a futex, on Linux).",
  recognise:
    "The rule looks for a slot of the table that is found taken by the very thread that holds it, in a handler of a signal that came meanwhile.",
  ignore: [
    {
      text: "the second event has another number, and so another lock",
      nearMiss: {
        name: "SIGTERM while SIGINT's upcall is looked up",
        scenario: twice("SIGTERM"),
        stacks: SGX,
        reaches: ["sgx.aex", "_DkGetExceptionHandler: read handlers[event].upcall", "libos.upcall.enter"],
      },
    },
    {
      text: "on Linux the host's frame blocks the same signal meanwhile; where the event was kept, the PAL's text is interrupted and keeps the second, too",
      nearMiss: {
        name: "the same on the Linux PAL",
        scenario: twice("SIGINT"),
        stacks: ALL_LINUX_PAL,
        reaches: ["_DkGetExceptionHandler: read handlers[event].upcall", "host.signal.deliver"],
      },
    },
  ],
  remedy: "An atomic pointer, and no lock (Graphene 20ecea9be, 2020-06-10).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 1.5",
  run,
  report: {
    title: ({ signal, slot }) => `${signalName(signal)} waits for ever for ${slot}, which its own thread has locked`,
    same: ({ signal, slot }) => [signal, slot],
    turn: ["busy"],
    captions: {
      locked: ({ slot }) => `an event looks up its upcall: ${slot} is locked`,
      interrupted: ({ signal }) => `${signalName(signal)} interrupts the thread before the unlock`,
      busy: () => "it looks up the same slot, and waits for a lock that only its own thread could release",
    },
  },
  invalid: [
    {
      name: "a second SIGINT while the upcall of the first is looked up",
      scenario: twice("SIGINT"),
      stacks: SGX,
      found: [
        { title: "SIGINT waits for ever for handlers[5], which its own thread has locked", evidence: ["locked", "interrupted", "busy"] },
      ],
    },
  ],
});
