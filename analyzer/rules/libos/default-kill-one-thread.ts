/** Reference 3.2 `default-kill-one-thread`; 2.16. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, MS } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
}
type Id = "killed" | "gone" | "goes-on";

interface Kill {
  readonly thread: number;
  readonly name: string;
  readonly signal: number;
  readonly killed: number;
  gone: number;
  goneAt: number;
}

/** Others may make a few steps before they die, too. */
const SOON_NS = MS;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process. */
  const kills = m.map<number, Kill>();

  function told(kill: Kill, other: number): void {
    const all = [
      { id: "killed" as const, seq: kill.killed },
      { id: "gone" as const, seq: kill.gone },
      { id: "goes-on" as const, seq: other },
    ];
    found({
      thread: kill.thread,
      costNs: 0,
      evidence: all.sort((a, b) => a.seq - b.seq),
      data: { signal: kill.signal, thread: kill.name },
    });
  }

  function goesOn(): void {
    const kill = kills.get(m.pid());
    if (kill === undefined || kill.gone === NONE || kill.thread === m.thread || m.time - kill.goneAt < SOON_NS) return;
    kills.delete(m.pid());
    told(kill, m.seq);
  }

  /** Where a thread of the application in this process has fallen asleep; NONE: none sleeps. */
  function sleeperOf(pid: number): number {
    for (const [thread, slot] of m.liveThreads())
      if (m.pid(thread) === pid && !m.isInternal(thread) && m.asleepSince(slot) !== NONE) return m.asleepSince(slot);
    return NONE;
  }

  return {
    "libos.signal.kill"() {
      // SIGKILL is how exit_group ends the others.
      if (signalName(m.signal) === "SIGKILL") return;
      kills.set(m.pid(), { thread: m.thread, name: m.nameOf(), signal: m.signal, killed: m.seq, gone: NONE, goneAt: 0 });
    },
    "thread.exit"() {
      const kill = kills.get(m.pid());
      if (kill?.thread !== m.thread) return;
      kill.gone = m.seq;
      kill.goneAt = m.time;
    },
    "app.call": kills.whileAny(goesOn),
    "app.return": kills.whileAny(goesOn),
    // Nobody is left who could do anything: the others sleep for ever.
    "trace.end"() {
      if (!m.isOver) return;
      for (const [pid, kill] of kills) {
        const sleeper = sleeperOf(pid);
        if (kill.gone !== NONE && sleeper !== NONE) told(kill, sleeper);
      }
    },
    "process.exit": () => kills.delete(m.pid()),
  };
}

export const defaultKillOneThread = defineRule({
  id: "default-kill-one-thread",
  title: "a signal that should end the process ends one thread",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: 'The default action "terminate" ends the thread that runs it. The other threads go on; when the last one ends, the host is told status 0.',
  why: "kill, timeout and docker stop leave half of a server behind, which holds its port and answers nothing.",
  recognise:
    "The rule looks for the end of a thread by a default action, and a call or return of another thread of the process a millisecond later, or one that sleeps for ever.",
  ignore: [
    {
      text: "SIGKILL to each thread is how exit_group ends a process",
      nearMiss: {
        name: "exit_group with another thread",
        scenario: `
          main:
            - clone: worker
            - nanosleep: 1ms
            - exit-group: { status: 3 }
          programs:
            worker:
              - loop: { do: [nanosleep: 1ms] }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.kill", "process.exit"],
      },
    },
    {
      text: "a process of one thread is over with it",
      nearMiss: {
        name: "SIGTERM to a single thread",
        scenario: `
          main:
            - kill: { process: self, signal: SIGTERM }
            - getpid
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.kill", "process.exit"],
      },
    },
  ],
  remedy:
    "Status 128 + n for the host (Graphene 59a0fee5a, 2019-10-07), ABRT, TERM and INT end the process (b152970e8, 2019-10-28), then all do " +
    "(50ca6c4a2, 2020-06-08).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.16",
  run,
  report: {
    title: ({ signal, thread }) => `${signalName(signal)} ends thread ${thread} only, and the process goes on without it`,
    same: ({ signal }) => [signal],
    turn: ["goes-on"],
    captions: {
      killed: ({ signal, thread }) => `the default action of ${signalName(signal)} runs in ${thread}`,
      gone: ({ thread }) => `${thread} ends`,
      "goes-on": () => "another thread of the process goes on",
    },
  },
  invalid: [
    {
      name: "SIGALRM without a handler in a process of two threads",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 1ms
          - tgkill: { thread: self, signal: SIGALRM }
          - getpid
        programs:
          worker:
            - loop: { times: 20, do: [nanosleep: 1ms] }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "SIGALRM ends thread main only, and the process goes on without it", evidence: ["killed", "gone", "goes-on"] }],
    },
  ],
});
