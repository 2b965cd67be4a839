/** Reference 3.5 `partial-handle-receive`; errata B6, errata-2 B6: fork as many PAL calls. */

import { resultText, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE, NATIVE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly result: number;
}
type Id = "asked" | "interrupted" | "failed" | "answered";

interface Failed {
  readonly asked: number;
  readonly interrupted: number;
  readonly failed: number;
  readonly signal: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On the application's call: the PAL call with which it waits for the new process, cut short. */
  const failed = m.notesOnScopes<Failed>();
  const frames = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();

  return {
    "host.signal.deliver": () => frames.set(m.slot, { seq: m.seq, signal: m.signal }),
    "pal-call.end": only(
      (label) => label.includes("newproc_response"),
      () => {
        const frame = frames.get(m.slot);
        const call = m.open(SCOPE.CALL);
        if (frame === null || call === NONE || frame.seq < m.seqOf(m.closed)) return;
        const isCut = m.how === HOW.ABANDONED || (m.how === HOW.RETURNED && m.value === 0 && m.hasFailedSince(m.seqOf(m.closed)));
        if (isCut) failed.set(call, { asked: m.seqOf(m.closed), interrupted: frame.seq, failed: m.seq, signal: frame.signal });
      },
    ),
    "call.end": failed.whileAny(() => {
      const one = failed.get(m.closed);
      // 0 is what a forked child sees: here it is the parent that does.
      if (one === null || m.how !== HOW.RETURNED || m.value > 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: one.asked },
          { id: "interrupted", seq: one.interrupted },
          { id: "failed", seq: one.failed },
          { id: "answered", seq: m.seq },
        ],
        data: { signal: one.signal, call: m.labelOf(m.closed) || callOf(m), result: m.value },
      });
    }),
  };
}

const fork = (when: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - fork: child
    - wait4
  programs:
    child:
      - nanosleep: 1ms
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: ${when} }
  limit: { time: 50ms }
`;

export const partialHandleReceive = defineRule({
  id: "partial-handle-receive",
  title: "a signal while a new process is set up makes fork fail",
  severity: "high",
  layers: ["pal", "libos"],
  generations: ["graphene-2019", "pr347"],
  what:
    "fork makes a process, sends it a checkpoint and reads its answer from a stream. A signal ends that read, and the LibOS takes it for a failure: it " +
    "closes the stream and gives up, while the child is alive.",
  why:
    "fork returns an error, or 0 as in a child, to the parent. The child is not known to anybody: wait4 never sees it. Servers that fork while " +
    "children end (SIGCHLD) meet this under load.",
  recognise: "The rule looks for the read of the answer that a signal ends, and a fork, clone or execve that then fails.",
  ignore: [
    {
      text: "the signal comes at another moment of the fork",
      nearMiss: {
        name: "SIGINT while the process is made",
        scenario: fork('{ thread: main, site: "shim_do_fork: DkStreamWrite(newproc_header)" }'),
        stacks: GRAPHENE,
        reaches: ["shim_do_fork: DkStreamRead(newproc_response): wait for the child", "host.signal.deliver", "app.handler.enter"],
      },
    },
    {
      text: "Linux has no such stream",
      nearMiss: {
        name: "SIGINT into a fork on Linux",
        scenario: fork("{ thread: main, call: fork }"),
        stacks: NATIVE,
        reaches: ["app.handler.enter"],
      },
    },
  ],
  remedy: "The transfer goes on after EINTR (Graphene 58bc2a781, 2019-06-26).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; errata B6",
  run,
  report: {
    title: ({ signal, call, result }) =>
      `${callName(call)} fails (${resultText(result)}) because ${signalName(signal)} came while the new process was set up`,
    same: ({ signal, call, result }) => [signal, callName(call), result],
    turn: ["failed"],
    captions: {
      asked: () => "the new process is there: the LibOS waits for its answer",
      interrupted: ({ signal }) => `${signalName(signal)} ends the read`,
      failed: () => "the read has given nothing, which is taken for a failure",
      answered: ({ call, result }) => `${call} = ${resultText(result)}, and nobody knows of the process`,
    },
  },
  invalid: [
    {
      name: "SIGINT while the parent waits for the child's answer",
      scenario: fork("{ thread: main, call: fork }"),
      stacks: ["graphene-linux", "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "fork fails (-EINTR) because SIGINT came while the new process was set up",
          evidence: ["asked", "interrupted", "failed", "answered"],
        },
      ],
    },
    {
      name: "the same under SGX, where an old error comes back",
      scenario: fork("{ thread: main, call: fork }"),
      stacks: ["graphene-sgx"],
      found: [
        {
          title: "fork fails (-ENOSYS) because SIGINT came while the new process was set up",
          evidence: ["asked", "interrupted", "failed", "answered"],
        },
      ],
    },
  ],
});
