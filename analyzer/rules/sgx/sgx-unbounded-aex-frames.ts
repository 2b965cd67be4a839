/** Reference 3.4 `sgx-unbounded-aex-frames`; step 6 of 2.2. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly frames: number;
}
type Id = "first" | "second" | "too-many";

/** Of a thread: ids of the events whose frames stage one has built and stage two has not left, oldest first. */
interface Frames {
  readonly ids: number[];
  readonly first: number;
  second: number;
}

/** About so many fit into the signal stack of 2020 (reference 3.4). */
const FIT = 9;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const open = m.notesOnThreads<Frames>();

  function built(): void {
    const frames = open.get(m.slot) ?? { ids: [], first: m.seq, second: 0 };
    if (frames.ids.length === 0) open.set(m.slot, frames);
    frames.ids.push(m.extra);
    if (frames.ids.length === 2) frames.second = m.seq;
    if (frames.ids.length !== FIT + 1) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "first", seq: frames.first },
        { id: "second", seq: frames.second },
        { id: "too-many", seq: m.seq },
      ],
      data: { frames: frames.ids.length },
    });
  }
  /** The frame of this event is left, and with it what lies on top of it. */
  function left(): void {
    const ids = open.get(m.slot)?.ids ?? [];
    const at = ids.lastIndexOf(m.extra);
    if (at < 0) return;
    ids.length = at;
    if (at === 0) open.remove(m.slot);
  }

  return {
    "sgx.eexit"() {
      if (m.value === 1) built();
    },
    "pal.exception.return"() {
      if (m.value === 1) left();
    },
    "pal.event.lost": left,
    "app.handler.longjmp": () => open.remove(m.slot),
  };
}

/** SIGINT at 600 us, and again before each of so many ERESUMEs. */
const burst = (more: number, place = "async_exit_pointer: ERESUME"): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - compute: 1ms
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, when: { at: 600us } }
${Array.from({ length: more }, (_, i) => `    - { signal: SIGINT, when: { thread: main, site: "${place}", nth: ${i + 2} } }`).join("\n")}
`;

export const sgxUnboundedAexFrames = defineRule({
  id: "sgx-unbounded-aex-frames",
  title: "exception frames are stacked in the enclave without a limit",
  severity: "critical",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "Each host signal that comes between stage one and ERESUME, or while stage two runs, makes stage one build one more frame below the one " +
    "before. Nothing counts them, and nothing compares the address with the end of the stack.",
  why:
    "The frames lie on the stack that was interrupted. Whoever sends signals fast enough, and the host can, overflows the application's stack or " +
    "that of the LibOS and so writes into what lies below it.",
  recognise: `The rule looks for more than ${FIT} frames of a thread at one time: so many fit into the signal stack that later revisions have.`,
  ignore: [
    {
      text: "some signals at one time: their handlers run one after the other, and the stack has room",
      nearMiss: { name: "nine frames", scenario: burst(FIT - 1), stacks: SGX, reaches: ["sgx.eexit", "sgx.eresume", "libos.upcall.enter"] },
    },
    {
      text: "many signals, each of which finds the program computing again: one frame at a time",
      nearMiss: {
        name: "a signal every 100 us",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: h }
            - compute: 2ms
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGINT, when: { every: 100us, times: 15 } }
        `,
        stacks: SGX,
        reaches: ["sgx.eexit", "sgx.eresume"],
      },
    },
  ],
  remedy: "A check of the bounds of the signal stack, and a loop without an end where it fails (Gramine baee61e25, 2021-09-30).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.2",
  run,
  report: {
    title: ({ frames }) => `${frames} exception frames at a time on the stack of one thread`,
    same: () => [],
    turn: ["too-many"],
    captions: {
      first: () => "stage one builds a frame below the interrupted stack pointer",
      second: () => "another signal before that frame is left: a second frame below it",
      "too-many": ({ frames }) => `the ${frames}th, and nothing looks where the stack ends`,
    },
  },
  invalid: [
    {
      name: "ten signals before ERESUME",
      scenario: burst(FIT),
      stacks: SGX,
      found: [{ title: "10 exception frames at a time on the stack of one thread", evidence: ["first", "second", "too-many"] }],
    },
  ],
});
