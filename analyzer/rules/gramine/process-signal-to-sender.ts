/** Gramine today, section 6 (K3). */

import { signalName } from "../../../engine/index.ts";
import { MASK, NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, createRing, GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly taker: string;
  readonly main: string;
}
type Id = "sent" | "taken";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By the id of a signal for the sender's own process: its row, and the main thread that could have taken it. */
  const rows = createRing();
  const mains = createRing();

  function sent(): void {
    if (m.value >= 0 || m.isInternal() || callName(callOf(m)) !== "kill") return;
    const main = m.names.threads.findIndex(({ pid, tid }) => pid === m.pid() && tid === pid);
    const slot = main < 0 || main === m.thread ? NONE : m.slotOf(main);
    if (slot === NONE || m.isBlocked(MASK.LIBOS, m.signal, slot) !== false) return;
    rows.set(m.extra, m.seq);
    mains.set(m.extra, main);
  }

  function taken(): void {
    const row = rows.get(m.extra);
    const main = mains.get(m.extra);
    if (row === NONE || main === m.thread) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "sent", seq: row },
        { id: "taken", seq: m.seq },
      ],
      data: { signal: m.signal, taker: m.nameOf(), main: m.nameOf(main) },
    });
  }

  return { "libos.signal.append": sent, "app.handler.enter": taken };
}

export const processSignalToSender = defineRule({
  id: "process-signal-to-sender",
  title: "a signal to the own process is handled by the thread that sends it, where Linux asks the main thread first",
  severity: "low",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "A thread that sends a signal to its own process, and does not block it, takes it at the end of the call. Linux gives a signal of a process to " +
    "the main thread if that lets it through, and to another one only if it does not.",
  why: "A main loop that waits to be interrupted (accept, pause) by kill(getpid()) of another thread sleeps on. POSIX allows any thread: block the signal in the others.",
  recognise:
    "The rule looks for a handler, in another thread than the main one, of a signal that kill has sent to the own process while the main thread let it through.",
  ignore: [
    {
      text: "the sender blocks the signal: the main thread gets it",
      nearMiss: {
        name: "a sender that blocks it",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: worker
            - nanosleep: 20ms
          programs:
            worker:
              - sigprocmask: { how: block, signals: [SIGUSR1] }
              - nanosleep: 2ms
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
  remedy: "Ask the main thread first.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today 6.8 (K3); libos_sigaction.c:318-334; kernel/signal.c, complete_signal",
  run,
  report: {
    title: ({ signal, taker, main }) => `${signalName(signal)} for the process is handled by its sender ${taker}; on Linux ${main} gets it`,
    same: ({ signal }) => [signal],
    turn: ["taken"],
    captions: {
      sent: ({ signal, taker, main }) => `${taker} sends ${signalName(signal)} to its process; ${main} does not block it`,
      taken: ({ taker }) => `${taker} handles it at the end of its own call`,
    },
  },
  invalid: [
    {
      name: "kill of the own process by a worker",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: worker
          - nanosleep: 20ms
        programs:
          worker:
            - nanosleep: 2ms
            - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "SIGUSR1 for the process is handled by its sender worker; on Linux main gets it", evidence: ["sent", "taken"] }],
    },
  ],
});
