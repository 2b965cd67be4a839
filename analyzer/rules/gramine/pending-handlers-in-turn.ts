/** Gramine today, section 5: one signal at the end of a call. */

import { signalName } from "../../../engine/index.ts";
import { MASK, NONE, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAMINE, GRAPHENE } from "../common.ts";

interface Data {
  readonly first: number;
  readonly second: number;
}
type Id = "queued" | "first" | "returned" | "second";

interface Waiting {
  readonly first: number;
  readonly entered: number;
  readonly returned: number;
  /** The second signal, its id, and where it was queued. */
  readonly signal: number;
  readonly id: number;
  readonly queued: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const processOf = createRing();
  const runs = m.notesOnScopes<Omit<Waiting, "returned">>(over);
  const waiting = m.notesOnThreads<Waiting>();

  function over(one: Omit<Waiting, "returned">): void {
    if (m.how === 0) waiting.set(m.slot, { ...one, returned: m.seq });
  }

  /** A signal in a queue that the thread could take now, on top of the handler that begins. */
  function entered(): void {
    const before = waiting.get(m.slot);
    waiting.remove(m.slot);
    if (before !== null && before.id === m.extra) return told(before);
    const handler = m.open(SCOPE.HANDLER);
    if (!m.hasLibos || handler === NONE || !m.anyPending()) return;
    for (const p of m.signals.waiting.values()) {
      const isHere = p.thread === m.thread || (p.thread === NONE && processOf.get(p.id) === m.pid());
      if (!isHere || p.in !== WAITS_IN.LIBOS || p.signal === m.signal) continue;
      if (m.isBlocked(MASK.LIBOS, p.signal) !== false || (m.actionOf(p.signal)?.action ?? 0) < 2) continue;
      return runs.set(handler, { first: m.signal, entered: m.seq, signal: p.signal, id: p.id, queued: p.seq });
    }
  }

  function told({ first, entered: from, returned, signal, queued }: Waiting): void {
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "queued", seq: queued },
        { id: "first", seq: from },
        { id: "returned", seq: returned },
        { id: "second", seq: m.seq },
      ],
      data: { first, second: signal },
    });
  }

  return {
    "libos.signal.append": () => m.value < 0 && processOf.set(m.extra, m.pid()),
    "app.handler.enter": entered,
    "app.call": waiting.whileAny(() => m.open(SCOPE.HANDLER) === NONE && waiting.remove(m.slot)),
  };
}

export const pendingHandlersInTurn = defineRule({
  id: "pending-handlers-in-turn",
  title: "two pending signals are handled one after the other, where Linux nests them",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what:
    "At the end of a call the LibOS delivers one signal, the one with the lowest number, and the next when its handler returns. Linux goes on until " +
    "nothing is left that the new mask lets through: each frame lies on the one before, so the handler of the highest number runs first.",
  why: "Programs that rely on an order are wrong on Linux as well; but a handler that leaves by siglongjmp keeps the other signal back, and a log of what came reads otherwise.",
  recognise:
    "The rule looks for a handler that begins while another signal waits that its mask lets through, and whose handler runs when it has returned.",
  ignore: [
    {
      text: "the first handler's mask blocks the second signal: Linux waits, too",
      nearMiss: {
        name: "two signals, each in the other's sa_mask",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: quick, mask: [SIGUSR2] }
            - sigaction: { signal: SIGUSR2, handler: quick, mask: [SIGUSR1] }
            - sigprocmask: { how: block, signals: [SIGUSR1, SIGUSR2] }
            - kill: { process: self, signal: SIGUSR1 }
            - kill: { process: self, signal: SIGUSR2 }
            - sigprocmask: { how: unblock, signals: [SIGUSR1, SIGUSR2] }
          handlers:
            quick:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.return"],
      },
    },
  ],
  remedy: "Build frames until no signal is left that the mask lets through.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today 5 (T2, H1-H10); libos_signal.c:747-847",
  run,
  report: {
    title: ({ first, second }) =>
      `the handler of ${signalName(first)} returns before that of ${signalName(second)} begins, which was pending`,
    same: ({ first, second }) => [first, second],
    turn: ["first"],
    captions: {
      queued: ({ second }) => `${signalName(second)} is queued`,
      first: ({ first, second }) => `the handler of ${signalName(first)} begins; ${signalName(second)} could be delivered on top of it`,
      returned: () => "it returns",
      second: ({ second }) => `the handler of ${signalName(second)} begins; on Linux it would have been over by now`,
    },
  },
  invalid: [
    {
      name: "two signals that are unblocked at a time",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: quick }
          - sigaction: { signal: SIGUSR2, handler: quick }
          - sigprocmask: { how: block, signals: [SIGUSR1, SIGUSR2] }
          - kill: { process: self, signal: SIGUSR1 }
          - kill: { process: self, signal: SIGUSR2 }
          - sigprocmask: { how: unblock, signals: [SIGUSR1, SIGUSR2] }
        handlers:
          quick:
            - compute: 1us
      `,
      stacks: [...GRAMINE, ...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGUSR1 returns before that of SIGUSR2 begins, which was pending",
          evidence: ["queued", "first", "returned", "second"],
        },
      ],
    },
  ],
});
