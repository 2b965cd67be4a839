/** Gramine today, section 5 (QUIT) and 12 (sys.enable_sigterm_injection). */

import { SIG } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE } from "../common.ts";

interface Data {
  /** The program has a handler; else its default would end the process. */
  readonly handled: boolean;
}
type Id = "sent" | "upcall" | "lost";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "pal.event.lost"() {
      const upcall = m.open(SCOPE.UPCALL);
      const action = m.actionOf(SIG.TERM)?.action ?? 0;
      if (m.signal !== SIG.TERM || upcall === NONE || action === 1) return;
      const sent = m.generatedSeq(m.extra);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(sent === NONE ? [] : [{ id: "sent" as const, seq: sent }]),
          { id: "upcall", seq: m.seqOf(upcall) },
          { id: "lost", seq: m.seq },
        ],
        data: { handled: action >= 2 },
      });
    },
  };
}

export const hostSigtermNotInjected = defineRule({
  id: "host-sigterm-not-injected",
  title: "a SIGTERM of the host is thrown away in the upcall",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The PAL has a handler for the host's SIGTERM, and calls the LibOS. There it is given to the application only when the manifest says so " +
    "(sys.enable_sigterm_injection); by default the upcall returns, and the signal is gone.",
  why: "`docker stop` has no effect: ten seconds later the process is killed, without its handler. Nothing is printed.",
  recognise: "The rule looks for a SIGTERM that ends inside the upcall for it, where the program does not ignore SIGTERM.",
  ignore: [
    {
      text: "the manifest asks for it",
      nearMiss: {
        name: "SIGTERM with injection",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - compute: 5ms
            - getpid
          handlers:
            on-term:
              - compute: 1us
          signals:
            - signal: SIGTERM
              when: { at: 2ms }
        `,
        stacks: GRAMINE,
        reaches: ["libos.upcall.enter", "app.handler.enter"],
      },
    },
  ],
  remedy: "sys.enable_sigterm_injection = true in the manifest.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today 5.1, 12.1; libos_signal.c:491-512",
  run,
  report: {
    title: ({ handled }) =>
      `the host's SIGTERM is thrown away${handled ? ", although the program has a handler" : "; on Linux it would end the process"}`,
    same: ({ handled }) => [handled ? 1 : 0],
    turn: ["lost"],
    captions: {
      sent: () => "the host sends SIGTERM",
      upcall: () => "the PAL tells the LibOS",
      lost: () => "the LibOS does nothing with it: injection is off",
    },
  },
  invalid: [
    {
      name: "SIGTERM from outside",
      scenario: `
        main:
          - sigaction: { signal: SIGTERM, handler: on-term }
          - compute: 5ms
          - getpid
        handlers:
          on-term:
            - compute: 1us
        signals:
          - signal: SIGTERM
            when: { at: 2ms }
      `,
      stacks: GRAMINE,
      found: [{ title: "the host's SIGTERM is thrown away, although the program has a handler", evidence: ["sent", "upcall", "lost"] }],
    },
  ],
});
