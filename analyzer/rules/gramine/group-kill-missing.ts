/** Gramine today, B27. */

import { signalName, signalNumber } from "../../../engine/index.ts";
import { HOW, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, calls, GRAMINE, GRAPHENE, MS } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly process: string;
}
type Id = "called" | "answered" | "missed";

interface Sent {
  readonly thread: number;
  readonly call: string;
  readonly signal: number;
  readonly called: number;
  readonly answered: number;
  readonly at: number;
  /** Processes of the group that it has not come to yet. */
  readonly missing: Set<number>;
}

/** A message to another process needs its time. */
const ON_ITS_WAY_NS = 5 * MS;
const MOST_OPEN = 64;

const changesGroup = calls("setpgid", "setsid");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  let sent: Sent[] = [];
  /** Processes that have changed their group: who is in it is not followed any more. */
  const moved = new Set<number>();

  function answered(): void {
    const label = m.labelOf(m.closed);
    if (changesGroup(label)) moved.add(m.pid());
    const signal = signalNumber(/^group, (\w+)\)/.exec(argsOf("kill", label) ?? "")?.[1] ?? "");
    if (m.how !== HOW.RETURNED || m.value !== 0 || signal === 0 || !m.hasLibos || moved.size > 0 || sent.length >= MOST_OPEN) return;
    const missing = new Set<number>();
    for (const [thread] of m.liveThreads()) if (m.pid(thread) !== m.pid() && !m.isInternal(thread)) missing.add(m.pid(thread));
    if (missing.size === 0) return;
    sent.push({ thread: m.thread, call: label, signal, called: m.seqOf(m.closed), answered: m.seq, at: m.time, missing });
  }

  const came = (): void => {
    for (const one of sent) if (one.signal === m.signal) one.missing.delete(m.value >= 0 ? m.pid(m.value) : m.pid());
  };

  function missed(pid: number): void {
    for (const { thread, call, signal, called, answered: from, at, missing } of sent) {
      if (!missing.delete(pid) || (m.time < at + ON_ITS_WAY_NS && !m.isOver)) continue;
      found({
        thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: called },
          { id: "answered", seq: from },
          { id: "missed", seq: m.seq },
        ],
        data: { call, signal, process: processName(pid) },
      });
    }
    sent = sent.filter(({ missing }) => missing.size > 0);
  }

  const processName = (pid: number): string =>
    m.names.threads.find((thread) => thread.pid === pid && !thread.internal)?.name ?? `process ${pid}`;

  return {
    "call.end": only(calls("setpgid", "setsid", "kill"), answered),
    "libos.signal.append": came,
    "libos.signal.drop": came,
    "host.signal.default": came,
    "process.exit": () => sent.length > 0 && missed(m.pid()),
    "trace.end"() {
      for (const pid of new Set(sent.flatMap(({ missing }) => [...missing]))) missed(pid);
    },
  };
}

export const groupKillMissing = defineRule({
  id: "group-kill-missing",
  title: "a signal to the process group reaches the caller's own process only",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what: "kill(0) and kill(-group) look whether the caller is in the group, and send the signal to the caller's own process. Nobody else is told; the answer is 0.",
  why: "Shells and supervisors stop a pipeline by its group. Its other processes go on.",
  recognise:
    "The rule looks for a kill of the caller's group that answers 0 while other processes of it live, to which the signal does not come until they end.",
  ignore: [
    {
      text: "there is no other process",
      nearMiss: {
        name: "kill of the group by its only member",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - kill: { process: group, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Send it by IPC to all processes; a comment in the source says so.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today 6.3, 14 B27; libos_sigaction.c:352-380",
  run,
  report: {
    title: ({ call, process }) => `${call} answers 0, and ${process} is never told`,
    same: ({ call, process }) => [call, process],
    turn: ["answered"],
    captions: {
      called: () => "the application sends a signal to its group",
      answered: () => "the answer is 0",
      missed: ({ signal, process }) => `by now no ${signalName(signal)} has come to ${process}`,
    },
  },
  invalid: [
    {
      name: "a child in the same group",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - fork: child
          - nanosleep: 5ms
          - kill: { process: group, signal: SIGUSR1 }
          - nanosleep: 5ms
        programs:
          child:
            - nanosleep: 30ms
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAMINE, ...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "kill(group, SIGUSR1) answers 0, and child is never told", evidence: ["called", "answered", "missed"] }],
    },
  ],
});
