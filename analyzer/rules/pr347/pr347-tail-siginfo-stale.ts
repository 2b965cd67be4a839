/** pr347.md c8: the frame is used again, and its siginfo is not written. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { PR347 } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly told: number;
}
type Id = "frame" | "handled" | "read";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Of a thread: its frames, by signal id. */
  const frames = m.notesOnThreads<{ readonly seqs: Map<number, { readonly seq: number; readonly signal: number }> }>();

  return {
    "libos.sigframe"() {
      const own = frames.get(m.slot) ?? { seqs: new Map() };
      own.seqs.set(m.extra, { seq: m.seq, signal: m.signal });
      frames.set(m.slot, own);
    },
    "app.siginfo"() {
      const handler = m.open(SCOPE.HANDLER);
      const own = frames.get(m.slot);
      // A frame was built for each handler but for those that use one again: that has the siginfo of another.
      if (handler === NONE || own === null || own.seqs.has(m.extraOfRow(handler)) || m.signal === m.signalOf(handler)) return;
      const frame = [...own.seqs.values()].findLast(({ signal }) => signal === m.signal);
      if (frame === undefined) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "frame", seq: frame.seq },
          { id: "handled", seq: m.seqOf(handler) },
          { id: "read", seq: m.seq },
        ],
        data: { signal: m.signalOf(handler), told: m.signal },
      });
    },
    // That of a frame which was used again tells the later signal's id.
    "libos.sigreturn"() {
      if (frames.get(m.slot)?.seqs.delete(m.extra) !== true) frames.remove(m.slot);
    },
  };
}

const pending = (more = ""): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGTERM, handler: h }
    - accept: { on: listener }
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 2ms } }
    ${more}
`;
const TERM = "- { signal: SIGTERM, thread: main, when: { at: 2ms } }";
const THIRD = `${TERM}
    - { signal: SIGTERM, thread: main, when: { thread: main, site: "deliver_signal: append signal to thread->signal_logs[sig]", nth: 2 } }`;

export const pr347TailSiginfoStale = defineRule({
  id: "pr347-tail-siginfo-stale",
  title: "a handler that uses a frame again reads the siginfo of the signal before",
  severity: "medium",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "rt_sigreturn gives the frame of the handler that returns to the next pending signal. It sets the first argument, the signal's number, and leaves " +
    "the siginfo as it is.",
  why: "A handler with SA_SIGINFO that trusts si_signo, si_pid or si_status acts for the wrong signal: a supervisor takes one child for another.",
  recognise: "The rule looks for a handler for which no frame was built, and a siginfo in it that names the signal of an earlier frame.",
  ignore: [
    {
      text: "each signal has its own frame",
      nearMiss: {
        name: "SIGINT alone",
        scenario: pending(),
        stacks: PR347,
        fixes: ["pr347-siginfo-garbage"],
        reaches: ["libos.sigframe", "app.siginfo", "libos.sigreturn"],
      },
    },
    {
      text: "the frame had no siginfo either: that is pr347-siginfo-garbage",
      nearMiss: {
        name: "three signals, and frames that nobody has filled in",
        scenario: pending(THIRD),
        stacks: PR347,
        reaches: ["libos.sigframe", "app.siginfo"],
      },
    },
  ],
  remedy: "The siginfo is written when the frame is used again (the switch does so); pull request 1218 does not yet.",
  fix: "pr347-tail-siginfo-stale",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c8",
  run,
  report: {
    title: ({ signal, told }) => `the handler of ${signalName(signal)} reads the siginfo of ${signalName(told)}`,
    same: ({ signal, told }) => [signal, told],
    turn: ["read"],
    captions: {
      frame: ({ told }) => `a frame is built for ${signalName(told)}, with its siginfo`,
      handled: ({ signal }) => `the handler of ${signalName(signal)} is entered on the same frame`,
      read: ({ told }) => `si_signo is that of ${signalName(told)} still`,
    },
  },
  invalid: [
    {
      // A third signal makes the stub build a frame above the chained one, which leads to its handler.
      name: "three signals at the end of accept, with frames that are filled in",
      scenario: pending(THIRD),
      stacks: PR347,
      fixes: ["pr347-siginfo-garbage"],
      found: [{ title: "the handler of SIGTERM reads the siginfo of SIGINT", evidence: ["frame", "handled", "read"] }],
    },
  ],
});
