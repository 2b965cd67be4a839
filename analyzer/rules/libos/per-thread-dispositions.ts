/** Reference 3.2 `per-thread-dispositions`; 2.17. */

import { signalName } from "../../../engine/index.ts";
import { only, SA, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly asked: string;
  readonly asker: string;
  readonly thread: string;
  readonly did: string;
}
type Id = "asked" | "did";

/** What a process asked for last, once the call that did so was back. */
interface Asked {
  readonly thread: number;
  readonly seq: number;
  /** SIG_DFL, SIG_IGN, or "handler NAME": what the row says, and what the flow of the handler is called. */
  readonly action: string;
}

const DISPOSITIONS = ["SIG_DFL", "SIG_IGN"] as const;
const inWords = (action: string): string =>
  action === "SIG_DFL" ? "the default action" : action === "SIG_IGN" ? "to be ignored" : action.replace(/^handler /, "");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process, then by signal. */
  const processes = new Map<number, Map<number, Asked>>();
  const asking = m.notesOnThreads<{ readonly signal: number; readonly asked: Asked | null }>();
  /** On threads: what their process had asked for when a signal met its disposition, and it is a handler. */
  const meets = m.notesOnThreads<Asked>();

  function told(asked: Asked, did: string): void {
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "asked", seq: asked.seq },
        { id: "did", seq: m.seq },
      ],
      data: {
        signal: m.signal,
        asked: inWords(asked.action),
        asker: m.nameOf(asked.thread),
        thread: m.nameOf(),
        did: inWords(did),
      },
    });
  }

  return {
    "libos.sigaction"() {
      const action = /^(.*), mask /.exec(m.text())?.[1];
      // One that counts once only is another matter: whose was it?
      const plain = action !== undefined && (m.extra & SA.RESETHAND) === 0;
      asking.set(m.slot, { signal: m.signal, asked: plain ? { thread: m.thread, seq: m.seq, action } : null });
    },
    "app.return": only(calls("sigaction"), () => {
      if (!m.hasLibos) return;
      const note = asking.get(m.slot);
      if (note === null) return;
      asking.remove(m.slot);
      let own = processes.get(m.pid());
      if (own === undefined) {
        own = new Map();
        processes.set(m.pid(), own);
      }
      if (note.asked === null) own.delete(note.signal);
      else own.set(note.signal, note.asked);
    }),
    "libos.signal.deliver"() {
      meets.remove(m.slot);
      const asked = processes.get(m.pid())?.get(m.signal);
      if (asked === undefined || asked.thread === m.thread) return;
      const did = DISPOSITIONS[m.value];
      if (did === undefined) meets.set(m.slot, asked);
      else if (did !== asked.action) told(asked, did);
    },
    "app.handler.enter"() {
      const asked = meets.get(m.slot);
      if (asked === null) return;
      meets.remove(m.slot);
      if (m.flowHere() !== "" && m.flowHere() !== asked.action) told(asked, m.flowHere());
    },
    "process.exit": () => processes.delete(m.pid()),
  };
}

export const perThreadDispositions = defineRule({
  id: "per-thread-dispositions",
  title: "what one thread asks for by sigaction does not count in the others",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "sigaction changes the table of the thread that calls it. A thread that exists already keeps what it had. A new thread gets a copy, but of " +
    "the first 8 bytes of each action: the handler is right, flags, restorer and mask are what the memory happened to hold.",
  why:
    "A program that starts its threads and then sets its handlers, as a library that is loaded late does, has handlers in one thread only. A " +
    "signal for another one meets the default action: it is overlooked, or it ends the thread.",
  recognise:
    "The rule looks for a signal that meets, in one thread, another disposition than another thread of the process had asked for last by a " +
    "sigaction that was back before.",
  ignore: [
    {
      text: "sigaction and delivery at the same time: the call is not back yet, and Linux has that race, too",
      nearMiss: {
        name: "the default action while sigaction is on its way",
        scenario: [
          { name: "process.start", value: -1 },
          { name: "app.call" },
          { name: "libos.syscall.enter" },
          { name: "libos.sigaction", signal: 10, value: 2 },
          { name: "thread.start", thread: 1 },
          { name: "libos.signal.deliver", thread: 1, signal: 10, value: 0, extra: 1 },
          { name: "libos.signal.ignore", thread: 1, signal: 10, value: 0, extra: 1 },
          { name: "libos.syscall.exit" },
          { name: "app.return" },
        ],
        reaches: ["libos.sigaction", "libos.signal.deliver"],
      },
    },
    {
      text: "a child of vfork has dispositions of its own",
      nearMiss: {
        name: "the child of vfork ignores SIGUSR1, the parent handles it",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - vfork: child
            - tgkill: { thread: self, signal: SIGUSR1 }
          programs:
            child:
              - sigaction: { signal: SIGUSR1, handler: ignore }
              - exit
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.sigaction", "app.handler.enter"],
      },
    },
    {
      text: "the thread was made after sigaction: it has a copy",
      nearMiss: {
        name: "sigaction, then clone",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: worker
            - nanosleep: 1ms
            - tgkill: { thread: worker, signal: SIGUSR1 }
            - nanosleep: 5ms
          programs:
            worker:
              - nanosleep: 3ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.deliver", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "A full copy at clone (Graphene 74ce0ae3e, 2019-12-10), then one table for the process (46195e5f6, 2020-05-14), which execve resets " +
    "(b525fd8e6, 2020-06-04).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.17",
  run,
  report: {
    title: ({ signal, asked, asker, thread, did }) =>
      `${signalName(signal)} meets ${did} in ${thread}, although ${asker} has asked for ${asked}`,
    same: ({ signal, asked, did }) => [signal, asked, did],
    turn: ["did"],
    captions: {
      asked: ({ signal, asked, asker }) => `${asker} asks for ${asked} on ${signalName(signal)}: on Linux this is the whole process's`,
      did: ({ thread, did }) => `${thread} has a table of its own, which says ${did}`,
    },
  },
  invalid: [
    {
      name: "sigaction after clone",
      scenario: `
        main:
          - clone: worker
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - tgkill: { thread: worker, signal: SIGUSR1 }
          - nanosleep: 5ms
        programs:
          worker:
            - nanosleep: 3ms
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "SIGUSR1 meets the default action in worker, although main has asked for on-usr1", evidence: ["asked", "did"] }],
    },
  ],
});
