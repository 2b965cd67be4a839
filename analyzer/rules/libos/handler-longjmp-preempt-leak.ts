/** Reference 3.2 `handler-longjmp-preempt-leak`. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly preempt: number;
  readonly died: boolean;
}
type Id = "left" | "goes-on" | "died" | "over";

interface Left {
  readonly seq: number;
  readonly signal: number;
}

/** SIGNAL_DELAYED is a bit of the same word. */
const COUNT = 0x7fffffff;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads: a handler was left by siglongjmp, and nothing of the application has been seen since. */
  const left = m.notesOnThreads<Left>();
  /** By process: the host takes its default action for a signal in such a thread. */
  const dying = new Map<number, { readonly note: Left; readonly preempt: number; readonly seq: number }>();

  /** preempt, when it is above 0 although no handler is open. */
  function leaked(): { readonly note: Left; readonly preempt: number } | null {
    const note = left.get(m.slot);
    if (note === null || m.open(SCOPE.HANDLER) !== NONE) return null;
    left.remove(m.slot);
    const preempt = m.preempt() & COUNT;
    return preempt === 0 ? null : { note, preempt };
  }

  function goesOn(): void {
    const leak = leaked();
    if (leak === null) return;
    const { note, preempt } = leak;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "left", seq: note.seq },
        { id: "goes-on", seq: m.seq },
      ],
      data: { signal: note.signal, preempt, died: false },
    });
  }

  function processEnds(): void {
    const death = dying.get(m.pid());
    if (death === undefined) return;
    dying.delete(m.pid());
    const { note, preempt, seq } = death;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "left", seq: note.seq },
        { id: "died", seq },
        { id: "over", seq: m.seq },
      ],
      data: { signal: note.signal, preempt, died: true },
    });
  }

  return {
    "app.handler.longjmp": () => left.set(m.slot, { seq: m.seq, signal: m.signal }),
    "app.call": left.whileAny(goesOn),
    "app.fault": left.whileAny(goesOn),
    "app.compute": left.whileAny(goesOn),
    "host.signal.default"() {
      const leak = leaked();
      if (leak !== null) dying.set(m.pid(), { ...leak, seq: m.seq });
    },
    "process.exit": processEnds,
  };
}

export const handlerLongjmpPreemptLeak = defineRule({
  id: "handler-longjmp-preempt-leak",
  title: "after a handler is left by siglongjmp no signal is handled any more",
  severity: "high",
  layers: ["libos", "host"],
  generations: ["graphene-2019"],
  what:
    "siglongjmp out of a handler skips the end of deliver_signal: the preempt counter stays one too high, the saved context is not put back, and " +
    "the PAL is not told that the exception is over. On the Linux PAL the host's frame is left behind, too, with its mask: the signal and SIGCONT " +
    "stay blocked in the host.",
  why:
    "All later signals of the thread are put off for ever. The next fault happens again and again under SGX, and kills the process on the Linux " +
    "PAL, where the host finds its signal blocked. Virtual machines, tests of memory protection and interpreters leave handlers so.",
  recognise:
    "The rule looks for what the application does first after it has left a handler by siglongjmp, with no handler on the stack, and finds the " +
    "preempt counter above 0.",
  ignore: [
    {
      text: "a handler that never returns because it ends the process",
      nearMiss: {
        name: "exit_group in a handler",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - exit-group
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "process.exit"],
      },
    },
    {
      text: "siglongjmp outside of the LibOS: on Linux nothing is counted",
      nearMiss: {
        name: "two faults, and siglongjmp, on Linux",
        scenario: "w5-longjmp",
        stacks: ["native-linux"],
        reaches: ["app.handler.longjmp", "app.fault"],
      },
    },
  ],
  remedy: "Handlers that run on frames of their own, and no counter (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.12",
  run,
  report: {
    title: ({ signal, preempt, died }) =>
      died
        ? `the handler of ${signalName(signal)} is left by siglongjmp, and the next such signal kills the process: the host still blocks it`
        : `the handler of ${signalName(signal)} is left by siglongjmp, and preempt stays ${preempt}: later signals are put off for ever`,
    same: ({ signal, died }) => [signal, died ? 1 : 0],
    turn: ["goes-on", "died"],
    captions: {
      left: () => "siglongjmp leaves the handler: the end of deliver_signal is skipped",
      "goes-on": ({ preempt }) => `the application goes on, and preempt is ${preempt}`,
      died: ({ preempt }) => `preempt is ${preempt}, the signal is blocked in the host, and its default action is taken`,
      over: () => "the process is over",
    },
  },
  invalid: [
    {
      name: "two faults under SGX",
      scenario: "w5-longjmp",
      stacks: ["graphene-sgx"],
      found: [
        {
          title: "the handler of SIGSEGV is left by siglongjmp, and preempt stays 1: later signals are put off for ever",
          evidence: ["left", "goes-on"],
        },
      ],
    },
    {
      name: "the same on the Linux PAL",
      scenario: "w5-longjmp",
      stacks: ["graphene-linux"],
      found: [
        {
          title: "the handler of SIGSEGV is left by siglongjmp, and the next such signal kills the process: the host still blocks it",
          evidence: ["left", "died", "over"],
        },
      ],
    },
  ],
});
