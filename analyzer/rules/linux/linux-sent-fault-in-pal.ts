/** Reference 2.11, IN PAL of the generic handler; gramine-today.md 4: a fault inside the PAL. */

import { isSyncEvent, signalName } from "../../../engine/index.ts";
import { SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, createRing, isFromOutside } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly process: boolean;
}
type Id = "sent" | "called" | "taken" | "gone";

interface Taken {
  readonly sent: number;
  readonly called: number;
  readonly taken: number;
  readonly signal: number;
  readonly call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Signals of faults that somebody has sent, by id. */
  const sent = createRing();
  const deaths = m.notesOnThreads<Taken>();

  function gone(process: boolean): void {
    const one = deaths.get(m.slot);
    if (one === null) return;
    deaths.remove(m.slot);
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: one.called },
        { id: "sent", seq: one.sent },
        { id: "taken", seq: one.taken },
        { id: "gone", seq: m.seq },
      ],
      data: { signal: one.signal, call: one.call, process },
    });
  }

  return {
    "host.signal.generate"() {
      if (isFromOutside(m)) sent.set(m.extra, m.seq);
    },
    "pal.event.lost"() {
      const call = m.open(SCOPE.PAL_CALL);
      // Under SGX the enclave is not asked at all: sgx-untrusted-fault-kills-thread-only.
      if (!isSyncEvent(m.value) || m.layerHere() !== "pal" || call < 0 || sent.get(m.extra) < m.seqOf(call)) return;
      deaths.set(m.slot, { sent: sent.get(m.extra), called: m.seqOf(call), taken: m.seq, signal: m.signal, call: callOf(m) });
    },
    "thread.exit": () => gone(false),
    "process.exit": () => gone(true),
  };
}

const reader = (signal: string): string => `
  main:
    - sigaction: { signal: ${signal}, handler: h }
    - read: { from: pipe, bytes: 1 }
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: ${signal}, when: { thread: main, call: read } }
  limit: { time: 100ms }
`;

const OLD = ["graphene-linux", "graphene-pr347", "graphene-pr1218"] as const;

export const linuxSentFaultInPal = defineRule({
  id: "linux-sent-fault-in-pal",
  title: "a SIGSEGV that somebody sends during a PAL call is taken for a fault of the PAL",
  severity: "medium",
  layers: ["pal"],
  generations: ["graphene-2019", "gramine"],
  what:
    "The PAL's handler looks at where the thread was, and not at si_code: SIGSEGV, SIGBUS, SIGILL or SIGFPE that kill(2) has sent while a PAL call runs is " +
    "an unexpected fault inside the PAL. In 2019 the thread ends and the LibOS is not told; today the process ends with status 1.",
  why: "On Linux the handler runs and the call returns -EINTR. Watchdogs and test programs send these signals; whoever may send signals to the process can end it in this way.",
  recognise:
    "The rule looks for a signal of a fault from outside that comes within a PAL call and is lost there, with the thread or the process.",
  ignore: [
    {
      text: "in code of the application it becomes the signal that it is, with another siginfo",
      nearMiss: {
        name: "the same while it computes",
        scenario: `
          main:
            - sigaction: { signal: SIGSEGV, handler: h }
            - compute: 1ms
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGSEGV, when: { at: 500us } }
        `,
        stacks: ["graphene-linux", "gramine-linux"],
        reaches: ["host.signal.generate", "app.handler.enter"],
      },
    },
  ],
  remedy: "Ask si_code: SI_USER, SI_TKILL and SI_QUEUE are no faults; such a signal waits for the end of the PAL call.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 2.11; gramine today 4",
  run,
  report: {
    title: ({ signal, call, process }) =>
      `${signalName(signal)} from outside ${call === "" ? "" : `during ${call} `}ends the ${process ? "process" : "thread"}: the PAL takes it for a fault of its own`,
    same: ({ signal, process }) => [signal, process ? 1 : 0],
    turn: ["taken"],
    captions: {
      sent: ({ signal }) => `somebody sends ${signalName(signal)}`,
      called: () => "the thread is in the PAL",
      taken: () => 'the PAL says "unexpected fault inside PAL" and gives up',
      gone: ({ process }) => `the ${process ? "process" : "thread"} is gone; on Linux the handler runs`,
    },
  },
  invalid: [
    {
      name: "SIGSEGV during a read",
      scenario: reader("SIGSEGV"),
      stacks: OLD,
      found: [
        {
          title: "SIGSEGV from outside during read(pipe, 1) ends the thread: the PAL takes it for a fault of its own",
          evidence: ["called", "sent", "taken", "gone"],
        },
      ],
    },
    {
      name: "the same today",
      scenario: reader("SIGSEGV"),
      stacks: ["gramine-linux"],
      found: [
        {
          title: "SIGSEGV from outside during read(pipe, 1) ends the process: the PAL takes it for a fault of its own",
          evidence: ["called", "sent", "taken", "gone"],
        },
      ],
    },
  ],
});
