/** Gramine today, 4.3 case C: not in the catalogue; found by the law that every signal has an end. enclave_entry.S:338-353. */

import { SIG } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

type Id = "brought" | "entered" | "written" | "lost";

interface Brought {
  readonly id: number;
  readonly seq: number;
  entered: number;
  written: number;
  /** Number of the event that was written. */
  event: number;
}

function run(m: ThreadModel, found: (finding: Found<null, Id>) => void): Handlers {
  /** On threads: the event that the last ocall brought, and what was written over it. */
  const brought = m.notesOnThreads<Brought>();
  return {
    "pal.event.deliver"() {
      brought.set(m.slot, { id: m.extra, seq: m.seq, entered: NONE, written: NONE, event: NONE });
    },
    "sgx.eenter"() {
      const one = brought.get(m.slot);
      if (one !== null && one.entered === NONE) one.entered = m.seq;
    },
    "at enclave_entry: SSA[0].RSI := event"() {
      const one = brought.get(m.slot);
      if (one === null) return;
      one.written = m.seq;
      one.event = m.value;
    },
    "pal.event.lost"() {
      const one = brought.get(m.slot);
      if (one === null || one.id !== m.extra || m.signal !== SIG.TERM || one.written === NONE) return;
      brought.remove(m.slot);
      // Another SIGTERM in its place: the program is told all the same.
      if (one.event === m.value) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "brought", seq: one.seq },
          { id: "entered", seq: one.entered },
          { id: "written", seq: one.written },
          { id: "lost", seq: m.seq },
        ],
        data: null,
      });
    },
  };
}

/** The first comes while the ocall waits, the second between EENTER and the place where the ocall's stack is back. */
const TWO = (first: string, second: string): string => `
  options: [sigterm-injection]
  main:
    - sigaction: { signal: SIGTERM, handler: stop }
    - nanosleep: 5ms
    - nanosleep: 5ms
  handlers:
    stop:
      - getpid
  signals:
    - { signal: ${first}, thread: main, when: { at: 3ms } }
    - signal: ${second}
      thread: main
      when: { thread: main, site: "enclave_entry: pre_ocall_stack != NULL: return from an ocall", nth: 4 }
`;

export const sgxQuitOverwrittenInOcall = defineRule({
  id: "sgx-quit-overwritten-in-ocall",
  title: "a SIGTERM that an ocall brings into the enclave is written over by a wake-up",
  severity: "high",
  layers: ["untrusted-pal", "pal"],
  generations: ["gramine"],
  what:
    "An event that came during an ocall enters the enclave in RSI, together with the result. Until the ocall's stack is restored another signal may " +
    "come; stage one of its exception then writes its own event into RSI (case C) and does not look at what is there. Outside, " +
    "last_async_event is never written over when it holds QUIT; in here it is.",
  why: "The SIGTERM is gone: the program is not told to stop, and whoever sent it waits, or kills it in the end.",
  recognise: "The rule looks for a SIGTERM that an ocall's end takes out of last_async_event, and that is lost where stage one writes RSI.",
  ignore: [
    {
      text: "a wake-up over a wake-up loses nothing: both only end the ocall's wait",
      nearMiss: {
        name: "SIGCONT over SIGCONT",
        scenario: TWO("SIGCONT", "SIGCONT"),
        stacks: ["gramine-sgx"],
        reaches: ["pal.event.deliver", "pal.event.lost"],
      },
    },
    {
      text: "a SIGTERM over a SIGTERM: the program is told once, as by Linux of two that are pending",
      nearMiss: {
        name: "SIGTERM over SIGTERM",
        scenario: TWO("SIGTERM", "SIGTERM"),
        stacks: ["gramine-sgx"],
        reaches: ["pal.event.deliver", "pal.event.lost", "app.handler.enter"],
      },
    },
  ],
  remedy: "Leave RSI alone in case C when it holds QUIT, as the handler outside does with last_async_event.",
  fix: "sgx-quit-overwritten-in-ocall",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 4.3; enclave_entry.S:338-353; host_exception.c:165",
  run,
  report: {
    title: () => "a SIGTERM that came with an ocall's result is written over by a wake-up, and lost",
    same: () => [],
    turn: ["written"],
    captions: {
      brought: () => "the end of the ocall takes the SIGTERM out of last_async_event: it is in RSI now",
      entered: () => "the enclave is entered with it",
      written: () => "before the ocall's stack is back, another signal comes: stage one writes its event over it",
      lost: () => "nobody has the SIGTERM any more",
    },
  },
  invalid: [
    {
      name: "SIGCONT over SIGTERM",
      scenario: TWO("SIGTERM", "SIGCONT"),
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "a SIGTERM that came with an ocall's result is written over by a wake-up, and lost",
          evidence: ["brought", "entered", "written", "lost"],
        },
      ],
    },
  ],
});
