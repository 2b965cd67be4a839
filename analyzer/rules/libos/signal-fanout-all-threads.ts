/** Reference 3.2 `signal-fanout-all-threads`; 2.15. */

import { SIG, signalName } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly first: string;
  readonly thread: string;
  readonly sender: string;
}
type Id = "sent" | "sent-too" | "handled" | "handled-too";

/** One walk over a process's threads for one signal. */
interface Walk {
  readonly sender: string;
  readonly signal: number;
  readonly pid: number;
  sent: number;
  handled: number;
  thread: number;
}

interface Sent {
  readonly walk: Walk;
  readonly seq: number;
}

const KEPT = 4096;
const isListLock = (text: string): boolean => text === "thread_list_lock";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By signal id: the walk that sent it. */
  const sent = new Map<number, Sent>();
  /** Of a call kill: the walk is the call's. Of a thread of the LibOS: the walk is over when it gives thread_list_lock back. */
  const ofCall = m.notesOnScopes<Walk>();
  const ofLock = m.notesOnThreads<Walk | "none yet">();

  const walkBy = (sender: string, pid: number): Walk => ({ sender, signal: m.signal, pid, sent: m.seq, handled: NONE, thread: NONE });
  const isSame = (walk: Walk, pid: number): boolean => walk.signal === m.signal && walk.pid === pid;

  function walkOf(pid: number): Walk | null {
    const call = m.open(SCOPE.CALL);
    if (call !== NONE) {
      if (callName(m.labelOf(call)) !== "kill") return null;
      const known = ofCall.get(call);
      if (known !== null && isSame(known, pid)) return known;
      const made = walkBy(callOf(m), pid);
      ofCall.set(call, made);
      return made;
    }
    const known = ofLock.get(m.slot);
    if (known === null) return null;
    if (known !== "none yet" && isSame(known, pid)) return known;
    const made = walkBy("a kill of another process", pid);
    ofLock.set(m.slot, made);
    return made;
  }

  function put(target: number): void {
    // SIGKILL to each thread is how a process ends.
    if (m.signal === SIG.KILL || m.signal === 0) return;
    const walk = walkOf(m.pid(target));
    if (walk === null) return;
    sent.set(m.extra, { walk, seq: m.seq });
    if (sent.size > KEPT) for (const oldest of sent.keys()) return void sent.delete(oldest);
  }

  function handled(): void {
    const own = sent.size === 0 ? undefined : sent.get(m.extra);
    if (own === undefined) return;
    sent.delete(m.extra);
    const { walk, seq } = own;
    if (walk.handled === NONE) {
      walk.sent = seq;
      walk.handled = m.seq;
      walk.thread = m.thread;
      return;
    }
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "sent", seq: walk.sent },
        { id: "sent-too", seq },
        { id: "handled", seq: walk.handled },
        { id: "handled-too", seq: m.seq },
      ],
      data: { signal: m.signal, first: m.nameOf(walk.thread), thread: m.nameOf(), sender: walk.sender },
    });
  }

  return {
    lock: only(isListLock, () => m.isInternal() && ofLock.set(m.slot, "none yet")),
    unlock: only(isListLock, () => m.isInternal() && ofLock.remove(m.slot)),
    "libos.signal.append": () => put(m.value),
    "libos.signal.decide"() {
      if (m.open(SCOPE.UPCALL) === NONE) put(m.thread);
    },
    "app.handler.enter": handled,
    "libos.signal.kill": handled,
  };
}

export const signalFanoutAllThreads = defineRule({
  id: "signal-fanout-all-threads",
  title: "kill reaches every thread of the process, and its handler runs once in each",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "A signal for a process is put into the ring of every thread it has, and each thread handles its own. Linux gives it to one of them.",
  why:
    "SIGHUP reads the configuration once for each thread, at the same time; a count of requests is wrong; threads that the program keeps free of " +
    "signals are interrupted.",
  recognise:
    "The rule follows the signals that one kill puts into the rings of one process, and looks for a second thread that handles one of them.",
  ignore: [
    {
      text: "kill(-1) and kill of a group reach several processes: one thread of each",
      nearMiss: {
        name: "kill of the own group, with a child",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - fork: child
            - nanosleep: 20ms
            - kill: { process: group, signal: SIGUSR1 }
            - nanosleep: 20ms
          programs:
            child:
              - nanosleep: 40ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.decide", "app.handler.enter"],
      },
    },
    {
      text: "SIGKILL to each thread is how exit_group ends a process",
      nearMiss: {
        name: "exit_group with other threads",
        scenario: `
          main:
            - clone: worker
            - clone: worker
            - nanosleep: 1ms
            - exit-group
          programs:
            worker:
              - loop: { do: [nanosleep: 1ms] }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.signal.kill"],
      },
    },
    {
      text: "the other threads block the signal: it lies in their rings, and nobody sees it",
      nearMiss: {
        name: "workers that block SIGUSR1",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - clone: worker
            - clone: worker
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: unblock, signals: [SIGUSR1] }
            - kill: { process: self, signal: SIGUSR1 }
            - nanosleep: 3ms
          programs:
            worker:
              - nanosleep: 2ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "A queue of the process, from which one thread takes the signal (Graphene 50ca6c4a2, 2020-06-08; pull request 1510).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.15",
  run,
  report: {
    title: ({ signal, first, thread, sender }) =>
      first === thread
        ? `${sender} is handled twice: two threads of the process handle ${signalName(signal)}`
        : `${sender} is handled in ${first} and again in ${thread}: each thread gets its own ${signalName(signal)}`,
    same: ({ signal }) => [signal],
    turn: ["handled-too"],
    captions: {
      sent: ({ signal, first }) => `${signalName(signal)} is put into the ring of ${first}`,
      "sent-too": ({ thread }) => `the same kill puts one into the ring of ${thread}`,
      handled: ({ first }) => `${first} handles it: on Linux that is all`,
      "handled-too": ({ thread }) => `${thread} handles it as well`,
    },
  },
  invalid: [
    {
      name: "kill of the own process, with another thread",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: worker
          - nanosleep: 1ms
          - kill: { process: self, signal: SIGUSR1 }
          - nanosleep: 5ms
        programs:
          worker:
            - nanosleep: 3ms
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "kill(self, SIGUSR1) is handled in main and again in worker: each thread gets its own SIGUSR1",
          evidence: ["sent-too", "sent", "handled", "handled-too"],
        },
      ],
    },
  ],
});
