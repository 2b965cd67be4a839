/** Gramine today, B9. */

import { E, SIG } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, calls, GRAMINE } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "ended" | "looked" | "answered";

interface Wait {
  readonly ended: number;
  readonly looked: number;
}

/** wait4 of any child: of one child the rows do not tell whether it is the one that has ended. */
const isOfAny = (label: string): boolean => /^(?:false|true|\)|$)/.test(argsOf("wait4", label) ?? "one");
const isWait = calls("wait4", "waitid");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: a thread of the LibOS has told it that a child has ended, and nobody has asked since. */
  const zombies = m.map<number, number>();
  const waits = m.notesOnScopes<Wait>(over);

  function over({ ended, looked }: Wait, call: number): void {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "ended", seq: ended },
        { id: "looked", seq: looked },
        { id: "answered", seq: m.seq },
      ],
      data: { call: m.labelOf(call) },
    });
  }

  const told = (): void => {
    if (m.signal === SIG.CHLD && m.isInternal()) zombies.set(m.pid(), m.seq);
  };

  return {
    "libos.signal.append": told,
    "libos.signal.drop": told,
    "libos.signal.pending"() {
      const call = m.open(SCOPE.CALL);
      const ended = zombies.get(m.pid());
      if (call === NONE || ended === undefined || m.value === 0 || !isOfAny(m.labelOf(call))) return;
      waits.set(call, { ended, looked: m.seq });
    },
    "call.end": zombies.whileAny(() => {
      if (m.value > 0 && isWait(m.labelOf(m.closed))) zombies.delete(m.pid());
    }),
    "process.exit": () => zombies.delete(m.pid()),
  };
}

export const wait4EintrThoughChildEnded = defineRule({
  id: "wait4-eintr-though-child-ended",
  title: "wait4 answers -EINTR although a child has ended",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "A wait4 that is woken looks for pending signals before it looks for children that have ended. The SIGCHLD of the child wakes it, so with a " +
    "handler for SIGCHLD without SA_RESTART the answer is -EINTR. Linux gives the child's pid.",
  why: "waitpid(2) in most programs is not in a loop: they take -1 for an error, and the child stays a zombie.",
  recognise:
    "The rule looks for a wait4 of any child that looks for signals after the process was told of a child's end, and answers -EINTR.",
  ignore: [
    {
      text: "no child has ended: a handled signal ends the wait on Linux as well",
      nearMiss: {
        name: "another signal during wait4",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - fork: child
            - clone: worker
            - wait4: {}
          programs:
            child:
              - nanosleep: 20ms
            worker:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.pending", "app.handler.enter"],
      },
    },
  ],
  remedy: "Look for children once more before -EINTR.",
  fix: "wait4-eintr-though-child-ended",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.4 (W6), 14 B9; libos_wait.c:127-215",
  run,
  report: {
    title: ({ call }) => `${call} returns -EINTR although a child has ended`,
    same: ({ call }) => [call],
    turn: ["looked"],
    captions: {
      ended: () => "the process is told that a child has ended: SIGCHLD",
      looked: () => "the wait looks for signals first, and finds it",
      answered: () => "it returns -EINTR; on Linux the child's pid",
    },
  },
  invalid: [
    {
      name: "wait4 with a handler for SIGCHLD",
      scenario: `
        main:
          - sigaction: { signal: SIGCHLD, handler: on-chld }
          - fork: child
          - wait4: {}
        programs:
          child:
            - nanosleep: 1ms
        handlers:
          on-chld:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "wait4() returns -EINTR although a child has ended", evidence: ["ended", "looked", "answered"] }],
    },
  ],
});
