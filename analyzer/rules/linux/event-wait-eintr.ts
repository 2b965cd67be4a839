/** Reference 3.5 `event-wait-eintr`; the wait for a notification event of 2.20. */

import { signalName } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, createFlowTest, hostCalls, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "asleep" | "interrupted" | "set" | "failed";

interface Wait {
  readonly asleep: number;
  /** What the application waits for, as its call names it. */
  readonly word: string;
  readonly palCall: number;
  interrupted: number;
  signal: number;
  set: number;
}

const isWake = hostCalls("futex-wake");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const isWait = createFlowTest(m, hostCalls("futex-wait", "futex-wait-0"));
  const waits = m.notesOnThreads<Wait>();
  /** Threads whose wait a signal has ended, and which have not said so yet. */
  const interrupted = m.map<number, true>();

  return {
    "thread.block"() {
      const [call, host] = [m.open(SCOPE.PAL_CALL), m.open(SCOPE.HOST_CALL)];
      if (call === NONE || host === NONE || m.extra === NONE || !isWait(host)) return;
      waits.set(m.slot, { asleep: m.seq, word: wordOf(callOf(m)), palCall: m.seqOf(call), interrupted: NONE, signal: 0, set: NONE });
    },
    "thread.wake"() {
      const wait = waits.get(m.slot);
      if (wait === null) return;
      if (m.value !== 2) return waits.remove(m.slot);
      wait.interrupted = m.seq;
      interrupted.set(m.thread, true);
    },
    "host.signal.deliver"() {
      const wait = interrupted.size === 0 ? null : waits.get(m.slot);
      if (wait !== null && wait.signal === 0) wait.signal = m.signal;
    },
    "host.syscall.enter": interrupted.whileAny(() => {
      if (!isWake(m.flowHere())) return;
      for (const thread of interrupted.keys()) {
        const wait = waits.get(m.slotOf(thread));
        // What its own handler wakes is for others.
        if (wait !== null && thread !== m.thread && wait.set === NONE && wait.word !== "" && wait.word === wordOf(callOf(m)))
          wait.set = m.seq;
      }
    }),
    "pal-call.end": interrupted.whileAny(() => {
      if (!interrupted.has(m.thread)) return;
      const wait = waits.get(m.slot);
      if (wait === null || wait.palCall !== m.seqOf(m.closed)) return;
      interrupted.delete(m.thread);
      waits.remove(m.slot);
      const failed = m.how === HOW.ABANDONED || (m.how === HOW.RETURNED && m.value === 0 && m.hasFailedSince(wait.interrupted));
      if (!failed || wait.set === NONE || !/DkObjectsWaitAny.*event/.test(m.labelOf(m.closed))) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asleep", seq: wait.asleep },
          { id: "interrupted", seq: wait.interrupted },
          { id: "set", seq: wait.set },
          { id: "failed", seq: m.seq },
        ],
        data: { signal: wait.signal, call: callOf(m) },
      });
    }),
    "thread.exit": () => void interrupted.delete(m.thread),
  };
}

/** "word" of "futex_wake(word, 1)". */
const wordOf = (call: string): string => /\(([^,)]+)/.exec(call)?.[1] ?? "";

const wakes = (when: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - clone: waiter
    - nanosleep: 2ms
    - futex-wake: { on: word }
    - nanosleep: 5ms
  programs:
    waiter:
      - futex-wait: { on: word }
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: waiter, when: ${when} }
`;
const FOUND = {
  title: "futex_wait(word) is interrupted by SIGINT, although what it waited for has come",
  evidence: ["asleep", "interrupted", "set", "failed"],
};
const at = (label: string): string => wakes(`{ thread: main, site: "DkEventSet: ${label}", nth: 2 }`);

export const eventWaitEintr = defineRule({
  id: "event-wait-eintr",
  title: "a wait for an event says that it was interrupted, although the event is set",
  severity: "medium",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "The host's futex wait ends with EINTR. The PAL hands that up without a look at the event: if it was set meanwhile, what was waited for has come, and " +
    "the caller is told of a failure.",
  why: "A FUTEX_WAKE is lost with it: the waker counts a thread that then waits again. Semaphores and condition variables lose one.",
  recognise:
    "The rule looks for a futex wait that a signal ends, another thread's wake of the same word before the PAL call returns, and a PAL call that fails all the same.",
  ignore: [
    {
      text: "nothing was set: -EINTR is right",
      nearMiss: {
        name: "SIGINT into a futex wait",
        scenario: wakes("{ at: 1ms }"),
        stacks: ["graphene-linux"],
        reaches: ["thread.block", "thread.wake", "app.handler.enter"],
      },
    },
    {
      text: "the event was set first: the wait is over by that",
      nearMiss: {
        name: "SIGINT after the wake",
        scenario: at("LEAVE_PAL_CALL: __check_pending_event()"),
        stacks: ["graphene-linux"],
        reaches: ["thread.wake", "host.signal.deliver"],
      },
    },
  ],
  remedy: "The wait looks at the event before it reports EINTR (Graphene a37a85baf, 2021-01-05).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; 2.20",
  run,
  report: {
    title: ({ signal, call }) => `${call || "a wait"} is interrupted by ${signalName(signal)}, although what it waited for has come`,
    same: ({ signal, call }) => [signal, call],
    turn: ["failed"],
    captions: {
      asleep: () => "the PAL waits for an event",
      interrupted: ({ signal }) => `${signalName(signal)} ends the wait in the host`,
      set: () => "before the thread is back, another one sets the event and wakes it",
      failed: () => "nobody looks at the event; the PAL call has failed",
    },
  },
  invalid: [
    {
      name: "SIGINT just before the wake",
      scenario: at("INLINE_SYSCALL(futex)"),
      stacks: ["graphene-linux", "graphene-pr347", "graphene-pr1218"],
      found: [FOUND],
    },
    {
      name: "the same under SGX",
      scenario: at("ocall_futex()"),
      stacks: SGX,
      found: [FOUND],
    },
  ],
});
