/** Reference 3.5 `linux-thread-exit-window`; the end of 2.8. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly name: string;
}
type Id = "exiting" | "interrupted" | "crash";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    undefined() {
      const [call, frame] = [m.open(SCOPE.PAL_CALL), m.open(SCOPE.HOST_FRAME)];
      // The call that never leaves; its first act is to give the thread's memory back.
      if (call === NONE || frame === NONE || !m.labelOf(call).includes("DkThreadExit") || m.seqOf(frame) < m.seqOf(call)) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "exiting", seq: m.seqOf(call) },
          { id: "interrupted", seq: m.seqOf(frame) },
          { id: "crash", seq: m.seq },
        ],
        data: { signal: m.signalOf(frame), name: m.nameOf() },
      });
    },
  };
}

const at = (place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - clone: b
    - nanosleep: 5ms
  programs:
    b:
      - compute: 1us
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: b, when: { thread: b, site: "${place}" } }
`;

export const linuxThreadExitWindow = defineRule({
  id: "linux-thread-exit-window",
  title: "a signal finds a thread that has freed its own stack",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "DkThreadExit frees the thread's control block and its stacks, and then asks the host to end it. A signal between the two runs the PAL's handler in " +
    "memory that is given back.",
  why: "The whole process crashes, at the end of a thread, once in a very long while.",
  recognise: "The rule looks for a host signal frame inside DkThreadExit, where the handler has no memory to run in.",
  ignore: [
    {
      text: "the memory is there yet",
      nearMiss: {
        name: "a signal before the LibOS asks for the end",
        scenario: at("thread_exit: DkEventSet(self->exit_event)"),
        stacks: ALL_LINUX_PAL,
        reaches: ["host.signal.deliver", "thread.exit"],
      },
    },
  ],
  remedy: "Async signals are blocked before the memory is freed (Graphene 951219cac, 2019-09-30).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; 2.8",
  run,
  report: {
    title: ({ signal, name }) => `${signalName(signal)} finds thread ${name} without its stack, and the process crashes`,
    same: ({ signal, name }) => [signal, name],
    turn: ["crash"],
    captions: {
      exiting: () => "the LibOS asks the PAL to end the thread: its control block and stacks are freed",
      interrupted: ({ signal }) => `${signalName(signal)} comes before the host has ended it`,
      crash: () => "the handler runs in memory that is no more",
    },
  },
  invalid: [
    {
      name: "a signal before the host's exit",
      scenario: at("DkThreadExit: INLINE_SYSCALL(exit)"),
      stacks: [...ALL_LINUX_PAL, "graphene-pr1218"],
      found: [{ title: "SIGINT finds thread b without its stack, and the process crashes", evidence: ["exiting", "interrupted", "crash"] }],
    },
  ],
});
