/** errata-2 section 3, c4: the frame that is built at the end of a call has no siginfo. */

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
  const frames = m.notesOnThreads<{ readonly seq: number; readonly id: number }>();

  return {
    "libos.sigframe"() {
      // An upcall copies the siginfo that came with its signal.
      if (m.open(SCOPE.UPCALL) === NONE) frames.set(m.slot, { seq: m.seq, id: m.extra });
      else frames.remove(m.slot);
    },
    "app.siginfo"() {
      const handler = m.open(SCOPE.HANDLER);
      const frame = frames.get(m.slot);
      if (handler === NONE || frame?.id !== m.extraOfRow(handler) || m.signal === m.signalOf(handler)) return;
      frames.remove(m.slot);
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
  };
}

const INT = (call: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - ${call}
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 2ms } }
`;

export const pr347SiginfoGarbage = defineRule({
  id: "pr347-siginfo-garbage",
  title: "a handler that runs at the end of a call reads a siginfo that was never written",
  severity: "medium",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "deliver_signal_on_sysret lays down restorer, siginfo, ucontext and FPU state, and fills in all but the siginfo. What the handler reads is what the " +
    "stack held there. A default action reads it, too: its si_pid decides who is told to end.",
  why: "si_signo, si_pid and si_code are numbers of chance; here they are 0.",
  recognise: "The rule looks for a frame that is built outside any upcall, and another si_signo in its handler than the signal's.",
  ignore: [
    {
      text: "the frame was built by the upcall, which copies the siginfo",
      nearMiss: {
        name: "SIGINT while the program computes",
        scenario: INT("compute: 4ms"),
        stacks: PR347,
        reaches: ["libos.sigframe", "app.siginfo"],
      },
    },
    {
      text: "the frames of today's Gramine are filled in",
      nearMiss: {
        name: "a tgkill to a thread in a read",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: h }
            - clone: sender
            - read: { from: pipe, bytes: 8 }
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            h:
              - compute: 1us
        `,
        stacks: ["gramine-linux"],
        reaches: ["libos.sigframe", "app.siginfo"],
      },
    },
  ],
  remedy: "The siginfo is copied into the frame (the switch does so; pull request 1218 does).",
  fix: "pr347-siginfo-garbage",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, c4",
  run,
  report: {
    title: ({ signal, told }) => `the handler of ${signalName(signal)} reads a siginfo that was never written: si_signo ${told}`,
    same: ({ signal }) => [signal],
    turn: ["read"],
    captions: {
      frame: ({ signal }) => `a frame is built for ${signalName(signal)} at the end of the call; nobody writes its siginfo`,
      handled: () => "its handler is entered",
      read: ({ told }) => `it reads what the stack held: si_signo ${told}`,
    },
  },
  invalid: [
    {
      name: "SIGINT at the end of accept",
      scenario: INT("accept: { on: listener }"),
      stacks: PR347,
      found: [
        { title: "the handler of SIGINT reads a siginfo that was never written: si_signo 0", evidence: ["frame", "handled", "read"] },
      ],
    },
  ],
});
