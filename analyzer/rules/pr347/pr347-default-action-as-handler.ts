/** pr347.md c4: sighandler_kill is a function of the LibOS. */

import { signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { LINUX_PAL, PR347 } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "default" | "frame" | "killed";

interface Framed {
  readonly met: number;
  readonly frame: number;
  readonly signal: number;
  readonly id: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Of a thread: the last signal that met its default action, and the frame that was built for one. */
  const met = m.notesOnThreads<{ readonly seq: number; readonly id: number }>();
  const framed = m.notesOnThreads<Framed>();

  function report(slot: number, thread: number, killed: readonly { readonly id: "killed"; readonly seq: number }[]): void {
    const one = framed.get(slot);
    if (one === null) return;
    framed.remove(slot);
    const evidence = [{ id: "default" as const, seq: one.met }, { id: "frame" as const, seq: one.frame }, ...killed];
    found({ thread, costNs: 0, evidence, data: { signal: one.signal } });
  }

  return {
    "libos.signal.deliver"() {
      if (m.value === 0) met.set(m.slot, { seq: m.seq, id: m.extra });
    },
    "libos.sigframe"() {
      const last = met.get(m.slot);
      if (last?.id === m.extra) framed.set(m.slot, { met: last.seq, frame: m.seq, signal: m.signal, id: m.extra });
    },
    "libos.signal.kill"() {
      if (framed.get(m.slot)?.id === m.extra) report(m.slot, m.thread, [{ id: "killed", seq: m.seq }]);
    },
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) report(slot, thread, []);
    },
  };
}

const term = (handled: string, busy = "compute: 10ms"): string => `
  main:
    ${handled}
    - clone: sender
    - ${busy}
    - getpid
  programs:
    sender:
      - compute: 1ms
      - tgkill: { thread: main, signal: SIGTERM }
      - nanosleep: 5ms
  handlers:
    h:
      - compute: 1us
`;

export const pr347DefaultActionAsHandler = defineRule({
  id: "pr347-default-action-as-handler",
  title: "a default action is entered like a handler of the application",
  severity: "medium",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "Where a signal has no handler, its default action is a function of the LibOS. The frame builder is given its address like that of a handler: the " +
    "application is to return into a function of the library OS, on the application's stack and outside any system call.",
  why:
    "The LibOS runs with none of what a call sets up: its locks and its counter are as chance has them, and under SGX the address would not " +
    "even be the application's to jump to. Where the stack is bad the process does not die of the signal, but of the frame.",
  recognise: "The rule looks for a signal that meets its default action and for which a frame is built on the application's stack.",
  ignore: [
    {
      text: "the signal has a handler",
      nearMiss: {
        name: "SIGTERM with a handler",
        scenario: term("- sigaction: { signal: SIGTERM, handler: h }"),
        stacks: PR347,
        reaches: ["libos.signal.deliver", "libos.sigframe"],
      },
    },
    {
      text: "the base revision calls the default action from the LibOS",
      nearMiss: {
        name: "the same on the Linux PAL",
        scenario: term("- getpid"),
        stacks: LINUX_PAL,
        reaches: ["libos.signal.deliver", "libos.signal.kill"],
      },
    },
  ],
  remedy: "Pull request 1218 calls the default actions that kill, and never returns to them (2019-12-19).",
  fix: "pr347-default-action-as-handler",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c4",
  run,
  report: {
    title: ({ signal }) => `the default action of ${signalName(signal)} is entered as if it were a handler`,
    same: ({ signal }) => [signal],
    turn: ["frame"],
    captions: {
      default: ({ signal }) => `${signalName(signal)} meets its default action, a function of the LibOS`,
      frame: () => "a frame is built for it, and the application is to go on there",
      killed: () => "it runs outside any call, where a handler would",
    },
  },
  invalid: [
    {
      name: "SIGTERM from another thread",
      scenario: term("- getpid"),
      stacks: PR347,
      found: [{ title: "the default action of SIGTERM is entered as if it were a handler", evidence: ["default", "frame", "killed"] }],
    },
  ],
});
