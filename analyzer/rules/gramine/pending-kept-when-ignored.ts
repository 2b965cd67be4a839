/** Gramine today, B18. */

import { linuxDefault, signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAMINE, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "queued" | "ignored" | "handled";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const processOf = createRing();
  /** By the signal's id: where it was queued, and where the program asked to ignore it. */
  const queued = createRing();
  const ignored = createRing();

  function asked(): void {
    if (!(m.value === 1 || (m.value === 0 && linuxDefault(m.signal) === "ignore")) || !m.anyPending()) return;
    for (const p of m.signals.waiting.values()) {
      if (p.signal !== m.signal || p.in !== WAITS_IN.LIBOS || processOf.get(p.id) !== m.pid()) continue;
      queued.set(p.id, p.seq);
      ignored.set(p.id, m.seq);
    }
  }

  return {
    "libos.signal.append": () => processOf.set(m.extra, m.value < 0 ? m.pid() : m.pid(m.value)),
    "libos.sigaction": asked,
    "app.handler.enter"() {
      const since = ignored.get(m.extra);
      if (since === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "queued", seq: queued.get(m.extra) },
          { id: "ignored", seq: since },
          { id: "handled", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

export const pendingKeptWhenIgnored = defineRule({
  id: "pending-kept-when-ignored",
  title: "a pending signal outlives the moment at which the program ignores it",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what:
    "On Linux sigaction(SIG_IGN) throws away what is pending of the signal, also when it is blocked. Here the queue is left as it is: once the " +
    "program has a handler again and unblocks the signal, an old one comes.",
  why: "Programs use it to forget: block, ignore, set the handler again, unblock. They get a signal for something that is long over.",
  recognise: "The rule looks for a handler of a signal that was queued before the program asked to ignore its number.",
  ignore: [
    {
      text: "it was sent after that",
      nearMiss: {
        name: "a signal after the handler was set again",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: ignore }
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Empty the queues of the signal in sigaction.",
  fix: "pending-kept-when-ignored",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 10.1, 14 B18; libos_sigaction.c:26-62",
  run,
  report: {
    title: ({ signal }) => `the handler of ${signalName(signal)} runs for one that was pending when the program ignored it`,
    same: ({ signal }) => [signal],
    turn: ["ignored"],
    captions: {
      queued: ({ signal }) => `${signalName(signal)} is queued; it is blocked`,
      ignored: () => "the program asks to ignore it: on Linux it is gone",
      handled: () => "a handler that was set later runs for it",
    },
  },
  invalid: [
    {
      name: "block, send, ignore, handle, unblock",
      scenario: `
        main:
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - kill: { process: self, signal: SIGUSR1 }
          - sigaction: { signal: SIGUSR1, handler: ignore }
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigprocmask: { how: unblock, signals: [SIGUSR1] }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAMINE, ...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGUSR1 runs for one that was pending when the program ignored it",
          evidence: ["queued", "ignored", "handled"],
        },
      ],
    },
  ],
});
