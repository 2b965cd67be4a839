/** Gramine today, N11. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "came" | "ended";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** The last signal that a thread of the LibOS has put into a queue of its process. */
  const came = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();
  return {
    "libos.signal.append": () => m.isInternal() && came.set(m.slot, { seq: m.seq, signal: m.signal }),
    // It waits for the next message: this one is done with.
    "thread.block": came.whileAny(() => m.awaitedLock() === NONE && came.remove(m.slot)),
    "process.exit"() {
      for (const [thread, slot] of m.liveThreads()) {
        const one = came.get(slot);
        const pal = m.open(SCOPE.PAL_CALL, slot);
        if (m.pid(thread) !== m.pid() || one === null || pal === NONE || !m.labelOf(pal).startsWith("PalProcessExit")) continue;
        found({
          thread: m.thread,
          costNs: 0,
          evidence: [
            { id: "came", seq: one.seq },
            { id: "ended", seq: m.seq },
          ],
          data: { signal: one.signal },
        });
      }
    },
  };
}

export const ipcReplyFailureKillsReceiver = defineRule({
  id: "ipc-reply-failure-kills-receiver",
  title: "a process that cannot answer a kill ends with status 1",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "kill sends a message to the other process, and waits for its answer. Where the sender's host process has died meanwhile the answer cannot " +
    "be sent; the error is the callback's result, and an error of a callback ends the process of the IPC worker.",
  why: "A supervisor that is killed while it signals its children takes one of them with it.",
  recognise: "The rule looks for a process that is ended by the thread of the LibOS that has just put a signal into its queue.",
  ignore: [
    {
      text: "the sender lives, and gets its answer",
      nearMiss: {
        name: "kill of a child",
        scenario: `
          main:
            - fork: child
            - nanosleep: 1ms
            - kill: { process: child, signal: SIGURG }
          programs:
            child:
              - nanosleep: 5ms
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "process.exit"],
      },
    },
  ],
  remedy: "Do not take a failed answer for an error of the worker.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 6.M1, N11; libos_ipc_signal.c:153-164, libos_ipc_worker.c:197-203",
  run,
  report: {
    title: ({ signal }) => `the process ends because it could not answer whoever sent ${signalName(signal)}`,
    same: ({ signal }) => [signal],
    turn: ["ended"],
    captions: {
      came: ({ signal }) => `the IPC worker puts ${signalName(signal)} into the queue, and answers`,
      ended: () => "the answer fails, and the worker ends the process with status 1",
    },
  },
  invalid: [
    {
      name: "the sender is killed before the answer",
      scenario: `
        main:
          - fork: child
          - nanosleep: 1ms
          - kill: { process: child, signal: SIGURG }
        programs:
          child:
            - nanosleep: 50ms
        signals:
          - signal: SIGKILL
            when: { thread: main, site: "ipc_send_msg_and_get_response: wait_for_response: PalEventWait(event, NULL)" }
            stacks: [gramine-linux, gramine-sgx]
      `,
      stacks: GRAMINE,
      found: [{ title: "the process ends because it could not answer whoever sent SIGURG", evidence: ["came", "ended"] }],
    },
  ],
});
