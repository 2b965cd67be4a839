/** Reference 3.2 `nested-pending-stuck-until-syscall`; 2.14. */

import { signalName } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, MS, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly inside: number;
  readonly waited: number;
  readonly handled: boolean;
}
type Id = "deferred" | "returned" | "handled" | "end";

/** A signal that was put off and is still there when the handler is over. */
interface Stuck {
  readonly thread: number;
  readonly id: number;
  readonly signal: number;
  readonly inside: number;
  readonly deferred: number;
  readonly seq: number;
  readonly time: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const stuck = m.notesOnThreads<Stuck[]>();

  function returned(): void {
    const handler = m.closed;
    if (m.how !== HOW.RETURNED || !m.hasLibos || !m.anyPending()) return;
    // What a handler interrupted inside a call is looked at when the call ends.
    if (m.around(handler) !== NONE || m.open(SCOPE.CALL) !== NONE || m.open(SCOPE.SYSCALL) !== NONE) return;
    const list: Stuck[] = [];
    for (const p of m.pendingSignals())
      if (p.in === WAITS_IN.LIBOS && m.isDue(p) === true)
        list.push({
          thread: m.thread,
          id: p.id,
          signal: p.signal,
          inside: m.signalOf(handler),
          deferred: p.seq,
          seq: m.seq,
          time: m.time,
        });
    if (list.length > 0) stuck.set(m.slot, list);
  }

  function told(one: Stuck, id: "handled" | "end"): void {
    const waited = m.time - one.time;
    if (waited < MS && !(id === "end" && m.isOver)) return;
    found({
      thread: one.thread,
      costNs: waited,
      evidence: [
        { id: "deferred", seq: one.deferred },
        { id: "returned", seq: one.seq },
        { id, seq: m.seq },
      ],
      data: { signal: one.signal, inside: one.inside, waited, handled: id === "handled" },
    });
  }

  function handled(): void {
    const list = stuck.get(m.slot);
    const at = list === null ? -1 : list.findIndex(({ id }) => id === m.extra);
    if (list === null || at < 0) return;
    const [one] = list.splice(at, 1);
    if (list.length === 0) stuck.remove(m.slot);
    if (one !== undefined) told(one, "handled");
  }

  function leftBehind(pid: number | null): void {
    for (const [thread, slot] of m.liveThreads()) {
      const list = pid === null || m.pid(thread) === pid ? stuck.get(slot) : null;
      if (list === null) continue;
      stuck.remove(slot);
      for (const one of list) told(one, "end");
    }
  }

  return {
    "handler.end": returned,
    "app.handler.enter": handled,
    "libos.signal.kill": handled,
    "process.exit": () => leftBehind(m.pid()),
    "trace.end": () => leftBehind(null),
  };
}

export const nestedPendingStuckUntilSyscall = defineRule({
  id: "nested-pending-stuck-until-syscall",
  title: "a signal that came during a handler waits until the program makes a system call",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "While a handler runs, other signals are put off. When it is over nobody looks for them: the next look is at the end of a system call.",
  why: "A program that computes and makes no call, or waits in a loop for a flag that the second handler sets, never gets that signal.",
  recognise:
    "The rule looks for a signal that waits in the ring, neither blocked nor ignored, when a handler that interrupted the application's own code " +
    "returns, and that is handled a millisecond or more later, or not at all.",
  ignore: [
    {
      text: "the handler ran inside a system call, which looks for signals at its end",
      nearMiss: {
        name: "SIGTERM during the handler of SIGINT, in a nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - sigaction: { signal: SIGTERM, handler: on-sigterm }
            - nanosleep: 20ms
            - compute: 5ms
          handlers:
            on-sigint:
              - compute: 50us
            on-sigterm:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { thread: main, call: nanosleep }
            - signal: SIGTERM
              thread: main
              when: { thread: main, handler: SIGINT }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.handler.return"],
      },
    },
    {
      text: "the application blocks the signal",
      nearMiss: {
        name: "SIGTERM during the handler of SIGINT, blocked",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - sigaction: { signal: SIGTERM, handler: on-sigint }
            - sigprocmask: { how: block, signals: [SIGTERM] }
            - compute: 10ms
          handlers:
            on-sigint:
              - compute: 50us
          signals:
            - signal: SIGINT
              when: { at: 1ms }
            - signal: SIGTERM
              thread: main
              when: { thread: main, handler: SIGINT }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.handler.return"],
      },
    },
  ],
  remedy: "Deliver what is pending when the handler is over (Graphene 50ca6c4a2, 2020-06-08); rt_sigreturn does (c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "how long the signal waited after the handler was over",
  source: "reference 3.2 and 2.14",
  run,
  report: {
    title: ({ signal, inside, waited, handled: came }) =>
      `${signalName(signal)} came during the handler of ${signalName(inside)} and waits ${came ? `${timeText(waited)} more` : "to the end"}: the program makes no system call`,
    same: ({ signal, inside }) => [signal, inside],
    turn: ["returned"],
    captions: {
      deferred: ({ signal }) => `${signalName(signal)} is put into the ring: a handler runs`,
      returned: ({ inside }) => `the handler of ${signalName(inside)} is over, and nobody looks into the ring`,
      handled: ({ waited }) => `it is handled ${timeText(waited)} later, at the end of a system call`,
      end: () => "the end: it was never handled",
    },
  },
  invalid: [
    {
      name: "SIGTERM during a handler of SIGINT, in a loop without system calls",
      scenario: "w4-term-during-int",
      stacks: GRAPHENE,
      found: [
        {
          title: "SIGTERM came during the handler of SIGINT and waits to the end: the program makes no system call",
          evidence: ["deferred", "returned", "end"],
        },
      ],
    },
  ],
});
