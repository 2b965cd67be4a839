/** Reference 3.5 `sigpipe-kills-process`; errata A5, errata-2 A5: what still writes with write(2). */

import { E, SIG } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, callOf, NATIVE, SGX } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "asked" | "broken" | "killed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** The last write that found the other end closed. */
  const broken = m.notesOnThreads<{ readonly asked: number; readonly seq: number }>();

  return {
    "host-call.end"() {
      if (m.value === E.PIPE) broken.set(m.slot, { asked: m.seqOf(m.closed), seq: m.seq });
    },
    "host.signal.default"() {
      const write = broken.get(m.slot);
      // Where there is no LibOS, or the PAL call is over, the signal is the application's own affair.
      if (m.signal !== SIG.PIPE || m.value !== 1 || write === null || !m.hasLibos || m.open(SCOPE.PAL_CALL) === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asked", seq: write.asked },
          { id: "broken", seq: write.seq },
          { id: "killed", seq: m.seq },
        ],
        data: { call: callOf(m) },
      });
    },
  };
}

const dead = (then: string, when: string): string => `
  main:
    - fork: child
    - nanosleep: 20ms
    - ${then}
    - getpid
  programs:
    child:
      - nanosleep: 100ms
  signals:
    - { signal: SIGKILL, process: child, when: ${when} }
`;

export const sigpipeKillsProcess = defineRule({
  id: "sigpipe-kills-process",
  title: "a write to a stream whose other end is gone kills the process by the host's SIGPIPE",
  severity: "high",
  layers: ["host", "untrusted-pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "The SGX PAL registers no handler of SIGPIPE. Pipes and sockets are written with MSG_NOSIGNAL, but devices and the streams between processes with " +
    "write: when the other end is closed the host's default action kills the process.",
  why: "A message of the LibOS to a child or parent that has just died is the end of the sender, although its application made no such write.",
  recognise: "The rule looks for a host write with EPIPE inside a PAL call, and the host's default action for SIGPIPE.",
  ignore: [
    {
      text: "the pipe of an application: MSG_NOSIGNAL, and -ECONNRESET",
      nearMiss: {
        name: "write to a pipe whose reader is gone",
        scenario: `
          main:
            - close: { what: p }
            - write: { to: p, bytes: 4 }
            - getpid
        `,
        stacks: SGX,
        reaches: ["app.return", "pal.errno.read"],
      },
    },
    {
      text: "the Linux PAL has an empty handler; on Linux itself the signal is the application's own",
      nearMiss: {
        name: "the same without an enclave",
        scenario: `
          main:
            - close: { what: p }
            - write: { to: p, bytes: 4 }
            - getpid
        `,
        stacks: [...ALL_LINUX_PAL, ...NATIVE],
        reaches: ["host.signal.generate", "host.syscall.exit"],
      },
    },
  ],
  remedy: "SIGPIPE is ignored in the host, and the LibOS makes its own (Graphene fbf67a2a8, 2020-05-15; a958ff0bc, 2020-06-10).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; errata-2 A5",
  run,
  report: {
    title: ({ call }) => `${call || "a write of the library OS"} ends the process by SIGPIPE: the other end of a stream is gone`,
    same: ({ call }) => [call],
    turn: ["killed"],
    captions: {
      asked: () => "the host is asked to write to a stream",
      broken: () => "its other end is closed: EPIPE, and SIGPIPE for the writer",
      killed: () => "nobody has a handler for it, and the host kills the process",
    },
  },
  invalid: [
    {
      name: "kill to a child that has just died",
      scenario: dead("kill: { process: child, signal: SIGUSR1 }", "{ thread: main, call: kill, phase: before }"),
      stacks: SGX,
      found: [
        {
          title: "kill(child, SIGUSR1) ends the process by SIGPIPE: the other end of a stream is gone",
          evidence: ["asked", "broken", "killed"],
        },
      ],
    },
  ],
});
