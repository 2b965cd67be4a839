/** Gramine today, B5. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { timeText } from "../common.ts";

interface Data {
  readonly thread: string;
  readonly turned: number;
}
type Id = "failed" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const failed = m.notesOnThreads<{ readonly seq: number; readonly at: number }>();

  function told(slot: number, thread: number): void {
    const one = failed.get(slot);
    if (one === null) return;
    failed.remove(slot);
    found({
      thread,
      costNs: m.time - one.at,
      evidence: [
        { id: "failed", seq: one.seq },
        { id: "end", seq: m.seq },
      ],
      data: { thread: m.nameOf(thread), turned: m.time - one.at },
    });
  }

  return {
    "pal.fail": () => failed.get(m.slot) === null && failed.set(m.slot, { seq: m.seq, at: m.time }),
    "thread.exit": () => told(m.slot, m.thread),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) told(slot, thread);
    },
  };
}

export const notReadyFailLoop = defineRule({
  id: "not-ready-fail-loop",
  title: "a signal during the start of an enclave thread makes it turn for ever",
  severity: "high",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "Stage one of the enclave's exception handler asks whether the thread is ready for exceptions. Before that it goes to FAIL_LOOP: a jump to " +
    "itself, inside the host's handler, with SIGTERM and SIGCONT blocked. A comment in the source says that the event is ignored.",
  why:
    "A SIGTERM right after the start (a container that is stopped as it comes up) leaves a process that burns a processor and needs SIGKILL. " +
    "A late wake-up for the thread that had the TCS before does the same to a new thread.",
  recognise: "The rule looks for FAIL_LOOP. In a live process: one thread at full load that no signal ends, seconds after the start.",
  ignore: [
    {
      text: "the thread is ready: the event is handled",
      nearMiss: {
        name: "a SIGCONT for a thread that computes",
        scenario: `
          main:
            - compute: 5ms
          signals:
            - signal: SIGCONT
              when: { at: 3ms }
        `,
        stacks: ["gramine-sgx"],
        reaches: ["sgx.aex", "sgx.eenter", "host.signal.deliver"],
      },
    },
  ],
  remedy: "Ignore the event, as the comment says.",
  fix: "not-ready-fail-loop",
  cost: "how long it has turned",
  source: "gramine today 2 (c), 14 B5 with its correction; enclave_entry.S:220-226",
  run,
  report: {
    title: ({ thread }) => `an event comes to ${thread} before it is ready for exceptions: FAIL_LOOP`,
    same: () => [],
    turn: ["failed"],
    captions: {
      failed: () => "stage one finds that the thread is not ready, and jumps to itself",
      end: ({ turned }) => `it has turned for ${timeText(turned)}`,
    },
  },
  invalid: [
    {
      name: "a SIGCONT before the PAL is ready",
      scenario: `
        main:
          - getpid
        signals:
          - signal: SIGCONT
            thread: main
            when: { thread: main, site: "pal_linux_main: argv, envp" }
            stacks: [gramine-sgx]
        limit: { time: 1ms, transitions: 5000 }
      `,
      stacks: ["gramine-sgx"],
      found: [{ title: "an event comes to main before it is ready for exceptions: FAIL_LOOP", evidence: ["failed", "end"] }],
    },
  ],
});
