/** Reference 3.3 `linux-pal-malloc-in-handler`; the handler of 2.8, step 2. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, callOf } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "locked" | "interrupted" | "asleep";

const isSlab = (text: string): boolean => text === "slab lock of the PAL";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const held = m.notesOnThreads<number>();

  return {
    lock: only(isSlab, () => m.value === NONE && held.set(m.slot, m.seq)),
    unlock: only(isSlab, () => m.value === NONE && held.remove(m.slot)),
    "thread.block"() {
      const locked = held.get(m.slot);
      const frame = m.open(SCOPE.HOST_FRAME);
      // A handler that runs while its own thread has the lock, and waits for no object that anybody could set.
      if (locked === null || frame === NONE || m.seqOf(frame) < locked || m.extra !== NONE) return;
      held.remove(m.slot);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "locked", seq: locked },
          { id: "interrupted", seq: m.seqOf(frame) },
          { id: "asleep", seq: m.seq },
        ],
        data: { signal: m.signalOf(frame), call: callOf(m) },
      });
    },
  };
}

const inMalloc = (first: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGTERM, handler: h }
    - clone: b
    - nanosleep: 1ms
  programs:
    b:
      - nanosleep: 1ms
  handlers:
    h:
      - compute: 1us
  signals:
    ${first}
    - { signal: SIGTERM, thread: main, when: { thread: main, site: "pal_malloc: take a block", nth: 2 } }
`;

export const linuxPalMallocInHandler = defineRule({
  id: "linux-pal-malloc-in-handler",
  title: "the PAL's signal handler waits for a lock that its own thread holds",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "A signal in a PAL call is kept for its end. The first one has a word for it; for each further one the handler allocates a queue node, from the " +
    "slab allocator with its lock. If the interrupted PAL code is just in that allocator, the handler waits for its own thread.",
  why: "The thread stands still for ever, in a host signal handler with SIGCONT blocked: nothing wakes it.",
  recognise: "The rule looks for a thread that takes the slab lock, is interrupted by a host signal, and goes to sleep in that handler.",
  ignore: [
    {
      text: "the first event needs no memory",
      nearMiss: {
        name: "one signal in the allocator",
        scenario: inMalloc(""),
        stacks: ALL_LINUX_PAL,
        reaches: ["pal_malloc: take a block", "pal.event.pend"],
      },
    },
  ],
  remedy: "A fixed array with a flag for each event, and async signals blocked while it is drained (Graphene a958ff0bc, 2020-06-10).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.3; 2.8",
  run,
  report: {
    title: ({ signal, call }) =>
      `the handler of ${signalName(signal)} waits for the PAL's allocator, which its own thread is in${call === "" ? "" : ` (${call})`}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      locked: () => "the PAL takes the lock of its slab allocator",
      interrupted: ({ signal }) => `${signalName(signal)} interrupts it there, while another event is kept already`,
      asleep: () => "the handler wants a block of memory for the second event, and waits for the lock of the code below it",
    },
  },
  invalid: [
    {
      name: "a second signal in the allocator",
      scenario: inMalloc('- { signal: SIGINT, thread: main, when: { thread: main, site: "DkThreadCreate: malloc the handle", nth: 2 } }'),
      stacks: [...ALL_LINUX_PAL, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGTERM waits for the PAL's allocator, which its own thread is in (clone(b))",
          evidence: ["locked", "interrupted", "asleep"],
        },
      ],
    },
  ],
});
