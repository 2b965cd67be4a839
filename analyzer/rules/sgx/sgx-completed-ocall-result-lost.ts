/** Reference 3.4 `sgx-completed-ocall-result-lost`; the windows of 2.3. */

import { resultText, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, hostCalls, SGX } from "../common.ts";

interface Data {
  readonly host: string;
  readonly call: string;
  readonly result: number;
  readonly signal: number;
}
type Id = "done" | "injected" | "entered";

interface Done {
  readonly host: string;
  readonly seq: number;
  readonly result: number;
}
interface Lost extends Done {
  readonly injected: number;
  readonly signal: number;
  readonly call: string;
}

/** Calls of the host that have done something when their result is above 0; a descriptor may be 0. */
const EFFECTIVE = hostCalls("read", "write", "write-file", "send", "accept", "futex-wake", "clone", "fork");
const givesDescriptor = hostCalls("accept");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On ocalls: what the host has done for them. */
  const done = m.notesOnScopes<Done>();
  const lost = m.notesOnScopes<Lost>();

  function rewritten(): void {
    const ocall = m.open(SCOPE.OCALL);
    const before = done.get(ocall);
    if (before === null || lost.get(ocall) !== null) return;
    lost.set(ocall, { ...before, injected: m.seq, signal: m.signal, call: callOf(m) });
  }

  return {
    "host-call.end": only(
      (_, flow) => EFFECTIVE(flow),
      () => {
        const ocall = m.open(SCOPE.OCALL);
        if (m.how !== HOW.RETURNED || ocall === NONE || m.seqOf(m.closed) < m.seqOf(ocall)) return;
        const host = m.flowOf(m.closed);
        if (m.value > 0 || (m.value === 0 && givesDescriptor(host))) done.set(ocall, { host, seq: m.seq, result: m.value });
      },
    ),
    "pal.event.inject": rewritten,
    "pal.event.overwrite": rewritten,
    "sgx.eenter": lost.whileAny(() => {
      const ocall = m.open(SCOPE.OCALL);
      const one = lost.get(ocall);
      if (one === null) return;
      lost.remove(ocall);
      done.remove(ocall);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "done", seq: one.seq },
          { id: "injected", seq: one.injected },
          { id: "entered", seq: m.seq },
        ],
        data: { host: one.host.replace(/^host /, ""), call: one.call, result: one.result, signal: one.signal },
      });
    }),
  };
}

export const sgxCompletedOcallResultLost = defineRule({
  id: "sgx-completed-ocall-result-lost",
  title: "what an ocall has done is forgotten: a signal came before it was back in the enclave",
  severity: "high",
  layers: ["untrusted-pal", "pal"],
  generations: ["graphene-2019"],
  what:
    "The host's system call is over, and the thread is on its way back into the enclave. A signal finds it outside and the PAL's handler " +
    "rewrites the result to -13, interrupted: bytes that were read, a connection that was accepted, a waiter that was woken are forgotten.",
  why: "Data is lost without any error; a repeated write sends it twice; a descriptor leaks.",
  recognise:
    "The rule looks for a host call with an effect and a result, then registers that are rewritten before the enclave is entered. A call that " +
    "the signal itself interrupted has no result.",
  ignore: [
    {
      text: "the host call has not been made, or was interrupted itself: -EINTR is right",
      nearMiss: {
        name: "a read that waits",
        scenario: "lost-interrupted-error",
        stacks: SGX,
        reaches: ["pal.event.inject", "host.syscall.exit"],
      },
    },
  ],
  remedy:
    "One stub for system calls and a test whether its window is over: the event is delivered with the real result (Gramine dcbb110ac, " +
    "2021-08-06); before that calls that cannot be interrupted were tried again (1df560ee2, 2020-12-28).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4 and 2.3",
  run,
  report: {
    title: ({ host, call, result, signal }) =>
      `${call || host} loses what the host has done (${host} = ${resultText(result)}) when ${signalName(signal)} comes`,
    same: ({ host, call, signal }) => [host, call, signal],
    turn: ["injected"],
    captions: {
      done: ({ host, result }) => `the host's ${host} is over: ${resultText(result)}`,
      injected: ({ signal }) => `the handler of ${signalName(signal)} rewrites the result to -13 (interrupted)`,
      entered: () => "the enclave is entered with that: nobody knows of the result any more",
    },
  },
  invalid: [
    {
      name: "bytes of a read",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - read: { from: pipe, bytes: 8 }
          - nanosleep: 1ms
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { thread: main, site: "ocall_sock_recv: unix_to_pal_error(result)" }
        arrivals:
          - to: pipe
            bytes: 8
            when: { at: 1ms }
      `,
      stacks: SGX,
      found: [
        { title: "read(pipe, 8) loses what the host has done (read = 8) when SIGINT comes", evidence: ["done", "injected", "entered"] },
      ],
    },
  ],
});
