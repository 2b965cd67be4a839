/** Gramine today, B8. */

import { signalName, signalsIn } from "../../../engine/index.ts";
import { MASK, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly lost: string;
  readonly intruder: number;
}
type Id = "chosen" | "replaced" | "entered" | "intruded";

interface Before {
  readonly low: number;
  readonly high: number;
  readonly seq: number;
}
/** What a handler's mask lacks. */
interface Lack {
  readonly chosen: number;
  readonly replaced: number;
  readonly low: number;
  readonly high: number;
}
interface Runs extends Lack {
  readonly signal: number;
  readonly entered: number;
  intruder: number;
  intruded: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const before = m.notesOnThreads<Before>();
  const lacks = m.notesOnThreads<Lack>();
  const runs = m.notesOnScopes<Runs>(over);

  function over({ signal, low, high, chosen, replaced, entered, intruder, intruded }: Runs): void {
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "chosen", seq: chosen },
        { id: "replaced", seq: replaced },
        { id: "entered", seq: entered },
        ...(intruded === NONE ? [] : [{ id: "intruded" as const, seq: intruded }]),
      ],
      data: { signal, lost: names(low, high), intruder },
    });
  }

  /** The mask that is in force is known until the LibOS sets the handler's. */
  function chosen(): void {
    const now = m.value === 2 ? m.maskOf(MASK.LIBOS) : null;
    if (now === null) before.remove(m.slot);
    else before.set(m.slot, { low: now[0], high: now[1], seq: m.seq });
  }

  function replaced(): void {
    const was = before.get(m.slot);
    if (was === null) return;
    before.remove(m.slot);
    const [low, high] = [was.low & ~m.value, was.high & ~m.extra];
    if (low !== 0 || high !== 0) lacks.set(m.slot, { chosen: was.seq, replaced: m.seq, low, high });
  }

  function entered(): void {
    before.remove(m.slot);
    const handler = m.open(SCOPE.HANDLER);
    if (handler === NONE) return;
    for (let outer = m.around(handler); outer !== NONE; outer = m.around(outer)) {
      const one = runs.get(outer);
      if (one === null || one.intruded !== NONE || !holds(one, m.signal)) continue;
      one.intruder = m.signal;
      one.intruded = m.seq;
    }
    const lack = lacks.get(m.slot);
    if (lack === null) return;
    lacks.remove(m.slot);
    runs.set(handler, { ...lack, signal: m.signal, entered: m.seq, intruder: 0, intruded: NONE });
  }

  return {
    "libos.signal.deliver": chosen,
    "libos.mask": replaced,
    "app.handler.enter": entered,
    "app.call": before.whileAny(() => before.remove(m.slot)),
  };
}

const names = (low: number, high: number): string =>
  signalsIn([low >>> 0, high >>> 0])
    .map(signalName)
    .join(" ");

const holds = ({ low, high }: Lack, signal: number): boolean => (((signal <= 32 ? low : high) >>> ((signal - 1) & 31)) & 1) === 1;

export const maskReplacedNotMerged = defineRule({
  id: "mask-replaced-not-merged",
  title: "a handler's mask replaces what was blocked before",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "When a handler is entered the thread's mask becomes sa_mask with the signal itself. Linux adds these to what was blocked already; here " +
    "what the program had blocked is let through for as long as the handler runs.",
  why:
    "A program blocks a signal around a critical section; a handler of another signal opens that section to it. Handlers nest that never did, " +
    "and a second signal may come while the frame of the first is still in use.",
  recognise:
    "The rule compares the LibOS's mask at the choice of a handler with the one that it sets for it, and tells a handler that ran because of it.",
  ignore: [
    {
      text: "nothing else was blocked",
      nearMiss: {
        name: "a handler with an empty mask before",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.mask", "app.handler.enter"],
      },
    },
    {
      text: "sa_mask has what was blocked",
      nearMiss: {
        name: "the same signal blocked and in sa_mask",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1, mask: [SIGUSR2] }
            - sigprocmask: { how: block, signals: [SIGUSR2] }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.mask", "app.handler.enter"],
      },
    },
  ],
  remedy: "Or sa_mask into the mask, as the kernel does.",
  fix: "mask-replaced-not-merged",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 5 (H7), 14 B8; libos_signal.c:747-847",
  run,
  report: {
    title: ({ signal, lost, intruder }) =>
      `the handler of ${signalName(signal)} runs with ${lost} let through, which was blocked${intruder === 0 ? "" : `; that of ${signalName(intruder)} comes in`}`,
    same: ({ signal, lost, intruder }) => [signal, lost, intruder],
    turn: ["replaced"],
    captions: {
      chosen: ({ signal, lost }) => `the LibOS has a handler for ${signalName(signal)}; ${lost} is blocked`,
      replaced: ({ lost }) => `the handler's mask takes the place of the thread's: ${lost} is not in it`,
      entered: () => "the handler runs",
      intruded: ({ intruder }) => `the handler of ${signalName(intruder)} runs in the middle of it; on Linux it would wait`,
    },
  },
  invalid: [
    {
      name: "a handler that sends what the program blocks",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigaction: { signal: SIGUSR2, handler: on-usr2 }
          - sigprocmask: { how: block, signals: [SIGUSR2] }
          - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - kill: { process: self, signal: SIGUSR2 }
          on-usr2:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "the handler of SIGUSR1 runs with SIGUSR2 let through, which was blocked; that of SIGUSR2 comes in",
          evidence: ["chosen", "replaced", "entered", "intruded"],
        },
        {
          title: "the handler of SIGUSR2 runs with SIGUSR1 let through, which was blocked",
          evidence: ["chosen", "replaced", "entered"],
        },
      ],
    },
    {
      name: "a blocked signal that does not come",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigprocmask: { how: block, signals: [SIGUSR2] }
          - kill: { process: self, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "the handler of SIGUSR1 runs with SIGUSR2 let through, which was blocked",
          evidence: ["chosen", "replaced", "entered"],
        },
      ],
    },
  ],
});
