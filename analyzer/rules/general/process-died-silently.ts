/** A process or thread dies, and whoever should be told is not. */

import { signalName, WHY } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, SGX } from "../common.ts";

interface Data {
  readonly what: "process" | "thread";
  readonly name: string;
  readonly why: string;
  readonly call: string;
}
type Id = "killed" | "died" | "goes-on";

const WHYS: Readonly<Record<number, string>> = {
  [WHY.HOST]: "the host's default action",
  [WHY.LIBOS]: "the LibOS's default action for a signal",
  [WHY.ASSERTION]: "an assertion of the LibOS",
  [WHY.FAULT]: "an internal fault of the LibOS",
  [WHY.PAL]: "the PAL",
  [WHY.UNDEFINED]: "control flow that went where nothing is",
};

interface Dead {
  readonly thread: number;
  readonly name: string;
  readonly seq: number;
  readonly call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: a thread that died in the PAL, until the process is seen to go on. */
  const dead = m.map<number, Dead>();
  /** By process: the last signal whose default action ended a thread. */
  const killed = new Map<number, { readonly seq: number; readonly signal: number }>();

  return {
    "libos.signal.kill": () => killed.set(m.pid(), { seq: m.seq, signal: m.signal }),
    "process.exit"() {
      const pid = m.pid();
      const by = killed.get(pid);
      killed.delete(pid);
      dead.delete(pid);
      if (m.value !== 0 || (m.extra === WHY.EXIT && by === undefined)) return;
      const bySignal = by !== undefined && (m.extra === WHY.EXIT || m.extra === WHY.LIBOS);
      if (bySignal && signalName(by.signal) === "SIGKILL" && m.extra === WHY.EXIT) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [...(bySignal ? [{ id: "killed" as const, seq: by.seq }] : []), { id: "died", seq: m.seq }],
        data: {
          what: "process",
          name: m.nameOf(),
          why: bySignal ? signalName(by.signal) : (WHYS[m.extra] ?? "something"),
          call: "",
        },
      });
    },
    "thread.exit"() {
      if (m.value !== 2) return;
      for (const [thread] of m.liveThreads())
        if (thread !== m.thread && m.pid(thread) === m.pid() && !m.isInternal(thread))
          return void dead.set(m.pid(), { thread: m.thread, name: m.nameOf(), seq: m.seq, call: "" });
    },
    "app.call": dead.whileAny(goesOn),
    "app.return": dead.whileAny(goesOn),
    "trace.end": () => dead.clear(),
  };

  function goesOn(): void {
    const one = dead.get(m.pid());
    if (one === undefined || one.thread === m.thread) return;
    dead.delete(m.pid());
    found({
      thread: one.thread,
      costNs: 0,
      evidence: [
        { id: "died", seq: one.seq },
        { id: "goes-on", seq: m.seq },
      ],
      data: { what: "thread", name: one.name, why: "the PAL", call: one.call },
    });
  }
}

export const processDiedSilently = defineRule({
  id: "process-died-silently",
  title: "a death that nobody is told of",
  severity: "high",
  layers: ["libos", "pal"],
  generations: ["any"],
  what:
    "A process ends by a signal, an assertion or a fault, and the host reports exit status 0; or a thread dies inside the PAL and the rest of " +
    "the process goes on without it.",
  why:
    "Whoever started the process (a shell, a service manager, a container) takes the crash for success and does not start it again. Threads " +
    "wait for ever for a lock or a result of the one that died.",
  recognise: "The rule looks for an end of a process that was not its own will, with status 0, and for the end of a thread in the PAL.",
  ignore: [
    {
      text: "the program calls exit(0)",
      nearMiss: {
        name: "a worker killed by exit_group",
        scenario: `
          main:
            - clone: worker
            - nanosleep: 1ms
            - exit-group: { status: 0 }
          programs:
            worker:
              - nanosleep: 1s
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["process.exit"],
      },
    },
  ],
  remedy: "Report 128 + the signal's number to the host (Graphene 59a0fee5a, 2019-10-07), and end the process, not the thread (287762501).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 (default-kill-one-thread), 3.4 (sgx-untrusted-fault-kills-thread-only), errata A12, A17",
  run,
  report: {
    title: ({ what, name, why }) =>
      what === "process"
        ? `process ${name} ends by ${why}, and reports exit status 0`
        : `thread ${name} dies in the PAL, and its process goes on`,
    same: ({ what, why }) => [what, why],
    turn: ["killed"],
    captions: {
      killed: ({ why }) => `the default action of ${why} ends the thread`,
      died: ({ what, why }) =>
        what === "process" ? `the process ends by ${why}: the host reports 0` : "the thread is gone; nobody is told",
      "goes-on": () => "the rest of the process goes on",
    },
  },
  invalid: [
    {
      name: "a memory fault in the untrusted PAL",
      scenario: "sync-outside-enclave",
      stacks: SGX,
      found: [{ title: "thread reader dies in the PAL, and its process goes on", evidence: ["died", "goes-on"] }],
    },
  ],
});
