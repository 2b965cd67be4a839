/** Reference 3.2 `sigkill-blockable`; 2.17. */

import { SIG, signalName } from "../../../engine/index.ts";
import { MASK, NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE } from "../common.ts";

interface Data {
  readonly signals: readonly number[];
  readonly call: string;
  readonly thread: string;
  readonly kept: boolean;
}
type Id = "blocked" | "kept";

const bit = (signal: number): number => 1 << (signal - 1);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads: the row with which their mask got one of the two, and which. */
  const blocked = m.notesOnThreads<{ readonly seq: number; readonly set: number }>();

  function maskSet(): void {
    const set = m.value & (bit(SIG.KILL) | bit(SIG.STOP));
    const before = blocked.get(m.slot)?.set ?? 0;
    if (set === before) return;
    blocked.set(m.slot, { seq: m.seq, set });
    const signals = [SIG.KILL, SIG.STOP].filter((signal) => (set & ~before & bit(signal)) !== 0);
    if (signals.length === 0) return;
    const data = { signals, call: callName(callOf(m)) || "a call", thread: m.nameOf(), kept: false };
    found({ thread: m.thread, costNs: 0, evidence: [{ id: "blocked", seq: m.seq }], data });
  }

  return {
    "libos.mask": maskSet,
    "libos.signal.append"() {
      const thread = m.value;
      const slot = m.signal === SIG.KILL ? m.slotOf(thread) : NONE;
      if (slot === NONE || m.isBlocked(MASK.LIBOS, SIG.KILL, slot) !== true) return;
      const since = blocked.get(slot);
      found({
        thread,
        costNs: 0,
        evidence: [...(since === null ? [] : [{ id: "blocked" as const, seq: since.seq }]), { id: "kept", seq: m.seq }],
        data: { signals: [SIG.KILL], call: "", thread: m.nameOf(thread), kept: true },
      });
    },
  };
}

export const sigkillBlockable = defineRule({
  id: "sigkill-blockable",
  title: "SIGKILL and SIGSTOP can be blocked",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "sigprocmask and sigsuspend take the mask as it is: KILL and STOP are not taken out of it.",
  why:
    "Threads that block everything, as those of glibc's timers and of many libraries do, cannot be killed. exit_group ends the other threads by " +
    "SIGKILL, so the process does not end while such a thread lives.",
  recognise:
    "The rule looks for a mask of the LibOS that has SIGKILL or SIGSTOP when it did not before, and for a SIGKILL that is kept for a thread " +
    "which blocks it.",
  ignore: [
    {
      text: "Linux takes both out of the set without a word",
      nearMiss: {
        name: "SIGKILL in the set, on Linux",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGKILL, SIGUSR1] }
        `,
        stacks: ["native-linux", "gramine-linux"],
        reaches: ["app.return"],
      },
    },
    {
      text: "a mask without the two",
      nearMiss: {
        name: "SIGTERM blocked, and exit_group",
        scenario: `
          main:
            - clone: worker
            - nanosleep: 1ms
            - exit-group
          programs:
            worker:
              - sigprocmask: { how: block, signals: [SIGTERM, SIGUSR1] }
              - loop: { do: [nanosleep: 1ms] }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.mask", "libos.signal.kill"],
      },
    },
  ],
  remedy: "Take the two out of each mask (Graphene cea63a710, 2019-11-22; b11184534, 2020-11-17).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.17",
  run,
  report: {
    title: ({ signals, call, thread, kept }) =>
      kept
        ? `SIGKILL for ${thread} is kept: the thread blocks it`
        : `${call} blocks ${signals.map(signalName).join(" and ")} in ${thread}, which nothing can block on Linux`,
    same: ({ signals, kept }) => [kept ? 1 : 0, ...signals],
    turn: ["blocked", "kept"],
    captions: {
      blocked: ({ thread }) => `the mask of ${thread} has it from here on`,
      kept: ({ thread }) => `SIGKILL waits in the ring of ${thread}, and the thread goes on`,
    },
  },
  invalid: [
    {
      name: "a thread that blocks SIGKILL, and exit_group",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 1ms
          - exit-group
        programs:
          worker:
            - sigprocmask: { how: block, signals: [SIGKILL, SIGUSR1] }
            - nanosleep: 5ms
      `,
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        { title: "sigprocmask blocks SIGKILL in worker, which nothing can block on Linux", evidence: ["blocked"] },
        { title: "SIGKILL for worker is kept: the thread blocks it", evidence: ["blocked", "kept"] },
      ],
    },
  ],
});
