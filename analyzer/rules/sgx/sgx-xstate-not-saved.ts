/** Reference 3.4 `sgx-xstate-not-saved`; DkExceptionReturn of 2.6. */

import { CLOBBER, signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "exit" | "handler" | "back" | "clobbered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By signal id. */
  const exits = createRing();
  const handlers = createRing();
  const back = m.notesOnThreads<{ readonly seq: number; readonly id: number }>();
  const signals = m.notesOnThreads<number>();

  return {
    "sgx.aex": () => exits.set(m.extra, m.seq),
    "app.handler.enter"() {
      handlers.set(m.extra, m.seq);
      signals.set(m.slot, m.signal);
    },
    "pal.exception.return"() {
      if (m.value === 1) back.set(m.slot, { seq: m.seq, id: m.extra });
    },
    "sgx.clobber"() {
      const last = back.get(m.slot);
      if (m.value !== CLOBBER.VECTORS || last === null) return;
      const [exit, handler] = [exits.get(last.id), handlers.get(last.id)];
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(exit < 0 ? [] : [{ id: "exit" as const, seq: exit }]),
          ...(handler < 0 ? [] : [{ id: "handler" as const, seq: handler }]),
          { id: "back", seq: last.seq },
          { id: "clobbered", seq: m.seq },
        ],
        data: { signal: signals.get(m.slot) ?? 0 },
      });
    },
  };
}

export const sgxXstateNotSaved = defineRule({
  id: "sgx-xstate-not-saved",
  title: "vector registers are not put back after a handler",
  severity: "critical",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "The frame of an exception has the general registers only. What the handler, or the LibOS on the way to it, does to FP, SSE and AVX registers " +
    "is there when the interrupted code goes on. Ocalls save the FXSAVE area only: the upper halves of AVX registers are lost there.",
  why: "Loops over numbers, memcpy and hashes use these registers: a signal in the middle changes results without any error.",
  recognise: "The rule looks for a return to interrupted code whose vector registers had been in use and have been changed by the handler.",
  ignore: [
    {
      text: "the handler, and all that it calls, leaves the vector registers alone",
      nearMiss: {
        name: "a handler without them",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: h }
            - vectors: live
            - compute: 1ms
            - vectors: check
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGINT, when: { at: 600us } }
        `,
        stacks: SGX,
        reaches: ["sgx.aex", "app.handler.return", "pal.exception.return"],
      },
    },
    {
      text: "the interrupted code has nothing in them: at a system call they need not be kept",
      nearMiss: {
        name: "a handler that uses them, of a program that does not",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: h }
            - compute: 1ms
          handlers:
            h:
              - vectors: clobber
          signals:
            - { signal: SIGINT, when: { at: 600us } }
        `,
        stacks: SGX,
        reaches: ["sgx.aex", "app.handler.return", "pal.exception.return"],
      },
    },
  ],
  remedy: "The XSAVE area is saved and restored with the frame (Graphene 98acf101d and 021934926, 2020-01-28; 7e584d582, 2020-09-30).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.6",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} has changed the vector registers of the code that it interrupted`,
    same: ({ signal }) => [signal],
    turn: ["clobbered"],
    captions: {
      exit: () => "the program is interrupted, with values in vector registers",
      handler: () => "its handler runs, and uses them",
      back: () => "DkExceptionReturn puts the general registers back",
      clobbered: () => "nobody has saved the vector registers, the program goes on with the handler's",
    },
  },
  invalid: [
    {
      name: "a handler that uses vector registers",
      scenario: "w10-vector-registers",
      stacks: SGX,
      found: [
        {
          title: "the handler of SIGINT has changed the vector registers of the code that it interrupted",
          evidence: ["exit", "handler", "back", "clobbered"],
        },
      ],
    },
  ],
});
