/** Reference 3.2 `pending-scan-no-rewind`; 2.12. */

import { signalName } from "../../../engine/index.ts";
import { type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly after: number;
}
type Id = "fetched" | "came" | "over";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads: the signal that the scan of its ring has taken last. */
  const fetched = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();

  function over(): void {
    if (m.flowHere() !== "__handle_signal") return;
    const last = fetched.get(m.slot);
    fetched.remove(m.slot);
    if (last === null || !m.anyPending()) return;
    for (const p of m.pendingSignals()) {
      if (p.in !== WAITS_IN.LIBOS || p.seq <= last.seq || p.signal >= last.signal || m.isDue(p) !== true) continue;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "fetched", seq: last.seq },
          { id: "came", seq: p.seq },
          { id: "over", seq: m.seq },
        ],
        data: { signal: p.signal, after: last.signal },
      });
    }
  }

  return {
    "libos.signal.fetch": () => fetched.set(m.slot, { seq: m.seq, signal: m.signal }),
    "libos.signal.pending": over,
  };
}

const twoSignals = (first: string, second: string): string => `
        main:
          - sigaction: { signal: ${first}, handler: long }
          - sigaction: { signal: ${second}, handler: short }
          - sigprocmask: { how: block, signals: [${first}] }
          - clone: sender
          - tgkill: { thread: self, signal: ${first} }
          - sigprocmask: { how: unblock, signals: [${first}] }
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: ${second} }
        handlers:
          long:
            - compute: 5ms
          short:
            - compute: 1us
      `;

export const pendingScanNoRewind = defineRule({
  id: "pending-scan-no-rewind",
  title: "a signal that comes while pending ones are handled waits for the next look, if its number is lower",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The scan of the rings goes from 1 to 31 and does not go back after a handler. A signal with a lower number than the one that is being handled " +
    "is not seen by it, and the scan ends with signals still pending.",
  why: "The signal waits for the next system call of the thread. Where signals come in bursts their order is not that of Linux.",
  recognise:
    "The rule looks for the end of a scan while a signal is pending and due that came after the scan took its last one, and has a lower number.",
  ignore: [
    {
      text: "a higher number: the scan comes to it",
      nearMiss: {
        name: "SIGUSR2 during the handler of SIGUSR1",
        scenario: twoSignals("SIGUSR1", "SIGUSR2"),
        stacks: GRAPHENE,
        reaches: ["libos.signal.fetch", "app.handler.enter"],
      },
    },
    {
      text: "the same number: the index has not gone on, and the scan finds it",
      nearMiss: {
        name: "SIGUSR1 during the handler of SIGUSR1",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: long }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - clone: sender
            - tgkill: { thread: self, signal: SIGUSR1 }
            - sigprocmask: { how: unblock, signals: [SIGUSR1] }
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            long:
              - compute: 5ms
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.fetch", "libos.signal.append"],
      },
    },
  ],
  remedy: "Begin anew after each handler (Graphene 50ca6c4a2, 2020-06-08).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.12",
  run,
  report: {
    title: ({ signal, after }) => `${signalName(signal)} came while ${signalName(after)} was handled, and the scan does not go back for it`,
    same: ({ signal, after }) => [signal, after],
    turn: ["over"],
    captions: {
      fetched: ({ after }) => `the scan takes ${signalName(after)} out of the ring`,
      came: ({ signal }) => `meanwhile ${signalName(signal)} is put into the ring`,
      over: ({ signal }) => `the scan is over, and ${signalName(signal)} is still pending`,
    },
  },
  invalid: [
    {
      name: "SIGHUP during the handler of SIGUSR2",
      scenario: twoSignals("SIGUSR2", "SIGHUP"),
      stacks: GRAPHENE,
      found: [
        { title: "SIGHUP came while SIGUSR2 was handled, and the scan does not go back for it", evidence: ["fetched", "came", "over"] },
      ],
    },
  ],
});
