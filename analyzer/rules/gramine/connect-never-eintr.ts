/** Gramine today, N7. */

import { E } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, timeText } from "../common.ts";

interface Data {
  readonly more: number;
}
type Id = "interrupted" | "again" | "over";

interface Repeated {
  readonly interrupted: number;
  again: number;
  at: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const calls = m.notesOnScopes<Repeated>(over);

  function over({ interrupted, again, at }: Repeated): void {
    if (again === NONE) return;
    found({
      thread: m.thread,
      costNs: m.time - at,
      evidence: [
        { id: "interrupted", seq: interrupted },
        { id: "again", seq: again },
        { id: "over", seq: m.seq },
      ],
      data: { more: m.time - at },
    });
  }

  return {
    "ocall.return": only(
      (label) => callName(label) === "connect",
      () => {
        const call = m.open(SCOPE.CALL);
        if (m.value !== E.INTR || call === NONE || calls.get(call) !== null) return;
        calls.set(call, { interrupted: m.seq, again: NONE, at: m.time });
      },
    ),
    "ocall.enter": calls.whileAny(() => {
      const one = calls.get(m.open(SCOPE.CALL));
      if (one !== null && one.again === NONE) one.again = m.seq;
    }),
  };
}

export const connectNeverEintr = defineRule({
  id: "connect-never-eintr",
  title: "a connect that a signal interrupts is made again by the PAL",
  severity: "medium",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "The ocall of a connect of the application is made again when the host answers -EINTR. A blocking connect ends only when the network has " +
    "answered; handlers run after it. Under the Linux PAL, and on Linux, a handler without SA_RESTART ends it with -EINTR.",
  why: "alarm(5) around a connect to a host that does not answer is the usual time-out. Here it takes the kernel's two minutes, and exit_group waits as long.",
  recognise: "The rule looks for an ocall inside connect that returned -EINTR and is made again.",
  ignore: [
    {
      text: "no signal comes",
      nearMiss: {
        name: "a connect that takes its time",
        scenario: `
          main:
            - call: { name: connect, takes: 5ms, interruptible: true }
        `,
        stacks: ["gramine-sgx"],
        reaches: ["ocall.return", "app.return"],
      },
    },
  ],
  remedy: "Give -EINTR to the LibOS.",
  fix: "connect-never-eintr",
  cost: "how long the connect went on after the signal",
  source: "gramine today, corrections 8.M3, N7; enclave_ocalls.c:1457-1459",
  run,
  report: {
    title: () => "connect goes on after a signal: the PAL makes the interrupted ocall again",
    same: () => [],
    turn: ["again"],
    captions: {
      interrupted: () => "the host's connect is interrupted: -EINTR",
      again: () => "the PAL makes the ocall again",
      over: ({ more }) => `the call is over ${timeText(more)} later`,
    },
  },
  invalid: [
    {
      name: "a signal with a handler during connect",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: sender
          - call: { name: connect, takes: 20ms, interruptible: true }
        programs:
          sender:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: ["gramine-sgx"],
      found: [
        { title: "connect goes on after a signal: the PAL makes the interrupted ocall again", evidence: ["interrupted", "again", "over"] },
      ],
    },
  ],
});
