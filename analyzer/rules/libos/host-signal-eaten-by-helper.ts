/** Reference 3.2 `host-signal-eaten-by-helper`; 2.11, errata A4. */

import { SIG, signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, LINUX_PAL } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly helper: string;
}
type Id = "sent" | "eaten";

const INTERNAL = 1;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Somebody of the application is left in the process. */
  function hasOthers(): boolean {
    for (const [thread] of m.liveThreads()) if (m.pid(thread) === m.pid() && !m.isInternal(thread)) return true;
    return false;
  }

  return {
    "libos.signal.lost"() {
      if (m.value !== INTERNAL || m.signal === SIG.CONT || !hasOthers() || m.actionOf(m.signal)?.action === 1) return;
      const sent = m.generatedSeq(m.extra);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [...(sent === NONE ? [] : [{ id: "sent" as const, seq: sent }]), { id: "eaten", seq: m.seq }],
        data: { signal: m.signal, helper: m.nameOf() },
      });
    },
  };
}

export const hostSignalEatenByHelper = defineRule({
  id: "host-signal-eaten-by-helper",
  title: "a signal from outside goes to a helper thread of the LibOS, which drops it",
  severity: "high",
  layers: ["libos", "host"],
  generations: ["graphene-2019"],
  what:
    "The host gives a signal for the process to any thread that does not block it. The LibOS has threads of its own, the async and the IPC helper, " +
    "and what reaches one of them is dropped without a word.",
  why:
    "Ctrl-C or docker stop does nothing: when the first thread has ended, or is in a handler inside the host's frame, the next in line is a helper. " +
    "Every process has one.",
  recognise:
    "The rule looks for an INT or TERM event that is dropped on an internal thread, while threads of the application live that do not ignore the signal.",
  ignore: [
    {
      text: "RESUME on a helper: a wake-up, no signal of the application",
      nearMiss: {
        name: "the thread that blocks in a read is woken by tgkill",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: sender
            - read: { from: pipe, bytes: 1 }
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.wake", "app.handler.enter"],
      },
    },
    {
      text: "the application ignores the signal",
      nearMiss: {
        name: "an ignored SIGINT to the helper",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: ignore }
            - alarm: 10s
            - nanosleep: 3s
          signals:
            - signal: SIGINT
              thread: async-helper
              when: { at: 1s }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.lost"],
      },
    },
    {
      text: "a signal to a thread that is ending: it is lost there, but not to a helper",
      nearMiss: {
        name: "SIGINT to the only thread while it is not alive any more",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - exit
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              thread: main
              when: { thread: main, site: "try_process_exit: look for another thread that is alive" }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.upcall.enter", "process.exit"],
      },
    },
  ],
  remedy:
    "Put it into the queue of the process (Graphene 50ca6c4a2, 2020-06-08); wake a thread that can take it (Gramine 339ce59cf, 2024-02-11).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2, 2.11 and D14; errata A4",
  run,
  report: {
    title: ({ signal, helper }) => `${signalName(signal)} from outside reaches ${helper}, a thread of the LibOS, and is dropped`,
    same: ({ signal, helper }) => [signal, helper.replace(/#\d+$/, "")],
    turn: ["eaten"],
    captions: {
      sent: ({ signal }) => `${signalName(signal)} comes from outside`,
      eaten: ({ helper }) => `the upcall runs on ${helper} and drops it`,
    },
  },
  invalid: [
    {
      name: "a second Ctrl-C while the handler of the first runs in the host's frame",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - compute: 20ms
        handlers:
          on-sigint:
            - compute: 2ms
        signals:
          - signal: SIGINT
            when: { at: 5ms }
          - signal: SIGINT
            when: { at: 6ms }
      `,
      stacks: LINUX_PAL,
      found: [{ title: "SIGINT from outside reaches ipc-helper, a thread of the LibOS, and is dropped", evidence: ["sent", "eaten"] }],
    },
    {
      name: "the first thread has ended",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - clone: worker
          - exit
        programs:
          worker:
            - nanosleep: 20ms
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { at: 10ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "SIGINT from outside reaches ipc-helper, a thread of the LibOS, and is dropped", evidence: ["sent", "eaten"] }],
    },
  ],
});
