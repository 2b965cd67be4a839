/** Reference 3.4 `sgx-nested-host-signal`; the flows are those of 2.2 and 2.3, rule 2 of 1.2 says which frame runs first. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly below: number;
  readonly signal: number;
  /** CSSA at the EENTER. */
  readonly cssa: number;
  readonly dies: boolean;
}
type Id = "first" | "second" | "injected" | "entered" | "refused" | "end";

interface Nested {
  readonly first: number;
  readonly below: number;
  readonly second: number;
  readonly signal: number;
  injected: number;
  /** EENTER with an SSA frame in use, or without a free one. */
  entered: number;
  cssa: number;
}

/** SSA frames of a thread: with as many in use the processor refuses EENTER (reference 1.3). */
const NSSA = 2;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const nested = m.notesOnThreads<Nested>();

  /** What has entered the enclave so is reported with what comes of it. */
  function over(slot: number, thread: number, end: number): void {
    const one = nested.get(slot);
    if (one === null || one.entered === NONE) return;
    nested.remove(slot);
    found({
      thread,
      costNs: 0,
      evidence: [
        { id: "first", seq: one.first },
        { id: "second", seq: one.second },
        ...(one.injected === NONE ? [] : [{ id: "injected" as const, seq: one.injected }]),
        { id: one.cssa >= NSSA ? "refused" : "entered", seq: one.entered },
        ...(end === NONE ? [] : [{ id: "end" as const, seq: end }]),
      ],
      data: { below: one.below, signal: one.signal, cssa: one.cssa, dies: end !== NONE },
    });
  }
  function delivered(): void {
    const before = nested.get(m.slot);
    if (before !== null && before.entered !== NONE) return;
    const outer = m.around(m.open(SCOPE.HOST_FRAME));
    if (outer === NONE) return nested.remove(m.slot);
    const none = { injected: NONE, entered: NONE, cssa: 0 };
    nested.set(m.slot, { first: m.seqOf(outer), below: m.signalOf(outer), second: m.seq, signal: m.signal, ...none });
  }
  function entered(): void {
    const one = nested.get(m.slot);
    if (one === null || one.entered !== NONE || (one.injected === NONE && m.value < NSSA)) return;
    one.entered = m.seq;
    one.cssa = m.value;
  }
  const ends = (): void => over(m.slot, m.thread, m.seq);
  const goesOn = (): void => over(m.slot, m.thread, NONE);

  return {
    "host.signal.deliver": delivered,
    "pal.event.inject"() {
      const one = nested.get(m.slot);
      if (one !== null && m.cssa() >= 1 && one.entered === NONE) one.injected = m.seq;
    },
    "sgx.eenter"() {
      if (m.value >= 1) entered();
      else goesOn();
    },
    "sgx.fault"() {
      if (m.value >= NSSA) entered();
    },
    undefined: ends,
    "thread.exit": ends,
    "libos.upcall.enter": goesOn,
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(slot, thread, NONE);
    },
  };
}

const ROAD = ["first", "second", "injected", "entered", "end"];

export const sgxNestedHostSignal = defineRule({
  id: "sgx-nested-host-signal",
  title: "a host signal inside the handler of another leads into the enclave by the wrong way",
  severity: "high",
  layers: ["untrusted-pal", "pal"],
  generations: ["graphene-2019"],
  what:
    "The mask of the PAL's host handlers has SIGCONT only, so SIGINT or SIGTERM can interrupt the handler of another signal while the " +
    "enclave has an SSA frame in use. The second handler sees that RIP is not the exit pointer, takes the thread for one outside and rewrites " +
    "its registers for a return from an ocall. EENTER leads to the exception path instead: it reads the low byte of -13 as event 243 and leaves " +
    "by whatever RDX holds. Where two SSA frames are in use, EENTER itself is refused.",
  why: "Ctrl-C and a SIGTERM at one moment kill the thread, and nobody is told: locks stay held, joiners wait for ever.",
  recognise:
    "The rule looks for a signal frame on top of another one of the same thread, registers that are rewritten while CSSA is at least 1, and the " +
    "EENTER after that; or for an EENTER that is refused since both SSA frames are in use.",
  ignore: [
    {
      text: "both signals find the thread outside the enclave (CSSA 0): that loses an event and leaks a mask, each with a rule of its own",
      nearMiss: {
        name: "SIGINT and SIGTERM during a read",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: stop }
            - sigaction: { signal: SIGTERM, handler: stop }
            - read: { from: pipe, bytes: 8 }
          handlers:
            stop:
              - compute: 1us
          signals:
            - { signal: SIGINT, thread: main, when: { at: 1ms } }
            - { signal: SIGTERM, thread: main, when: { at: 1ms } }
        `,
        stacks: SGX,
        reaches: ["host.signal.deliver", "pal.event.inject", "sgx.eenter"],
      },
    },
    {
      text: "frames on top of each other without an enclave",
      nearMiss: { name: "the same on the Linux PAL", scenario: "int-and-term", stacks: LINUX_PAL, reaches: ["host.signal.deliver"] },
    },
  ],
  remedy:
    "The mask of all handlers has SIGTERM, SIGINT and SIGCONT, and an entry with CSSA other than 1 turns for ever (Graphene 5b3b69332, 2019-05-03).",
  fix: "sgx-nested-host-signal",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; flows of 2.2 and 2.3",
  run,
  report: {
    title: ({ below, signal, dies }) =>
      `${signalName(signal)} inside the host handler of ${signalName(below)} enters the enclave by the wrong way${dies ? ", and the thread dies" : ""}`,
    same: ({ below, signal, cssa }) => [below, signal, cssa],
    turn: ["injected"],
    captions: {
      first: ({ below }) => `the host pushes a frame for ${signalName(below)}`,
      second: ({ signal }) => `and one for ${signalName(signal)} on top of it: its handler runs first`,
      injected: () => "the handler sees no exit pointer below it, and rewrites the registers as for a return from an ocall",
      entered: ({ cssa }) => `EENTER with ${cssa} SSA frame in use is the exception path: the event it reads is 243, the low byte of -13`,
      refused: () => "EENTER with both SSA frames in use: the processor refuses it",
      end: () => "this is where it ends",
    },
  },
  invalid: [
    {
      name: "both are pending when the thread leaves the enclave",
      scenario: "int-and-term",
      stacks: SGX,
      found: [
        { title: "SIGTERM inside the host handler of SIGINT enters the enclave by the wrong way, and the thread dies", evidence: ROAD },
      ],
    },
    {
      name: "the second one comes while stage one of the first has the enclave",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: stop }
          - sigaction: { signal: SIGTERM, handler: stop }
          - compute: 2ms
        handlers:
          stop:
            - compute: 1us
        signals:
          - { signal: SIGINT, when: { at: 1ms } }
          - { signal: SIGTERM, when: { thread: main, site: "enclave_entry: jump to handle_exception()" } }
      `,
      stacks: SGX,
      found: [
        {
          title: "SIGTERM inside the host handler of SIGINT enters the enclave by the wrong way, and the thread dies",
          evidence: ["first", "second", "refused", "end"],
        },
      ],
    },
  ],
});
