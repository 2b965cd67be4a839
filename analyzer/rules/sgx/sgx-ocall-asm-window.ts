/** Reference 3.4 `sgx-ocall-asm-window`; the entry code of an ocall (1.3, 2.3). */

import { CLOBBER, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { followExits, ocallName, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly outer: string;
  readonly inner: string;
  readonly dies: boolean;
}
type Id = "outer" | "built" | "inner" | "left" | "end";

/** Of an ocall that an exception found with its stack saved and the untrusted one in use. */
interface Window {
  readonly outer: number;
  readonly label: string;
  readonly built: number;
  readonly signal: number;
  inner: number;
  name: string;
  left: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = followExits(m);
  const windows = m.notesOnThreads<Window>();

  function over(slot: number, thread: number, end: number): void {
    const window = windows.get(slot);
    if (window === null) return;
    windows.remove(slot);
    if (window.left === NONE) return;
    found({
      thread,
      costNs: 0,
      evidence: [
        { id: "outer", seq: window.outer },
        { id: "built", seq: window.built },
        { id: "inner", seq: window.inner },
        { id: "left", seq: window.left },
        ...(end === NONE ? [] : [{ id: "end" as const, seq: end }]),
      ],
      data: { signal: window.signal, outer: window.label, inner: window.name, dies: end !== NONE },
    });
  }

  return {
    ...exits.listeners,
    "sgx.clobber"() {
      const outer = m.open(SCOPE.OCALL);
      // Stage one has a signal; the same kind of row of an ocall has none.
      if (m.value !== CLOBBER.UNTRUSTED_STACK || !(m.cssa() >= 1) || outer === NONE) return;
      const label = m.labelOf(outer);
      const none = { inner: NONE, name: "", left: NONE };
      windows.set(m.slot, { outer: m.seqOf(outer), label, built: m.seq, signal: exits.last()?.signal ?? 0, ...none });
    },
    "sgx.eexit": windows.whileAny(() => {
      const window = windows.get(m.slot);
      const inner = m.open(SCOPE.OCALL);
      if (window === null || window.left !== NONE || m.value !== 0 || inner === NONE || m.seqOf(inner) <= window.built) return;
      Object.assign(window, { inner: m.seqOf(inner), name: m.labelOf(inner), left: m.seq });
    }),
    // The outer one is back before another was made.
    "ocall.end": windows.whileAny(() => {
      const window = windows.get(m.slot);
      if (window !== null && m.seqOf(m.closed) === window.outer) over(m.slot, m.thread, NONE);
    }),
    undefined: () => over(m.slot, m.thread, m.seq),
    "thread.exit": () => over(m.slot, m.thread, NONE),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(slot, thread, NONE);
    },
  };
}

const at = (handler: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - read: { from: pipe, bytes: 8 }
    - getpid
  handlers:
    h:
      - ${handler}
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "sgx_ocall (untrusted RSP): EEXIT(exit_target)", nth: 3 } }
  arrivals:
    - { to: pipe, bytes: 8, when: { at: 5ms } }
`;

export const sgxOcallAsmWindow = defineRule({
  id: "sgx-ocall-asm-window",
  title: "a handler's ocall takes the place of the one that its signal cut into",
  severity: "critical",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "TLS.stack says where an ocall is to come back. A signal between the instruction that saves it and EEXIT, or between EENTER and the one that " +
    "restores it, runs the upcall there and then. An ocall of the handler saves its own stack in the same word; the outer ocall leaves, or " +
    "goes on, with that.",
  why: "The enclave goes on with a stack that is no more: wrong results at best, else a crash, and for an attacker who sends the signal a way in.",
  recognise:
    "The rule goes by the stack pointer: an exception frame that is built on the untrusted stack in an ocall, then the EEXIT of another ocall before " +
    "the first one is back. The one instruction between the two, with RSP still inside, is not seen.",
  ignore: [
    {
      text: "the handler makes no ocall: TLS.stack is as it was",
      nearMiss: {
        name: "a handler that computes",
        scenario: at("compute: 1us"),
        stacks: SGX,
        reaches: ["sgx.clobber", "app.handler.return"],
      },
    },
    {
      text: "the signal finds the ocall outside: its result is lost, but the stack is right",
      nearMiss: {
        name: "a signal during the read whose handler writes",
        scenario: at("write: { to: log, bytes: 3 }")
          .replace("sgx_ocall (untrusted RSP): EEXIT(exit_target)", "ocall_sock_recv: take the arguments")
          .replace("nth: 3", "nth: 1"),
        stacks: SGX,
        reaches: ["pal.event.inject", "ocall.enter", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "Three cases: before EEXIT the ocall is as if interrupted, after EENTER its result is kept and the handler runs when the stack is back, else as " +
    "before (Graphene f65c49606, 2019-06-21; a wrong register in it until 111516090, 2019-11-27).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 1.3, 2.3",
  run,
  report: {
    title: ({ signal, outer, inner, dies }) =>
      `${ocallName(inner)} of the handler of ${signalName(signal)} takes the place of ${ocallName(outer)} on its way out${dies ? ", and the thread goes astray" : ""}`,
    same: ({ signal, outer, inner }) => [signal, ocallName(outer), ocallName(inner)],
    turn: ["left"],
    captions: {
      outer: ({ outer }) => `the enclave makes ${ocallName(outer)} and saves its stack`,
      built: ({ signal }) => `${signalName(signal)} comes before that has left, or when it is just back`,
      inner: ({ inner }) => `its handler makes ${ocallName(inner)}`,
      left: () => "that one has saved its own stack in the same word, and leaves",
      end: () => "the word leads to frames that are no more",
    },
  },
  invalid: [
    {
      name: "a handler that writes",
      scenario: at("write: { to: log, bytes: 3 }"),
      stacks: SGX,
      found: [
        {
          title:
            "ocall_sock_send() of the handler of SIGINT takes the place of ocall_sock_recv() on its way out, and the thread goes astray",
          evidence: ["outer", "built", "inner", "left", "end"],
        },
      ],
    },
  ],
});
