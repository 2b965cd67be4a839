/** Reference 3.4 `sgx-untrusted-event-overwrite`; 2.3, the branch of two signals before EENTER. */

import { PAL_ERROR, SIG, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, SGX } from "../common.ts";

interface Data {
  readonly lost: number;
  readonly by: number;
  readonly call: string;
}
type Id = "injected" | "frame" | "overwritten" | "second" | "entered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  function report(lost: number, by: number, evidence: Found<Data, Id>["evidence"]): void {
    // A RESUME only says "look into the ring": any other event that enters the enclave makes the LibOS look.
    if (lost !== SIG.CONT) found({ thread: m.thread, costNs: 0, evidence, data: { lost, by, call: callOf(m) } });
  }
  /** The last one that was put into the registers. */
  const injections = m.notesOnThreads<{ readonly seq: number; readonly signal: number; readonly id: number }>();
  const remember = (): void => injections.set(m.slot, { seq: m.seq, signal: m.signal, id: m.extra });

  return {
    "pal.event.inject": remember,
    "pal.event.overwrite"() {
      const before = injections.get(m.slot);
      if (before !== null && before.id === m.value)
        report(before.signal, m.signal, [
          { id: "injected", seq: before.seq },
          { id: "overwritten", seq: m.seq },
        ]);
      remember();
    },
    "sgx.eenter": injections.whileAny(() => {
      const last = injections.get(m.slot);
      injections.remove(m.slot);
      // A frame that is open yet: its handler has put nothing into these registers, and never will.
      const below = m.open(SCOPE.HOST_FRAME);
      if (last === null || below === NONE || m.value !== 0 || m.extra !== -PAL_ERROR.INTERRUPTED) return;
      report(m.signalOf(below), last.signal, [
        { id: "frame", seq: m.seqOf(below) },
        { id: "second", seq: last.seq },
        { id: "entered", seq: m.seq },
      ]);
    }),
  };
}

const TWO = (second: string, first = "{ thread: main, call: read }"): string => `
  main:
    - sigaction: { signal: SIGINT, handler: stop }
    - sigaction: { signal: SIGTERM, handler: stop }
    - read: { from: pipe, bytes: 8 }
    - getpid
  handlers:
    stop:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: ${first} }
    - { signal: SIGTERM, thread: main, when: ${second} }
`;

export const sgxUntrustedEventOverwrite = defineRule({
  id: "sgx-untrusted-event-overwrite",
  title: "two signals before the enclave is entered: the second one takes the place of the first",
  severity: "medium",
  layers: ["untrusted-pal"],
  generations: ["graphene-2019"],
  what:
    "The event of a host signal travels into the enclave in a register (RSI). A second signal that comes before EENTER writes its own event " +
    "there, or cuts short the handler that was to write the first one. The first event is nowhere any more.",
  why: "A SIGINT or SIGTERM is lost without a trace: its handler never runs, and what it should end goes on.",
  recognise:
    "The rule looks for an event that is written over another that has not entered the enclave, and for an EENTER with an event while the " +
    "frame of another signal's handler is open.",
  ignore: [
    {
      text: "the first one has entered the enclave before the second comes",
      nearMiss: {
        name: "SIGTERM while the LibOS works on SIGINT",
        scenario: TWO('{ thread: main, site: "_DkHandleExternalEvent: frame = get_frame(uc) <finds outermost PAL function>", nth: 1 }'),
        stacks: SGX,
        reaches: ["pal.event.inject", "sgx.eenter", "sgx.aex"],
      },
    },
    {
      text: "what is lost is a RESUME: it only tells the LibOS to look into its ring, and the other event does that as well",
      nearMiss: {
        name: "SIGTERM over the wake-up of a tgkill",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: h }
            - sigaction: { signal: SIGTERM, handler: h }
            - clone: sender
            - read: { from: pipe, bytes: 8 }
            - getpid
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
              - nanosleep: 5ms
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGTERM, thread: main, when: { thread: main, site: "sgx_entry_return: EENTER(RBX, RCX)", nth: 6 } }
        `,
        stacks: SGX,
        reaches: ["pal.event.overwrite", "sgx.eenter"],
      },
    },
  ],
  remedy:
    "A word of the thread for the last event, in which QUIT is never overwritten (Gramine dcbb110ac, 2021-08-06); handlers that do not nest (5b3b69332, 2019-05-03) end the second form.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4 and 2.3",
  run,
  report: {
    title: ({ lost, by, call }) =>
      `${signalName(lost)} is lost${call === "" ? "" : ` in ${call}`}: ${signalName(by)} took its place on the way into the enclave`,
    same: ({ lost, by, call }) => [lost, by, call],
    turn: ["overwritten", "second"],
    captions: {
      injected: ({ lost }) =>
        `the handler of ${signalName(lost)} puts its event into the registers with which the enclave is to be entered`,
      frame: ({ lost }) => `the host pushes a frame for ${signalName(lost)}`,
      overwritten: ({ by }) => `the handler of ${signalName(by)} writes its own event over that`,
      second: ({ by }) => `the handler of ${signalName(by)}, on top of it, rewrites the registers first`,
      entered: ({ lost }) => `the enclave is entered with that event; the handler of ${signalName(lost)} never goes on`,
    },
  },
  invalid: [
    {
      name: "SIGTERM comes just before the EENTER with SIGINT",
      scenario: TWO('{ thread: main, site: "sgx_entry_return: EENTER(RBX, RCX)", nth: 3 }'),
      stacks: SGX,
      found: [
        {
          title: "SIGINT is lost in read(pipe, 8): SIGTERM took its place on the way into the enclave",
          evidence: ["injected", "overwritten"],
        },
      ],
    },
    {
      name: "both are pending when the read is left",
      scenario: TWO("{ at: 1ms }", "{ at: 1ms }"),
      stacks: SGX,
      found: [
        {
          title: "SIGINT is lost in read(pipe, 8): SIGTERM took its place on the way into the enclave",
          evidence: ["frame", "second", "entered"],
        },
      ],
    },
  ],
});
