/** Reference 3.5 `pal-pend-after-check`; 2.8, the branches the page leaves out. */

import { signalName } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, palCallName, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly waited: number;
  readonly delivered: boolean;
}
type Id = "kept" | "left" | "delivered" | "end";

/** An event that was kept for the end of a PAL call. */
interface Kept {
  readonly seq: number;
  readonly id: number;
  readonly signal: number;
  readonly call: number;
  readonly callSeq: number;
  name: string;
  left: number;
  leftAt: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const events = m.notesOnThreads<Kept>();

  function report(slot: number, thread: number, last: { readonly id: "delivered" | "end"; readonly seq: number }): void {
    const kept = events.get(slot);
    if (kept === null) return;
    events.remove(slot);
    if (kept.left === NONE) return;
    found({
      thread,
      costNs: m.time - kept.leftAt,
      evidence: [{ id: "kept", seq: kept.seq }, { id: "left", seq: kept.left }, last],
      data: { signal: kept.signal, call: kept.name, waited: m.time - kept.leftAt, delivered: last.id === "delivered" },
    });
  }

  return {
    "pal.event.pend"() {
      const call = m.open(SCOPE.PAL_CALL);
      if (call === NONE || events.get(m.slot) !== null) return;
      events.set(m.slot, {
        seq: m.seq,
        id: m.extra,
        signal: m.signal,
        call,
        callSeq: m.seqOf(call),
        name: palCallName(m.labelOf(call)),
        left: NONE,
        leftAt: 0,
      });
    },
    "pal-call.end": events.whileAny(() => {
      const kept = events.get(m.slot);
      if (kept === null || kept.left !== NONE || m.how !== HOW.RETURNED) return;
      if (kept.call !== m.closed || kept.callSeq !== m.seqOf(m.closed)) return;
      kept.left = m.seq;
      kept.leftAt = m.time;
    }),
    "pal.event.deliver"() {
      if (events.get(m.slot)?.id === m.extra) report(m.slot, m.thread, { id: "delivered", seq: m.seq });
    },
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) {
        const asleep = m.asleepSince(slot);
        if (m.isOver && asleep !== NONE) report(slot, thread, { id: "end", seq: asleep });
      }
    },
  };
}

const at = (place: string, then: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - write: { to: q, bytes: 1 }
    - ${then}
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${place}" } }
`;

export const palPendAfterCheck = defineRule({
  id: "pal-pend-after-check",
  title: "a signal at the very end of a PAL call waits for the next one",
  severity: "medium",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "At the end of a PAL call the PAL looks once whether events were kept. A signal that comes after that look, but still in PAL text, is kept as well: for " +
    "the end of the next PAL call, whenever that is. DkSystemTimeQuery does not look at all.",
  why:
    "A program that computes afterwards gets the signal when it is done. One that sleeps at once in a call without a lock (nanosleep, pause) gets it " +
    "when it wakes.",
  recognise: "The rule looks for an event that is kept in a PAL call and is still there when that returns.",
  ignore: [
    {
      text: "the look finds it: that is how it should be",
      nearMiss: {
        name: "a signal before the look",
        scenario: at("DkStreamWrite: INLINE_SYSCALL(write)", "compute: 2ms"),
        stacks: ALL_LINUX_PAL,
        reaches: ["pal.event.pend", "pal.event.deliver"],
      },
    },
  ],
  remedy: "Nothing is kept any more: the event goes to the LibOS at once (Gramine).",
  fix: null,
  cost: "from the return of the PAL call to the delivery",
  source: "reference 3.5; 2.8",
  run,
  report: {
    title: ({ signal, call, waited, delivered }) =>
      `${signalName(signal)} came too late for the end of ${call}, and ${delivered ? `waited ${timeText(waited)} for` : "waits for ever for"} another PAL call`,
    same: ({ signal, call }) => [signal, call],
    turn: ["left"],
    captions: {
      kept: ({ signal, call }) => `${signalName(signal)} comes in ${call}, and is kept for its end`,
      left: ({ call }) => `${call} has looked already, or never does, and returns`,
      delivered: ({ waited }) => `the end of another PAL call takes it out, ${timeText(waited)} later`,
      end: () => "the thread sleeps, and nobody is left who would wake it",
    },
  },
  invalid: [
    {
      name: "a program that computes next",
      scenario: at("DkStreamWrite: return to the LibOS", "compute: 2ms"),
      stacks: [...ALL_LINUX_PAL, "graphene-pr1218"],
      found: [
        {
          title: "SIGINT came too late for the end of DkStreamWrite, and waited 2 ms for another PAL call",
          evidence: ["kept", "left", "delivered"],
        },
      ],
    },
  ],
});
