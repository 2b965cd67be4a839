/** Gramine today, N13. */

import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls } from "../common.ts";

type Id = "asked" | "answered";

interface Shutdown {
  readonly asked: number;
  made: boolean;
}

function run(m: ThreadModel, found: (finding: Found<null, Id>) => void): Handlers {
  const shutdowns = m.notesOnScopes<Shutdown>(over);

  function over({ asked, made }: Shutdown): void {
    if (m.how !== HOW.RETURNED || m.value !== 0 || made) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "asked", seq: asked },
        { id: "answered", seq: m.seq },
      ],
      data: null,
    });
  }

  return {
    "ocall.enter": only(calls("shutdown"), () => {
      const call = m.open(SCOPE.CALL);
      if (call !== NONE && shutdowns.get(call) === null) shutdowns.set(call, { asked: m.seq, made: false });
    }),
    "host.syscall.enter": shutdowns.whileAny(() => {
      const one = shutdowns.get(m.open(SCOPE.CALL));
      if (one !== null) one.made = true;
    }),
  };
}

export const shutdownSkippedByPendingEvent = defineRule({
  id: "shutdown-skipped-by-pending-event",
  title: "shutdown answers 0, and was not made",
  severity: "high",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "The ocall of shutdown looks for an event before the host's system call, as those do that wait, and answers -EINTR in its place if there is one. " +
    "The function around it drops the result and answers 0.",
  why: "The other side waits for the end of the stream, and it never comes: a connection hangs until somebody's time-out.",
  recognise: "The rule looks for a shutdown that answers 0 with an ocall, and no call of the host in it.",
  ignore: [
    {
      text: "no event comes between: the host's call is made",
      nearMiss: {
        name: "a shutdown that nobody interrupts",
        scenario: `
          main:
            - call: { name: shutdown, takes: 1ms, interruptible: false }
        `,
        stacks: ["gramine-sgx"],
        reaches: ["ocall.enter", "app.return"],
      },
    },
  ],
  remedy: "Make shutdown as a plain system call, or again when it was not made.",
  fix: "shutdown-skipped-by-pending-event",
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 4.2.8, N13; host_ocalls.c:594-612",
  run,
  report: {
    title: () => "shutdown answers 0, and the host's shutdown was never made",
    same: () => [],
    turn: ["answered"],
    captions: {
      asked: () => "the enclave asks for the host's shutdown",
      answered: () => "the application gets 0; no call of the host was made",
    },
  },
  invalid: [
    {
      name: "a SIGCONT before the host's call",
      scenario: `
        main:
          - call: { name: shutdown, takes: 1ms, interruptible: false }
        signals:
          - signal: SIGCONT
            thread: main
            when: { thread: main, site: "do_syscall_intr: compare last_async_event with 0" }
            stacks: [gramine-sgx]
      `,
      stacks: ["gramine-sgx"],
      found: [{ title: "shutdown answers 0, and the host's shutdown was never made", evidence: ["asked", "answered"] }],
    },
  ],
});
