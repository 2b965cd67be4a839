/** Errata A8: the lists of wait4 are a thread's, and hold threads, too. */

import { E } from "../../../engine/index.ts";
import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
  readonly thread: string;
  /** Null: it says that there is no child. */
  readonly tid: number | null;
}
type Id = "forked" | "ended" | "no-child" | "thread";

const SIGCHLD = 17;
const forks = calls("fork", "vfork", "posix_spawn");

interface Fork {
  readonly thread: number;
  readonly seq: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: children that nobody has waited for, by pid. */
  const children = new Map<number, Map<number, Fork>>();
  /** By process: tids of its threads that have ended, with the row. */
  const ended = new Map<number, Map<number, number>>();

  function tableOf<V>(tables: Map<number, Map<number, V>>, pid: number): Map<number, V> {
    const own = tables.get(pid) ?? new Map<number, V>();
    tables.set(pid, own);
    return own;
  }

  function waited(call: string): void {
    const pid = m.pid();
    const own = children.get(pid);
    if (m.value > 0) {
      if (own?.delete(m.value)) return;
      const seq = ended.get(pid)?.get(m.value);
      if (seq === undefined) return;
      ended.get(pid)?.delete(m.value);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "ended", seq },
          { id: "thread", seq: m.seq },
        ],
        data: { call, thread: m.nameOf(), tid: m.value },
      });
      return;
    }
    // With SIGCHLD ignored Linux keeps no zombies.
    if (m.value !== E.CHILD || own === undefined || m.actionOf(SIGCHLD)?.action === 1) return;
    for (const { thread, seq } of own.values()) {
      if (thread === m.thread) continue;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "forked", seq },
          { id: "no-child", seq: m.seq },
        ],
        data: { call, thread: m.nameOf(), tid: null },
      });
      return;
    }
  }

  return {
    "app.return": only(calls("wait4", "fork", "vfork", "posix_spawn"), () => {
      if (m.closed === NONE || !m.hasLibos) return;
      const call = m.labelOf(m.closed);
      const name = callName(call);
      if (name === "wait4") waited(call);
      else if (forks(call) && m.value > 0) tableOf(children, m.pid()).set(m.value, { thread: m.thread, seq: m.seq });
    }),
    "thread.exit"() {
      const info = m.names.threads[m.thread];
      if (info !== undefined && !info.internal && info.tid !== info.pid) tableOf(ended, info.pid).set(info.tid, m.seq);
    },
    "process.exit"() {
      children.delete(m.pid());
      ended.delete(m.pid());
    },
  };
}

export const wait4ChildrenOfThread = defineRule({
  id: "wait4-children-of-thread",
  title: "wait4 knows the children of one thread, and takes threads for children",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The lists of children and of those that have ended are kept for each thread. One that forked nothing is told -ECHILD, whatever others have forked. And a " +
    "new thread is put on its creator's list like a child: wait4(-1) returns the tid of a thread that has ended.",
  why:
    "A program that forks in one thread and reaps in another leaves zombies, or ends because it believes that all is done. One that reaps in a loop gets a " +
    "number that it has never seen.",
  recognise:
    "The rule looks for -ECHILD from wait4 in a thread while a child that another thread has forked was not waited for, and for a wait4 that returns the tid " +
    "of an ended thread of the process.",
  ignore: [
    {
      text: "the thread that forked waits",
      nearMiss: {
        name: "fork and wait4",
        scenario: `
          main:
            - fork: child
            - wait4
          programs:
            child:
              - nanosleep: 1ms
        `,
        stacks: GRAPHENE,
        reaches: ["app.return"],
      },
    },
    {
      text: "no child is left: -ECHILD is right",
      nearMiss: {
        name: "wait4 without children",
        scenario: "\n  main:\n    - wait4\n",
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["app.return"],
      },
    },
  ],
  remedy: "Lists of the process, without its threads.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A8 (shim_wait.c, shim_clone.c:134, shim_exit.c:86)",
  run,
  report: {
    title: ({ call, thread, tid }) =>
      tid === null
        ? `${call} says in ${thread} that there is no child: another thread has forked it`
        : `${call} returns ${tid}, which is a thread of the process`,
    same: ({ tid }) => [tid === null ? "no-child" : "thread"],
    turn: ["no-child", "thread"],
    captions: {
      forked: () => "another thread forks a child, for which nobody has waited yet",
      ended: () => "a thread of the process ends",
      "no-child": ({ thread }) => `${thread} is told -ECHILD`,
      thread: ({ tid }) => `wait4 returns its tid, ${tid}`,
    },
  },
  invalid: [
    {
      name: "fork in one thread, wait4 in another",
      scenario: `
        main:
          - fork: child
          - clone: waiter
          - nanosleep: 50ms
        programs:
          child:
            - nanosleep: 20ms
          waiter:
            - wait4
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "wait4() says in waiter that there is no child: another thread has forked it", evidence: ["forked", "no-child"] }],
    },
    {
      name: "wait4 after the end of a thread",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 10ms
          - wait4
        programs:
          worker:
            - nanosleep: 1ms
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "wait4() returns 2, which is a thread of the process", evidence: ["ended", "thread"] }],
    },
  ],
});
