/** Gramine today, 11: not in the catalogue; read in the source. enclave_ocalls.c:1057-1060, host_ocalls.c:797-801, host_exception.c:203-260. */

import { linuxDefault, SIG, signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { isFromOutside } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "made" | "started" | "sent" | "over";

/** Those that sgx_signal_setup lets through or blocks itself, and those that nobody can block. */
const SET_UP: ReadonlySet<number> = new Set([
  ...[SIG.PIPE, SIG.CHLD, SIG.FPE, SIG.SEGV, SIG.BUS, SIG.ILL, SIG.TERM, SIG.CONT, SIG.USR2],
  ...[SIG.KILL, SIG.STOP],
]);

const MOST = 64;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const isRpc = m.notesOnThreads<true>();
  /** An RPC thread is making a process, since this row. */
  let making: number = NONE;
  const children = new Map<number, { readonly made: number; readonly started: number }>();
  /** By id: where it was sent, and by which process it waits. */
  const waiting = new Map<number, { readonly signal: number; readonly sent: number; readonly thread: number; readonly pid: number }>();

  function over(pid: number): void {
    const child = children.get(pid);
    for (const [id, { signal, sent, thread, pid: of }] of waiting) {
      if (pid !== of || child === undefined) continue;
      waiting.delete(id);
      found({
        thread,
        costNs: 0,
        evidence: [
          { id: "made", seq: child.made },
          { id: "started", seq: child.started },
          { id: "sent", seq: sent },
          { id: "over", seq: m.seq },
        ],
        data: { signal },
      });
    }
  }

  return {
    "rpc.take": () => isRpc.set(m.slot, true),
    "at sgx_ocall_create_process: block_async_signals(true): SIGTERM, SIGCONT"() {
      making = isRpc.get(m.slot) === null ? NONE : m.seq;
    },
    "process.start"() {
      if (making !== NONE && children.size < MOST) children.set(m.pid(), { made: making, started: m.seq });
      making = NONE;
    },
    "host.signal.generate"() {
      if (m.value !== NONE || waiting.size >= MOST || !children.has(m.pid()) || !isFromOutside(m)) return;
      // The host's action is the default one for those that nobody sets up: what it ignores or stops is not missed at the end.
      if (SET_UP.has(m.signal) || linuxDefault(m.signal) !== "terminate") return;
      waiting.set(m.extra, { signal: m.signal, sent: m.seq, thread: m.thread, pid: m.pid() });
    },
    "host.signal.deliver": () => waiting.delete(m.extra),
    "host.signal.discard": () => waiting.delete(m.extra),
    "process.exit"() {
      if (waiting.size > 0) over(m.pid());
    },
    "trace.end"() {
      for (const pid of children.keys()) over(pid);
    },
  };
}

const FORKS = (process: string, signal: string): string => `
  options: [exitless]
  main:
    - fork: child
    - nanosleep: 8ms
  programs:
    child:
      - nanosleep: 10ms
  signals:
    - { signal: ${signal}, process: ${process}, when: { at: 6ms } }
  limit: { time: 40ms, transitions: 30000 }
`;

export const exitlessChildKeepsRpcMask = defineRule({
  id: "exitless-child-keeps-rpc-mask",
  title: "a process that was forked by an exitless call has SIGINT and others blocked for good",
  severity: "medium",
  layers: ["untrusted-pal", "host"],
  generations: ["gramine"],
  what:
    "With exitless calls an RPC thread makes the process of a fork. RPC threads block all signals but SIGUSR2, and a new process has the mask of " +
    "whoever makes it. The set-up of the child lets through only the signals that it registers: SIGINT, SIGHUP, SIGQUIT and the rest stay " +
    "blocked in all its threads. For clone the source says that it must not be exitless for this reason. Afterwards the RPC thread lets SIGTERM and SIGCONT through.",
  why: "Ctrl-C ends the first process and leaves its children running; so does the end of a terminal session. Only SIGTERM and SIGKILL reach them.",
  recognise:
    "The rule looks for a signal from outside to such a child that would end it, none of those that the PAL sets up, that the host still has at the end. In a live " +
    "process: SigBlk of the child in /proc, against that of its parent.",
  ignore: [
    {
      text: "SIGTERM is among those that the child lets through",
      nearMiss: {
        name: "SIGTERM to the child",
        scenario: FORKS("child", "SIGTERM"),
        stacks: ["gramine-sgx"],
        reaches: ["rpc.take", "host.signal.deliver"],
      },
    },
    {
      text: "the first process has the mask of whoever started it",
      nearMiss: {
        name: "SIGINT to the parent",
        scenario: FORKS("main", "SIGINT"),
        stacks: ["gramine-sgx"],
        reaches: ["rpc.take", "host.signal.default"],
      },
    },
  ],
  remedy: "Make the process with an exit from the enclave, as a thread is made.",
  fix: "exitless-child-keeps-rpc-mask",
  cost: "nothing is wasted: it is 0",
  source:
    "gramine today 11; enclave_ocalls.c:998-1002 and 1057-1060; host_ocalls.c:797-801; host_process.c:76-92; host_exception.c:203-260",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} to a forked process waits for ever: it has the mask of an RPC thread`,
    same: ({ signal }) => [signal],
    turn: ["made"],
    captions: {
      made: () => "an RPC thread, which blocks all signals but SIGUSR2, makes the process of a fork",
      started: () => "the process starts with that mask",
      sent: ({ signal }) => `somebody sends ${signalName(signal)}: it is blocked`,
      over: () => "at the end it has not come; without exitless calls it ends the process",
    },
  },
  invalid: [
    {
      name: "SIGINT to the child",
      scenario: FORKS("child", "SIGINT"),
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "SIGINT to a forked process waits for ever: it has the mask of an RPC thread",
          evidence: ["made", "started", "sent", "over"],
        },
      ],
    },
  ],
});
