/** Gramine today, B6. */

import { resultText } from "../../../engine/index.ts";
import { SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

interface Data {
  readonly call: string;
  readonly result: number;
}
type Id = "requested" | "abandoned" | "answered";

interface Lost {
  readonly requested: number;
  readonly abandoned: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const requests = m.notesOnThreads<number>();
  const lost = m.notesOnScopes<Lost>(over);

  function over({ requested, abandoned }: Lost, call: number): void {
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "requested", seq: requested },
        { id: "abandoned", seq: abandoned },
        { id: "answered", seq: m.seq },
      ],
      data: { call: m.labelOf(call), result: m.value },
    });
  }

  return {
    "rpc.request": () => requests.set(m.slot, m.seq),
    "rpc.abandon": () => lost.set(m.open(SCOPE.CALL), { requested: requests.get(m.slot) ?? m.seq, abandoned: m.seq }),
  };
}

export const exitlessEintrIsEperm = defineRule({
  id: "exitless-eintr-is-eperm",
  title: "a signal while an exitless call waits becomes -EACCES, and the call's result is lost",
  severity: "high",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "In exitless mode an RPC thread makes the system call, and the enclave's thread spins, then waits by a futex. Any signal ends that wait with " +
    "-EINTR, which counts as a failure: the PAL says DENIED, and the request on its stack is given up. The RPC thread writes its answer there later.",
  why:
    "The application gets -EACCES from a read or an accept, data that the RPC thread has read is gone, and memory that is in use for something " +
    "else is overwritten. No race is needed: a call that waits longer than the spin is enough.",
  recognise: "The rule looks for a request that the enclave gives up while an RPC thread is at it.",
  ignore: [
    {
      text: "the RPC thread answers in time",
      nearMiss: {
        name: "a quick read in exitless mode",
        scenario: `
          options: [exitless]
          main:
            - read: { takes: 10us, result: 8 }
        `,
        stacks: ["gramine-sgx"],
        reaches: ["rpc.request", "rpc.done"],
      },
    },
  ],
  remedy: "Go on waiting for the request after -EINTR.",
  fix: "exitless-eintr-is-eperm",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 11 (X1), 14 B6; enclave_ocalls.c:93-129",
  run,
  report: {
    title: ({ call, result }) => `${call} answers ${resultText(result)}: a signal came while an RPC thread was at it`,
    same: ({ call, result }) => [call, result],
    turn: ["abandoned"],
    captions: {
      requested: () => "the enclave asks an RPC thread for the call, and waits",
      abandoned: () => "a signal ends the wait: the request is given up, with whatever it brings",
      answered: ({ result }) => `the application gets ${resultText(result)}`,
    },
  },
  invalid: [
    {
      name: "a signal in a read that waits",
      scenario: `
        options: [exitless]
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1, flags: [SA_RESTART] }
          - clone: sender
          - read: { from: pipe }
        programs:
          sender:
            - nanosleep: 10ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
        arrivals:
          - to: pipe
            when: { at: 20ms }
      `,
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "read(pipe, 1) answers -EACCES: a signal came while an RPC thread was at it",
          evidence: ["requested", "abandoned", "answered"],
        },
      ],
    },
  ],
});
