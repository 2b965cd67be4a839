/** Reference 1.3, registration: the asynchronous signals are unblocked as the PAL starts, whoever had blocked them. */

import { signalName, signalNumber } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "unblocked" | "handled";

const MASK_CHANGE = /^mask \{([^}]*)\} -> \{([^}]*)\}$/;

/** Signals that a text "mask {A B} -> {B}" takes out of a mask. */
function takenOut(text: string): number[] {
  const [, before = "", after = ""] = MASK_CHANGE.exec(text) ?? [];
  const left = new Set(after.split(" "));
  return before
    .split(" ")
    .filter((name) => name !== "" && !left.has(name))
    .map(signalNumber);
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By signal: where the PAL has unblocked it, before the application could ask for anything. */
  const dropped = new Map<number, number>();
  let begun = false;

  return {
    "host.sigprocmask"() {
      if (!begun) for (const signal of takenOut(m.text())) dropped.set(signal, m.seq);
    },
    // From here on the application says itself what it blocks, or makes processes that inherit another mask.
    "app.call": () => {
      begun = true;
    },
    "libos.mask": () => dropped.clear(),
    "process.exit": () => dropped.clear(),
    "app.handler.enter"() {
      const unblocked = dropped.get(m.signal);
      if (unblocked === undefined || !m.hasLibos) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "unblocked", seq: unblocked },
          { id: "handled", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

export const sgxInheritedMaskDropped = defineRule({
  id: "sgx-inherited-mask-dropped",
  title: "a signal that whoever started the program had blocked is handled",
  severity: "low",
  layers: ["untrusted-pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "The untrusted PAL unblocks SIGTERM, SIGINT and SIGCONT for the host as it starts, and the LibOS begins with an empty mask: what the shell, sudo or " +
    "the service manager had blocked for the program is not.",
  why: "A program that relies on an inherited mask (sigwait in a service, nohup-like wrappers) gets signals that it never unblocked.",
  recognise:
    "The rule looks for a signal that the PAL takes out of the host's mask at its start, and whose handler runs before the program sets a mask.",
  ignore: [
    {
      text: "the program unblocks the signal itself",
      nearMiss: {
        name: "the same with sigprocmask",
        scenario: `
          mask: [SIGINT]
          main:
            - sigaction: { signal: SIGINT, handler: stop }
            - sigprocmask: { how: unblock, signals: [SIGINT] }
            - compute: 5ms
          handlers:
            stop:
              - getpid
          signals:
            - { signal: SIGINT, when: { at: 3ms } }
        `,
        stacks: SGX,
        reaches: ["host.sigprocmask", "app.handler.enter"],
      },
    },
  ],
  remedy: "Give the mask that the host had at the start to the LibOS's first thread.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 1.3; Linux-SGX/sgx_exception.c, set_sighandler and its unblocking",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} is handled, although it was blocked when the program started`,
    same: ({ signal }) => [signal],
    turn: ["unblocked"],
    captions: {
      unblocked: ({ signal }) => `the PAL unblocks ${signalName(signal)}, which the program has inherited as blocked`,
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs; on Linux it stays pending`,
    },
  },
  invalid: [
    {
      name: "SIGINT blocked by whoever starts the program",
      scenario: `
        mask: [SIGINT]
        main:
          - sigaction: { signal: SIGINT, handler: stop }
          - compute: 5ms
        handlers:
          stop:
            - getpid
        signals:
          - { signal: SIGINT, when: { at: 3ms } }
      `,
      stacks: SGX,
      found: [{ title: "SIGINT is handled, although it was blocked when the program started", evidence: ["unblocked", "handled"] }],
    },
  ],
});
