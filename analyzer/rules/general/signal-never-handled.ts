/** A signal that the application waits for and never gets. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type PendingSignal, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, MS, timeText } from "../common.ts";

/** Younger ones may still be on their way. */
const OLD_NS = 10 * MS;

interface Data {
  readonly signal: number;
  readonly thread: string;
  readonly waited: number;
  readonly where: string;
}
type Id = "sent" | "waits" | "lost" | "end";

const PLACES = { [WAITS_IN.HOST]: "in the host kernel", [WAITS_IN.PAL]: "in the PAL", [WAITS_IN.LIBOS]: "in the LibOS" } as const;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  function told(p: Readonly<PendingSignal>, thread: number): void {
    const sent = m.generatedSeq(p.id);
    found({
      thread,
      costNs: m.time - p.time,
      evidence: [
        ...(sent !== NONE && sent !== p.seq ? [{ id: "sent" as const, seq: sent }] : []),
        { id: "waits", seq: p.seq },
        { id: "end", seq: m.seq },
      ],
      data: { signal: p.signal, thread: m.nameOf(thread), waited: m.time - p.time, where: PLACES[p.in] },
    });
  }

  /** What still waits for these threads, and could have been handled all the time. */
  function leftBehind(thread: number): void {
    if (m.isInternal(thread) || m.isStopped(thread)) return;
    for (const p of m.pendingSignals(thread)) if ((m.isOver || m.time - p.time >= OLD_NS) && m.isDue(p, thread) === true) told(p, thread);
  }

  function lost(signal: number, thread: number): void {
    if (m.isInternal(thread)) return;
    const data = { signal, thread: m.nameOf(thread), waited: 0, where: "" };
    found({ thread, costNs: 0, evidence: [{ id: "lost", seq: m.seq }], data });
  }

  return {
    // A real-time signal is never merged with another.
    "libos.signal.drop": () => {
      if (m.signal >= 32) lost(m.signal, m.value);
    },
    "process.exit"() {
      for (const [thread] of m.liveThreads()) if (m.pid(thread) === m.pid()) leftBehind(thread);
    },
    "trace.end"() {
      for (const [thread] of m.liveThreads()) leftBehind(thread);
    },
  };
}

const REAL_TIME = `
        main:
          - sigaction: { signal: 34, handler: on-rt }
          - clone: sender
          - compute: 50ms
          - getpid
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: 34 }
        handlers:
          on-rt:
            - compute: 1us
      `;

export const signalNeverHandled = defineRule({
  id: "signal-never-handled",
  title: "a signal that the application does not block is never handled",
  severity: "high",
  layers: ["libos", "pal"],
  generations: ["any"],
  what:
    "A signal was sent to a thread that neither blocks nor ignores it, and at the end it still waits in some layer, or a queue that is full " +
    "has thrown it away.",
  why: "A request to stop, a timer or the end of a child is overlooked: the program hangs or goes on for ever.",
  recognise:
    "The rule looks, when a process or the trace ends, for signals that have been pending for 10 ms or more and are due: the mask lets them " +
    "through and the disposition is not to ignore. `eintr query` on the table signals shows the road of each.",
  ignore: [
    {
      text: "the application blocks the signal: Linux keeps it, too",
      nearMiss: {
        name: "a signal that stays blocked",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - nanosleep: 50ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.return"],
      },
    },
    {
      text: "the signal is ignored, by default or by choice: nobody waits for it",
      nearMiss: {
        name: "SIGWINCH that nobody asked for, pending below a real-time signal's number",
        scenario: `
          main:
            - clone: sender
            - sigprocmask: { how: block, signals: [SIGWINCH] }
            - nanosleep: 20ms
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGWINCH }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append"],
      },
    },
  ],
  remedy: "Deliver what is pending before each return to the application (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "how long the signal has waited",
  source: "reference 3.2 (rt-signal-never-flushed, nested-pending-stuck-until-syscall), signal(7)",
  run,
  report: {
    title: ({ signal, thread, waited, where }) =>
      where === ""
        ? `${signalName(signal)} for ${thread} is thrown away: its queue is full`
        : `${signalName(signal)} waits for ${thread} ${where} and is never handled${waited >= MS ? `, for ${timeText(waited)} so far` : ""}`,
    same: ({ signal, where }) => [signal, where],
    turn: ["waits", "lost"],
    captions: {
      sent: () => "the host makes the signal pending",
      waits: ({ where }) => `it waits ${where}`,
      lost: () => "the queue of this signal is full: it is gone",
      end: () => "the end: nobody has looked at it, although the application does not block it",
    },
  },
  invalid: [
    {
      name: "SIGTERM during a handler of SIGINT, in a loop without system calls",
      scenario: "w4-term-during-int",
      stacks: GRAPHENE,
      found: [{ title: "SIGTERM waits for main in the LibOS and is never handled, for 19 ms so far", evidence: ["sent", "waits", "end"] }],
    },
    {
      name: "a real-time signal of another thread",
      scenario: REAL_TIME,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [{ title: "SIGRT2 waits for main in the LibOS and is never handled, for 50 ms so far", evidence: ["waits", "end"] }],
    },
    {
      name: "the same: the end of the call looks for it again and again",
      scenario: REAL_TIME,
      stacks: ["graphene-pr347"],
      found: [{ title: "SIGRT2 waits for main in the LibOS and is never handled, for 49.3 ms so far", evidence: ["waits", "end"] }],
    },
  ],
});
